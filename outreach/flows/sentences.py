"""Plain English for what stands on a timeline: one sentence a kind of entry, one phrase a reason code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import format_currency

from outreach.domain.money import Money
from outreach.flows.agreement_sentences import AGREED
from outreach.flows.call_sentences import turn_sentence
from outreach.flows.phrases import CHANNELS as _CHANNELS
from outreach.flows.phrases import EVENTS as _EVENTS
from outreach.flows.phrases import OUTCOMES as _OUTCOMES
from outreach.flows.portal_sentences import PORTAL_KINDS

Data = Mapping[str, Any]

_REASONS = {
    "campaign.cancelled": "its campaign was cancelled",
    "case.closed": "the case is closed",
    "case.nothing_due": "nothing is due",
    "channel.out_of_order": "its channel is out of order",
    "channel.unknown": "the channel is not configured",
    "clock.skew": "our clock and the database's disagree",
    "consent.expired": "the consent is too old",
    "consent.missing": "there is no consent for it",
    "consent.revoked": "consent was taken back",
    "content.forbidden": "its words hold something that must not be said",
    "content.missing": "its words lack something that must be said",
    "cooldown.no_calendar": "the public holidays that its business days need are not known",
    "cooldown.running": "it is too soon after the last contact",
    "creditor.unknown": "its creditor is not configured",
    "expiry.before_permitted": "its time passes before a permitted hour",
    "expiry.passed": "its time had passed",
    "call.window_closed": "the permitted hours had ended before anybody answered",
    "frequency_cap.no_calendar": "the public holidays that its business days need are not known",
    "frequency_cap.reached": "the contact limit is used up",
    "frequency_cap.too_many_channels": "too many channels would be used",
    "hold.attorney": "a lawyer speaks for the borrower",
    "hold.bankruptcy": "there is a bankruptcy",
    "hold.bereavement": "the borrower is bereaved",
    "hold.breathing_space": "the borrower is in a breathing space",
    "hold.cease": "the borrower asked us to cease contact",
    "hold.complaint": "a complaint is being looked into",
    "hold.debt_counselling": "the borrower is being counselled about debts",
    "hold.deceased": "the borrower is recorded as deceased",
    "hold.disaster": "the borrower was struck by a disaster",
    "hold.dispute": "the borrower disputes it",
    "hold.hardship": "the borrower is in hardship",
    "hold.identity_theft": "the borrower reports that somebody else used their name",
    "hold.incapacity": "the borrower cannot deal with it now",
    "hold.litigation": "it is before a court",
    "hold.minor": "the borrower is a minor",
    "hold.moratorium": "there is a moratorium on the debt",
    "hold.operator": "an operator put the case on hold",
    "hold.review": "a person is looking at the case",
    "hold.wrong_party": "the person reached is not the borrower",
    "horizon.no_instant": "no permitted moment lies within the next five weeks",
    "opt_out.at_provider": "the borrower stopped us at the provider",
    "opt_out.said": "the borrower said stop",
    "opt_out.told": "the borrower told the lender to stop",
    "pacing.line_busy": "as many calls were in progress as may be",
    "pacing.wait": "the lane was full for a moment",
    "paused.dropped": "it fell due while it was switched off, and was not made up for",
    "paused.switch": "it is switched off",
    "personal_window.closed": "the borrower asked not to be reached at this time",
    "place.unknown_jurisdiction": "it is not known which law applies",
    "place.unknown_zone": "the borrower's time zone is not known",
    "place.work": "the contact point is, or may be, at work",
    "point.invalid": "the number or mailbox is not valid",
    "point.kind_mismatch": "the contact point does not fit the channel",
    "point.none": "there is no number or mailbox for it",
    "point.not_active": "the number or mailbox is out of use",
    "point.reassigned": "the number belongs to someone else now",
    "point.silent": "nothing that is sent there arrives",
    "point.takes_no_texts": "the number takes no texts",
    "point.toll_free": "the number is toll-free",
    "point.wrong_party": "the number belongs to someone else",
    "prerequisite.missing": "something the rules ask for first is missing",
    "prerequisite.no_calendar": "the public holidays that its business days need are not known",
    "prerequisite.waiting": "something the rules ask for first is not done yet",
    "priority.gave_way": "a more important contact goes first",
    "priority.superseded": "a more important contact used the limit",
    "process.died": "the process that sent it died",
    "provider.bad_address": "the provider says the address does not exist",
    "provider.content_refused": "the provider refused the words",
    "provider.gave_up": "it was tried often enough",
    "provider.misconfigured": "our account at the provider does not work",
    "provider.opted_out": "the person stopped us at the provider",
    "provider.outcome_unknown": "the provider did not say whether it took it",
    "provider.rejected": "the provider refused it",
    "provider.throttled": "the provider asked us to slow down",
    "provider.unavailable": "the provider could not be reached",
    "provider.no_template": "no template that the provider approved is configured for these words in this language",
    "provider.unsupported": "the provider does not serve this destination",
    "purpose.unknown": "its purpose is not known",
    "quiet_hours.after_close": "contact hours are over",
    "quiet_hours.before_open": "contact hours have not begun",
    "quiet_hours.between": "it is between two stretches of contact hours",
    "quiet_hours.closed_day": "there are no contact hours on this day",
    "quiet_hours.no_calendar": "the public holidays of this year are not known",
    "quiet_hours.no_common_hours": "no hour is permitted in every place the borrower may be",
    "reached.delivered": "something arrived there",
    "reached.replied": "the borrower wrote from there",
    "recipient.not_addressed": "only the borrower may be contacted",
    "template.unapproved": "nobody has approved its words",
    "render.bad_field": "a value of the case cannot be printed",
    "render.invalid_template": "its template is not valid",
    "render.missing_disclosure": "a statement that must be in it is missing",
    "render.missing_field": "a fact that its words need is missing",
    "render.nothing_due": "nothing is due that it could speak of",
    "render.too_long": "it would be too long",
    "render.unknown_notice": "a notice that must be in it has no words",
    "render.unknown_template": "there is no template for it in a language the borrower reads",
    "render.unsafe": "a value of the case does not belong in its words",
    "silent.no_receipt": "nobody ever said that anything arrived there",
    "silent.undelivered": "nothing was delivered there for some time",
    "stopped.arrangement": "installments were agreed",
    "stopped.arrangement.broken": "the arrangement was broken",
    "stopped.arrangement.cancelled": "the arrangement was cancelled",
    "stopped.closed": "the case was closed",
    "stopped.extension": "the due date was moved",
    "stopped.hold": "a hold was placed",
    "stopped.opt_out": "the borrower said stop",
    "stopped.paid": "it was paid",
    "stopped.promise": "the borrower promised to pay",
    "stopped.promise.broken": "the promise was not kept",
    "stopped.restarted": "the plan began anew",
    "store.away": "it could not be asked whether it is switched off",
    "suppression.heard_elsewhere": "the borrower refused another channel, and that covers this one",
    "suppression.in_force": "the borrower refused this channel",
    "caller_pressed_stop": "the borrower pressed the stop key",
    "consent_revoked": "consent was taken back",
    "consent.revoked_in_book": "a book says that consent was taken back",
    "one_click_unsubscribe": "the borrower unsubscribed",
    "reassigned": "the number or mailbox has another owner now",
    "said_so": "someone else answered and said so",
    "told": "the lender said so",
    "wrong_person": "someone else answered and said so",
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """How a sentence prints an instant and an amount: the borrower's zone and the account's currency."""

    zone: str
    currency: str

    def moment(self, at: datetime) -> str:
        """Print an instant on the borrower's clock."""
        local = at.astimezone(ZoneInfo(self.zone))
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"

    def told_moment(self, text: object) -> str:
        """Print a stored instant."""
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError:
            return "a later time"
        return self.moment(at if at.tzinfo else at.replace(tzinfo=UTC))

    def amount(self, minor: object) -> str:
        """Print minor units of the account's currency."""
        if not isinstance(minor, int):
            return "an amount"
        return format_currency(Money(minor, self.currency).decimal, self.currency, locale="en_US")

    def day(self, text: object) -> str:
        """Print a stored local date."""
        try:
            on = date.fromisoformat(str(text)[:10])
        except ValueError:
            return "a date"
        return f"{on.day} {on:%b %Y}"


