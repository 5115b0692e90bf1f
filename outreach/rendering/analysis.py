"""What a template prints, found from its syntax tree: unknown fields, unformatted amounts, words in the wrong place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import nodes

from outreach.domain.located_yaml import Problem
from outreach.domain.money import Money
from outreach.domain.words import Channel
from outreach.rendering.fields import TouchFields
from outreach.rendering.forbidden import Lists
from outreach.rendering.locales import Keys, Locale, Words
from outreach.rendering.manifest import Entry, Menu
from outreach.rendering.sandbox import TemplateEnvironment

ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Extends, nodes.Block, nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Getattr, nodes.Filter, nodes.Test, nodes.Const, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.CondExpr),
)
"""The parts of Jinja2 that templates may use (and ``super()``). A list of what is allowed cannot miss a way out."""

NEUTRAL = frozenset(
    {"creditor.name", "creditor.phone", "creditor.email", "creditor.help_hours", "creditor.agent_name", "ref"}
)
NAMED = NEUTRAL | {"borrower.given_name", "borrower.family_name"}
VOICEMAIL = frozenset({"creditor.name", "creditor.phone", "creditor.agent_name"})
_ASKED = frozenset({"identity", "identity_digits", "other_language"})
_UNVERIFIED = ("greeting", "identity", "identity_retry", "identity_failed", "wrong_party_ack", "menu_retry")

PUBLIC_PARTS: Mapping[tuple[Channel, str], frozenset[str]] = {
    (Channel.EMAIL, "subject"): NAMED,
    (Channel.EMAIL, "preview"): NAMED,
    (Channel.VOICE, "live"): NAMED,
    (Channel.VOICE, "voicemail"): VOICEMAIL,
    (Channel.IVR, "voicemail"): VOICEMAIL,
    (Channel.IVR, "stop_confirmation"): NEUTRAL,
    (Channel.IVR, "dispute_ack"): NEUTRAL,
    (Channel.IVR, "hardship_ack"): NEUTRAL,
    (Channel.IVR, "complaint_ack"): NEUTRAL,
    (Channel.IVR, "goodbye"): NEUTRAL,
    **{(Channel.IVR, part): NAMED | _ASKED for part in _UNVERIFIED},
}
"""Parts that someone else may see or hear, with the only fields each may print (12 CFR 1006.2(j), 1006.6(d)(1))."""

_INPUT: Mapping[str, type] = {
    "money": Money, "date": date, "long_date": date, "number": int, "phone": str, "frequency": str, "product": str,
    "digits": str,
}  # fmt: skip
_FIXED: Mapping[str, type] = {"keys": Keys, "words": Words, "menu": Menu}


Where = tuple[str, str]
"""A file's path and its text."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A template and its parents, nearest first, each as (its blocks, text, file)."""

    entry: Entry
    locale: Locale
    parts: tuple[str, ...]
    chain: tuple[tuple[tuple[nodes.Block, ...], str, str], ...]


@dataclass(slots=True)
class Analysis:
    """What was found. ``hints`` are words that hint at money owed where someone else may see or hear them."""

    uses: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    hints: list[Problem] = field(default_factory=list)


def check_source(tree: nodes.Template, text: str, file: str) -> list[Problem]:
    """Find what is wrong with the syntax of one file alone: anything beyond the allowed."""
    problems = []
    for node in _walk(tree):
        if not isinstance(node, ALLOWED) and not _is_super(node):
            what = type(node).__name__.lower()
            problems.append(_problem((file, text), node, "", what, f"`{what}` is not used in templates"))
    extends = list(tree.find_all(nodes.Extends))
    if any(not isinstance(one.template, nodes.Const) for one in extends) or len(extends) > 1:
        problems.append(_problem((file, text), extends[0], "", "extends", "extends must name one file in quotes"))
    return problems


def check_words(tree: nodes.Template, text: str, file: str, lists: Lists, language: str) -> list[Problem]:
    """Find forbidden words that stand in one file."""
    return [
        _at((file, text), line, found.words, f"“{found.words}” {lists.why(found.family)}")
        for node in _walk(tree)
        for line, words in _words_of(node)
        for found in lists.find(words, language)
    ]


def analyse(linked: Linked, environment: TemplateEnvironment, lists: Lists) -> Analysis:
    """Follow every part of a linked template and report what it uses and what is wrong with it."""
    walker = _Walker(linked, environment, lists)
    for part in linked.parts:
        walker.follow_part(part)
    return Analysis(frozenset(walker.uses), frozenset(walker.optional), walker.problems, walker.hints)


