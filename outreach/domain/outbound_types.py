"""The closed list of events the lender's systems hear, field by field, for code, OpenAPI and documentation."""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What happened."""

    CONTACT_ATTEMPTED = "contact.attempted"
    CONTACT_DELIVERED = "contact.delivered"
    CONTACT_FAILED = "contact.failed"
    CONTACT_BLOCKED = "contact.blocked"
    REPLY_RECEIVED = "reply.received"
    CONSENT_CHANGED = "consent.changed"
    PROMISE_MADE = "promise.made"
    PROMISE_KEPT = "promise.kept"
    PROMISE_BROKEN = "promise.broken"
    PROMISE_CHANGED = "promise.changed"
    ARRANGEMENT_PROPOSED = "arrangement.proposed"
    ARRANGEMENT_CONFIRMED = "arrangement.confirmed"
    ARRANGEMENT_CHANGED = "arrangement.changed"
    ARRANGEMENT_BROKEN = "arrangement.broken"
    ARRANGEMENT_COMPLETED = "arrangement.completed"
    EXTENSION_GRANTED = "extension.granted"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    CASE_HANDED_OFF = "case.handed_off"
    HAND_OFF_CLOSED = "case.hand_off_closed"
    CONTACT_POINT_DEMOTED = "contact_point.demoted"
    CASE_ESCALATED = "case.escalated"


TEST_TYPE = "webhook.test"
"""What `outreach webhooks test` sends; it is no event and stands in no feed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of an event's data: its JSON type, what it means, and a value for the documentation."""

    kind: str
    means: str
    example: object


def _text(means: str, example: str) -> Shown:
    return Shown("string", means, example)


def _codes(means: str, *example: str) -> Shown:
    return Shown("array of strings", means, list(example))


def _number(means: str, example: float) -> Shown:
    return Shown("integer" if isinstance(example, int) else "number", means, example)


_TOUCH = _text("one planned contact; the same over all its channels", "018f2c3e-0000-7000-8000-000000000001")
_ATTEMPT = _text("one hand-over to a provider", "018f2c3e-0000-7000-8000-000000000002")
_CHANNEL = _text("`sms`, `email`, `voice` or `ivr`", "sms")
_STEP = _text("the step of its plan; not there for an answer", "first_text")
_TEMPLATE = _text("which words", "missed_payment")
_REASONS = _codes("why: [reasons.md](reasons.md)", "quiet_hours.after_close")
_DISPOSITION = _text(
    "of a call: what it came to ([channels/calls.md](channels/calls.md#what-a-call-came-to))", "unverified"
)
_PROVIDER_CODE = _text("the provider's own code", "30003")
_PROMISE = _text("the promise", "018f2c3e-0000-7000-8000-000000000003")
_ARRANGEMENT = _text("the arrangement; hand it over once for each", "018f2c3e-0000-7000-8000-000000000004")
_CURRENCY = _text("ISO 4217", "USD")
_PAID = _number("paid so far, in minor units", 4000)
_PROMISED = _number("what was promised, in minor units", 4000)
_TOTAL = _number("all installments together, in minor units", 12000)
_COUNT = _number("how many installments", 3)
_FREQUENCY = _text("`weekly`, `fortnightly`, `semimonthly` or `monthly`", "monthly")
_FEE = _number("the fee in the total, in minor units; not there without one", 500)
_DOWN = _number("the down payment, which is the first installment; not there without one", 4000)
_FIRST_ON = _text("date of the first installment", "2027-03-15")
_TOLD_BY = _text("the `source` of the event that told us; not there when the borrower did", "/core-banking")
_EVENT_ID = _text("the `id` of the event that told us", "evt-17")
_POINT = _text("the number or mailbox, by id, never itself", "018f2c3e-0000-7000-8000-000000000005")
_HOLD = _text("the kind of hold, as in `hold.placed` of the events API", "dispute")

_CONTACT = {"touch_id": _TOUCH, "attempt_id": _ATTEMPT, "channel": _CHANNEL, "step": _STEP, "template": _TEMPLATE}
_OFFER = {
    "total_minor": _TOTAL, "currency": _CURRENCY, "count": _COUNT, "frequency": _FREQUENCY, "first_on": _FIRST_ON,
    "fee_minor": _FEE, "down_payment_minor": _DOWN,
}  # fmt: skip