def reason_words(code: str) -> str:
    """Return a reason code in plain words; a code without words of its own is spelled out."""
    known = _REASONS.get(code)
    if known:
        return known
    family, _, rest = code.partition(".")
    if family == "stopped" and rest:
        return reason_words(rest)
    return code.replace(".", ": ").replace("_", " ").strip()


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words the way people do: a, b and c."""
    return ", ".join(words[:-1]) + f" {last} {words[-1]}" if len(words) > 1 else "".join(words)


def length_words(length: str) -> str:
    """Return ``7d``, ``168h`` or ``1080m`` in words."""
    if not length[:-1].isdigit():
        return length
    minutes = int(length[:-1]) * {"d": 1440, "h": 60, "m": 1}.get(length[-1], 1)
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return length


def sentence(kind: str, data: Data, tongue: Tongue) -> str:
    """Return what one timeline entry says, in plain English, without anything personal."""
    tell = _KINDS.get(kind)
    return tell(data, tongue) if tell else _fallback(kind, data)


def _fallback(kind: str, data: Data) -> str:
    words = kind.replace(".", " ").replace("_", " ").capitalize()
    because = _because(data)
    return f"{words}{because}."


def _because(data: Data) -> str:
    codes = data.get("reasons") or ([data["reason"]] if isinstance(data.get("reason"), str) else [])
    # Several rules may refuse for the same reason: it is said once here, and rule by rule where the decision is shown.
    return ": " + listed(list(dict.fromkeys(reason_words(str(code)) for code in codes))) if codes else ""


def _channel(data: Data) -> str:
    return _CHANNELS.get(str(data.get("channel")), "contact")


def _spelled(word: object) -> str:
    return str(word or "").replace("_", " ").replace(".", " ")


def _named(data: Data) -> str:
    what = data.get("template") or data.get("step")
    return f' "{_spelled(what)}"' if what else ""


def _touch(words: str) -> Callable[[Data, Tongue], str]:
    return lambda data, _: f"The {_channel(data)}{_named(data)} {words}{_because(data)}."


def _deferred(data: Data, tongue: Tongue) -> str:
    until = f" until {tongue.told_moment(data['until'])}" if data.get("until") else ""
    return f"The {_channel(data)}{_named(data)} was put off{until}{_because(data)}."


def _fell_back(data: Data, _: Tongue) -> str:
    following = _CHANNELS.get(str(data.get("next")), "next channel")
    return f"The {_channel(data)}{_named(data)} gave way to the {following}{_because(data)}."


def _gave_way(data: Data, tongue: Tongue) -> str:
    until = f"; it is decided again {tongue.told_moment(data['until'])}" if data.get("until") else ""
    return f"The {_channel(data)}{_named(data)} let another go first{_because(data)}{until}."


def _sent(data: Data, _: Tongue) -> str:
    verb = "was placed" if data.get("channel") in {"voice", "ivr"} else "left"
    return f"The {_channel(data)}{_named(data)} {verb}."


def _receipt(data: Data, _: Tongue) -> str:
    outcome = str(data.get("outcome"))
    odd = " (reports contradict each other)" if data.get("anomaly") else ""
    return f"About the {_channel(data)}: {_OUTCOMES.get(outcome, _spelled(outcome))}{odd}."


def _event(data: Data, tongue: Tongue) -> str:
    kind = str(data.get("event"))
    match kind:
        case "payment.received" if data.get("result") == "known_payment":
            return "The lender repeated a payment that was already counted."
        case "payment.received" if data.get("result") == "other_currency":
            return "A payment in another currency came in and was not counted."
        case "payment.received":
            return f"{tongue.amount(data.get('amount_minor'))} was paid."
        case "payment.reversed":
            return f"A payment of {tongue.amount(abs(int(data.get('amount_minor') or 0)))} was taken back."
        case "payment.missed" | "payment.due":
            verb = "was not paid" if kind == "payment.missed" else "is due"
            return f"{tongue.amount(data.get('amount_due_minor'))} {verb} on {tongue.day(data.get('due_on'))}."
        case _:
            more = f" ({_spelled(data['kind'])})" if data.get("kind") else ""
            return _EVENTS.get(kind, f"The lender reported {_spelled(kind)}.")[:-1] + more + "."


def _started(data: Data, tongue: Tongue) -> str:
    if data.get("no"):
        return f"Reminders of {_part(data)}, due {tongue.day(data.get('due_on'))}, were set up."
    return f'The plan "{_spelled(data.get("plan"))}" started.'


def _part(data: Data) -> str:
    of = f" of {data['count']}" if data.get("count") else ""
    return f"installment {data['no']}{of}"


def _held_out(data: Data, _: Tongue) -> str:
    return f'The plan "{_spelled(data.get("plan"))}" leaves this case alone, for comparison.'


def _stopped(data: Data, _tongue: Tongue, what: str = "stopped") -> str:
    because = f": {reason_words('stopped.' + str(data['reason']))}" if data.get("reason") else ""
    kind, _, number = str(data.get("cause")).partition(":")
    if kind == "installment":
        return f"The reminders of {_part({'no': number.split(':')[1]})} {what}{because}."
    return f'The plan "{_spelled(data.get("plan"))}" {what}{because}.'


def _dropped(data: Data, _: Tongue) -> str:
    return f"{_step(data)} was left out: its time had passed."


def _not_needed(data: Data, _: Tongue) -> str:
    cause = "its condition could not be read" if data.get("error") else "its condition does not hold"
    return f"{_step(data)} was left out: {cause}."


def _step(data: Data) -> str:
    plan = f' of the plan "{_spelled(data["plan"])}"' if data.get("plan") else ""
    return f'The step "{_spelled(data.get("step"))}"{plan}'


def _refused(data: Data, _: Tongue) -> str:
    channels = data.get("channels") or ["any"]
    if "any" in channels:
        return f"No more contact{_because(data)}."
    named = ", ".join(_CHANNELS.get(str(each), _spelled(each)) + "s" for each in channels)
    return f"No more {named}{_because(data)}."


def _demoted(data: Data, _: Tongue) -> str:
    return f"A number or mailbox is now marked {_spelled(data.get('state'))}{_because(data)}."


def _opened(data: Data, tongue: Tongue) -> str:
    if data.get("amount_due_minor") is None:
        return "The case was opened."
    return f"The case was opened: {tongue.amount(data['amount_due_minor'])} due on {tongue.day(data.get('due_on'))}."


def _reply(data: Data, _: Tongue) -> str:
    by = f" by {_channel(data)}" if data.get("channel") else ""
    read = f", read as: {_spelled(data['intent'])}" if data.get("intent") else ""
    return f"The borrower answered{by}{read}."


def _set_aside(data: Data, _: Tongue) -> str:
    asked = _named(data)
    return f"Nothing was agreed, for the question{asked and ' in'}{asked} never left{_because(data)}."


def _hold(data: Data, _: Tongue) -> str:
    return f"A hold was placed: {_spelled(data.get('hold') or data.get('kind') or 'rest')}."


def _task(data: Data, _: Tongue) -> str:
    return f"Handed to a person: {_spelled(data.get('task') or data.get('kind') or 'a task')}."


def _task_closed(data: Data, _: Tongue) -> str:
    ended = listed([_spelled(kind) for kind in data.get("holds") or ()], "and")
    lifted = f" The hold is lifted: {ended}." if ended else ""
    by = "The payment" if data.get("by") == "payment.received" else data.get("by")
    return f"{by} closed a task ({_spelled(data.get('kind'))}): {_spelled(data.get('disposition'))}.{lifted}"


def _dialogue(words: str) -> Callable[[Data, Tongue], str]:
    def tell(data: Data, _: Tongue) -> str:
        about = data.get("dialogue") or data.get("kind")
        return f"A dialogue{f' about {_spelled(about)}' if about else ''} {words}."

    return tell


def _turn(data: Data, _: Tongue) -> str:
    return turn_sentence(str(data.get("what")))


def reasons_of(data: Data) -> Sequence[str]:
    """Return the reason codes of an entry."""
    return [str(code) for code in data.get("reasons") or ()]


_KINDS: dict[str, Callable[[Data, Tongue], str]] = {
    "touch.sent": _sent,
    "touch.deferred": _deferred,
    "touch.blocked": _touch("was not sent"),
    "touch.expired": _touch("was not sent"),
    "touch.cancelled": _touch("was called off"),
    "touch.fell_back": _fell_back,
    "touch.paused": _touch("was held back"),
    "touch.gave_way": _gave_way,
    "touch.superseded": _touch("was not sent"),
    "touch.recalled": _touch("was taken back before anybody answered"),
    "touch.released": _touch("did not leave and will be decided again"),
    "touch.rejected": _touch("was refused"),
    "touch.unknown": _touch("may or may not have left"),
    "touch.lost": _touch("may or may not have left"),
    "receipt": _receipt,
    "receipt.overdue": lambda data, _: (
        f"No news of the {_channel(data)} came within {length_words(str(data.get('after')))}; "
        "it counts, and is not sent again."
    ),
    "event": _event,
    "case.opened": _opened,
    "consent.given": lambda _data, _tongue: "The borrower gave consent.",
    "enrollment.started": _started,
    "enrollment.held_out": _held_out,
    "enrollment.stopped": _stopped,
    "step.dropped": _dropped,
    "step.not_needed": _not_needed,
    "suppression.set": _refused,
    "suppression.lifted": lambda _data, _tongue: "The borrower allowed contact again.",
    "contact_point.demoted": _demoted,
    "contact_point.promoted": lambda data, _: f"A number or mailbox is in use again{_because(data)}.",
    "contact_point.confirmed": lambda _data, _tongue: (
        "The borrower wrote from this number or mailbox, which confirms it."
    ),
    "contact.recorded": lambda data, _: _EVENTS["contact.recorded"][:-1] + f" ({_spelled(data.get('channel'))}).",
    **AGREED,
    "reply": _reply,
    "reply.set_aside": _set_aside,
    "hold.placed": _hold,
    "hold.lifted": lambda data, _: f"A hold was lifted: {_spelled(data.get('kind') or 'rest')}.",
    "call.no_end": lambda _data, _tongue: "No news came of how the call ended; it counts, and its line is free again.",
    "task.opened": _task,
    "task.assigned": lambda data, _: f"{data.get('to')} took a task: {_spelled(data.get('kind'))}.",
    "task.closed": _task_closed,
    "dialogue.opened": _dialogue("was opened"),
    "dialogue.turn": _dialogue("went on"),
    "dialogue.closed": _dialogue("ended"),
    "dialogue.timed_out": _dialogue("was left without an answer"),
    "call.turn": _turn,
    "case.escalated": lambda data, _: f"Passed on to the lender's next stage: {_spelled(data.get('stage'))}.",
    **PORTAL_KINDS,
}
