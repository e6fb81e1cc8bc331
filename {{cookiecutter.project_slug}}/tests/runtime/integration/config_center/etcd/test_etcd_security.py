"""TLS and users, with a real etcd."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import trustme

from steadfast_service.runtime.config.reading import SourceError

from .....support.etcd import EtcdServer, etcd_server
from .....support.tls import Authority
from .conftest import Opens, following, sign

PASSWORD = "se/cret@1"
ENCODED = "se%2Fcret%401"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[EtcdServer]:
    """A server where `app` may read below `orders/`, with tokens that expire soon."""
    async with etcd_server(tmp_path, token_ttl=1) as server:
        await server.put("orders/a", "1")
        await server.enable_auth("app", PASSWORD, "orders/")
        yield server


async def refusal(opened: Opens, url: str, **options: str) -> str:
    """Why it cannot be read, in one line without a secret."""
    with pytest.raises(SourceError) as caught:
        await opened(url, **options).load()
    said = str(caught.value)
    assert "\n" not in said
    assert PASSWORD not in said
    return said


async def test_a_certificate_of_the_named_authority_is_trusted(
    tmp_path: Path, authority: Authority, opened: Opens
) -> None:
    async with etcd_server(tmp_path, authority=authority) as etcd:
        await etcd.put("orders/a", "1")
        source = opened(f"etcds://{etcd.host}/orders", ca_file=str(authority.root))
        async with aclosing(source.watch(await source.load())) as readings:
            assert await sign(readings) is None
            await etcd.put("orders/a", "2")
            assert (await following(readings)).entries == {"a": b"2"}


async def test_no_other_certificate_is_trusted(
    tmp_path: Path, authority: Authority, opened: Opens
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    async with etcd_server(tmp_path, authority=authority) as etcd:
        url = f"etcds://{etcd.host}/orders"
        assert "certificate verify failed" in await refusal(opened, url)
        assert "certificate verify failed" in await refusal(opened, url, ca_file=str(other))
        plain = f"etcd://{etcd.host}/orders"
        assert "http://" in await refusal(opened, plain)


async def test_an_authority_is_replaced_while_we_run(
    tmp_path: Path, authority: Authority, opened: Opens
) -> None:
    file = tmp_path / "trusted.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    async with etcd_server(tmp_path, authority=authority) as etcd:
        source = opened(f"etcds://{etcd.host}/orders", ca_file=str(file))
        file.write_bytes(authority.root.read_bytes())
        with pytest.raises(SourceError, match="verify failed"):
            await source.load()  # with the old one, and then it is read again
        assert (await source.load()).entries == {}


async def test_tls_is_not_given_up_for_a_server_without(etcd: EtcdServer, opened: Opens) -> None:
    assert "https://" in await refusal(opened, f"etcds://{etcd.host}/orders")


async def test_our_own_certificate_is_shown_and_renewed(
    tmp_path: Path, authority: Authority, opened: Opens
) -> None:
    ours = tmp_path / "ours.pem"
    stranger = trustme.CA().issue_cert("orders")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(ours))
    trusted = {"ca_file": str(authority.root)}
    async with etcd_server(tmp_path, authority=authority, ask_certificates=True) as etcd:
        url = f"etcds://{etcd.host}/orders"
        await refusal(opened, url, **trusted)
        source = opened(url, **trusted, cert_file=str(ours))
        with pytest.raises(SourceError):
            await source.load()
        ours.write_bytes(authority.certificate.read_bytes())
        with pytest.raises(SourceError):
            await source.load()  # with the old one, and then it is read again
        assert (await source.load()).entries == {}


async def test_a_file_of_certificates_that_cannot_be_used_is_refused(
    tmp_path: Path, opened: Opens
) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    for name in ("missing.pem", "empty.pem"):
        for option in ("ca_file", "cert_file"):
            with pytest.raises(ValueError, match="certificates") as caught:
                opened("etcds://host/orders", **{option: str(tmp_path / name)})
            assert "\n" not in str(caught.value)


async def test_a_user_with_a_password_may_read(guarded: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://app:{ENCODED}@{guarded.host}/orders")
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await guarded.put("orders/a", "2")
        assert (await following(readings)).entries == {"a": b"2"}


async def test_who_may_not_read_is_told_so(guarded: EtcdServer, opened: Opens) -> None:
    host = guarded.host
    no_user = await refusal(opened, f"etcd://{host}/orders")
    assert no_user == "etcd asks for a user and a password"
    wrong = await refusal(opened, f"etcd://app:wrong@{host}/orders")
    assert "invalid user ID or password" in wrong
    unknown = await refusal(opened, f"etcd://nobody:{ENCODED}@{host}/orders")
    assert "invalid user ID or password" in unknown
    not_his = await refusal(opened, f"etcd://app:{ENCODED}@{host}/billing")
    assert "permission denied" in not_his


async def test_an_expired_token_is_renewed(guarded: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://app:{ENCODED}@{guarded.host}/orders", watch_timeout=300)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await guarded.put("orders/a", "2")
        assert (await following(readings)).entries == {"a": b"2"}  # the stream is there
        token = source._api._token
        assert token
        await asyncio.sleep(2.5)  # it expires after 1 s, and etcd looks for such each second
        await guarded.put("orders/a", "3")  # the stream goes on; what follows needs a new one
        assert (await following(readings)).entries == {"a": b"3"}
        assert source._api._token != token


async def test_users_may_be_switched_on_and_off(etcd: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://app:{ENCODED}@{etcd.host}/orders")
    assert (await source.load()).entries == {}
    await etcd.enable_auth("app", PASSWORD, "orders/")
    assert (await source.load()).entries == {}
    await etcd.disable_auth()
    await etcd.put("orders/a", "1")
    assert (await source.load()).entries == {"a": b"1"}
