"""Mail that comes back: bounces (RFC 3464), complaints (RFC 5965) and people's answers, posted raw and signed.

The receiving host posts each mail to ``/v1/callbacks/<channel>`` as ``message/rfc822`` with
``X-Outreach-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "<t>." + body>``.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr

from channels.contract import Callback, Medium, Receipt, ReceiptStatus, Reply
from channels.email.bounces import MailRead, open_mail
from channels.email.findings import UNWANTED, Action, Finding, MailKind, Reason
from channels.email.mail_parts import MailPart
from channels.email.quoted import words_of, words_of_html
from channels.errors import BadAddress, BadSignature, MalformedCallback, OptedOut, Rejected, Throttled

_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TAG = re.compile(r"\+([A-Za-z0-9_.=-]{1,120})@")
_ATTACHED = re.compile(r"\s*attachment\b", re.IGNORECASE)
_STATUSES = {Action.FAILED: ReceiptStatus.UNDELIVERED, Action.DELIVERED: ReceiptStatus.DELIVERED}
_PASSING = frozenset({Reason.MAILBOX_FULL, Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.NETWORK, Reason.TIMEOUT})


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
        read = open_mail(callback.body)
        if not read.mail.headers:
            raise MalformedCallback("the mail has no headers")
        return tuple(self._news(read, callback.body))

    def _news(self, read: MailRead, raw: bytes) -> Iterator[Receipt | Reply]:
        attempt, token = self._attempt(read), _token(read.mail)
        for finding in read.findings:
            match finding.kind:
                case MailKind.BOUNCE:
                    yield _bounce(finding, token, attempt)
                case MailKind.COMPLAINT if finding.reason in UNWANTED:
                    yield _complaint(finding, token, attempt)
                case MailKind.REPLY:
                    yield _reply(read.mail, raw, token, attempt)
                case _:
                    continue  # machines are not answered: that is how loops begin

    def _attempt(self, read: MailRead) -> str | None:
        """Find our own Message-ID in what the mail answers or returns: provider_ref of the attempt."""
        ours = re.compile(rf"<([A-Za-z0-9_.=-]{{1,120}}@{re.escape(self.domain)})>", re.IGNORECASE)
        answers = [read.mail.get("in-reply-to"), read.mail.get("references")]
        returns = [value for name, value in read.returned if name in {"message-id", "in-reply-to", "references"}]
        found = (ours.search(value) for value in (*answers, *returns))
        return next((match[1] for match in found if match), None)


def _reply(mail: MailPart, raw: bytes, token: str | None, attempt: str | None) -> Reply:
    return Reply(
        dedupe_key=f"mail:{_fingerprint(mail, raw)}",
        medium=Medium.EMAIL,
        address=parseaddr(mail.get("from"))[1] or None,
        text=_text(mail),
        token=token,
        provider_ref=attempt,
        to=parseaddr(mail.get("to"))[1] or None,
    )


def _token(mail: MailPart) -> str | None:
    """Return our tag from the address the mail came to (VERP)."""
    for name in ("delivered-to", "x-original-to", "to", "cc"):
        for value in mail.get_all(name):
            if found := _TAG.search(value):
                return found[1]
    return None


def _fingerprint(mail: MailPart, raw: bytes) -> str:
    """Name a mail by its Message-ID and body: some programs reuse a Message-ID."""
    body = raw.partition(b"\r\n\r\n")[2] or raw.partition(b"\n\n")[2]
    return hashlib.sha256(mail.get("message-id").encode("utf-8", "replace") + b"\0" + body).hexdigest()[:32]


def _text(mail: MailPart) -> str:
    """Return the person's own words, from the HTML parts when there is no plain one. Attachments stay out."""
    shown = [part for part in mail.walk() if not part.parts and not _ATTACHED.match(part.get("content-disposition"))]
    plain = [part.text() for part in shown if part.content_type == "text/plain"]
    if any(words.strip() for words in plain):
        return words_of("\n".join(words.strip("\n") for words in plain if words.strip()))
    return words_of("\n".join(words_of_html(part.markup()) for part in shown if part.content_type == "text/html"))


def _bounce(finding: Finding, token: str | None, attempt: str | None) -> Receipt:
    """Failed is final; delayed, relayed and expanded are progress."""
    action = finding.action or Action.FAILED
    status = _STATUSES.get(action, ReceiptStatus.SENDING)
    return Receipt(
        dedupe_key=f"dsn:{token or attempt or 'unknown'}:{action}:{finding.status or '-'}",
        status=status,
        token=token,
        provider_ref=attempt,
        provider_code=finding.status,
        error_class=_failure(finding) if status is ReceiptStatus.UNDELIVERED else None,
    )


def _failure(finding: Finding) -> str:
    """Say whose fault a bounce is: the address's, nobody's for now (a full mailbox, a time-out), or another."""
    if finding.hard:
        return BadAddress.code
    if finding.reason in _PASSING or (finding.status or "").startswith("4."):
        return Throttled.code
    return Rejected.code


def _complaint(finding: Finding, token: str | None, attempt: str | None) -> Receipt:
    """Turn "this is spam" into an opt-out, whatever the words."""
    return Receipt(
        dedupe_key=f"arf:{token or attempt or 'unknown'}:{finding.reason}",
        status=ReceiptStatus.DELIVERED,
        token=token,
        provider_ref=attempt,
        provider_code=str(finding.reason),
        error_class=OptedOut.code,
    )
