"""Rules and what they found, in plain words with their numbers: what explain, a case's story and `policies` print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from outreach.flows.sentences import Tongue, length_words, listed, reason_words
from outreach.policy.decision import Reason
from outreach.policy.policy import Policy

FLOOR: Final = {
    "core.channel": "Only known channels and purposes are used.",
    "core.jurisdiction": "It must be known which law may apply.",
    "core.zone": "The borrower's time zone must be known.",
    "core.point": "There must be a number or mailbox that is the borrower's, works, and fits the channel.",
    "core.case": "Nothing is begun on a case that is closed.",
    "core.due": "Nobody is reminded of nothing.",
    "core.expiry": "What comes too late to be of use is not sent.",
    "core.suppression": "What a borrower refused is not done.",
    "core.consent": "A consent that was taken back is no consent.",
    "core.hold": "While a case or borrower is on hold, nothing is sent.",
    "core.personal_window": "Times that the borrower named are kept to.",
    "core.pause": "What an operator has switched off stays off until it is switched on again.",
    "core.horizon": "What is not permitted within five weeks is refused.",
}
"""The floor beneath all packs, which no file can switch off: what each part of it asks."""

_COUNTED: Final = {
    "touches": ("contact", "contacts"),
    "attempts": ("attempt", "attempts"),
    "attempts_unanswered": ("unanswered attempt", "unanswered attempts"),
    "attempts_with_connection_or_message": ("call that connected or left words", "calls that connected or left words"),
    "conversations": ("conversation", "conversations"),
    "communications": ("communication", "communications"),
    "initiated_communications": ("communication begun by the lender", "communications begun by the lender"),
    "messages_sent": ("text, email or letter", "texts, emails or letters"),
    "successful_contacts": ("successful contact", "successful contacts"),
    "visits": ("visit", "visits"),
}
_SCOPE: Final = {
    "case": "about this debt",
    "creditor": "for this creditor",
    "borrower": "to this borrower",
    "number": "to this number or mailbox",
}
_OVERRIDES: Final = {
    "agreed_time": "the borrower agreed to this time",
    "requested_callback": "the borrower asked to be called",
    "reply_in_thread": "it answers what the borrower wrote",
    "consent_to_extra": "the borrower agreed to more contact",
    "agreed_place": "the borrower agreed to this place",
    "debtor_unreachable": "the borrower cannot be reached",
    "attorney_silent": "the borrower's lawyer did not answer",
    "verification_sent": "the debt was verified",
}
_CHANNELS: Final = {"sms": "text", "voice": "call", "ivr": "keypad call", "mail": "letter"}
_EFFECTS: Final = {
    "must": "law or house rule",
    "should": "recommended standard, kept like law",
    "presumption": "presumption of law, kept like law",
    "standard": "standard without a number",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One reason for people. ``sentence`` says what is wrong now, with numbers; ``summary`` what the rule asks.

    ``until`` is when this rule alone would pass, ``until_local`` the same on the borrower's clock; None: not known.
    """

    rule_id: str
    code: str
    sentence: str
    summary: str
    citation: str
    effect: str
    until: datetime | None = None
    until_local: str | None = None
    facts: tuple[tuple[str, str], ...] = ()


def tell_reason(reason: Reason, policy: Policy | None, tongue: Tongue, used: Sequence[str] = ()) -> Told:
    """Put one reason into words. ``used`` are the contacts that fill a limit, in words, when they are known."""
    sentence = _sentence(reason, tongue)
    if used:
        sentence += f" ({'it was' if len(used) == 1 else 'they were'} {listed(used)})"
    return Told(
        reason.rule_id,
        reason.code,
        sentence,
        summary_of(reason.rule_id, policy),
        reason.citation,
        reason.effect,
        reason.until,
        tongue.moment(reason.until) if reason.until else None,
        reason.facts,
    )


def summary_of(rule_id: str, policy: Policy | None) -> str:
    """Return what a rule asks, in one sentence; empty for a rule that the policy does not hold."""
    if rule_id in FLOOR:
        return FLOOR[rule_id]
    rule = policy.rule(rule_id) if policy else None
    return rule.head.summary if rule else ""


def effect_words(effect: str) -> str:
    """Return how strongly a source speaks, in words."""
    return _EFFECTS.get(effect, effect)


