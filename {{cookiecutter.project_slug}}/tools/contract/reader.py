"""From a valid document to the contract: references followed, defaults filled in."""

from pathlib import Path

from .contract import (
    Answer,
    Contract,
    Header,
    Operation,
    Parameter,
    is_form,
    is_json,
    media_type,
)
from .document import METHODS, Json, Refusal, escape, follow, load
from .naming import pascal, snake, unique
from .schemas import Schemas
from .spelling import check_text, is_flat, kinds_of

IGNORED_HEADERS = ("accept", "content-type", "authorization")  # OpenAPI describes them elsewhere
STYLES = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "path": ("simple",),
    "header": ("simple",),
    "cookie": ("form",),
}
EXTENSIONS = ("x-deadline", "x-key-route", "x-priority", "x-stream")


def read(path: Path) -> Contract:
    """The contract in a file. Raises `Refusal`."""
    return understand(load(path))


def understand(document: Json) -> Contract:
    """The contract in a valid document. Raises `Refusal`."""
    return _Reader(document).contract()


class _Reader:
    def __init__(self, document: Json) -> None:
        self._document = document
        self._schemas = Schemas(document)
        self._names: set[str] = set()

    def contract(self) -> Contract:
        operations = []
        for path, item in self._document.get("paths", {}).items():
            node, pointer = follow(self._document, item, f"/paths/{escape(path)}")
            methods = [method for method in METHODS if method in node]
            operations += [self._operation(method, path, node, pointer) for method in methods]
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        known = {
            name: follow(self._document, scheme, f"/components/securitySchemes/{escape(name)}")[0]
            for name, scheme in schemes.items()
        }
        return Contract(self._document, self._schemas, operations, known)

    def _operation(self, method: str, path: str, item: Json, base: str) -> Operation:
        node, pointer = item[method], f"{base}/{method}"
        id_ = node.get("operationId") or "_".join([method, snake(path.replace("{", "by "))])
        operation = Operation(
            pointer=pointer,
            method=method.upper(),
            path=path,
            id=id_,
            python=unique(snake(id_), self._names),
            tag=(node.get("tags") or ["default"])[0],
            summary=node.get("summary", ""),
            description=node.get("description", "").strip(),
            deprecated=node.get("deprecated", False),
            security=node.get("security", self._document.get("security", [])),
            extensions=_extensions(node, pointer),
        )
        operation.parameters = self._parameters(item, base, node, pointer)
        if "requestBody" in node:
            self._body(operation, node["requestBody"], f"{pointer}/requestBody")
        declared = node.get("responses", {})
        # `default` stands for errors, unless nothing else says how the operation ends well.
        errors = "45d" if any(status[0] in "23" for status in declared) else "45"
        for status, response in declared.items():
            where = f"{pointer}/responses/{escape(status)}"
            is_error = status[0] in errors
            operation.answers.append(self._answer(status, response, where, is_error=is_error))
        return operation

    def _parameters(self, item: Json, base: str, node: Json, pointer: str) -> list[Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        for holder, where in ((item, base), (node, pointer)):
            here = set()
            for index, one in enumerate(holder.get("parameters", ())):
                parameter = self._parameter(one, f"{where}/parameters/{index}")
                key = parameter.location, parameter.name
                if key[0] == "header" and parameter.name in IGNORED_HEADERS:
                    continue
                if key in here:  # headers that differ in their case only
                    raise Refusal(f"{where}/parameters/{index}", "declared twice")
                here.add(key)
                found[key] = parameter
        taken = {"body"}
        for parameter in found.values():
            parameter.python = unique(snake(parameter.name), taken)
        return list(found.values())

    def _parameter(self, node: Json, pointer: str) -> Parameter:
        component = _component(node)
        node, pointer = follow(self._document, node, pointer)
        location = node["in"]
        style = node.get("style", "form" if location in ("query", "cookie") else "simple")
        schema, where = node.get("schema", {}), f"{pointer}/schema"
        if "content" in node:
            [(media, content)] = node["content"].items()
            if not is_json(media):
                raise Refusal(f"{pointer}/content", f"a parameter as {media}")
            style, schema = "json", content.get("schema", {})
            where = f"{pointer}/content/{escape(media)}/schema"
        elif style not in STYLES[location]:
            raise Refusal(f"{pointer}/style", f"style {style!r} in {location}")
        prepared = self._schemas.prepare(schema, where)
        if prepared.get("default", ...) is None:  # as every parameter that is not there
            del prepared["default"]
        explode = node.get("explode", style in ("form", "deepObject"))
        name = node["name"].lower() if location == "header" else node["name"]
        check_text(prepared, self._schemas.resolve, location, style, explode, pointer)
        return Parameter(
            pointer=pointer,
            name=name,
            location=location,
            required=node.get("required", False),
            schema=prepared,
            style=style,
            explode=explode,
            description=node.get("description", "").strip(),
            deprecated=node.get("deprecated", False),
            component=component,
        )

    def _body(self, operation: Operation, node: Json, pointer: str) -> None:
        node, pointer = follow(self._document, node, pointer)
        operation.body = self._content(node["content"], f"{pointer}/content")
        operation.body_required = node.get("required", False)
        operation.body_description = node.get("description", "").strip()
        for media, content in node["content"].items():
            if is_form(media):
                where = f"{pointer}/content/{escape(media)}"
                styles = self._form(media, operation.body[media_type(media)], content, where)
                operation.body_encoding |= styles

    def _form(self, media: str, schema: Json, content: Json, where: str) -> dict[str, str]:
        """How each field that is not a scalar is spelled."""
        resolve = self._schemas.resolve
        target = resolve(schema)
        if target.get("type") != "object":
            raise Refusal(f"{where}/schema", "a form whose schema is not an object")
        styles = {}
        for name, field_ in target.get("properties", {}).items():
            encoding = content.get("encoding", {}).get(name, {})
            style = encoding.get("style", "form")
            kinds = kinds_of(field_, resolve)
            if style == "deepObject":
                styles[name] = style
            elif "object" in kinds or not kinds:
                if media_type(media) != "multipart/form-data":
                    reason = "an object in a form needs an encoding with style deepObject"
                    raise Refusal(f"{where}/schema/properties/{escape(name)}", reason)
                styles[name] = "json"
            elif style != "form" or not encoding.get("explode", True):
                raise Refusal(f"{where}/encoding/{escape(name)}", "only form with explode")
            elif "array" in kinds and (kinds != {"array"} or not is_flat(field_, resolve)):
                reason = "an array of arrays or of objects, or an array or something else"
                raise Refusal(f"{where}/schema/properties/{escape(name)}", reason)
        return styles

    def _answer(self, status: str, node: Json, pointer: str, *, is_error: bool) -> Answer:
        component = _component(node)
        node, pointer = follow(self._document, node, pointer)
        headers = []
        for media in filter(is_form, node.get("content", {})):
            raise Refusal(f"{pointer}/content/{escape(media)}", "a form is no answer")
        for name, header in node.get("headers", {}).items():
            if name.lower() != "content-type":
                headers.append(self._header(name, header, f"{pointer}/headers/{escape(name)}"))
        return Answer(
            pointer=pointer,
            status=status.upper() if status != "default" else status,
            description=node["description"].strip(),
            headers=headers,
            content=self._content(node.get("content", {}), f"{pointer}/content"),
            is_error=is_error,
            component=component,
        )

    def _header(self, name: str, node: Json, pointer: str) -> Header:
        component = _component(node)
        node, pointer = follow(self._document, node, pointer)
        if "content" in node:
            raise Refusal(f"{pointer}/content", "a header with a media type")
        schema = self._schemas.prepare(node.get("schema", {"type": "string"}), f"{pointer}/schema")
        check_text(schema, self._schemas.resolve, "header", "simple", False, pointer)
        return Header(
            pointer=pointer,
            name=name.lower(),
            required=node.get("required", False),
            schema=schema,
            description=node.get("description", "").strip(),
            component=component,
        )

    def _content(self, content: Json, pointer: str) -> dict[str, Json]:
        prepared: dict[str, Json] = {}
        for media, node in content.items():
            where = f"{pointer}/{escape(media)}"
            if media_type(media) in prepared:
                raise Refusal(where, f"{media_type(media)} twice: parameters tell nothing apart")
            schema = self._schemas.prepare(node.get("schema", {}), f"{where}/schema")
            prepared[media_type(media)] = schema
        return prepared


def _extensions(node: Json, pointer: str) -> dict[str, Json]:
    for key in ("x-key-route", "x-stream"):
        if not isinstance(node.get(key, False), bool):
            raise Refusal(f"{pointer}/{key}", "true or false")
    if node.get("x-priority", "critical") != "critical":
        raise Refusal(f"{pointer}/x-priority", "critical, or left out")
    seconds = node.get("x-deadline", 1)
    if isinstance(seconds, bool) or not (isinstance(seconds, int | float) and seconds > 0):
        raise Refusal(f"{pointer}/x-deadline", "a positive number of seconds")
    return {key: node[key] for key in EXTENSIONS if key in node}


def _component(node: Json) -> str:
    return pascal(node["$ref"].rpartition("/")[2]) if "$ref" in node else ""
