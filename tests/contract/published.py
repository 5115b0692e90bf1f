"""Twilio's published API as a judge of requests and answers."""

import json
import re
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

HERE = Path(__file__).parent
FORM = "application/x-www-form-urlencoded"


def _date(value: object) -> bool:
    """RFC 2822, as Twilio writes instants."""
    if not isinstance(value, str):
        return True
    try:
        return parsedate_to_datetime(value).utcoffset() is not None
    except ValueError:
        return False


def _currency(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 3 and value.isalpha())


@cache
def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((HERE / name).read_text("utf-8"))
    return document


@cache
def _spec(name: str) -> OpenAPI:
    document = _document(name)
    formats = {"date-time-rfc-2822": _date, "currency": _currency}
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None, extra_format_validators=formats))


class Asked:
    """A request as openapi-core wants to see it, made of what went over the wire."""

    def __init__(self, method: str, target: str, body: bytes = b"", content_type: str = FORM) -> None:
        parts = urlsplit(target)
        lookup = parts.path.startswith("/v2/")
        name = "twilio_lookups_v2.json" if lookup else "twilio_api_v2010.json"
        self.spec, self.document = _spec(name), _document(name)
        self.host_url = "https://lookups.twilio.com" if lookup else "https://api.twilio.com"
        self.path = parts.path
        self.method = method.lower()
        self.body = body or None
        self.content_type = content_type
        query = ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=Headers(), path={})


class Answered:
    """An answer as openapi-core wants to see it."""

    def __init__(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.status_code = status
        self.data = body
        self.content_type = content_type
        self.headers = Headers()


def check_request(asked: Asked) -> None:
    """Raise OpenAPIError or AssertionError unless Twilio's specification knows the operation and all that is asked."""
    asked.spec.validate_request(asked)
    operation = _operation(asked)
    known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    assert set(asked.parameters.query) <= known, "the query asks for what is not in the specification"
    if asked.body is not None:
        fields = operation["requestBody"]["content"][FORM]["schema"]["properties"]
        sent = {name for name, _ in parse_qsl(asked.body.decode(), keep_blank_values=True)}
        assert sent <= set(fields), "the form has a field that is not in the specification"


def _operation(asked: Asked) -> dict[str, Any]:
    """Return the operation as published: openapi-core passes over fields it does not know."""
    for path, item in asked.document["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), asked.path):
            operation: dict[str, Any] = item[asked.method]
            return operation
    raise AssertionError("no such path")


def check_answer(asked: Asked, answered: Answered) -> None:
    """Raise OpenAPIError or AssertionError unless it is an answer that Twilio gives to this request."""
    if answered.status_code < 300:
        asked.spec.validate_response(asked, answered)
        return
    refused: dict[str, Any] = json.loads(answered.data)
    assert set(refused) == {"code", "message", "more_info", "status"}, sorted(refused)
    assert refused["status"] == answered.status_code
    assert isinstance(refused["code"], int)
    assert refused["message"]
    assert refused["more_info"].startswith("https://www.twilio.com/docs/errors/")
