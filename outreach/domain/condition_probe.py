"""Finding conditions that can never hold, by asking them at every point where their answer can change.

Only conditions made of comparisons of one fact with literals, joined by and, or, not, are judged: for those, trying
each literal and its neighbours is exhaustive. Everything else is given the benefit of the doubt.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from jinja2 import nodes

from outreach.domain.condition import Condition, parse_expression
from outreach.domain.condition_facts import (
    FACTS,
    NEVER_TOUCHED,
    BorrowerFacts,
    CaseFacts,
    ConditionFacts,
    Kind,
)

MAX_POINTS = 4_000
"""Combinations tried at most; a condition with more is not judged."""

LEAST_AMOUNT = Decimal("0.001")
"""The smallest amount of any currency, in major units: ISO 4217 has at most three decimals in use here."""

_ANY_CASE = CaseFacts("", "", "early", "", 0, Decimal(0), 0, NEVER_TOUCHED)
_ANY = ConditionFacts(_ANY_CASE, BorrowerFacts("en", ""))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range a number is known to be in, both ends included; None: no end known."""

    least: Decimal | int | None = None
    most: Decimal | int | None = None

    def admit(self, value: Decimal | int) -> bool:
        """Tell whether ``value`` is within the range."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def never_holds(condition: Condition, bounds: Mapping[str, Bounds | str]) -> bool:
    """Tell whether ``condition`` is false whatever the case.

    ``bounds`` narrows facts known at that place: a range for a number, the one value for a text.
    """
    literals: dict[str, list[object]] = {name: [] for name in condition.uses}
    if not _collect(parse_expression(condition.text), literals):
        return False
    choices = {name: _choices(name, found, bounds.get(name)) for name, found in literals.items()}
    if math.prod(map(len, choices.values())) > MAX_POINTS:
        return False
    return not any(condition.holds(facts) for facts in _points(choices))


def _points(choices: Mapping[str, Sequence[object]]) -> Iterator[ConditionFacts]:
    for values in itertools.product(*choices.values()):
        groups: dict[str, dict[str, object]] = {}
        for name, value in zip(choices, values, strict=True):
            group, _, each = name.partition(".")
            groups.setdefault(group, {})[each] = value
        changed = {group: replace(getattr(_ANY, group), **fields) for group, fields in groups.items()}
        yield replace(_ANY, **changed)


def _choices(name: str, literals: Sequence[object], known: Bounds | str | None) -> Sequence[object]:
    """Return the values of a fact worth trying: its literals, what lies just beside them, and the ends of its range."""
    fact = FACTS[name]
    if fact.kind is Kind.YES_NO:
        return (True, False)
    if fact.kind is Kind.TEXT:
        if isinstance(known, str):
            return (known,)
        return fact.values or (*{str(each) for each in literals}, "\0anything else")
    bounds = known if isinstance(known, Bounds) else Bounds()
    if bounds.least is None:
        bounds = replace(bounds, least=fact.least)
    if fact.kind is Kind.AMOUNT:
        return _amounts(literals, bounds)
    return _counts(literals, bounds)


def _counts(literals: Sequence[object], bounds: Bounds) -> Sequence[int]:
    whole = [int(each) for each in literals if isinstance(each, int | float)]
    tried = {each + nudge for each in whole for nudge in (-1, 0, 1)} | {0}
    tried |= {int(end) for end in (bounds.least, bounds.most) if end is not None}
    return sorted(each for each in tried if bounds.admit(each))


def _amounts(literals: Sequence[object], bounds: Bounds) -> Sequence[Decimal]:
    exact = [Decimal(each) for each in literals if isinstance(each, int | float)]
    tried = {each + nudge for each in exact for nudge in (-LEAST_AMOUNT, Decimal(0), LEAST_AMOUNT)} | {LEAST_AMOUNT}
    tried |= {Decimal(end) for end in (bounds.least, bounds.most) if end is not None}
    return sorted(each for each in tried if bounds.admit(each))


def _collect(node: nodes.Node, literals: dict[str, list[object]]) -> bool:
    """Gather the literals each fact is compared with. False when the condition is not of the simple kind."""
    match node:
        case nodes.Const():
            return True
        case nodes.Getattr():
            return True
        case nodes.And() | nodes.Or():
            return _collect(node.left, literals) and _collect(node.right, literals)
        case nodes.Not():
            return _collect(node.node, literals)
        case nodes.Compare():
            return _collect_comparison(node, literals)
        case _:
            return False


def _collect_comparison(node: nodes.Compare, literals: dict[str, list[object]]) -> bool:
    parts = [node.expr, *(operand.expr for operand in node.ops)]
    facts = [part for part in parts if isinstance(part, nodes.Getattr)]
    found = [value for part in parts if not isinstance(part, nodes.Getattr) for value in _values(part)]
    if len(facts) > 1 or not all(isinstance(part, nodes.Getattr) or _values(part) for part in parts):
        return False
    if facts and isinstance(facts[0].node, nodes.Name):
        literals[f"{facts[0].node.name}.{facts[0].attr}"] += found
    # 'es' in borrower.locale looks inside the text: trying whole values would not be exhaustive
    return not any(operand.op in {"in", "notin"} and isinstance(operand.expr, nodes.Getattr) for operand in node.ops)


def _values(part: nodes.Expr) -> list[object]:
    """Return the values of a literal, a negative literal or a list of them; nothing for anything else."""
    if isinstance(part, nodes.Neg) and isinstance(part.node, nodes.Const):
        return [-part.node.value]
    if isinstance(part, nodes.Const):
        return [part.value]
    if isinstance(part, nodes.List | nodes.Tuple):
        return [value for item in part.items for value in _values(item)]
    return []
