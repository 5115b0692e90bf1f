"""Reading config/webhooks.yaml; everything wrong with it is reported with file, line, column and field."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, PlainValidator

from outreach.domain.addresses import is_loopback, is_public
from outreach.domain.config_edge import SLUG, Shape, read_shape, text_matching, word
from outreach.domain.located_yaml import ConfigError, Located, Problem, Where, load_located
from outreach.domain.outbound_types import Type
from outreach.domain.webhook import Endpoint, Webhooks, read_secret


def _variable(value: object) -> str:
    """Read the name of a variable. What is none may be a secret put here by mistake, so it is not repeated."""
    if not isinstance(value, str) or re.fullmatch(r"[A-Z][A-Z0-9_]{0,99}", value) is None:
        raise ValueError("must be the name of an environment variable; secrets stand in the environment, never here")
    return value


_VARIABLE = PlainValidator(_variable)
_SOURCE = text_matching(
    lambda text: re.fullmatch(r"[!-~]{1,128}", text) is not None, "is no URI reference such as /outreach"
)
_TYPE = word(Type, "event type")


class EndpointShape(Shape):
    """One endpoint as it is written."""

    name: Annotated[str, SLUG]
    url: str
    secrets: Annotated[tuple[Annotated[str, _VARIABLE], ...], Field(strict=False, min_length=1, max_length=2)]
    types: Annotated[tuple[Annotated[Type, _TYPE], ...], Field(strict=False, min_length=1)] | None = None
    private: bool = False
    words: bool = False
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 10
    alert_after: Annotated[int, Field(ge=1, le=1000)] = 10


class FileShape(Shape):
    """The file as it is written."""

    source: Annotated[str, _SOURCE] = "/outreach"
    words_in_feed: bool = False
    endpoints: Annotated[tuple[EndpointShape, ...], Field(strict=False)] = ()


def load_webhooks(path: Path, environ: Mapping[str, str] | None) -> Webhooks:
    """Return who hears what; nobody where there is no file. Raises ConfigError with every problem.

    Without an environment secrets are not asked for, and endpoints have none.
    """
    if not path.exists():
        return Webhooks()
    webhooks, problems = read_webhooks(load_located(path), environ)
    if problems:
        raise ConfigError(problems)
    return webhooks


def read_webhooks(located: Located, environ: Mapping[str, str] | None) -> tuple[Webhooks, list[Problem]]:
    """Read a parsed file, with the problems found. Without an environment secrets are not asked for."""
    problems = list(located.problems)
    if located.data is None:
        return Webhooks(), problems
    shape, found = read_shape(FileShape, located)
    problems += found
    if shape is None:
        return Webhooks(), problems
    reader = _Reader(located, environ, problems)
    endpoints = tuple(reader.endpoint(one, ("endpoints", place)) for place, one in enumerate(shape.endpoints))
    for place, one in enumerate(endpoints):
        if one.name in [each.name for each in endpoints[:place]]:
            reader.complain(("endpoints", place, "name"), f"{one.name} is used twice")
    return Webhooks(shape.source, shape.words_in_feed, endpoints), problems


class _Reader:
    def __init__(self, located: Located, environ: Mapping[str, str] | None, problems: list[Problem]) -> None:
        self._located, self._environ, self._problems = located, environ, problems

    def complain(self, where: Where, text: str) -> None:
        self._problems.append(self._located.problem(where, text))

    def endpoint(self, shape: EndpointShape, where: Where) -> Endpoint:
        self._check_url(shape, (*where, "url"))
        return Endpoint(
            name=shape.name,
            url=shape.url,
            secrets=self._secrets(shape, (*where, "secrets")),
            types=frozenset(shape.types) if shape.types else None,
            private=shape.private,
            words=shape.words,
            timeout=float(shape.timeout_seconds),
            alert_after=shape.alert_after,
        )

    def _check_url(self, shape: EndpointShape, where: Where) -> None:
        parts, host = _split(shape.url)
        if parts is None or not host or parts.scheme not in {"http", "https"}:
            self.complain(where, "is no address such as https://lender.example.com/outreach")
        elif parts.scheme == "http" and not is_loopback(host):
            self.complain(where, "must be https; plain http is for the loopback only")
        elif parts.username or parts.password or parts.fragment:
            self.complain(where, "must not hold a login or a fragment")
        elif not shape.private and (is_loopback(host) or (_is_address(host) and not is_public(host))):
            self.complain(where, "is no address on the public internet; private: true permits that")

    def _secrets(self, shape: EndpointShape, where: Where) -> tuple[bytes, ...]:
        """Return the keys. The second is there while secrets are rotated; its variable may be empty."""
        found = []
        for place, name in enumerate(shape.secrets if self._environ is not None else ()):
            value = (self._environ or {}).get(name, "")
            if not value and place > 0:
                continue
            try:
                found.append(read_secret(value))
            except ValueError as error:
                self.complain((*where, place), f"{name} {error}" if value else f"{name} is not set in the environment")
        return tuple(found)


def _split(url: str) -> tuple[SplitResult | None, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None, ""
    return parts, parts.hostname or ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
