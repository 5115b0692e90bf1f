"""YAML that remembers where every value stood, so that a wrong setting is reported as file:line:column and field.

Scalars follow the YAML 1.2 core schema: ``no``, ``on`` and ``21:00`` stay text (a country code and a time of day must
not become False and 1260). Keys are always text. Anchors, aliases and tags are refused: a policy or plan is read by
people who should not have to expand it in their head.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

Where = tuple[str | int, ...]
"""The way to a value from the top of the file: ``("rules", 3, "citation")``."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file. ``line`` and ``column`` count from 1; ``text`` says what would be valid."""

    file: str
    line: int
    column: int
    field: str
    text: str

    def __str__(self) -> str:
        """Write the form editors jump to: ``file:line:column field: text``."""
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place} {self.field}: {self.text}" if self.field else f"{place} {self.text}"


class ConfigError(ValueError):
    """A file of settings cannot be used. ``problems`` holds everything that is wrong, never just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Located:
    """One parsed file: plain ``data`` (dict, list, str, int, float, bool, None), marks, problems found while reading.

    ``data`` is None when the file could not be parsed at all; ``problems`` then says why.
    """

    file: str
    data: Any
    marks: Mapping[Where, tuple[int, int]]
    problems: tuple[Problem, ...] = ()

    def mark(self, where: Sequence[str | int]) -> tuple[int, int]:
        """Return line and column (from 1) of the value at ``where``, or of its nearest parent that exists.

        Parts that lead nowhere in the middle (pydantic puts union tags there) are passed over.
        """
        found = self._found(where)
        return self.marks.get(found) or self.marks.get(found[:-1], (1, 1))

    def problem(self, where: Sequence[str | int], text: str) -> Problem:
        """Describe something wrong at ``where``."""
        line, column = self.mark(where)
        return Problem(self.file, line, column, field_name(self._found(where)), text)

    def _found(self, where: Sequence[str | int]) -> Where:
        """Leave out the parts that lead nowhere, except a missing field at the end."""
        place: Where = ()
        for part in where:
            if (*place, part) in self.marks:
                place = (*place, part)
        return place if not where or (place and place[-1] == where[-1]) else (*place, where[-1])

    def problems_of(self, errors: Iterable[Mapping[str, Any]], prefix: Where = ()) -> list[Problem]:
        """Turn pydantic's ``error.errors()`` into problems. ``prefix`` is where the validated part stood."""
        return [self.problem((*prefix, *error["loc"]), _plain(error)) for error in errors]


def field_name(where: Sequence[str | int]) -> str:
    """Write a way as people do: ``rules[3].citation``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.removeprefix(".")


def _plain(error: Mapping[str, Any]) -> str:
    """Say in words of the file, not of Python, what pydantic found."""
    match error.get("type"):
        case "extra_forbidden":
            return "unknown key; remove it or correct its spelling"
        case "missing":
            return "is missing"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def load_located(path: Path) -> Located:
    """Read one YAML file. Never raises for what is in the file: see ``Located.problems``."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return _unreadable(str(path), 1, 1, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return _unreadable(str(path), 1, 1, "is not UTF-8 text")
    return parse_located(text, str(path))


def parse_located(text: str, file: str) -> Located:
    """Parse YAML text; ``file`` is the name that problems carry."""
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _unreadable(file, line, column, f"is not valid YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        return _unreadable(file, 1, 1, f"is not valid YAML: {str(error).splitlines()[0]}")
    if node is None:
        return _unreadable(file, 1, 1, "is empty")
    builder = _Builder(file)
    data = builder.build(node, ())
    return Located(file, data, builder.marks, tuple(builder.problems))


def _unreadable(file: str, line: int, column: int, text: str) -> Located:
    return Located(file, None, {}, (Problem(file, line, column, "", text),))


def _without_aliases(composer: type[Any]) -> type[Any]:
    """Return a composer of nodes with marks that refuses aliases and resolves nothing by itself."""

    class NoAliases(composer):  # type: ignore[misc]  # PyYAML's classes are put together while running
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces PyYAML's YAML 1.1 table

        def compose_node(self, parent: yaml.Node | None, index: int) -> Any:  # noqa: ANN401 - PyYAML's
            if self.check_event(yaml.AliasEvent):
                raise yaml.MarkedYAMLError(
                    problem="aliases (*name) are not used here; write the value out",
                    problem_mark=self.peek_event().start_mark,
                )
            return super().compose_node(parent, index)

    return NoAliases


def _on_libyaml() -> type[Any] | None:
    """Return a composer whose parser is libyaml's, several times as fast; None where PyYAML was built without it."""
    parser: Any = getattr(yaml.cyaml, "CParser", None) if yaml.__with_libyaml__ else None
    if parser is None:
        return None

    class Fast(Composer, parser, Resolver):  # type: ignore[misc]  # a C class without types
        def __init__(self, text: str) -> None:
            parser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)

    return Fast


_Composer = _without_aliases(yaml.SafeLoader)
"""PyYAML's own parser, whose complaints are the same on every machine."""
_Fast = _without_aliases(_on_libyaml() or yaml.SafeLoader)


def _compose(text: str) -> yaml.Node | None:
    """Compose a document; what libyaml cannot read is read again for the complaint."""
    node: yaml.Node | None
    try:
        node = _Fast(text).get_single_node()
    except yaml.YAMLError:
        node = _Composer(text).get_single_node()
    return node


_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """Read a scalar by the YAML 1.2 core schema; quoted text stays text."""
    text: str = node.value
    if node.style:  # libyaml writes plain as "", PyYAML as None
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


class _Builder:
    """Turns nodes into plain data while noting marks and duplicate keys."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Where, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, where: Where) -> Any:  # noqa: ANN401 - YAML holds any plain value
        """Return the plain value of ``node``."""
        self.marks[where] = _position(node)
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._complain(node, where, f"tags such as {node.tag} are not used here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*where, index)) for index, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, where, "a key must be plain text")
                continue
            key: str = key_node.value
            if key in built:
                first = self.marks[(*where, key)][0]
                self._complain(key_node, (*where, key), f"is given twice; the first is on line {first}")
                continue
            built[key] = self.build(value_node, (*where, key))
        return built

    def _complain(self, node: yaml.Node, where: Where, text: str) -> None:
        line, column = _position(node)
        self.problems.append(Problem(self.file, line, column, field_name(where), text))


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
