"""Whom a source trusts and what it shows of itself, from files that are replaced in time."""

import ssl
from contextlib import suppress

from ..options import ConfigOptions


class Certificates:
    """The files that the options name; else the system's authorities, and nothing to show.

    Attributes:
        trust: for TLS; empty where that is not used, as reading the authorities takes 20 ms.

    Raises:
        ValueError: one of the files cannot be used.
    """

    def __init__(self, options: ConfigOptions, *, used: bool) -> None:
        self._options = options
        self.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._used = used
        if used:
            try:
                self.trust = ssl.create_default_context(cafile=options.ca_file or None)
                self._read()
            except OSError as exc:
                raise ValueError(f"its certificates cannot be used: {exc.strerror or exc}") from exc

    def renew(self) -> None:
        """Read the files again, for the connections to come: one may have replaced the expired.

        One that is being written just now is read at the next time.
        """
        if self._used:
            with suppress(OSError):
                self._read()

    def _read(self) -> None:
        if self._options.ca_file:
            self.trust.load_verify_locations(self._options.ca_file)
        if self._options.cert_file:
            self.trust.load_cert_chain(self._options.cert_file, self._options.key_file or None)
