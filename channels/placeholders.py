"""Texts with {placeholders}, as configuration writes them: checked when read, filled for each request."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

SECRET: Final = "secret."  # noqa: S105 - the prefix of a placeholder's name


@dataclass(frozen=True, slots=True)
class Fill:
    """One text, cut into literal pieces (even places) and names of placeholders (odd places)."""

    pieces: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders it holds."""
        return self.pieces[1::2]

    def text(self, values: Mapping[str, str]) -> str:
        """Put the values in."""
        pieces = self.pieces
        return "".join([values[piece] if place & 1 else piece for place, piece in enumerate(pieces)])


def cut(text: str) -> Fill:
    """Read a text; ``{{`` and ``}}`` stand for braces. Raises ValueError for a brace that opens or closes nothing."""
    pieces, literal, start = [], "", 0
    for found in _PIECE.finditer(text):
        literal += text[start : found.start()]
        start = found.end()
        if found.group() in {"{{", "}}"}:
            literal += found.group()[0]
        elif found.group(1) is None:
            raise ValueError("a single brace: write {{ or }} for a brace, {name} for a placeholder")
        else:
            pieces += [literal, found.group(1)]
            literal = ""
    return Fill((*pieces, literal + text[start:]))


def check(text: str, known: Iterable[str]) -> str:
    """Return ``text`` when every placeholder in it is known. Raises ValueError saying which are."""
    known = sorted(known)
    for name in cut(text).names:
        if name not in known and not (name.startswith(SECRET) and SECRET in known):
            shown = ", ".join(f"{{{each}NAME}}" if each == SECRET else f"{{{each}}}" for each in known)
            raise ValueError(f"no placeholder of this name; valid: {shown}")
    return text


Tree = str | Fill | dict[str, Any] | list[Any] | int | float | bool | None


def plant(value: Any) -> Tree:  # noqa: ANN401 - plain values of YAML
    """Cut every text in a structure of plain values."""
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, dict):
        return {str(name): plant(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plant(item) for item in value]
    return value  # type: ignore[no-any-return]  # a number, a truth value or nothing


def grow(tree: Tree, values: Mapping[str, str], whole: frozenset[str]) -> Any:  # noqa: ANN401 - plain JSON values
    """Fill a structure. A text that is one placeholder of ``whole`` and nothing else becomes a whole number."""
    if isinstance(tree, Fill):
        text = tree.text(values)
        return int(text) if tree.pieces[1:2] and tree.pieces[1] in whole and _alone(tree) else text
    if isinstance(tree, dict):
        return {name: grow(item, values, whole) for name, item in tree.items()}
    if isinstance(tree, list):
        return [grow(item, values, whole) for item in tree]
    return tree


def _alone(fill: Fill) -> bool:
    return len(fill.pieces) == 3 and not fill.pieces[0] and not fill.pieces[2]


def every_text(value: Any) -> Iterable[str]:  # noqa: ANN401 - plain values of YAML
    """Yield every text in a structure of plain values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from every_text(item)
    elif isinstance(value, list):
        for item in value:
            yield from every_text(item)
