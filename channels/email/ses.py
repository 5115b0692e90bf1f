"""What Amazon SES reports by SNS email: bounces, complaints and deliveries, as one JSON object in a plain mail."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels.email.mail_parts import MailPart

_BEGINS = re.compile(r"\s*(?=\{\s*\"(?:notificationType|eventType)\"\s*:)")
_FOLDED = re.compile(r"!\n ")  # how sendmail breaks a line of more than 998 characters
_LISTS = {"Bounce": "bouncedRecipients", "Delivery": "recipients", "DeliveryDelay": "delayedRecipients",
          "Complaint": "complainedRecipients"}  # fmt: skip
_ACTIONS = {"Bounce": "failed", "Delivery": "delivered", "DeliveryDelay": "delayed"}
_FIELDS = {"emailAddress": "final-recipient", "action": "action", "status": "status",
           "diagnosticCode": "diagnostic-code"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """An event in the fields of RFC 3464, a dictionary for each recipient, or in those of RFC 5965."""

    reported: tuple[dict[str, str], ...] = ()
    complained: tuple[tuple[str, str], ...] = ()


def read_event(mail: MailPart) -> Event:
    """Return what an event says; nothing when the mail is none. Nothing is raised."""
    said = _object(mail)
    kind = str(said.get("notificationType") or said.get("eventType") or "")
    about = said.get(kind[:1].lower() + kind[1:])
    if kind not in _LISTS or not isinstance(about, dict):
        return Event()
    named = tuple(_named(about.get(_LISTS[kind])))
    if kind == "Complaint":
        feedback = ("feedback-type", str(about.get("complaintFeedbackType") or "abuse"))
        return Event(complained=(feedback, *(("original-rcpt-to", each["final-recipient"]) for each in named)))
    common = {"action": _ACTIONS[kind], "diagnostic-code": str(about.get("smtpResponse") or "")}
    return Event(reported=tuple({**common, **each} for each in named))


def _object(mail: MailPart) -> dict[str, Any]:
    text = mail.text() if mail.content_type == "text/plain" else ""
    begins = _BEGINS.match(text)
    if begins is None:
        return {}
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(_FOLDED.sub("", text[begins.end() :]))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(listed: object) -> Iterator[dict[str, str]]:
    for each in listed if isinstance(listed, list) else []:
        fields = each if isinstance(each, dict) else {"emailAddress": each}
        block = {ours: str(fields[theirs]) for theirs, ours in _FIELDS.items() if fields.get(theirs)}
        if "final-recipient" in block:
            yield block
