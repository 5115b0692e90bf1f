"""Plain English for what was agreed with a borrower, changed, kept or broken."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outreach.flows.sentences import Tongue

Data = Mapping[str, Any]


def _kept(words: str) -> Callable[[Data, "Tongue"], str]:
    return lambda data, tongue: f"{words} ({tongue.amount(data.get('paid_minor'))} paid so far)."


def _promised(data: Data, tongue: "Tongue") -> str:
    amount = tongue.amount(data.get("amount_minor", data.get("promised_minor")))
    by = f" by {tongue.day(data['due_on'])}" if data.get("due_on") else ""
    return f"The borrower promised to pay {amount}{by}."


def _arranged(data: Data, tongue: "Tongue") -> str:
    total = f" of {tongue.amount(data['total_minor'])}" if data.get("total_minor") else ""
    parts = f" in {data['count']} installments" if data.get("count") else " in installments"
    return f"The borrower confirmed payment{total}{parts}."


def _offered(data: Data, tongue: "Tongue") -> str:
    return f"The borrower was offered {tongue.amount(data.get('total_minor'))} in {data.get('count')} installments."


def _extended(data: Data, tongue: "Tongue") -> str:
    return f"The due date was moved from {tongue.day(data['from_on'])} to {tongue.day(data['to_on'])}, as asked."


_BY = {"borrower": "The borrower ended the arrangement", "change": "The arrangement was replaced by another"}


def _cancelled(data: Data, tongue: "Tongue") -> str:
    by = str(data.get("by"))
    who = _BY.get(by, f"The arrangement was cancelled by {by}")
    why = f": {data['note']}" if data.get("note") else ""
    return f"{who}{why} ({tongue.amount(data.get('left_minor'))} was left)."


_DROPPED = {"arrangement": "installments were agreed", "extension": "a new due date was agreed"}


def _dropped_promise(data: Data, _: "Tongue") -> str:
    return f"The promise was taken back: {_DROPPED.get(str(data.get('by')), 'something else was agreed')} in its place."


_RESTS = {
    "arrangement": "an arrangement is in good standing",
    "promise": "a promise is open",
    "extension": "the new due date lies ahead",
}


def _rested(data: Data, _: "Tongue") -> str:
    plan = str(data.get("plan")).replace("_", " ")
    reason = str(data.get("reason"))
    about, _dot, kind = reason.partition(".")
    why = f"a hold is in force ({kind.replace('_', ' ')})" if about == "hold" else _RESTS.get(reason)
    return f'The plan "{plan}" was not started: {why or "the case rests"}.'


AGREED: Mapping[str, Callable[[Data, "Tongue"], str]] = {
    "promise.made": _promised,
    "promise.kept": _kept("The promise was kept"),
    "promise.part_paid": _kept("Part of the promised amount came in"),
    "promise.broken": _kept("The promised day passed without the full amount"),
    "promise.reopened": _kept("A payment was taken back, so the promise is open again"),
    "promise.cancelled": _dropped_promise,
    "arrangement.proposed": _offered,
    "arrangement.confirmed": _arranged,
    "arrangement.paid": _kept("A payment was counted toward the installments"),
    "arrangement.kept": _kept("Every installment was paid"),
    "arrangement.reopened": _kept("A payment was taken back, so installments are open again"),
    "arrangement.broken": _kept("An installment was missed and the arrangement ended"),
    "arrangement.cancelled": _cancelled,
    "extension.granted": _extended,
    "enrollment.rested": _rested,
}
"""One sentence for each kind of timeline entry about agreements."""
