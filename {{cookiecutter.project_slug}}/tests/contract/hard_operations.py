"""Operations that are hard to generate from, in one document."""

from typing import Any

from .contracts import (
    FORM,
    INTEGER,
    JSON,
    STRING,
    Json,
    answer,
    array,
    content,
    document,
    obj,
    operation,
    parameter,
    ref,
)

BINARY = STRING | {"format": "binary"}
DATE = STRING | {"format": "date"}
OR_NULL = {"type": ["string", "null"]}
PROBLEM = answer(ref("Problem"), "application/problem+json")
HEADERS = {
    "X-Left": {"schema": INTEGER, "required": True},
    "X-Tags": {"schema": array(STRING)},
    "X-Int": {"$ref": "#/components/headers/Int"},
    "Str": {"schema": STRING},
    "Content-Type": {"schema": STRING},
}
TAKEN_NAMES = ("self", "cls", "body", "class", "print", "models", "str", "list", "int", "$f", "f$")
TAGS = (
    "a b!",
    "A-B",
    "日本",
    "class",
    "authorize",
    "check",
    "bind",
    "models",
    "Protocol",
    "",
    "list",
)
IDS = (
    "list",
    "dict",
    "str",
    "class",
    "import",
    "print",
    "getX",
    "get_x",
    "GET-x",
    "1st",
    "日本",
    "any",
)


def tagged(index: int, tag: str) -> Json:
    return {f"/tags/{index}": {"get": {"tags": [tag], "responses": {"204": answer()}}}}


def called(index: int, id_: str) -> Json:
    listed = {"200": answer(array(ref("Item")))}
    return {f"/ids/{index}": {"get": operation(operationId=id_, responses=listed)}}


PATHS: Json = {
    "/everywhere/{id}": {
        "get": operation(
            *(parameter("id", place) for place in ("path", "query", "header", "cookie"))
        )
    },
    "/names": {"get": operation(*(parameter(name) for name in TAKEN_NAMES))},
    "/override/{id}": {
        "parameters": [
            parameter("id", "path"),
            parameter("q", schema=STRING),
            parameter(
                "kept", schema=array({"enum": ["a", "b"]}), style="pipeDelimited", explode=False
            ),
        ],
        "get": operation(parameter("q", schema=INTEGER, required=True)),
        "delete": operation(),
    },
    "/spellings/{ids}": {
        "get": operation(
            parameter("ids", "path", array(INTEGER)),
            parameter("form", schema=array(DATE)),
            parameter("space", schema=array(STRING), style="spaceDelimited", explode=False),
            parameter("deep", schema=obj({"a": INTEGER, "b": array(STRING)}), style="deepObject"),
            {"name": "json", "in": "query", **content(ref("Item"))},
            parameter("null", schema={"type": ["array", "null"], "items": INTEGER}),
            parameter("default", schema=INTEGER | {"default": 3}),
            parameter("no_default", schema=OR_NULL | {"default": None}),
            parameter("day", schema=DATE | {"default": "2020-01-01"}),
            parameter("jar", "cookie", array(STRING), explode=False),
            parameter("X-List", "header", array(INTEGER)),
            parameter("Authorization", "header"),
            {"$ref": "#/components/parameters/Chain"},
            {"$ref": "#/paths/~1override~1%7Bid%7D/parameters/1"},
        )
    },
    "/bodies": {
        "post": operation(
            requestBody={
                "content": {
                    JSON: {"schema": obj({"a": STRING})},
                    FORM: {"schema": obj({"b": INTEGER, "c": array(STRING)}, "b")},
                    "text/plain": {"schema": STRING | {"maxLength": 9}},
                    "application/octet-stream": {"schema": BINARY},
                    "image/*": {},
                    "application/vnd.x+json; v=1": {"schema": {"type": ["integer", "null"]}},
                }
            },
            responses={
                "200": answer(ref("Item"), headers=HEADERS),
                "201": answer(STRING),
                "202": answer(),
                "2XX": answer(INTEGER),
                "303": answer(headers={"Location": {"schema": STRING, "required": True}}),
                "404": {"$ref": "#/components/responses/Missing"},
                "5XX": {"$ref": "#/components/responses/Answer"},
                "default": {"$ref": "#/components/responses/Chain"},
            },
        ),
        "put": operation(
            requestBody={"$ref": "#/components/requestBodies/Upload"},
            responses={"200": answer(STRING, "text/plain"), "404": PROBLEM},
        ),
        "patch": operation(
            requestBody=content(
                obj({"deep": obj({"x": INTEGER})}),
                FORM,
                encoding={"deep": {"style": "deepObject", "explode": True}},
            ),
            responses={"200": answer(BINARY, "application/octet-stream")},
        ),
        "delete": operation(responses={"default": answer(ref("Item"))}),
        "get": operation(
            responses={
                "200": answer(
                    content={JSON: {"schema": ref("Item")}, "text/csv": {"schema": STRING}}
                )
            }
        ),
        "head": operation(responses={"200": answer()}),
    },
    "/text": {"post": operation(requestBody=content(ref("Item"), "text/plain"))},
    "/stream": {
        "get": operation(
            responses={"200": answer(STRING, "text/event-stream"), "404": PROBLEM},
            **{"x-stream": True, "x-deadline": 0.5, "x-key-route": True},
            **{"x-priority": "critical"},
        )
    },
    "/secure": {
        "get": operation(
            security=[{}, {"oauth": ["read", "write"]}, {"key": []}],
            responses={"204": answer(), "401": {"$ref": "#/components/responses/Missing"}},
            summary='Quotes """ and \\ everywhere "',
            description="first\n\n  second 'line'\\",
            deprecated=True,
        ),
        "put": operation(security=[{}]),
    },
}
for _index, _tag in enumerate(TAGS):
    PATHS |= tagged(_index, _tag)
for _index, _id in enumerate(IDS):
    PATHS |= called(_index, _id)

COMPONENTS: dict[str, Any] = {
    "parameters": {
        "Chain": {"$ref": "#/components/parameters/Page"},
        "Page": parameter("page", schema={"type": "integer", "minimum": 1}),
    },
    "headers": {"Int": {"schema": {"type": "integer", "maximum": 5}}},
    "requestBodies": {
        "Upload": {
            "required": True,
            **content(
                obj(
                    {"file": BINARY, "files": array(BINARY), "about": ref("Item"), "n": INTEGER},
                    "file",
                ),
                "multipart/form-data",
            ),
        }
    },
    "responses": {
        "Missing": PROBLEM | {"headers": {"X-Why": {"schema": STRING}}},
        "Answer": answer(ref("Item")),
        "Chain": {"$ref": "#/components/responses/Missing"},
    },
    "securitySchemes": {
        "oauth": {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": "https://example.org/token",
                    "scopes": {"read": "", "write": ""},
                }
            },
        },
        "key": {"type": "apiKey", "in": "query", "name": "k"},
    },
}
SCHEMAS = {
    "Item": obj({"id": STRING}),
    "Problem": obj({"type": STRING, "status": INTEGER}, "type"),
}
OPERATIONS = document(PATHS, SCHEMAS, **COMPONENTS)
