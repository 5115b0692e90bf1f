"""Complaints: feedback reports (RFC 5965, RFC 6650) and what some providers send instead."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

from channels.email.addresses import addresses_in, read_address
from channels.email.findings import Finding, MailKind, Reason
from channels.email.mail_parts import CARRIED, MailPart, split_head
from channels.email.ses import read_event

_TYPES = frozenset({"message/feedback-report", "text/feedback-report", "application/feedback-report"})
_REASONS = {"abuse": Reason.ABUSE, "fraud": Reason.FRAUD, "virus": Reason.VIRUS, "not-spam": Reason.NOT_SPAM,
            "opt-out": Reason.OPT_OUT, "opt-out-list": Reason.OPT_OUT, "auth-failure": Reason.AUTH_FAILURE,
            "dmarc": Reason.AUTH_FAILURE, "phishing": Reason.FRAUD, "miscategorized": Reason.OTHER, "other": Reason.OTHER,
            "complaint": Reason.ABUSE}  # fmt: skip
_NAMED = ("original-rcpt-to", "removal-recipient", "original-recipient", "x-hmxmroriginalrecipient", "redacted-address")
_PROVIDER = re.compile(
    r"staff@(?:hotmail|outlook|live|msn)\.com|scomp@aol\.net|(?:feedback|complaints?|abuse-report|fbl|feedbackloop|arf)\S*@\S+", re.IGNORECASE
)  # fmt: skip
_SUBJECT = re.compile(
    r"complaint about message|e-?mail feedback report|client tos notification|abuse (?:report|complaint)|\bfbl\b|feedback loop|spam (?:complaint|report)|[\[(]?arf[\])]?\b",
    re.IGNORECASE,
)  # fmt: skip
_LOOSE = re.compile(rb"(?im)^feedback-type[ \t]*:")


def read_complaints(mail: MailPart) -> list[Finding]:
    """Return a finding for each recipient a complaint names; one without recipient when it names none; else nothing."""
    block = _block(mail)
    if block is None and not _by_provider(mail):
        return []
    returned = _returned(mail)
    fields = block or []
    kind = next((value.strip().lower() for name, value in fields if name == "feedback-type"), "abuse")
    named = [read_address(value) for name, value in [*fields, *returned] if name in _NAMED]
    if not any(named):
        named = [address for name, value in returned if name == "to" for address in addresses_in(value)]
    known = list(dict.fromkeys(address for address in named if address))
    reason = _REASONS.get(re.split(r"[\s;,(]", kind, maxsplit=1)[0], Reason.OTHER)
    if not known:
        return [Finding(MailKind.COMPLAINT, reason=reason)]
    return [Finding(MailKind.COMPLAINT, address, reason=reason) for address in known]


def _block(mail: MailPart) -> list[tuple[str, str]] | None:
    """Find the machine-readable part, also where it was sent as plain text."""
    for part in mail.walk():
        if part.content_type in _TYPES:
            return _fields(part.body)
    if mail.parameters.get("report-type", "").lower() == "feedback-report":
        for part in mail.walk():
            if not part.parts and part.content_type not in CARRIED and (found := _LOOSE.search(part.body)):
                return _fields(part.body[found.start() :])
        return []
    return list(read_event(mail).complained) or None


def _fields(body: bytes) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for piece in body.strip(b"\n").split(b"\n\n")[:10]:
        fields += split_head(piece)[0]
    return fields


def _by_provider(mail: MailPart) -> bool:
    """Tell complaints that are only the mail complained of, sent on by a provider's complaint desk."""
    carries = any(part.content_type in CARRIED for part in mail.walk())
    if any(name == "x-hmxmroriginalrecipient" for name, _ in [*mail.headers, *_returned(mail)]):
        return True
    return carries and bool(_PROVIDER.search(mail.get("from"))) and bool(_SUBJECT.search(mail.get("subject")))


def _returned(mail: MailPart) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for part in mail.walk():
        if part.content_type in CARRIED and part.parts:
            fields += part.parts[0].headers
    return fields
