"""Forms, files, texts and bytes that operations made by hand take."""

from typing import Annotated, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import MISSING, ConfigDict, Field

from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import Body

from ...support.operations import Keeper, operation, places, send

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
BYTES = bytes(range(256))
BOUNDARY = {"content-type": f"{MULTIPART}; boundary=b"}


class Range(Model):
    model_config = ConfigDict(extra="forbid")
    from_: Annotated[int | MISSING, Field(alias="from")] = MISSING
    to: int | MISSING = MISSING


class Filled(Model):
    model_config = ConfigDict(extra="forbid")
    name: str
    ages: list[int] | MISSING = MISSING
    range: Range | MISSING = MISSING
    either: int | bool | MISSING = MISSING


class Upload(Model):
    title: str | MISSING = MISSING
    meta: Range | MISSING = MISSING
    file_: Annotated[bytes | MISSING, Field(alias="file", max_length=256)] = MISSING
    pages: list[bytes] | MISSING = MISSING


FILL = operation(body=Body({FORM: Filled}, styles={"range": "deepObject"}))
UPLOAD = operation(body=Body({MULTIPART: Upload}, styles={"meta": "json"}))


def part(name: str, content: bytes, more: str = "", end: bytes = b"--b--\r\n") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n" + end


async def fill(text: str | bytes) -> tuple[httpx.Response, Any]:
    keeper = Keeper()
    response = await send(FILL, keeper, content=text, headers={"content-type": FORM})
    return response, keeper.arguments.get("body")


async def upload(**options: Any) -> tuple[httpx.Response, Any]:
    keeper = Keeper()
    return await send(UPLOAD, keeper, **options), keeper.arguments.get("body")


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("name=a+b", Filled(name="a b")),
        ("name=%C3%A9&name=%22,1", Filled(name='",1')),
        ("name=", Filled(name="")),
        ("name=1&ages=1&ages=2", Filled(name="1", ages=[1, 2])),
        ("name=x&range[from]=1&range%5Bto%5D=2", Filled(name="x", range=Range(from_=1, to=2))),
        ("name=x&either=true", Filled(name="x", either=True)),
    ],
)
async def test_a_form_has_its_fields_types(text: str, body: Filled) -> None:
    response, got = await fill(text)
    assert (response.status_code, got) == (200, body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ages=1", ["/name"]),
        ("5", ["/name", "/5"]),
        ("name=x&ages=1&ages=1_0", ["/ages/1"]),
        ("name=x&range[from]=x", ["/range/from"]),
        ("name=x&range[from_]=1", ["/range/from_"]),
        ("name=x&range=1", ["/range"]),
        ("name=x&either=yes", ["/either", "/either"]),
        ("name=x&other=1", ["/other"]),
        ("name=x&other[a]=1", ["/other[a]"]),
        ("name=x&ages[]=1", ["/ages[]"]),
    ],
)
async def test_a_form_is_taken_strictly(text: str, expected: list[str]) -> None:
    response, _ = await fill(text)
    assert places(response) == [("body", pointer) for pointer in expected]


async def test_a_form_is_utf_8() -> None:
    for text in ("name=%FF", b"name=\xff", b"\xff=1"):
        assert (await fill(text))[0].status_code == 400


async def test_files_keep_every_byte() -> None:
    files = [("file", ("a.bin", BYTES)), ("pages", ("1", b"")), ("pages", ("2", BYTES))]
    data = {"title": "\u00e9", "meta": '{"from": 1}'}
    response, body = await upload(files=files, data=data)
    assert response.status_code == 200, response.text
    assert (body.file_, body.pages) == (BYTES, [b"", BYTES])
    assert (body.title, body.meta) == ("\u00e9", Range(from_=1))


async def test_a_file_needs_no_name_and_a_text_may_have_one() -> None:
    content = part("file", b"\xff\0", end=b"") + part("title", b"x", '; filename="t"')
    response, body = await upload(content=content, headers=BOUNDARY)
    assert response.status_code == 200, response.text
    assert (body.file_, body.title) == (b"\xff\0", "x")
    _, body = await upload(content=part("pages", b"1", '; filename="1"'), headers=BOUNDARY)
    assert body.pages == [b"1"]


