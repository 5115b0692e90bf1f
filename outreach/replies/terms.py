"""Which terms a borrower may be offered today: plans, their own wish, an earlier choice renewed, more time."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from outreach.domain.arrangement import (
    ArrangementPolicy,
    Frequency,
    Offer,
    Shape,
    compute_offers,
    counter_offer,
    is_current,
    offer_of,
)
from outreach.domain.extension import Extension, decide_extension, may_extend
from outreach.domain.money import Money

if TYPE_CHECKING:
    from outreach.replies.dialogue_spec import DialogueFacts
    from outreach.replies.reading import Reading


def _policy(facts: "DialogueFacts") -> ArrangementPolicy | None:
    """Return the policy that fits. The fee of a plan is not asked twice when it is only changed."""
    policy = facts.policy
    return replace(policy, fee_minor=0) if policy and facts.plan else policy


def offers(facts: "DialogueFacts", first_on: date | None = None) -> tuple[Offer, ...]:
    """Return the plans on offer today; ``first_on`` is a day the borrower named."""
    policy = _policy(facts)
    if policy is None:
        return ()
    return compute_offers(
        policy, facts.amount_due, facts.days_past_due, facts.product, facts.today,
        first_on=first_on, background=facts.background,
    )  # fmt: skip


def counter(reading: "Reading", facts: "DialogueFacts", first_on: date | None = None) -> Offer | None:
    """Return the plan a borrower asks for in their own words, if it is within bounds."""
    policy = _policy(facts)
    if policy is None:
        return None
    each = Money(reading.amount_minor, reading.currency) if reading.amount_minor and reading.currency else None
    if each and reading.count and each.minor * reading.count < facts.amount_due.minor:
        return None
    return counter_offer(
        policy, facts.amount_due, facts.days_past_due, facts.product, facts.today,
        each=each, count=reading.count, frequency=Frequency(reading.every) if reading.every else None,
        paydays=reading.paydays,
        first_on=reading.first_on or reading.on or first_on, background=facts.background,
    )  # fmt: skip


def stands(offer: Offer, facts: "DialogueFacts") -> bool:
    """Tell whether an offer made earlier in the dialogue may be confirmed as it was read back."""
    policy = _policy(facts)
    return policy is not None and is_current(offer, policy, facts.amount_due, facts.today)


def renewed(offer: Offer, facts: "DialogueFacts") -> Offer | None:
    """Return an earlier offer for what is owed today, beginning no earlier than today; None when it fits no more."""
    if stands(offer, facts):
        return offer
    policy = _policy(facts)
    if policy is None or not policy.fits(facts.amount_due, facts.days_past_due, facts.product, facts.background):
        return None
    keeps = offer.day is not None or offer.paydays is not None
    begins = offer.first_on if offer.first_on >= facts.today and keeps else None
    shape = Shape(offer.count, offer.frequency, offer.day, offer.paydays)
    made = offer_of(policy, facts.amount_due, shape, facts.today, begins, facts.background)
    return replace(made, option=offer.option) if made else None


def extension(on: date | None, facts: "DialogueFacts") -> Extension | None:
    """Return the new due date that was asked for, if it may be granted."""
    if facts.policy is None or facts.due_on is None:
        return None
    decided = decide_extension(
        on,
        due_minor=facts.amount_due.minor,
        due_on=facts.due_on,
        today=facts.today,
        max_days=facts.policy.extension_max_days,
        every_days=facts.policy.extension_every_days,
        last_on=facts.background.extended_on,
    )
    return decided if isinstance(decided, Extension) else None


def extension_open(facts: "DialogueFacts") -> bool:
    """Tell whether a new due date may be asked for at all."""
    policy = facts.policy
    return policy is not None and facts.due_on is not None and may_extend(
        facts.amount_due.minor, facts.today, policy.extension_max_days, policy.extension_every_days,
        facts.background.extended_on,
    )  # fmt: skip
