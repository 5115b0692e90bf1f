"""Makes the extract of Twilio's published OpenAPI that the contract tests hold both sides to.

    npm pack @twilio/cli-core@9.0.0 && tar xzf twilio-cli-core-9.0.0.tgz
    python tests/contract/extract.py package

Kept: the operations that are used, with the schemas they refer to. Left out: descriptions, examples and Twilio's own
extensions. Patched, because the published files cannot be used as they stand: see README.md beside this.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SPECS = Path("src/services/twilio-api")
ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
WANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "twilio_api_v2010.json": {
        f"{ACCOUNT}/Messages.json": ("post", "get"),
        f"{ACCOUNT}/Messages/{{Sid}}.json": ("get", "post", "delete"),
        f"{ACCOUNT}/Calls.json": ("post", "get"),
        f"{ACCOUNT}/Calls/{{Sid}}.json": ("get", "post"),
    },
    "twilio_lookups_v2.json": {"/v2/PhoneNumbers/{PhoneNumber}": ("get",)},
}
_LEFT_OUT = frozenset({"description", "summary", "example", "examples", "externalDocs", "security", "tags", "headers"})
_TO = r"^(whatsapp:|rcs:)?\+[1-9]\d{6,14}$"
FORM = "application/x-www-form-urlencoded"


def extract(spec: dict[str, Any], wanted: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the part of a specification that the operations need, patched."""
    paths = {
        path: {"servers": spec["paths"][path].get("servers", []), **{verb: spec["paths"][path][verb] for verb in verbs}}
        for path, verbs in wanted.items()
    }
    kept = {"openapi": spec["openapi"], "info": {key: spec["info"][key] for key in ("title", "version", "license")}}
    part = kept | {"paths": bare(paths)}
    part["components"] = components(spec, part["paths"])
    for name, schema in part["components"]["schemas"].items():
        if schema.get("type") == "object" and "." in name:  # a resource: Twilio answers with all of it, always
            schema |= {"required": sorted(schema["properties"]), "additionalProperties": False}
        elif schema.get("type") == "object":  # a package of a look-up: null when it was not asked for
            schema["nullable"] = True
            for each in schema.get("properties", {}).values():
                each.setdefault("nullable", True)
    for item in part["paths"].values():
        for verb in ("get", "post", "delete"):
            if verb in item:
                patch(item[verb])
    relax(part)
    return part


def bare(value: Any) -> Any:
    """Leave out words and extensions, but never a property that happens to have such a name."""
    if isinstance(value, list):
        return [bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: bare(each) for name, each in inner.items()} if key == "properties" else bare(inner)
        for key, inner in value.items()
        if not key.startswith("x-") and key not in _LEFT_OUT
    }


def components(spec: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    """Return the components that are referred to, and those that these refer to."""
    found: dict[str, Any] = {}
    waiting = list(references(paths))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/")
        if name not in found.setdefault(kind, {}):
            found[kind][name] = bare(spec["components"][kind][name])
            waiting += references(found[kind][name])
    return {kind: dict(sorted(named.items())) for kind, named in found.items()}


def references(value: Any) -> Iterator[str]:
    """Yield everything that is referred to."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref":
                yield each
            else:
                yield from references(each)


def patch(operation: dict[str, Any]) -> None:
    """Say how repeated form fields are written, close the form, and hold ``To`` to what it means."""
    body = operation.get("requestBody", {}).get("content", {}).get(FORM)
    if body is None:
        return
    schema = body["schema"]
    schema["additionalProperties"] = False
    for name, each in schema["properties"].items():
        if each.get("type") == "array":
            body.setdefault("encoding", {})[name] = {"style": "form", "explode": True}
    if "To" in schema["properties"]:
        schema["properties"]["To"]["pattern"] = _TO


def relax(value: Any) -> None:
    """Drop ``format: uri`` from what may be null or relative, and ``format: phone-number``, which nothing defines."""
    if isinstance(value, list):
        for each in value:
            relax(each)
    elif isinstance(value, dict):
        if value.get("format") == "phone-number" or (value.get("format") == "uri" and value.get("nullable")):
            del value["format"]
        for name, each in value.items():
            if name.endswith("_uri") and isinstance(each, dict) and each.get("format") == "uri":
                del each["format"]
            relax(each)


def main(package: Path) -> None:
    """Write every extract beside this script."""
    for name, wanted in WANTED.items():
        spec = json.loads((package / SPECS / name).read_text("utf-8"))
        text = json.dumps(extract(spec, wanted), indent=1, ensure_ascii=False)
        (HERE / name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