def override_words(kind: str) -> str:
    """Return why a rule was lifted, in words."""
    return _OVERRIDES.get(kind, kind.replace("_", " "))


def channel_words(channel: str) -> str:
    """Return a channel as people say it."""
    return _CHANNELS.get(channel, channel)


def counted_words(counted: str, many: int) -> str:
    """Return what a rule counts, in words: one of them or several."""
    one, more = _COUNTED.get(counted, (counted, counted))
    return one if many == 1 else more


def scope_words(scope: str) -> str:
    """Return over what a rule adds contacts up, in words."""
    return _SCOPE.get(scope, f"per {scope}")


def limit_words(most: int, counted: str, scope: str, per: str, length: str = "") -> str:
    """Return a limit in words: 4 contacts to this borrower in any 7 days."""
    what = f"{most} {counted_words(counted, most)}"
    if per in {"day", "week", "month"}:
        return f"{what} {period_words(per)} {scope_words(scope)}"
    return f"{what} {scope_words(scope)} {period_words(per, length)}"


def period_words(per: str, length: str = "") -> str:
    """Return a period in words: ``rolling`` and ``168h`` is "in any 7 days"."""
    span = length_words(length)
    return {
        "rolling": f"in any {span}",
        "rolling_days": f"in any {span}, counted by local dates",
        "full_days": f"in {span}, the day itself not counted",
        "business_days": f"in {span.replace('day', 'business day')}",
        "day": "a day",
        "week": "a calendar week",
        "month": "a calendar month",
    }.get(per, f"{per} {span}".strip())


def _sentence(reason: Reason, tongue: Tongue) -> str:
    facts = dict(reason.facts)
    words = reason_words(reason.code)
    family = reason.code.partition(".")[0]
    if family == "quiet_hours" and "local" in facts:
        return words + _hours(facts)
    if family in _TELLERS:
        return _TELLERS[family](words, facts, tongue)
    named = [value.replace("_", " ") for name, value in reason.facts if name in {"zone", "jurisdiction", "type"}]
    return f"{words} ({', '.join(named)})" if named else words


def _hours(facts: Mapping[str, str]) -> str:
    permitted = facts.get("permitted", "none")
    when = "none that day" if permitted == "none" else permitted.replace("-", " to ").replace(",", " and ")
    return f": it is {facts['local']} in {facts['zone']}, permitted is {when}"


def _cap(words: str, facts: Mapping[str, str], _tongue: Tongue) -> str:
    if "used" in facts:
        used = listed([channel_words(one) for one in facts["used"].split(",")])
        return f"{words}: at most {facts['most']} may be (used already: {used})"
    if "most" not in facts:
        return words
    per, _, length = facts.get("period", "").partition(" ")
    limit = limit_words(int(facts["most"]), facts.get("counted", ""), facts.get("per", ""), per, length)
    return f"the limit of {limit} is used up"


def _gap(words: str, facts: Mapping[str, str], tongue: Tongue) -> str:
    if "latest_at" not in facts:
        return words
    return f"it is too soon after the last {counted_words(facts['after'], 1)}, {tongue.told_moment(facts['latest_at'])}"


def _notice(words: str, facts: Mapping[str, str], tongue: Tongue) -> str:
    if "sent_at" in facts:
        return f"{words}: what had to go first went on {tongue.told_moment(facts['sent_at'])}"
    if "notices" in facts:
        return f"{words}: {listed(facts['notices'].replace('_', ' ').split(','), 'or')}"
    return words


def _content(words: str, facts: Mapping[str, str], _: Tongue) -> str:
    named = [
        value.replace("_", " ").replace(",", ", ") for name, value in facts.items() if name in {"missing", "found"}
    ]
    return f"{words} ({'; '.join(named)})" if named else words


def _switch(words: str, facts: Mapping[str, str], _: Tongue) -> str:
    return f"{words} ({facts['switch'].replace(':', ' ')})" if "switch" in facts else words


def _expiry(words: str, facts: Mapping[str, str], tongue: Tongue) -> str:
    return f"{words}, {tongue.told_moment(facts['permitted_at'])}" if "permitted_at" in facts else words


_TELLERS: Final = {
    "frequency_cap": _cap,
    "cooldown": _gap,
    "prerequisite": _notice,
    "content": _content,
    "paused": _switch,
    "expiry": _expiry,
}
