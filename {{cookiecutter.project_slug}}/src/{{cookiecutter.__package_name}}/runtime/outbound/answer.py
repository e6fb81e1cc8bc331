"""An answer's body, read whole within its bound.

httpx unpacks whatever comes, as often as it says it was packed and as far as it goes: a
kilobyte that was packed twice becomes a gigabyte before anyone can look at its size.
"""

import zlib

import httpx

# What a request asks for unless its caller says otherwise; nothing else is unpacked.
ACCEPTED = {"Accept-Encoding": "gzip"}
UNPACKED = frozenset({"", "identity"})
GZIP = 16 + zlib.MAX_WBITS
# They describe the body as it was sent; the one that a caller gets is unpacked.
OF_THE_WIRE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class BadAnswer(httpx.DecodingError):
    """A body that is too large, cut, or packed in another way than was asked for."""


def coding(response: httpx.Response) -> str:
    """How the body is packed: not at all, or as gzip.

    Raises:
        BadAnswer: in another way, or more than once.
    """
    value: str = response.headers.get("content-encoding", "").strip().lower()
    if value not in UNPACKED and value != "gzip":
        raise BadAnswer(f"content encoding {value[:100]!r}, which nobody asked for")
    return value


async def check_coding(response: httpx.Response) -> httpx.Response:
    """The same, unread, if it can be unpacked as it comes; closed if not."""
    try:
        coding(response)
    except BadAnswer:
        await response.aclose()
        raise
    return response


async def read_whole(response: httpx.Response, limit: int) -> httpx.Response:
    """The response with its body, unpacked, of at most `limit` bytes.

    Raises:
        BadAnswer: it is longer, or is not what its headers say.
        httpx.TransportError: it does not come to its end.
    """
    headers = response.headers
    length = headers.get("content-length", "")
    parts: list[bytes] = []
    size = 0
    try:
        packed = coding(response) == "gzip"
        if not packed and length.isdigit() and int(length) <= limit:
            await response.aread()
            return response
        unpack = zlib.decompressobj(GZIP) if packed else None
        empty = True
        async for part in response.aiter_raw():
            empty = False
            plain = unpack.decompress(part, limit + 1 - size) if unpack else part
            parts.append(plain)
            size += len(plain)
            if size > limit:
                raise BadAnswer(f"an answer of more than {limit} bytes")
        if unpack and not empty and (not unpack.eof or unpack.unused_data):
            raise BadAnswer("a gzip that is cut, or followed by something else")
    except zlib.error as exc:
        raise BadAnswer(f"a bad gzip: {exc}") from exc
    finally:  # whatever happens, the connection goes back or is closed
        await response.aclose()
    return httpx.Response(
        response.status_code,
        headers=[pair for pair in headers.raw if pair[0].lower() not in OF_THE_WIRE],
        content=b"".join(parts),
        request=response.request,
        extensions=response.extensions,
    )
