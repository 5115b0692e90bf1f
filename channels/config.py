"""Reads channels.yaml: names from the environment put in, every wrong key reported as file:line:column field."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.contract import ChannelConfig, Medium, SenderConfig
from channels.errors import ConfigError
from channels.options import HttpUrl, plain_text
from channels.registry import ADAPTERS
from channels.router import ONE_MEDIUM, ROUTED, RouteOptions, RoutingOptions

Where = tuple[str | int, ...]

_CALLS = frozenset({Medium.VOICE, Medium.IVR})

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_SECRET_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel's sender may go: a token bucket, and how many sends may be under way in one process."""

    per_second: float
    burst: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class Line:
    """What an account at a provider lets calls do, over every process: ``at_once`` in progress, ``per_second`` begun.

    ``channels`` share it, and ``own`` are their own limits below it. A call of which no final news comes counts for
    ``longest_minutes``. ``per_second`` None: only the channels' own pace.
    """

    name: str
    channels: tuple[str, ...]
    at_once: int
    longest_minutes: int
    per_second: float | None
    own: Mapping[str, int]


class _LineBlock(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    at_once: Annotated[int, Field(ge=1, le=100_000)]
    per_second: Annotated[float, Field(ge=1, le=100_000)] | None = None
    longest_minutes: Annotated[int, Field(ge=1, le=240)] = 15


class _PaceBlock(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    per_second: Annotated[float, Field(gt=0, le=100_000)]
    burst: Annotated[int, Field(ge=1, le=100_000)]


_NAME = r"^[a-z][a-z0-9-]{0,31}$"


class _SenderBlock(RouteOptions):
    adapter: str
    options: dict[str, Any] = Field(default_factory=dict)

    def route(self) -> dict[str, object]:
        """Return what routing wants to know."""
        return self.model_dump(exclude={"adapter", "options"})


class _ChannelBlock(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    adapter: str | None = None
    pace: _PaceBlock
    concurrency: Annotated[int, Field(ge=1, le=2_000)]
    line: str | None = None
    at_once: Annotated[int, Field(ge=1, le=100_000)] | None = None
    options: dict[str, Any] = {}
    senders: dict[Annotated[str, Field(pattern=_NAME)], _SenderBlock] = {}
    routing: dict[str, Any] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    public_url: HttpUrl
    lines: dict[Annotated[str, Field(pattern=_NAME)], _LineBlock] = {}
    channels: Annotated[dict[Annotated[str, Field(pattern=_NAME)], _ChannelBlock], Field(min_length=1)]


def load_channels(path: Path, env: Mapping[str, str]) -> dict[str, ChannelConfig]:
    """Return every channel block by name, checked, with ``env`` put in. Raises ConfigError with all that is wrong."""
    file = _load(path, env)
    url = file.public_url.rstrip("/")
    return {name: _channel(name, block, url) for name, block in file.channels.items()}


def _channel(name: str, block: _ChannelBlock, url: str) -> ChannelConfig:
    senders = tuple(
        SenderConfig(ChannelConfig(f"{name}/{each}", sender.adapter, url, sender.options), sender.route())
        for each, sender in block.senders.items()
    )
    return ChannelConfig(name, block.adapter or "", url, block.options, senders, block.routing)


def load_paces(path: Path, env: Mapping[str, str]) -> dict[str, Pace]:
    """Return every channel's pace by name. Raises ConfigError as ``load_channels`` does."""
    return {
        name: Pace(block.pace.per_second, block.pace.burst, block.concurrency)
        for name, block in _load(path, env).channels.items()
    }


def load_lines(path: Path, env: Mapping[str, str]) -> list[Line]:
    """Return every line that some channel leaves by. Raises ConfigError as ``load_channels`` does."""
    file = _load(path, env)
    found = []
    for name, line in file.lines.items():
        on = {channel: block for channel, block in file.channels.items() if block.line == name}
        own = {channel: block.at_once for channel, block in on.items() if block.at_once is not None}
        if on:
            found.append(Line(name, tuple(on), line.at_once, line.longest_minutes, line.per_second, own))
    return found


def _load(path: Path, env: Mapping[str, str]) -> _File:
    document = _Document(path)
    document.raise_if_wrong()
    data = document.resolved(env)
    file: _File | None = None
    if not document.problems:
        try:
            file = _File.model_validate(data)
        except ValidationError as error:
            document.blame(error, _File, ())
    if file is not None:
        for name, block in file.channels.items():
            _check_block(document, name, block)
            _check_line(document, name, block, file.lines)
    document.raise_if_wrong()
    assert file is not None  # noqa: S101 - problems were raised above
    return file


def _check_block(document: "_Document", name: str, block: _ChannelBlock) -> None:
    where: Where = ("channels", name)
    if (block.adapter is None) == (not block.senders):
        document.problem(where, "give either adapter and its options, or senders")
    elif block.adapter is not None:
        if block.routing:
            document.problem((*where, "routing"), "is for a channel with senders")
        _check_options(document, where, block.adapter, block.options)
    else:
        for sender, each in block.senders.items():
            _check_options(document, (*where, "senders", sender), each.adapter, each.options)
        media = {ADAPTERS[each.adapter].kind.medium for each in block.senders.values() if each.adapter in ADAPTERS}
        if len(media) > 1 or not media <= ROUTED:
            document.problem((*where, "senders"), ONE_MEDIUM)
        try:
            RoutingOptions.model_validate(block.routing)
        except ValidationError as error:
            document.blame(error, RoutingOptions, (*where, "routing"))


def _check_line(document: "_Document", name: str, block: _ChannelBlock, lines: Mapping[str, _LineBlock]) -> None:
    where: Where = ("channels", name)
    if block.line is None:
        if block.at_once is not None:
            document.problem((*where, "at_once"), "counts calls in progress on a line: name it with line")
        return
    if block.line not in lines:
        known = ", ".join(lines) or "none"
        document.problem((*where, "line"), f"is no line of this file; known: {known}")
    adapter = ADAPTERS.get(block.adapter or "")
    if adapter is not None and adapter.kind.medium not in _CALLS:
        document.problem((*where, "line"), "is for calls; this channel places none")


def _check_options(document: "_Document", where: Where, name: str, options: dict[str, Any]) -> None:
    adapter = ADAPTERS.get(name)
    if adapter is None:
        document.problem((*where, "adapter"), f"unknown adapter; valid: {', '.join(ADAPTERS)}")
        return
    for key in sorted(adapter.options.secret_keys() & options.keys()):
        if not document.only_references((*where, "options", key)):
            document.problem((*where, "options", key), "is a secret: write ${NAME} and set NAME in the environment")
    try:
        adapter.options.model_validate(options)
    except ValidationError as error:
        document.blame(error, adapter.options, (*where, "options"))


class _Document:
    """One YAML file with the place of every value."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[Where, tuple[int, int]] = {}
        self._raw: dict[Where, str] = {}
        self._data: Any = None
        self.problems: list[str] = []
        self._read()

    def _read(self) -> None:
        try:
            loader = yaml.SafeLoader(self._path.read_text(encoding="utf-8"))
            node = loader.get_single_node()
            if node is not None:
                self._mark(node, ())
                self._data = loader.construct_document(node)
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{self._path}: cannot be read: {type(error).__name__}")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            self.problems.append(f"{self._path}{place}: is not valid YAML: {error.problem}")
        except yaml.YAMLError:
            self.problems.append(f"{self._path}: is not valid YAML")

    def _mark(self, node: yaml.Node, where: Where) -> None:
        self._marks[where] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            self._raw[where] = node.value
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._mark(item, (*where, index))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = (*where, key.value)
                if place in self._marks:
                    self._marks[place] = (key.start_mark.line + 1, key.start_mark.column + 1)
                    self.problem(place, "is given twice")
                self._mark(value, place)

    def resolved(self, env: Mapping[str, str]) -> Any:  # noqa: ANN401 - YAML holds any plain value
        """Return the data with ``${NAME}`` and ``${NAME:-default}`` put in; keys that resolve to nothing left out."""
        return self._resolve(self._data, (), env)

    def _resolve(self, value: Any, where: Where, env: Mapping[str, str]) -> Any:  # noqa: ANN401 - as above
        if isinstance(value, str):
            return self._substituted(value, where, env)
        if isinstance(value, list):
            return [self._resolve(item, (*where, index), env) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        pairs = {str(key): self._resolve(item, (*where, str(key)), env) for key, item in value.items()}
        return {
            key: item for key, item in pairs.items() if not (item == "" and "${" in self._raw.get((*where, key), ""))
        }

    def _substituted(self, text: str, where: Where, env: Mapping[str, str]) -> str:
        def put_in(found: re.Match[str]) -> str:
            given = env.get(found["name"]) or found["default"]
            if given is None:
                self.problem(where, f"the environment variable {found['name']} is not set")
            return given or ""

        return _REFERENCE.sub(put_in, text)

    def only_references(self, where: Where) -> bool:
        """Tell whether everything written at and below ``where`` comes from the environment alone."""
        below = [raw for place, raw in self._raw.items() if place[: len(where)] == where]
        return bool(below) and all(_SECRET_REFERENCE.fullmatch(raw) for raw in below)

    def blame(self, error: ValidationError, model: type[BaseModel], prefix: Where) -> None:
        """Note everything pydantic found, at its line."""
        for item in error.errors(include_url=False, include_input=False):
            where = (*prefix, *item["loc"])
            self.problem(where, plain_text(item, model) + self._near(item["type"], where, model, prefix))

    def _near(self, kind: str, where: Where, model: type[BaseModel], prefix: Where) -> str:
        if kind != "extra_forbidden" or len(where) != len(prefix) + 1:
            return ""
        near = difflib.get_close_matches(str(where[-1]), list(model.model_fields), 1)
        return f"; did you mean {near[0]}?" if near else ""

    def problem(self, where: Where, text: str) -> None:
        """Note one problem at a value, or at the nearest parent that exists."""
        where = tuple(part for part in where if part != "[key]")  # pydantic's word for a key of a mapping
        line, column = next((self._marks[place] for place in _upwards(where) if place in self._marks), (1, 1))
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
        self.problems.append(f"{self._path}:{line}:{column} {field}: {text}")

    def raise_if_wrong(self) -> None:
        """Raise ConfigError with every problem on a line of its own."""
        if self._data is None and not self.problems:
            self.problems.append(f"{self._path}: is empty; it needs public_url and channels")
        if self.problems:
            raise ConfigError("\n".join(self.problems))


def _upwards(where: Where) -> Iterator[Where]:
    for length in range(len(where), -1, -1):
        yield where[:length]
