"""Where a value stands in what a provider said: a JSON pointer, an expression, a header or a query field."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self
from urllib.parse import parse_qsl

from pydantic import Field, model_validator

from channels.options import Part

Format = Literal["json", "form", "text"]
_POINTER = r"^(/([^~/]|~[01])*)*$"
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Said:
    """What a provider said, in an answer or in a callback. ``content`` is the parsed body, None when it is not one."""

    content: Any
    text: str
    headers: Mapping[str, str]
    query: str = ""

    @cached_property
    def arguments(self) -> dict[str, str]:
        """The fields of the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def said(body: bytes, form: Format, headers: Mapping[str, str], query: str = "") -> Said:
    """Read a body. A body that is not in the format has the content None."""
    text = body.decode("utf-8", "replace")
    lower = {name.lower(): value for name, value in headers.items()}
    return Said(_parsed(body, form), text, lower, query)


def _parsed(body: bytes, form: Format) -> Any:  # noqa: ANN401 - plain JSON values
    try:
        if form == "json":
            return json.loads(body)
        if form == "form":
            return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=200))
    except (ValueError, RecursionError):
        pass
    return None


def at_pointer(content: Any, pointer: str) -> Any:  # noqa: ANN401 - plain JSON values
    """Follow an RFC 6901 pointer; None when it leads nowhere."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(content, dict):
            content = content.get(name)
        elif isinstance(content, list) and _INDEX.fullmatch(name) and int(name) < len(content):
            content = content[int(name)]
        else:
            return None
    return content


def as_text(value: Any) -> str | None:  # noqa: ANN401 - plain JSON values
    """Write a plain value as text; None for nothing, lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


class Spot(Part):
    """One place. A bare text is a JSON pointer; form fields are pointed at the same way (``/status``)."""

    pointer: str | None = Field(default=None, pattern=_POINTER, max_length=200)
    regex: str | None = Field(default=None, max_length=300)
    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    query: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.\-\[\]]{1,64}$")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        return {"pointer": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.pointer, self.regex, self.header, self.query)) != 1:
            raise ValueError("give exactly one of pointer, regex, header, query")
        if self.regex is not None:
            _compiled(self.regex)
        return self

    def find(self, what: Said, content: Any = None) -> str | None:  # noqa: ANN401 - plain JSON values
        """Return the value there as text, or None. ``content`` is one item of a batch, when there is one."""
        if self.pointer is not None:
            return as_text(at_pointer(what.content if content is None else content, self.pointer))
        if self.header is not None:
            return what.headers.get(self.header.lower())
        if self.query is not None:
            return what.arguments.get(self.query)
        found = _compiled(self.regex or "").search(what.text)
        return found.group(1) if found else None


class Condition(Spot):
    """Holds when the value at the place is one of ``equals``."""

    equals: list[str | int | bool] | str | int | bool

    def holds(self, what: Said, content: Any = None) -> bool:  # noqa: ANN401 - plain JSON values
        """Tell whether it holds."""
        wanted = self.equals if isinstance(self.equals, list) else [self.equals]
        return self.find(what, content) in {as_text(each) for each in wanted}


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        made = re.compile(expression)
    except re.error:
        raise ValueError("is not a regular expression") from None
    if made.groups != 1:
        raise ValueError("needs exactly one group: the value, such as id=([0-9]+)")
    return made
