"""The check of a condition before it runs: every name known, every comparison between things that compare."""

import math
from typing import Final

from jinja2 import nodes

from outreach.domain.condition_facts import FACTS, GROUPS, ConditionError, Fact, Kind
from outreach.domain.near import did_you_mean

_NUMBERS: Final = frozenset({Kind.COUNT, Kind.FRACTION, Kind.AMOUNT})
_ORDER: Final = frozenset({"gt", "gteq", "lt", "lteq"})
_ARITHMETIC: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_LITERALS: Final = ((bool, Kind.YES_NO), (int, Kind.COUNT), (float, Kind.FRACTION), (str, Kind.TEXT))
_FILTERS: Final = {"lower": Kind.TEXT, "upper": Kind.TEXT, "abs": None}


def check_condition(tree: nodes.Expr, allowed: frozenset[str] = frozenset(FACTS)) -> frozenset[str]:
    """Return the facts an expression uses. Raises ConditionError for the first thing that cannot work."""
    checker = _Checker(allowed)
    kind = checker.kind(tree)
    if kind is not Kind.YES_NO:
        raise ConditionError(f"the condition must be a yes-or-no question, but this is {kind}")
    return frozenset(checker.uses)


class _Checker:
    """Walks an expression once, working out the kind of every part."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed
        self.uses: set[str] = set()

    def kind(self, node: nodes.Node) -> Kind:
        """Return the kind of ``node``'s value."""
        match node:
            case nodes.Const():
                return _literal(node)
            case nodes.Getattr():
                return self.fact(node).kind
            case nodes.Compare():
                return self.comparison(node)
            case nodes.And() | nodes.Or():
                return self.all_yes_no(node.left, node.right)
            case nodes.Not():
                return self.all_yes_no(node.node)
            case nodes.Filter():
                return self.filtered(node)
            case nodes.Neg() | nodes.Pos():
                return self.number(node.node)
            case nodes.BinExpr() if isinstance(node, _ARITHMETIC):
                return self.arithmetic(node)
            case nodes.Name():
                raise ConditionError(self.bare_name(node.name))
            case _:
                raise ConditionError(
                    f"{type(node).__name__.lower()} is not used in conditions; "
                    "use facts, literals, comparisons, in, and, or, not, + - * / and the filters lower, upper, abs"
                )

    def bare_name(self, name: str) -> str:
        """Say what is wrong with a name that stands alone."""
        if name in GROUPS:
            inside = ", ".join(sorted(fact for fact in self.allowed if fact.startswith(f"{name}.")))
            return f"{name} alone is not a fact; write one of {inside}" if inside else f"{name} is not known here"
        near = did_you_mean(name, sorted(self.allowed)) or did_you_mean(
            name, sorted(fact.partition(".")[2] for fact in self.allowed)
        )
        quoted = f"; text needs quotes: '{name}'" if not near else ""
        return f"unknown name {name!r}{near}{quoted}"

    def fact(self, node: nodes.Getattr) -> Fact:
        """Return the fact a dotted name stands for."""
        if not isinstance(node.node, nodes.Name):
            raise ConditionError(f"{node.attr!r} cannot be asked of that; facts read group.name")
        name = f"{node.node.name}.{node.attr}"
        if name not in self.allowed:
            raise ConditionError(self.no_fact(name, node.node.name))
        self.uses.add(name)
        return FACTS[name]

    def no_fact(self, name: str, group: str) -> str:
        """Say what is wrong with a dotted name, listing what its group has."""
        inside = sorted(fact for fact in self.allowed if fact.startswith(f"{group}."))
        if name in FACTS or (group in GROUPS and not inside):
            return f"{name} is not known here: {group} says nothing at this place"
        groups = sorted({fact.partition(".")[0] for fact in self.allowed})
        known = ", ".join(inside or (f"{each}.*" for each in groups))
        return f"{name} is not a fact{did_you_mean(name, sorted(self.allowed))} (known: {known})"

    def all_yes_no(self, *parts: nodes.Node) -> Kind:
        """Check operands of and, or, not."""
        for part in parts:
            if (kind := self.kind(part)) is not Kind.YES_NO:
                raise ConditionError(f"and, or, not join yes-or-no questions, but one side is {kind}")
        return Kind.YES_NO

    def number(self, node: nodes.Node) -> Kind:
        """Check that a part is a number."""
        if (kind := self.kind(node)) not in _NUMBERS:
            raise ConditionError(f"arithmetic needs numbers, but one side is {kind}")
        return kind

    def arithmetic(self, node: nodes.BinExpr) -> Kind:
        """Check a sum, difference, product or quotient. Amounts are exact, so they do not mix with decimal literals."""
        kinds = {self.number(node.left), self.number(node.right)}
        if kinds >= {Kind.AMOUNT, Kind.FRACTION}:
            raise ConditionError("amounts are exact: compute with whole numbers (case.amount_due * 5 / 100)")
        if Kind.AMOUNT in kinds:
            return Kind.AMOUNT
        return Kind.FRACTION if Kind.FRACTION in kinds or isinstance(node, nodes.Div) else Kind.COUNT

    def filtered(self, node: nodes.Filter) -> Kind:
        """Check one of the few filters."""
        if node.name not in _FILTERS or node.node is None or node.args or node.kwargs:
            raise ConditionError(f"the filter {node.name} is not used in conditions (allowed: {', '.join(_FILTERS)})")
        wanted = _FILTERS[node.name]
        if wanted is None:
            return self.number(node.node)
        if (kind := self.kind(node.node)) is not wanted:
            raise ConditionError(f"the filter {node.name} needs {wanted}, but this is {kind}")
        return kind

    def comparison(self, node: nodes.Compare) -> Kind:
        """Check a comparison, or a chain such as 1 <= x <= 5."""
        left = node.expr
        for operand in node.ops:
            if operand.op in {"in", "notin"}:
                self.membership(left, operand.expr)
            else:
                self.pair(left, operand.op, operand.expr)
            left = operand.expr
        return Kind.YES_NO

    def pair(self, left: nodes.Expr, op: str, right: nodes.Expr) -> None:
        """Check one comparison of two single values."""
        kinds = self.kind(left), self.kind(right)
        if not _comparable(*kinds):
            raise ConditionError(f"{_spoken(left)} is {kinds[0]}, {_spoken(right)} is {kinds[1]}: they never compare")
        if op in _ORDER and kinds[0] not in _NUMBERS:
            raise ConditionError(f"only numbers have an order; {_spoken(left)} is {kinds[0]}")
        self.closed_values(left, right)
        self.closed_values(right, left)

    def membership(self, item: nodes.Expr, among: nodes.Expr) -> None:
        """Check ``x in [..]`` or ``'part' in text``."""
        kind = self.kind(item)
        if not isinstance(among, nodes.List | nodes.Tuple):
            if {kind, self.kind(among)} != {Kind.TEXT}:
                raise ConditionError(f"in needs a list such as ['US', 'GB'] or a text, not {_spoken(among)}")
            return
        if not among.items:
            raise ConditionError("the list is empty, so nothing is in it")
        for choice in among.items:
            if not _comparable(kind, self.kind(choice)):
                raise ConditionError(f"{_spoken(item)} is {kind}, but the list holds {_spoken(choice)}")
            self.closed_values(item, choice)

    def closed_values(self, fact: nodes.Node, literal: nodes.Node) -> None:
        """Check a literal against the closed set of the fact it is compared with."""
        if not (isinstance(fact, nodes.Getattr) and isinstance(literal, nodes.Const)):
            return
        known = self.fact(fact)
        if known.values and literal.value not in known.values:
            near = did_you_mean(literal.value, known.values)
            raise ConditionError(f"{known.name} is never {literal.value!r}{near} (one of {', '.join(known.values)})")


def _literal(node: nodes.Const) -> Kind:
    if isinstance(node.value, float) and not math.isfinite(node.value):
        raise ConditionError("a number is too large")
    for kind, word in _LITERALS:
        if isinstance(node.value, kind):
            return word
    raise ConditionError("none is no value here; a text that is not known is '', an amount 0")


def _comparable(left: Kind, right: Kind) -> bool:
    return left is right or {left, right} <= _NUMBERS


def _spoken(node: nodes.Node) -> str:
    """Name a part of an expression the way its author wrote it, as far as possible."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return repr(node.value) if isinstance(node, nodes.Const) else "one side"