FIELDS: dict[Type, dict[str, Shown]] = {
    Type.CONTACT_ATTEMPTED: _CONTACT
    | {
        "outcome": _text("`accepted` by the provider, or `unknown`: it may have left and is not sent again", "accepted")
    },
    Type.CONTACT_DELIVERED: {"touch_id": _TOUCH, "attempt_id": _ATTEMPT, "channel": _CHANNEL}
    | {
        "outcome": _text(
            "`delivered`, `read`; of calls `conversation` (the person was identified), `answered_unverified`, "
            "`voicemail_left`, `limited_content_left`, `voicemail_possible`",
            "delivered",
        ),
        "disposition": _DISPOSITION,
        "anomaly": _text("`delivered_and_failed` when reports contradict each other", "delivered_and_failed"),
    },
    Type.CONTACT_FAILED: _CONTACT
    | {
        "outcome": _text(
            "`rejected` (never left), `failed`, `bounced`, `busy`, `no_answer`, `not_connected`, `wrong_party`",
            "failed",
        ),
        "disposition": _DISPOSITION,
        "reasons": _REASONS,
        "provider_code": _PROVIDER_CODE,
        "anomaly": _text("as above", "delivered_and_failed"),
    },
    Type.CONTACT_BLOCKED: {"touch_id": _TOUCH, "channel": _CHANNEL, "step": _STEP, "template": _TEMPLATE}
    | {
        "state": _text("`blocked`, `expired` or `superseded` by another touch. It will not be sent", "blocked"),
        "reasons": _REASONS,
    },
    Type.REPLY_RECEIVED: {
        "reply_id": _text("the reply", "018f2c3e-0000-7000-8000-000000000006"),
        "channel": _text("where it came in", "sms"),
        "intent": _text("what it was read as ([replies.md](replies.md))", "installments"),
        "also": _codes("further intents in it", "hardship"),
        "confidence": Shown("number", "0 to 1", 0.97),
        "words": _text("what was written: **personal**, only where `words: true` is configured", "can I pay in 3?"),
    },
    Type.CONSENT_CHANGED: {
        "state": _text("`given`, `revoked`, or `narrowed`: a refusal now reaches one programme only", "revoked"),
        "channels": _codes("`sms`, `email`, `voice`, `ivr`, `whatsapp`, `any`", "sms"),
        "contact_point_id": _POINT,
        "topic": _text("the programme (`creditor_id`) it is limited to; not there: all", "harbour"),
        "reasons": _codes("why, of a refusal: [reasons.md](reasons.md)", "opt_out.said"),
        "told_by": _TOLD_BY,
        "event_id": _EVENT_ID,
    },
    Type.PROMISE_MADE: {
        "promise_id": _PROMISE,
        "amount_minor": _PROMISED,
        "currency": _CURRENCY,
        "due_on": _text("the day it was promised for", "2027-03-12"),
    },
    Type.PROMISE_KEPT: {"promise_id": _PROMISE, "paid_minor": _PAID, "promised_minor": _PROMISED},
    Type.PROMISE_BROKEN: {
        "promise_id": _PROMISE,
        "due_on": _text("the day it was promised for", "2027-03-12"),
        "paid_minor": _PAID,
        "promised_minor": _PROMISED,
    },
    Type.PROMISE_CHANGED: {
        "promise_id": _PROMISE,
        "change": _text(
            "`part_paid`, `reopened` (a payment was taken back) or `cancelled`: something else was agreed in its place",
            "part_paid",
        ),
        "paid_minor": _PAID,
        "promised_minor": _PROMISED,
        "by": _text("what took the place of a cancelled one: `arrangement` or `extension`", "arrangement"),
    },
    Type.ARRANGEMENT_PROPOSED: _OFFER,
    Type.ARRANGEMENT_CONFIRMED: {"arrangement_id": _ARRANGEMENT, **_OFFER}
    | {
        "schedule": Shown(
            "array of objects",
            "every installment: `no` from 1, `due_on`, `amount_minor`. The amounts add up to `total_minor`",
            [
                {"no": 1, "due_on": "2027-03-15", "amount_minor": 4000},
                {"no": 2, "due_on": "2027-04-15", "amount_minor": 4000},
                {"no": 3, "due_on": "2027-05-15", "amount_minor": 4000},
            ],
        )
    },
    Type.ARRANGEMENT_CHANGED: {
        "arrangement_id": _ARRANGEMENT,
        "change": _text(
            "`paid` (an installment, or part of one), `reopened` (a payment was taken back: it is to be paid again, "
            "even after it was completed), `replaced` (the borrower wanted another, which is confirmed next) or "
            "`cancelled`",
            "paid",
        ),
        "paid_minor": _PAID,
        "total_minor": _TOTAL,
        "left_minor": _number("what was left of one that was replaced or cancelled, in minor units", 8000),
        "by": _text("who cancelled it: `borrower`, or the person who did", "borrower"),
    },
    Type.ARRANGEMENT_BROKEN: {
        "arrangement_id": _ARRANGEMENT,
        "no": _number("the installment that was missed", 2),
        "due_on": _text("when it was due", "2027-04-15"),
        "paid_minor": _PAID,
        "total_minor": _TOTAL,
    },
    Type.ARRANGEMENT_COMPLETED: {"arrangement_id": _ARRANGEMENT, "paid_minor": _PAID, "total_minor": _TOTAL},
    Type.EXTENSION_GRANTED: {
        "extension_id": _text("the extension", "018f2c3e-0000-7000-8000-000000000008"),
        "from_on": _text("the due date until now", "2027-03-01"),
        "to_on": _text("the new due date", "2027-03-15"),
    },
    Type.HOLD_PLACED: {"hold": _HOLD, "told_by": _TOLD_BY, "event_id": _EVENT_ID},
    Type.HOLD_LIFTED: {"hold": _HOLD, "told_by": _TOLD_BY, "event_id": _EVENT_ID},
    Type.CASE_HANDED_OFF: {
        "task_id": _text("the task a person has now", "018f2c3e-0000-7000-8000-000000000007"),
        "about": _text("why: `dispute`, `hardship`, `payment_claim`, `callback_request` ...", "payment_claim"),
    },
    Type.HAND_OFF_CLOSED: {
        "task_id": _text("the task that a person had", "018f2c3e-0000-7000-8000-000000000007"),
        "about": _text("why it was handed over", "payment_claim"),
        "disposition": _text("how it ended, as in `config/tasks.yaml`", "payment_found"),
        "by": _text("who closed it", "sam"),
        "holds": _codes("holds that were lifted with it; an own `hold.lifted` tells of each", "review"),
    },
    Type.CONTACT_POINT_DEMOTED: {
        "contact_point_id": _POINT,
        "state": _text("`invalid`, `wrong_party` or `reassigned`", "invalid"),
        "reasons": _codes("why: [reasons.md](reasons.md)", "provider.bad_address"),
        "told_by": _TOLD_BY,
        "event_id": _EVENT_ID,
    },
    Type.CASE_ESCALATED: {
        "rule": _text("the rule of `config/escalations.yaml`", "silent"),
        "because": _text("`silent` or `broken`", "silent"),
        "stage": _text("the lender's next stage, in the lender's own word", "field"),
        "days_past_due": _number("on the day it was escalated", 75),
        "contacts": _number("how often contact was tried until then", 9),
    },
}  # fmt: skip
"""What the ``data`` of each type holds beside ``case_id``, ``account_id``, ``borrower_id`` and ``creditor_id``."""

ALWAYS: dict[str, Shown] = {
    "case_id": _text("the case", "018f2c3e-0000-7000-8000-000000000000"),
    "account_id": _text("your own reference, as imported", "US-00001-1"),
    "borrower_id": _text("your own reference, as imported", "US-00001"),
    "creditor_id": _text("whose debt it is, as in `config/creditors.yaml`", "harbour"),
}
"""What the ``data`` of every event holds."""
