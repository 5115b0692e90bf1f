"""What templates may print of what was offered, agreed or changed: plain JSON in a touch's context."""

from datetime import date
from typing import Any

from outreach.domain.arrangement import Frequency, Offer, schedule
from outreach.domain.arrangement_life import Standing
from outreach.domain.promise import Promise

_FREQUENCY = {
    Frequency.WEEKLY: "weekly",
    Frequency.FORTNIGHTLY: "biweekly",
    Frequency.SEMIMONTHLY: "semimonthly",
    Frequency.MONTHLY: "monthly",
}


def offer_words(offer: Offer) -> dict[str, Any]:
    """Return one option on the table."""
    parts = schedule(offer)
    return {
        "option": offer.option,
        "count": offer.count,
        "frequency": _FREQUENCY[offer.frequency],
        "amount_minor": offer.regular.minor,
        "last_minor": parts[-1].amount.minor,
        "first_on": parts[0].due_on.isoformat(),
        "down_minor": offer.down_payment_minor,
        "fee_minor": offer.fee_minor,
    }


def plan_words(offer: Offer) -> dict[str, Any]:
    """Return a plan that was chosen, in full."""
    parts = schedule(offer)
    return {
        "count": offer.count,
        "frequency": _FREQUENCY[offer.frequency],
        "total_minor": offer.total.minor,
        "first_on": parts[0].due_on.isoformat(),
        "last_on": parts[-1].due_on.isoformat(),
        "amount_minor": offer.regular.minor,
        "last_minor": parts[-1].amount.minor,
        "down_minor": offer.down_payment_minor,
        "fee_minor": offer.fee_minor,
        "left_minor": offer.total.minor,
        "installments": [
            {"no": part.number, "amount_minor": part.amount.minor, "due_on": part.due_on.isoformat()} for part in parts
        ],
    }


def standing_words(plan: Standing, *, ended: bool = False) -> dict[str, Any]:
    """Return a plan that stands, with what is left of it; of one that is ``ended`` without the fee that falls away."""
    parts = [part.installment for part in plan.covered]
    open_parts = [part for part in plan.covered if part.open.minor]
    first = (open_parts or list(plan.covered))[0].installment
    return {
        "count": len(parts),
        "frequency": _FREQUENCY[plan.frequency],
        "total_minor": plan.total.minor,
        "first_on": first.due_on.isoformat(),
        "last_on": parts[-1].due_on.isoformat(),
        "amount_minor": max(part.amount.minor for part in parts),
        "last_minor": parts[-1].amount.minor,
        "fee_minor": plan.fee_minor,
        "left_minor": plan.left.minor - (plan.open_fee.minor if ended else 0),
        "installments": [
            {"no": part.number, "amount_minor": part.amount.minor, "due_on": part.due_on.isoformat()} for part in parts
        ],
    }


def promise_words(promise: Promise) -> dict[str, Any]:
    """Return a promise."""
    return {"amount_minor": promise.amount.minor, "due_on": promise.on.isoformat()}


def extension_words(to_on: date | None, latest_on: date) -> dict[str, Any]:
    """Return a new due date, and the latest that could be asked for."""
    return {"to_on": (to_on or latest_on).isoformat(), "latest_on": latest_on.isoformat()}


def offer_told(offer: Offer) -> dict[str, Any]:
    """Return what the timeline says of an offer."""
    told: dict[str, Any] = {
        "count": offer.count,
        "frequency": offer.frequency,
        "total_minor": offer.total.minor,
        "currency": offer.total.currency,
        "first_on": schedule(offer)[0].due_on,
        "policy": offer.policy_id,
    }
    if offer.fee_minor:
        told["fee_minor"] = offer.fee_minor
    if offer.down_payment_minor:
        told["down_payment_minor"] = offer.down_payment_minor
    return told
