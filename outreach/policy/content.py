"""What the law of a place asks of the words of a contact, before they are written and for those who lint templates."""

from datetime import datetime

from outreach.policy.facts import Facts
from outreach.policy.floor import candidate_jurisdictions, candidate_zones
from outreach.policy.policy import Policy
from outreach.policy.rules import Wording
from outreach.policy.selecting import kind_of, out_of_force, selects


def wordings_for(facts: Facts, policy: Policy, at: datetime, medium: str = "") -> tuple[Wording, ...]:
    """Return the rules about words that speak of a contact on an instant, for one medium or for all.

    The gate asks the same rules once ``facts.content`` says what the words were found to hold.
    """
    zones, places = candidate_zones(facts), candidate_jurisdictions(facts)
    kind = kind_of(facts, zones, places, facts.days_past_due)
    return tuple(
        rule
        for rule in policy.rules_of(places)
        if isinstance(rule, Wording)
        and (not medium or not rule.media or medium in rule.media)
        and selects(rule.head.select, kind)
        and not any(start <= at < end for start, end in out_of_force(rule.head, zones))
    )
