"""JSON Lines in and out of the gate: a candidate contact a line, a decision a line. docs/decide.md has the fields."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import orjson

from outreach.domain.words import Channel, Purpose
from outreach.policy.codec import FieldError, loads, read, read_instant
from outreach.policy.facts import Facts
from outreach.policy.gate import decide, next_permitted
from outreach.policy.policy import Policy

MAX_LINE: Final = 1_000_000
"""Bytes of one line. A longer one is refused unread."""

DEFAULTS: Final[dict[str, Any]] = {
    "touch_id": "",
    "purpose": "reminder",
    "role": "first_party",
    "actor": "automated",
    "borrower_id": "",
    "case_id": "",
    "creditor_id": "",
    "product": "",
    "case_state": "open",
    "currency": "",
    "days_past_due": 0,
    "due_on": None,
}
"""What a line may leave out. None of it is a permission: places, point, consent and amount have no default."""

_ROLES: Final = ("first_party", "agency", "debt_buyer", "platform")
_CHOICES: Final = {"channel": tuple(Channel), "purpose": tuple(Purpose), "role": _ROLES}


def decide_lines(lines: Iterable[bytes], policy: Policy) -> Iterator[bytes]:
    """Decide every line, in order. A line that cannot be read gives an error line; blank lines give nothing.

    Each output line ends with a newline. ``line`` counts input lines from 1.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _decide_line(line, number, policy) + b"\n"


def _decide_line(line: bytes, number: int, policy: Policy) -> bytes:
    try:
        facts, at = _read_line(line)
    except FieldError as error:
        return orjson.dumps({"error": error.text, "line": number, "field": error.field})
    decision = decide(facts, policy, at)
    answer = {
        "line": number,
        "touch_id": facts.touch_id,
        "decision": decision,
        "next_permitted": next_permitted(facts, policy, at),
    }
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


def _read_line(line: bytes) -> tuple[Facts, datetime]:
    if len(line) > MAX_LINE:
        raise FieldError("", f"is longer than {MAX_LINE} bytes")
    value = loads(line)
    if not isinstance(value, dict):
        raise FieldError("", "must be an object with the fields at and facts")
    for name in value:
        if name not in {"at", "facts"}:
            raise FieldError(str(name), "is not a field; the fields are at, facts")
    for name in ("at", "facts"):
        if name not in value:
            raise FieldError(name, "is missing")
    try:
        facts = read(Facts, value["facts"], DEFAULTS)
        _check_words(facts)
    except FieldError as error:
        raise error.under("facts") from None
    try:
        return facts, read_instant(value["at"])
    except FieldError as error:
        raise error.under("at") from None


def _check_words(facts: Facts) -> None:
    """Refuse words outside the closed sets: a typing error should be named, not taken for a rule's refusal."""
    for name, choices in _CHOICES.items():
        if getattr(facts, name) not in choices:
            raise FieldError(name, f"must be one of {', '.join(choices)}")