async def test_a_file_is_as_long_as_it_is() -> None:
    response, _ = await upload(files={"file": ("a", BYTES + b"x")})
    assert places(response) == [("body", "/file")]


@pytest.mark.parametrize("meta", ["{", '1,"title":"smuggled"', "1", '{"from": "1"}', '{"x": 1}'])
async def test_json_inside_a_form_is_only_its_own_field(meta: str) -> None:
    response, _ = await upload(content=part("meta", meta.encode()), headers=BOUNDARY)
    assert {pointer[:5] for _, pointer in places(response)} == {"/meta"}


CHARSETS = ["undefined", "idna", "utf-7", "unicode_escape", "utf-16", "rot13", "x" * 99, "latin-1"]


@pytest.mark.parametrize("charset", CHARSETS)
async def test_a_charset_of_the_callers_choice_changes_nothing(charset: str) -> None:
    headers = {"content-type": f"{MULTIPART}; charset={charset}; boundary=b"}
    for title in ("+2AA-", "\\ud800", "\u00e9"):
        response, body = await upload(content=part("title", title.encode()), headers=headers)
        assert (response.status_code, body.title) == (200, title)


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"nonsense", f"{MULTIPART}; boundary=b"),
        (part("title", b"x"), MULTIPART),
        (part("title", b"x"), f'{MULTIPART}; boundary="b'),
        (part("title", b"x", end=b""), f"{MULTIPART}; boundary=b"),  # it was cut
        (part("title", b"x")[:-20], f"{MULTIPART}; boundary=b"),
        (part("title", b"\xff"), f"{MULTIPART}; boundary=b"),
        (part("title", b"x" * 9).replace(b"form-data; name", b"x"), f"{MULTIPART}; boundary=b"),
        (part("title", b"x", end=b"") * 2000 + b"--b--", f"{MULTIPART}; boundary=b"),
    ],
)
async def test_what_is_no_multipart_form(content: bytes, media: str) -> None:
    response, _ = await upload(content=content, headers={"content-type": media})
    assert response.status_code == 400


@given(
    st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\n", b"name", b'"', b":", b";", b"\xff"]))
)
async def test_no_multipart_body_breaks_it(parts: list[bytes]) -> None:
    content = part("title", b"".join(parts), end=b"") + b"".join(parts)
    response, _ = await upload(content=content, headers=BOUNDARY)
    assert response.status_code in (200, 400)


@pytest.mark.parametrize(
    ("media", "sent", "content", "expected"),
    [
        ("text/plain", "text/plain; charset=utf-8", "\u00e9".encode(), "\u00e9"),
        ("text/plain", "TEXT/PLAIN", b"", ""),
        ("application/octet-stream", "application/octet-stream", BYTES, BYTES),
        ("application/octet-stream", "application/octet-stream", b"", b""),
        ("image/*", "image/png", BYTES, BYTES),
        ("*/*", "x/y", BYTES, BYTES),
        ("text/csv", "text/csv", BYTES, BYTES),
    ],
)
async def test_text_is_text_and_bytes_are_bytes(
    media: str, sent: str, content: bytes, expected: str | bytes
) -> None:
    keeper = Keeper()
    one = operation(body=Body({media: type(expected)}))
    response = await send(one, keeper, content=content, headers={"content-type": sent})
    assert (response.status_code, keeper.arguments) == (200, {"body": expected})


async def test_text_is_checked_and_no_other_type_is_blamed() -> None:
    short = Annotated[str, Field(max_length=2)]
    for content, status in ((b"\xff", 400), (b"abc", 422)):
        one = operation(body=Body({"text/plain": short}))
        sent = {"content-type": "text/plain"}
        response = await send(one, Keeper(), content=content, headers=sent)
        assert response.status_code == status


async def test_one_operation_takes_several_types() -> None:
    one = operation(body=Body({"application/json": Range, "text/plain": str, FORM: Range}))
    for content, media, expected in (
        ("{}", "application/json", Range()),
        ("{}", "text/plain", "{}"),
        ("to=1", FORM, Range(to=1)),
    ):
        keeper = Keeper()
        await send(one, keeper, content=content, headers={"content-type": media})
        assert keeper.arguments == {"body": expected}
    response = await send(one, Keeper(), content="x", headers={"content-type": "text/xml"})
    assert response.status_code == 415
    assert "text/plain" in response.json()["detail"]
