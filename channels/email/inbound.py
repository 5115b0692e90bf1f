"""Mail that comes back: bounces (RFC 3464), complaints (RFC 5965) and people's answers, turned into news.

It comes posted, delivered or fetched. Who posts it does so to ``/v1/callbacks/<channel>`` as ``message/rfc822`` with
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
_TAG = re.compile(r"([^\s<>@+,;:\"]{1,64})\+([A-Za-z0-9_.=-]{1,120})@([A-Za-z0-9.-]{1,253})")
_ATTACHED = re.compile(r"\s*attachment\b", re.IGNORECASE)
_STATUSES = {Action.FAILED: ReceiptStatus.UNDELIVERED, Action.DELIVERED: ReceiptStatus.DELIVERED}
_CAME_TO = ("delivered-to", "x-original-to", "to", "cc")
MOST_WORDS = 20_000
"""Characters of a person's own words that are kept."""
_PASSING = frozenset({Reason.MAILBOX_FULL, Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.NETWORK, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class InboundMail:
    """Verifies posted mail and reads any. An empty ``secret`` verifies nothing: no posted mail is accepted then.

    ``domain`` is that of our Message-IDs, ``boxes`` the mailboxes that we put into what we send, without token.
    """

    secret: str = field(repr=False)
    max_age_seconds: int
    domain: str
    now: Callable[[], datetime]
    boxes: tuple[str, ...] = ()

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
        """Return what a posted mail says about an attempt. Raises MalformedCallback."""
        return self.read(callback.body)

    def read(self, raw: bytes) -> tuple[Receipt | Reply, ...]:
        """Return what a mail says about an attempt; automatic answers say nothing. Raises MalformedCallback."""
        read = open_mail(raw)
        if not read.mail.headers:
            raise MalformedCallback("the mail has no headers")
        return tuple(self._news(read, raw))

    def is_ours(self, recipient: str) -> bool:
        """Tell whether a mailbox, with or without a token, is one of ours."""
        local, _, domain = recipient.rpartition("@")
        bare = f"{local.partition('+')[0]}@{domain}".lower()
        return any(bare == box.lower() for box in self.boxes)

    def _news(self, read: MailRead, raw: bytes) -> Iterator[Receipt | Reply]:
        attempt, token = self._attempt(read), self._token(read.mail)
        # Reports about nothing we know are told apart by themselves.
        about = token or attempt or _fingerprint(read.mail, raw, None)
        for finding in read.findings:
            match finding.kind:
                case MailKind.BOUNCE:
                    yield _bounce(finding, token, attempt, about)
                case MailKind.COMPLAINT if finding.reason in UNWANTED:
                    yield _complaint(finding, token, attempt, about)
                case MailKind.REPLY if not self._goes_round(read.mail, known=bool(token or attempt)):
                    yield _reply(read.mail, raw, token, attempt)
                case _:
                    continue  # machines are not answered: that is how loops begin

    def _goes_round(self, mail: MailPart, *, known: bool) -> bool:
        """Tell a mail of our own that came back to us, and what a list hands on that answers nothing of ours."""
        own = self._ours().search(mail.get("message-id")) is not None
        return own or self.is_ours(parseaddr(mail.get("from"))[1]) or (not known and bool(mail.get("list-id")))

    def _ours(self) -> re.Pattern[str]:
        return re.compile(rf"<([A-Za-z0-9_.=-]{{1,120}}@{re.escape(self.domain)})>", re.IGNORECASE)

    def _attempt(self, read: MailRead) -> str | None:
        """Find our latest Message-ID in what the mail answers or returns: provider_ref of the attempt."""
        ours = self._ours()
        answers = [read.mail.get("in-reply-to"), read.mail.get("references")]
        returns = [value for name, value in read.returned if name in {"message-id", "in-reply-to", "references"}]
        found = (ours.findall(value) for value in (*answers, *returns))
        return next((each[-1] for each in found if each), None)

    def _token(self, mail: MailPart) -> str | None:
        """Return the token of the address the mail came to (VERP): of a mailbox of ours, else of any."""
        tagged = [found for name in _CAME_TO for value in mail.get_all(name) for found in _TAG.finditer(value)]
        ours = (found for found in tagged if self.is_ours(f"{found[1]}@{found[3]}"))
        best = next(ours, next(iter(tagged), None))
        return best[2] if best else None


def _reply(mail: MailPart, raw: bytes, token: str | None, attempt: str | None) -> Reply:
    return Reply(
        dedupe_key=f"mail:{_fingerprint(mail, raw, token)}",
        medium=Medium.EMAIL,
        address=parseaddr(mail.get("from"))[1] or None,
        text=_text(mail),
        token=token,
        provider_ref=attempt,
        to=parseaddr(mail.get("to"))[1] or None,
    )


def _fingerprint(mail: MailPart, raw: bytes, token: str | None) -> str:
    """Name a mail by whom it came to, its Message-ID and its body, by whatever way it comes and however often.

    The body counts since some programs reuse a Message-ID, sender and date since some write none.
    """
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip()
    head = "\0".join((token or "", mail.get("message-id"), parseaddr(mail.get("from"))[1].lower(), mail.get("date")))
    return hashlib.sha256(head.encode("utf-8", "replace") + b"\0" + body).hexdigest()[:32]


def _text(mail: MailPart) -> str:
    """Return the person's own words, from the HTML parts when there is no plain one. Attachments stay out."""
    shown = [part for part in mail.walk() if not part.parts and not _ATTACHED.match(part.get("content-disposition"))]
    plain = [part.text() for part in shown if part.content_type == "text/plain"]
    if any(words.strip() for words in plain):
        words = words_of("\n".join(words.strip("\n") for words in plain if words.strip()))
    else:
        words = words_of("\n".join(words_of_html(part.markup()) for part in shown if part.content_type == "text/html"))
    return words[:MOST_WORDS]


def _bounce(finding: Finding, token: str | None, attempt: str | None, about: str) -> Receipt:
    """Failed is final; delayed, relayed and expanded are progress."""
    action = finding.action or Action.FAILED
    status = _STATUSES.get(action, ReceiptStatus.SENDING)
    return Receipt(
        dedupe_key=f"dsn:{about}:{action}:{finding.status or '-'}",
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


def _complaint(finding: Finding, token: str | None, attempt: str | None, about: str) -> Receipt:
    """Turn "this is spam" into an opt-out, whatever the words."""
    return Receipt(
        dedupe_key=f"arf:{about}:{finding.reason}",
        status=ReceiptStatus.DELIVERED,
        token=token,
        provider_ref=attempt,
        provider_code=str(finding.reason),
        error_class=OptedOut.code,
    )
