"""Which keys are within a percentage: the same ones in every process, service and language."""

import hashlib


def within(percentage: float, flag: str, key: str) -> bool:
    """Whether `key` is among the first `percentage` of this flag's keys.

    To compute the same elsewhere: `n` is the first four bytes, as a big-endian number, of the
    SHA-256 of `flag:key` in UTF-8. The key is within where `n * 100 < percentage * 2**32`.
    Both sides are exact in doubles, so no rounding decides differently in another language.

    The hash is uniform, so that a percentage of the keys is one of the customers. The name in
    it makes flags independent: those who get one feature early are not those of the next. The
    number of a key never changes, so that raising the percentage keeps everybody in.
    """
    # A lone surrogate, which a claim may hold, is no reason to fail.
    digest = hashlib.sha256(f"{flag}:{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") * 100 < percentage * 2**32
