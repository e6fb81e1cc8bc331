"""Schemas in one spelling: OpenAPI 3.0 and 3.1 alike become plain JSON Schema.

What the generated types could not hold a value to is refused here, with its pointer. What
says nothing about values (`xml`, `externalDocs`, `x-...`) is left out.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from . import spelling
from .document import Json, Refusal, escape, resolve
from .merging import disjoint, merge, without_null
from .naming import pascal, unique
from .spelling import BOUNDS, NOTES, SILENT


class Schemas:
    """The schemas of one document, each under a name that is a Python class's.

    Args:
        document: a valid OpenAPI document.
    """

    def __init__(self, document: Json) -> None:
        self._document = document
        self._old = str(document["openapi"]).startswith("3.0.")
        self._names: dict[str, str] = {}  # the pointer that a $ref names: the class's name
        self._taken: set[str] = set()
        self.components: dict[str, Json] = {}
        self.pointers: dict[str, str] = {}  # a class's name: where its schema stands
        self.notices: list[str] = []
        self._tagged: dict[str, dict[str, list[Any]]] = {}
        self._open: set[str] = set()  # components that are being prepared
        self._later: list[Callable[[], None]] = []  # what needs them complete
        declared = document.get("components", {}).get("schemas", {})
        for name in declared:
            self._name(f"#/components/schemas/{escape(name)}", name)
        for name in declared:
            self._define(f"#/components/schemas/{escape(name)}")
        self._settle()

    def prepare(self, node: Json, pointer: str) -> Json:
        """One schema, with references to `components` only."""
        out = self._prepare(node, pointer)
        self._settle()
        return out

    def _settle(self) -> None:
        """Prepare what was referred to, and look again at what needs it complete."""
        names = self._names
        while undefined := [ref for ref in names if names[ref] not in self.components]:
            for ref in undefined:
                self._define(ref)
        later, self._later = self._later, []
        for check in later:
            check()

    def _prepare(self, node: Json, pointer: str) -> Json:
        if isinstance(node, bool):
            node = {} if node else {"not": {}}
        for keyword in node:
            if not spelling.is_known(keyword, node[keyword]):
                raise Refusal(f"{pointer}/{escape(keyword)}", f"{keyword!r} cannot be expressed")
        if "$ref" in node:
            return self._reference(node, pointer)
        out = {key: node[key] for key in (*NOTES, *BOUNDS) if key in node}
        if "example" in node:
            out.setdefault("examples", [node["example"]])
        spelling.types(node, out, pointer, old=self._old)
        spelling.bounds(node, out)
        spelling.text(node, out, pointer)
        self._object(node, out, pointer)
        if "items" in node:
            out["items"] = self._prepare(node["items"], f"{pointer}/items")
            out["items"].pop("default", None)  # an item that is not there has no value
        out = self._variants(node, out, pointer)
        if "allOf" in node:
            out = self._merged(node, out, pointer)
        if "enum" in out or "const" in out:
            out, left = spelling.chosen(out, pointer)
            self.notices += [f"{pointer}/enum: {value!r} is never valid" for value in left]
        if node.get("nullable") and self._old:
            out = spelling.nullable(out)
        return spelling.apart(out)

    def adopt(self, schema: Json, name: str, pointer: str) -> Json:
        """Give a prepared inline schema a name; the reference to it."""
        known = next((one for one, where in self.pointers.items() if where == pointer), None)
        if known is None:
            known = unique(pascal(name), self._taken)
            self.components[known], self.pointers[known] = schema, pointer
        return {"$ref": f"#/components/schemas/{known}"}

    def resolve(self, schema: Json) -> Json:
        """A prepared schema, behind its references."""
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in self.components:
                self._define(next(ref for ref, known in self._names.items() if known == name))
            if name in self._open:
                raise Refusal(self.pointers[name], "allOf of a schema that this is a part of")
            schema = self.components[name]
        return schema

    def _name(self, ref: str, name: str) -> str:
        self._names[ref] = unique(pascal(name), self._taken)
        return self._names[ref]

    def _define(self, ref: str) -> None:
        name = self._names[ref]
        if name in self.components:
            return
        self.components[name] = {}  # in the order of their names
        self.pointers[name] = ref[1:]
        self._open.add(name)
        self.components[name] = self._prepare(resolve(self._document, ref, ""), ref[1:])
        self._open.remove(name)

    def _reference(self, node: Json, pointer: str) -> Json:
        ref = node["$ref"]
        resolve(self._document, ref, pointer)
        if ref not in self._names:
            self._name(ref, ref.rpartition("/")[2])
        reference = {"$ref": f"#/components/schemas/{self._names[ref]}"}
        if self._old:  # 3.0 ignores what stands beside a reference
            return reference
        beside = {k: v for k, v in node.items() if k != "$ref" and not k.startswith("x-")}
        if set(beside) <= {*NOTES, *SILENT}:
            return reference | {k: v for k, v in beside.items() if k in NOTES}
        return self._prepare({"allOf": [{"$ref": ref}], **beside}, pointer)

    def _object(self, node: Json, out: Json, pointer: str) -> None:
        if out.get("type") != "object" and "object" not in (out.get("type") or ()):
            return
        properties = {
            name: self._prepare(schema, f"{pointer}/properties/{escape(name)}")
            for name, schema in node.get("properties", {}).items()
        }
        extra = node.get("additionalProperties", None if properties else True)
        if isinstance(extra, dict):
            extra = self._prepare(extra, f"{pointer}/additionalProperties") or True
        required = list(node.get("required", ()))
        for name in required:
            if name not in properties and extra is False:
                raise Refusal(f"{pointer}/required", f"{name!r} is required and forbidden")
            rest = extra if isinstance(extra, dict) else {}
            # A default of what must be there is never used.
            one = properties.get(name, rest).items()
            properties[name] = {k: v for k, v in one if k != "default"}
        if properties:
            out["properties"] = properties
        if required:
            out["required"] = required
        if extra is not None:
            out["additionalProperties"] = extra

    def _variants(self, node: Json, out: Json, pointer: str) -> Json:
        if "anyOf" in node and "oneOf" in node:
            raise Refusal(f"{pointer}/oneOf", "oneOf beside anyOf: move it into the variants")
        for keyword in ("anyOf", "oneOf"):
            if keyword not in node:
                continue
            variants = [
                self._prepare(variant, f"{pointer}/{keyword}/{index}")
                for index, variant in enumerate(node[keyword])
            ]
            beside = {k for k in out if k not in NOTES}
            if beside - {"type"} or (beside and out["type"] not in ("object", "string")):
                reason = f"{keyword} beside {', '.join(sorted(beside))}: move it into the variants"
                raise Refusal(f"{pointer}/{keyword}", reason)
            if beside:
                self._later.append(partial(self._alike, variants, out["type"], f"{pointer}/type"))
            out = {k: v for k, v in out.items() if k in NOTES}
            if len(variants) == 1:
                return out | variants[0] | out
            tagged = "discriminator" in node
            if tagged:
                out["discriminator"] = self._tag(node, variants, pointer)
            elif keyword == "oneOf":
                self._later.append(partial(self._exclusive, variants, f"{pointer}/oneOf"))
            out["oneOf" if tagged else "anyOf"] = variants
        return out

    def _alike(self, variants: list[Json], kind: str, pointer: str) -> None:
        for variant in variants:
            if spelling.kinds_of(variant, self.resolve) - {kind}:
                raise Refusal(pointer, f"a variant that is no {kind}")

    def _exclusive(self, variants: list[Json], pointer: str) -> None:
        if disjoint(variants, self.resolve):
            return
        if not disjoint([without_null(one, self.resolve) for one in variants], self.resolve):
            raise Refusal(pointer, "the variants may overlap, a value being two of them: use anyOf")
        said = "null is several of the variants, so by the letter none; read as anyOf, it is valid"
        self.notices.append(f"{pointer}: {said}")

    def _tag(self, node: Json, variants: list[Json], pointer: str) -> Json:
        """Make the discriminator's property say, in each variant, which one it is."""
        where, key = f"{pointer}/discriminator", node["discriminator"]["propertyName"]
        declared = node["discriminator"].get("mapping", {})
        mapping: dict[str, str] = {}
        for index, variant in enumerate(variants):
            if "$ref" not in variant:
                raise Refusal(f"{pointer}/oneOf/{index}", "a variant of a discriminator is a $ref")
            name = variant["$ref"].rpartition("/")[2]
            original = next(ref for ref, known in self._names.items() if known == name)
            bare = original.removeprefix("#/components/schemas/")
            values = [value for value, ref in declared.items() if ref in (original, bare)]
            values = values or [original.rpartition("/")[2]]
            tags = self._tagged.setdefault(name, {})
            if tags.setdefault(key, values) != values:
                raise Refusal(where, f"{name} has another value of {key} in another union")
            self._later.append(partial(self._mark, name, key, values, where))
            mapping |= dict.fromkeys(values, variant["$ref"])
        if unknown := [value for value in declared if value not in mapping]:
            raise Refusal(where, f"the mapping's {unknown[0]!r} is none of the variants")
        return {"propertyName": key, "mapping": mapping}

    def _mark(self, name: str, key: str, values: list[Any], pointer: str) -> None:
        target = self.components[name]
        if target.get("type") != "object" or key not in target.get("properties", {}):
            raise Refusal(pointer, f"{name} is not an object with the property {key}")
        kept = {k: v for k, v in target["properties"][key].items() if k in NOTES}
        said = kept | {"type": "string", "enum": values}
        self.components[name] = target | {
            "properties": target["properties"] | {key: said},
            "required": list(dict.fromkeys([*target.get("required", ()), key])),
        }

    def _merged(self, node: Json, out: Json, pointer: str) -> Json:
        parts = [
            self._prepare(part, f"{pointer}/allOf/{index}")
            for index, part in enumerate(node["allOf"])
        ]
        notes = {k: v for k, v in out.items() if k in NOTES}
        own = {k: v for k, v in out.items() if k not in NOTES}
        if not own and len(parts) == 1:
            return parts[0] | notes
        for part in parts:
            own = merge(own, self.resolve(part), f"{pointer}/allOf")
        return {k: v for k, v in own.items() if k not in NOTES} | notes
