"""Delivery status notifications (RFC 3464, RFC 6533), whole or broken: one block for each recipient."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from channels.email.addresses import read_address
from channels.email.findings import Action
from channels.email.mail_parts import CARRIED, MailPart, decode, split_head
from channels.email.prose import parted_words
from channels.email.ses import read_event

REPORT_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status", "message/delivery_status",
                          "text/delivery-status", "application/delivery-status"})  # fmt: skip
_MAX_BLOCKS = 2_000
_STATUS = re.compile(r"(?<![\d.])([245])\s*\.\s*(\d{1,3})\s*\.\s*(\d{1,3})(?!\d)")
_LOOSE = re.compile(r"^(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_LOOSE_FIELDS = re.compile(r"^(?:action|status|diagnostic-code|reporting-mta)[ \t]*:", re.IGNORECASE | re.MULTILINE)
_ACTIONS = {
    "failed": Action.FAILED, "failure": Action.FAILED, "fail": Action.FAILED, "error": Action.FAILED,
    "bounced": Action.FAILED, "undeliverable": Action.FAILED, "rejected": Action.FAILED,
    "delayed": Action.DELAYED, "delay": Action.DELAYED, "deferred": Action.DELAYED, "warning": Action.DELAYED,
    "delivered": Action.DELIVERED, "deliverable": Action.DELIVERED, "success": Action.DELIVERED,
    "relayed": Action.RELAYED, "relay": Action.RELAYED, "expanded": Action.EXPANDED,
}  # fmt: skip
_RECIPIENTS = ("original-recipient", "final-recipient", "x-actual-recipient", "x-original-recipient", "recipient",
               "x-final-recipient", "x-failed-recipient", "failed-recipient")  # fmt: skip
_SAYS = ("diagnostic-code", "x-supplementary-info", "x-notes-diagnostic", "x-diagnostic", "smtp-diagnostic", "x-reason",
         "diagnostic-text", "x-postfix-diagnostic", "x-error", "error", "reason")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    """What a report says about one recipient. ``answer`` is the remote system's own words."""

    recipient: str | None
    action: Action | None
    status: str | None
    answer: str
    others: frozenset[str]


def read_notices(mail: MailPart) -> list[Notice]:
    """Return what the reports of a mail say; nothing when it carries none."""
    blocks = _joined(block for part in _reports(mail) for block in _blocks(part))
    if not blocks:
        blocks = [{name: [value] for name, value in each.items()} for each in read_event(mail).reported]
    return [_notice(block) for block in blocks[:_MAX_BLOCKS]]


def is_report(part: MailPart) -> bool:
    """Tell a part that holds a delivery report, whatever type it was given."""
    if part.content_type in REPORT_TYPES:
        return True
    if part.parts or part.content_type in CARRIED or part.content_type == "message/disposition-notification":
        return False
    head = decode(part.body[:20_000], part.parameters.get("charset", ""))
    return bool(_LOOSE.search(head) and _LOOSE_FIELDS.search(head))


def _reports(mail: MailPart) -> list[MailPart]:
    """Find reports outside the mails that are carried along; a bounce somebody forwarded is looked into after that."""
    outside = [part for part in mail.walk() if is_report(part)]
    if outside or mail.content_type == "multipart/report":
        return outside
    carried = (part for part in mail.walk() if part.content_type in CARRIED)
    forwarded = (inner for part in carried for inner in part.parts if inner.content_type == "multipart/report")
    return [part for inner in forwarded for part in inner.walk() if is_report(part)]


def _blocks(part: MailPart) -> Iterator[dict[str, list[str]]]:
    """Yield the blocks of a report: lines up to a blank one, cut again where a second recipient begins."""
    body = part.body
    if part.content_type not in REPORT_TYPES:
        found = re.search(rb"(?im)^(?:reporting-mta|final-recipient|original-recipient)[ \t]*:", body)
        body = body[found.start() :] if found else b""
    for piece in re.split(rb"\n[ \t]*\n+", body.strip(b"\n"))[:_MAX_BLOCKS]:
        rest, blocks = piece, 0
        while rest.strip() and blocks < 50:
            fields, after = split_head(rest)
            yield from _by_recipient(fields)
            # A line that is no field: what follows it may be fields again.
            rest, blocks = after.partition(b"\n")[2], blocks + 1


def _by_recipient(fields: Iterable[tuple[str, str]]) -> Iterator[dict[str, list[str]]]:
    block: dict[str, list[str]] = {}
    for name, value in fields:
        if name in {"final-recipient", "original-recipient"} and name in block:
            yield block
            block = {}
        block.setdefault(name, []).append(value)
    if block:
        yield block


def _joined(blocks: Iterable[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    """Keep the blocks about recipients; fields that a stray blank line cut off go back to their recipient."""
    kept: list[dict[str, list[str]]] = []
    for block in blocks:
        named = any(name in block for name in _RECIPIENTS)
        if not named and not ("action" in block or "status" in block or "diagnostic-code" in block):
            continue
        if kept and (not named or _halves(kept[-1], block)):
            for name, values in block.items():
                kept[-1].setdefault(name, values)
        else:
            kept.append(block)
    return kept


def _halves(before: dict[str, list[str]], block: dict[str, list[str]]) -> bool:
    """Tell two blocks that are one recipient's: the first lacks a mailbox, or action and status."""
    whole = ("action" in before or "status" in before) and any(name in before for name in _RECIPIENTS)
    return not whole and not (set(before) & set(block))


def _notice(block: dict[str, list[str]]) -> Notice:
    named = [read_address(value) for name in _RECIPIENTS for value in block.get(name, ())]
    known = [address for address in named if address]
    status = " ".join(block.get("status", ()))
    said = [value for name in _SAYS for value in block.get(name, ())]
    remark = re.sub(r"^[\d.\s]+", "", status)
    answer = "\n".join([*(re.sub(r"^\s*[A-Za-z0-9-]{1,40}\s*;\s*", "", value) for value in said), remark]).strip()
    found = _STATUS.search(status)
    return Notice(
        recipient=known[0] if known else None,
        action=_action(" ".join(block.get("action", ()))),
        status=f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else None,
        answer=parted_words(answer),
        others=frozenset(known[1:]),
    )


def _action(text: str) -> Action | None:
    found = re.match(r"\s*([A-Za-z]+)", text)
    return _ACTIONS.get(found[1].lower()) if found else None