class _Walker:
    """Walks blocks as they would run: a child's block instead of its parent's, ``super()`` into the parent's."""

    def __init__(self, linked: Linked, environment: TemplateEnvironment, lists: Lists) -> None:
        self.linked = linked
        self.environment = environment
        self.lists = lists
        self.blocks: dict[str, list[tuple[nodes.Block, str, str]]] = {}
        for blocks, text, file in linked.chain:
            for block in blocks:
                self.blocks.setdefault(block.name, []).append((block, text, file))
        self.uses: set[str] = set()
        self.optional: set[str] = set()
        self.problems: list[Problem] = []
        self.hints: list[Problem] = []
        self.source = ("", "")
        self.public: frozenset[str] | None = None

    def follow_part(self, part: str) -> None:
        """Walk one part under its own limits."""
        if part not in self.blocks:
            file = self.linked.chain[0][2]
            self.problems.append(Problem(file, 1, 1, part, f"has no block `{part}`, its own or a parent's"))
            return
        entry = self.linked.entry
        self.public = NEUTRAL if entry.limited else PUBLIC_PARTS.get((entry.channel, part))
        self._block(part, 0)

    def _block(self, name: str, depth: int) -> None:
        found = self.blocks.get(name, [])
        if depth >= len(found):
            return
        block, text, file = found[depth]
        outer, self.source = self.source, (file, text)
        self._body(block.body, {}, (name, depth))
        self.source = outer

    def _body(self, body: list[nodes.Node], scope: Mapping[str, Any], place: tuple[str, int]) -> None:
        for node in body:
            self._statement(node, scope, place)

    def _statement(self, node: nodes.Node, scope: Mapping[str, Any], place: tuple[str, int]) -> None:
        match node:
            case nodes.Block():
                self._block(node.name, 0)
            case nodes.Output():
                for part in node.nodes:
                    self._output(part, scope, place)
            case nodes.If():
                self._guard(node.test, scope)
                self._body(node.body, scope, place)
                for branch in node.elif_:
                    self._statement(branch, scope, place)
                self._body(node.else_, scope, place)
            case nodes.For():
                kind, path = self._type(node.iter, scope)
                item = (get_args(kind) or (None,))[0] if get_origin(kind) is tuple else None
                if item is None and kind is not None:
                    self._complain(node.iter, path, "is not a list")
                inner = {getattr(node.target, "name", ""): (item, path), "loop": (int, "loop")}
                self._body(node.body, {**scope, **inner}, place)
                self._body(node.else_, scope, place)
            case _:
                return

    def _output(self, node: nodes.Node, scope: Mapping[str, Any], place: tuple[str, int]) -> None:
        if isinstance(node, nodes.TemplateData):
            self._look_for_hints(node)
        elif _is_super(node):
            self._block(place[0], place[1] + 1)
        else:
            kind, path = self._type(node, scope)
            if kind not in {str, int, None}:
                hint = {Money: "add |money", date: "add |date"}.get(kind, "print one of its fields")
                self._complain(node, path, f"cannot be printed as it is: {hint}")

    def _look_for_hints(self, node: nodes.TemplateData) -> None:
        """Complain of words that hint at money owed, line by line, in a part that someone else may see or hear."""
        if self.public is None:
            return
        for line, words in _words_of(node):
            if hint := self.lists.hint(re.sub(r"<[^>]*>", " ", words), self.linked.locale.language):
                text = f"“{hint}” hints at money owed where someone else may see or hear it"
                self.hints.append(_at(self.source, line, hint, text))

    def _guard(self, test: nodes.Node, scope: Mapping[str, Any]) -> None:
        """Note the fields a condition asks about: they may be missing."""
        self._type(test, scope)
        self.optional |= set(_asked(test, scope))

    def _type(self, node: nodes.Node, scope: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the type of an expression and the path of the field it reads; (None, ...) when unknown."""
        match node:
            case nodes.Name():
                return self._name(node, scope)
            case nodes.Getattr():
                return self._attribute(node, scope)
            case nodes.Filter():
                return self._filter(node, scope)
            case nodes.CondExpr():
                self._guard(node.test, scope)
                kind, path = self._type(node.expr1, scope)
                if node.expr2 is not None:
                    self._type(node.expr2, scope)
                return kind, path
            case nodes.Const():
                return type(node.value), ""
            case _:
                for child in node.iter_child_nodes():
                    self._type(child, scope)
                return None, ""

    def _name(self, node: nodes.Name, scope: Mapping[str, Any]) -> tuple[Any, str]:
        if node.name in scope:
            kind, path = scope[node.name]
            return kind, path
        if node.name in _FIXED:
            return _FIXED[node.name], node.name
        hints = _hints(TouchFields)
        if node.name not in hints:
            self._complain(node, node.name, f"is not a field; the fields are {', '.join(sorted([*hints, *_FIXED]))}")
            return None, node.name
        self._use(node, node.name, hints[node.name])
        return hints[node.name], node.name

    def _attribute(self, node: nodes.Getattr, scope: Mapping[str, Any]) -> tuple[Any, str]:
        base, path = self._type(node.node, scope)
        full = f"{path}.{node.attr}"
        if base is None:
            return None, full
        known = _hints(base)
        if path == "loop":
            known = {"first": bool, "last": bool, "index": int}
        if node.attr not in known:
            allowed = f"; allowed here: {', '.join(known)}" if known else ""
            self._complain(node, full, f"is not a field{allowed}")
            return None, full
        if path not in _FIXED and path != "loop":
            self._use(node, full, known[node.attr])
        return known[node.attr], full

    def _filter(self, node: nodes.Filter, scope: Mapping[str, Any]) -> tuple[Any, str]:
        if node.node is None:
            return None, ""
        kind, path = self._type(node.node, scope)
        wanted = _INPUT.get(node.name)
        if node.name not in self.environment.filters:
            self._complain(node, path, f"|{node.name} does not exist here; use {', '.join(self.environment.filters)}")
        elif wanted is not None and kind not in {wanted, None}:
            self._complain(node, path, f"|{node.name} takes {wanted.__name__.lower()}, not {kind.__name__.lower()}")
        return str, path

    def _use(self, node: nodes.Node, path: str, kind: object) -> None:
        if is_dataclass(kind) and kind is not Money:
            return  # a step on the way to a field
        self.uses.add(path)
        if self.public is not None and path not in self.public:
            self._complain(node, path, f"may not be said here; only {', '.join(sorted(self.public))}")

    def _complain(self, node: nodes.Node, path: str, text: str) -> None:
        self.problems.append(_problem(self.source, node, path, path.rsplit(".", 1)[-1], text))


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - any type a template can reach
    """Return the fields of a type with optional ones as what they hold when present."""
    if kind is Money or not (is_dataclass(kind) or kind in _FIXED.values()):
        return {}
    return {name: _present(hint) for name, hint in get_type_hints(kind).items() if name != "model_config"}


def _present(hint: Any) -> Any:  # noqa: ANN401 - a typing form
    if isinstance(hint, UnionType):
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint if isinstance(hint, type) or get_origin(hint) is tuple else str


def _path(node: nodes.Node, scope: Mapping[str, Any]) -> str:
    """Return ``case.due_on`` for a plain field expression, else nothing."""
    if isinstance(node, nodes.Name):
        return str(scope[node.name][1]) if node.name in scope else node.name
    if isinstance(node, nodes.Getattr) and (base := _path(node.node, scope)):
        return f"{base}.{node.attr}"
    return ""


def _asked(node: nodes.Node, scope: Mapping[str, Any]) -> Iterator[str]:
    """Yield each whole path that a condition reads: ``promise.amount``, not also ``promise``."""
    if path := _path(node, scope):
        yield path
    else:
        for child in node.iter_child_nodes():
            yield from _asked(child, scope)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a node and all below it, except the inside of a plain ``super()``."""
    yield node
    if not _is_super(node):
        for child in node.iter_child_nodes():
            yield from _walk(child)


def _is_super(node: nodes.Node) -> bool:
    plain = isinstance(node, nodes.Call) and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
    return plain and isinstance(node.node, nodes.Name) and node.node.name == "super"  # type: ignore[attr-defined]


def _words_of(node: nodes.Node) -> Iterator[tuple[int, str]]:
    """Yield the line and words that a node would print as they stand."""
    if isinstance(node, nodes.TemplateData):
        for offset, line in enumerate(node.data.split("\n")):
            yield node.lineno + offset, line
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.lineno, node.value


def _problem(where: Where, node: nodes.Node, path: str, token: str, text: str) -> Problem:
    return _at(where, node.lineno, token, text, path=path)


def _at(where: Where, line: int, token: str, text: str, *, path: str = "") -> Problem:
    """Place a problem on the token's column. Jinja2 keeps lines only, so the column is found in the line's text."""
    file, source = where
    lines = source.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return Problem(file, line, shown.lower().find(token.lower()) + 1 or 1, path, text)
