"""Mail that comes back: bounces (RFC 3464), complaints (RFC 5965) and people's answers, posted raw and signed.

The receiving host posts each mail to ``/v1/callbacks/<channel>`` as ``message/rfc822`` with
``X-Outreach-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "<t>." + body>``.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr

from channels.contract import Callback, Medium, Receipt, ReceiptStatus, Reply
from channels.errors import BadAddress, BadSignature, MalformedCallback, OptedOut, Rejected, Throttled

_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TAG = re.compile(r"\+([A-Za-z0-9_.=-]{1,120})@")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MAX_TEXT = 20_000
_TAGS = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class InboundMail:
    """Verifies and reads posted mail. An empty ``secret`` verifies nothing: no mail is accepted then."""

    secret: str = field(repr=False)
    max_age_seconds: int
    domain: str
    now: Callable[[], datetime]

    def verify(self, callback: Callback) -> None:
        """Raise BadSignature unless the body is signed with our secret, not too long ago."""
        found = _SIGNATURE.fullmatch(callback.headers.get("x-outreach-signature", ""))
        if not self.secret or found is None:
            raise BadSignature("not signed by our receiving host")
        stamp, mac = found.groups()
        expected = hmac.new(self.secret.encode(), f"{stamp}.".encode() + callback.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, mac):
            raise BadSignature("not signed by our receiving host")
        if abs(self.now().timestamp() - int(stamp)) > self.max_age_seconds:
            raise BadSignature("signed too long ago")

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Return what a mail says about an attempt; automatic answers say nothing. Raises MalformedCallback."""
        try:
            mail = message_from_bytes(callback.body, policy=policy.default)
            return tuple(self._news(mail, callback.body))
        except (MessageError, ValueError, LookupError, AttributeError, IndexError, TypeError):
            raise MalformedCallback("the mail cannot be read") from None

    def _news(self, mail: EmailMessage, raw: bytes) -> Iterable[Receipt | Reply]:
        kind = str(mail.get_param("report-type", "") or "").lower()
        if mail.get_content_type() == "multipart/report" and kind == "delivery-status":
            return _bounce(mail, self._attempt(mail))
        if mail.get_content_type() == "multipart/report" and kind == "feedback-report":
            return _complaint(mail, self._attempt(mail))
        if _automatic(mail):
            return ()
        return (self._reply(mail, raw),)

    def _reply(self, mail: EmailMessage, raw: bytes) -> Reply:
        return Reply(
            dedupe_key=f"mail:{_fingerprint(mail, raw)}",
            medium=Medium.EMAIL,
            address=parseaddr(_header(mail, "From"))[1] or None,
            text=_text(mail),
            token=_token(mail),
            provider_ref=self._attempt(mail),
            to=parseaddr(_header(mail, "To"))[1] or None,
        )

    def _attempt(self, mail: EmailMessage) -> str | None:
        """Find our own Message-ID in what the mail answers or returns: provider_ref of the attempt."""
        ours = re.compile(rf"<([A-Za-z0-9_.=-]{{1,120}}@{re.escape(self.domain)})>", re.IGNORECASE)
        for name in ("In-Reply-To", "References"):
            found = ours.search(_header(mail, name))
            if found:
                return found.group(1)
        for part in mail.walk():
            if part.get_content_type() in {"text/rfc822-headers", "message/rfc822"}:
                found = ours.search(_original_headers(part))
                if found:
                    return found.group(1)
        return None


def _header(mail: Message, name: str) -> str:
    value = mail.get(name)
    return "" if value is None else str(value)


def _original_headers(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        return "".join(f"{name}: {value}\n" for item in _messages(payload) for name, value in item.items())
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""


def _messages(payload: Iterable[object]) -> list[Message]:
    return [item for item in payload if isinstance(item, Message)]


def _token(mail: EmailMessage) -> str | None:
    """Return our tag from the address the mail came to (VERP)."""
    for name in ("Delivered-To", "X-Original-To", "To", "Cc"):
        for _, address in getaddresses([_header(mail, name)]):
            found = _TAG.search(address)
            if found:
                return found.group(1)
    return None


def _fingerprint(mail: EmailMessage, raw: bytes) -> str:
    """Name a mail by its Message-ID and body: some programs reuse a Message-ID."""
    body = raw.partition(b"\r\n\r\n")[2] or raw.partition(b"\n\n")[2]
    return hashlib.sha256(_header(mail, "Message-ID").encode() + b"\0" + body).hexdigest()[:32]


def _automatic(mail: EmailMessage) -> bool:
    """Tell absence notes, lists and machines from people (RFC 3834)."""
    if (_header(mail, "Auto-Submitted") or "no").strip().lower() != "no":
        return True
    if _header(mail, "Precedence").strip().lower() in _BULK or mail.get("X-Autoreply") is not None:
        return True
    return mail.get("Return-Path") is not None and _header(mail, "Return-Path").strip() == "<>"


def _text(mail: EmailMessage) -> str:
    """Return the plain words, from the HTML part when there is no other; quotes are left for the reader of replies."""
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    if part.get_content_type() == "text/html":
        content = _TAGS.sub("", _BREAKS.sub("\n", content))
    return content.replace("\r\n", "\n")[:_MAX_TEXT]


def _bounce(mail: EmailMessage, attempt: str | None) -> Iterable[Receipt]:
    """Read message/delivery-status: failed is final, delayed and delivered are progress."""
    for block in _report_blocks(mail, "message/delivery-status"):
        action = _header(block, "Action").strip().lower()
        if not action:
            continue
        found = _STATUS.search(_header(block, "Status"))
        code = found.group(0) if found else None
        status, error_class = _delivery(action, code)
        yield Receipt(
            dedupe_key=f"dsn:{_token(mail) or attempt or 'unknown'}:{action}:{code or '-'}",
            status=status,
            token=_token(mail),
            provider_ref=attempt,
            provider_code=code,
            error_class=error_class,
        )


def _delivery(action: str, code: str | None) -> tuple[ReceiptStatus, str | None]:
    match action:
        case "delivered":
            return ReceiptStatus.DELIVERED, None
        case "failed":
            return ReceiptStatus.UNDELIVERED, _failure(code)
        case _:
            return ReceiptStatus.SENDING, None


def _failure(code: str | None) -> str:
    """Say whose fault a bounce is. A full mailbox (5.2.2) and time-outs (4.x) are not the address's."""
    if code is None:
        return Rejected.code
    if code == "5.2.2" or code.startswith("4."):
        return Throttled.code
    if code.startswith("5.1.") or code == "5.2.1":
        return BadAddress.code
    return Rejected.code


def _complaint(mail: EmailMessage, attempt: str | None) -> Iterable[Receipt]:
    """Read a complaint: a person pressed "this is spam", which is an opt-out whatever the words."""
    for block in _report_blocks(mail, "message/feedback-report"):
        kind = _header(block, "Feedback-Type").strip().lower()
        if kind in {"abuse", "opt-out", "fraud"}:
            yield Receipt(
                dedupe_key=f"arf:{_token(mail) or attempt or 'unknown'}:{kind}",
                status=ReceiptStatus.DELIVERED,
                token=_token(mail),
                provider_ref=attempt,
                provider_code=kind,
                error_class=OptedOut.code,
            )


def _report_blocks(mail: EmailMessage, content_type: str) -> Iterable[Message]:
    for part in mail.walk():
        if part.get_content_type() != content_type:
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            yield from _messages(payload)
        else:
            decoded = part.get_payload(decode=True)
            yield message_from_bytes(decoded if isinstance(decoded, bytes) else b"", policy=policy.default)
