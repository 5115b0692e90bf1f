"""The little language of phrases in config/intents: written as people read them, compiled to one regular expression.

``stop (texting|calling) me`` words and choices · ``a|b`` a choice of single words · ``please?`` optional · ``..`` up to
three words between · ``<pay>`` a named set of the same file · ``^`` and ``$`` the edges of a clause. Chinese is
written without spaces; every character is a word.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_PIECE = re.compile(r"\s+|\.\.|<[a-z_]+>|[()|?^$]|[a-z0-9#,]+|[\u3400-\u9fff]")
_GAP = r"(?: [^ .?]+){0,3}?"
_COMMON = frozenset(
    [
        "i",
        "me",
        "my",
        "you",
        "it",
        "is",
        "a",
        "the",
        "to",
        "of",
        "in",
        "on",
        "and",
        "do",
        "dont",
        "not",
        "no",
        "no",
        "this",
        "that",
        "for",
        "am",
        "be",
        "have",
        "can",
        "will",
        "want",
        "was",
        "u",
        "ur",
        "im",
        "ya",
        "que",
        "de",
        "la",
        "el",
        "me",
        "mi",
        "no",
        "en",
        "un",
        "una",
        "por",
        "lo",
        "se",
        "les",
        "los",
        "es",
        "y",
        "a",
        "para",
        "su",
        "con",
    ]
) | frozenset("我你们的了不是还有在这他要可以个好吗")


class PhraseError(ValueError):
    """A phrase that cannot be read. The text says what was found and what would be valid."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One phrase ready to match.

    ``anchors``: one of these words must occur; empty when any text may match. ``needs``: further sets of which the
    text must hold a word each. ``exact`` is the wording of a phrase without choices, else None.
    """

    source: str
    regex: str
    anchors: frozenset[str]
    words: frozenset[str]
    needs: tuple[frozenset[str], ...] = ()
    exact: str | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, compiled when a reply first holds an anchor: most of thousands never are in a short process."""
        return _pattern(self.regex)


@cache
def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


@dataclass(frozen=True, slots=True)
class _Node:
    regex: str
    anchors: frozenset[str]
    words: frozenset[str]
    optional: bool = False
    needs: tuple[frozenset[str], ...] = ()


_NOTHING: frozenset[str] = frozenset()


def compile_phrase(source: str, sets: Mapping[str, str]) -> Compiled:
    """Compile ``source``. Raises PhraseError on unbalanced brackets, unknown sets and signs the language lacks."""
    pieces = _pieces(_expand(source, sets))
    node, rest = _sequence(pieces, 0, inside=False)
    if rest != len(pieces):
        raise PhraseError(f"a bracket is closed but never opened in {source!r}")
    if not node.words:
        raise PhraseError(f"{source!r} has no words")
    plain = all(piece.isalnum() for piece in pieces)
    needs = tuple(need for need in node.needs if need != node.anchors)
    return Compiled(source, node.regex, node.anchors, node.words, needs, " ".join(pieces) if plain else None)


def _expand(source: str, sets: Mapping[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        name = found[1]
        if name not in sets:
            raise PhraseError(f"unknown set <{name}>; the sets of this file are {', '.join(sorted(sets)) or 'none'}")
        return f"({_expand(sets[name], sets)})"

    return re.sub(r"<([a-z_]+)>", replace, source)


def _pieces(source: str) -> list[str]:
    found, place = [], 0
    while place < len(source):
        match = _PIECE.match(source, place)
        if not match:
            raise PhraseError(f"{source[place]!r} is not part of the phrase language (small letters without accents)")
        if not match[0].isspace():
            found.append(match[0])
        place = match.end()
    return found


def _sequence(pieces: list[str], place: int, *, inside: bool) -> tuple[_Node, int]:
    """Read up to a closing bracket (or the end); inside brackets ``|`` parts whole sequences."""
    branches: list[list[_Node]] = [[]]
    while place < len(pieces) and pieces[place] != ")":
        if inside and pieces[place] == "|":
            branches.append([])
            place += 1
            continue
        node, place = _item(pieces, place, inside=inside)
        branches[-1].append(node)
    return _either([_join(branch) for branch in branches]), place


def _item(pieces: list[str], place: int, *, inside: bool) -> tuple[_Node, int]:
    node, place = _atom(pieces, place)
    options = [node]
    while not inside and place + 1 < len(pieces) and pieces[place] == "|":
        node, place = _atom(pieces, place + 1)
        options.append(node)
    node = _either(options)
    if place < len(pieces) and pieces[place] == "?":
        return _Node(f"(?:{node.regex})?", _NOTHING, node.words, optional=True), place + 1
    return node, place


def _atom(pieces: list[str], place: int) -> tuple[_Node, int]:
    piece = pieces[place]
    if piece == "(":
        node, place = _sequence(pieces, place + 1, inside=True)
        if place >= len(pieces):
            raise PhraseError("a bracket is opened but never closed")
        return node, place + 1
    if piece in ("|", "?"):
        raise PhraseError(f"{piece!r} follows nothing")
    return _leaf(piece), place + 1


def _leaf(piece: str) -> _Node:
    match piece:
        case "..":
            return _Node(_GAP, _NOTHING, _NOTHING, optional=True)
        case "^":
            return _Node(r"(?:(?<= [.,?])|^)", _NOTHING, _NOTHING, optional=True)
        case "$":
            return _Node(r"(?= [.,?]| ?$)", _NOTHING, _NOTHING, optional=True)
        case _:
            word = frozenset({piece})
            return _Node(" " + re.escape(piece) + "(?![^ ])", word, word, needs=(word,))


def _join(nodes: list[_Node]) -> _Node:
    needed = [node for node in nodes if not node.optional and node.anchors]
    anchors = max((node.anchors for node in needed), key=_rarity, default=_NOTHING)
    words = frozenset(word for node in nodes for word in node.words)
    needs = tuple(dict.fromkeys(sorted((each for node in needed for each in node.needs), key=len)))
    return _Node("".join(node.regex for node in nodes), anchors, words, optional=not needed, needs=needs)


def _either(nodes: list[_Node]) -> _Node:
    if len(nodes) == 1:
        return nodes[0]
    certain = all(node.anchors for node in nodes)
    anchors = frozenset(word for node in nodes for word in node.anchors) if certain else _NOTHING
    words = frozenset(word for node in nodes for word in node.words)
    needs = (anchors,) if anchors else ()
    return _Node(
        "(?:" + "|".join(node.regex for node in nodes) + ")", anchors, words, optional=not certain, needs=needs
    )


def _rarity(anchors: frozenset[str]) -> tuple[int, int]:
    """Prefer sets without everyday words, then small ones: fewer texts pay for the regular expression."""
    return -sum(word in _COMMON for word in anchors), -len(anchors)
