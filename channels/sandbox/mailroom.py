"""What becomes of a mail: taken, greylisted, refused, bounced, or answered by a person."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from typing import Final

from channels.sandbox.carrier import Carrier, Names
from channels.sandbox.chance import choose
from channels.sandbox.dialogue import Exchange, react
from channels.sandbox.handsets import Letter, mail_key
from channels.sandbox.letters import build_bounce, build_complaint, build_reply
from channels.sandbox.smtp import Envelope
from channels.sandbox.visitor import Visit, link_in
from channels.sandbox.wording import WORDS, guess_locale

_OK: Final = b"250 2.1.5 OK\r\n"
_SUBJECT: Final = re.compile(rb"^subject:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_ONE_CLICK: Final = re.compile(r"<(https?://[^<>\s]+)>")
_DETAIL: Final = re.compile(r"\+([^@]*)@")
_ENCODED: Final = "=?"


class SandboxMailroom:
    """Every mailbox the carrier serves."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._names = Names("MX")
        self.forget()

    def forget(self) -> None:
        """Forget who was greylisted and every exchange."""
        self._seen: set[tuple[str, str]] = set()
        self._exchanges: dict[str, Exchange] = {}
        self._visitors: set[str] = set()

    @property
    def latency_seconds(self) -> float:
        """The latency fault, for the final dot."""
        return self._carrier.faults.latency_seconds

    def sender(self, sender: str) -> bytes:  # noqa: ARG002 - every sender is welcome
        """Answer MAIL."""
        if self._carrier.faults.hit("smtp_421_next"):
            self._carrier.witness.record("fault", fault="smtp_421_next")
            return b"421 4.7.0 Try again later, closing connection\r\n"
        return b"250 2.1.0 OK\r\n"

    def recipient(self, envelope: Envelope, recipient: str) -> bytes:
        """Answer RCPT by the recipient's temper."""
        temper = "silent" if self._carrier.script.mute else self._temper(recipient)
        if temper == "refuse":
            return self._turned_away("mail_refused", envelope, recipient, b"550 5.1.1 No such mailbox\r\n")
        if temper == "full":
            return self._turned_away("mail_deferred", envelope, recipient, b"452 4.2.2 Mailbox full\r\n")
        pair = (_DETAIL.sub("@", envelope.sender), recipient.lower())
        if pair not in self._seen and (temper == "greylist" or self._carrier.faults.hit("greylist")):
            self._seen.add(pair)
            return self._turned_away(
                "mail_greylisted", envelope, recipient, b"451 4.7.1 Greylisted, try again later\r\n"
            )
        return _OK

    def take(self, envelope: Envelope, raw: bytes) -> bytes | None:
        """Answer the final dot: the mail is taken."""
        name = self._names.new()
        mute = self._carrier.script.mute
        message = None if mute else message_from_bytes(raw)
        words = plain_words(message) if message is not None else None
        for recipient in envelope.recipients:
            self._record(name, envelope, recipient, raw, words)
            if message is not None:
                self._show(name, envelope, recipient, message)
                self._plan(name, envelope, recipient, message, words or "")
        if self._carrier.faults.hit("smtp_drop_after_data_next"):
            self._carrier.witness.record("fault", fault="smtp_drop_after_data_next")
            return None
        return b"250 2.0.0 OK queued as %b\r\n" % name.encode()

    def say(
        self, person: str, to: str, words: str, *, subject: str = "", in_reply_to: str | None = None, quoted: str = ""
    ) -> str:
        """Have a person write now; return the mail's name in the log."""
        name = self._names.new()
        raw = build_reply(
            person, to, subject=subject, words=words, in_reply_to=in_reply_to, name=name, at=self._carrier.clock.now(),
            quoted=quoted,
        )  # fmt: skip
        self._post(name, person, to, raw, "mail_from_person", subject=subject, body=words)
        return name

    def _temper(self, recipient: str) -> str:
        return self._carrier.people.temper("email", recipient.lower(), 0).name

    def _turned_away(self, kind: str, envelope: Envelope, recipient: str, answer: bytes) -> bytes:
        self._carrier.witness.record(
            kind, channel="email", to=recipient, code=int(answer[:3]), token=_verp(envelope.sender),
            **{"from": envelope.sender},
        )  # fmt: skip
        return answer

    def _record(self, name: str, envelope: Envelope, recipient: str, raw: bytes, words: str | None) -> None:
        message_id = _MESSAGE_ID.search(raw)
        self._carrier.witness.record(
            "mail_taken", channel="email", to=recipient, subject=_subject(raw), body=words, ref=name, size=len(raw),
            message_id=message_id.group(1).decode("utf-8", "replace") if message_id else None,
            token=_verp(envelope.sender), envid=envelope.envid, **{"from": envelope.sender},
        )  # fmt: skip

    def complain(self, person: str, letter: Letter) -> None:
        """Have a person report a mail as junk: their provider tells the sender (RFC 5965)."""
        name, now = self._names.new(), self._carrier.clock.now()
        raw = build_complaint(letter.envelope_sender, person, letter.head, name=name, at=now)
        self._post(
            name, "", letter.envelope_sender, raw, "mail_complaint", recipient=person,
            token=_verp(letter.envelope_sender),
        )  # fmt: skip

    def unsubscribe(self, person: str, letter: Letter) -> None:
        """Have a person unsubscribe by one click in their mail program (RFC 8058)."""
        name = self._names.new()
        self._carrier.witness.record("unsubscribe_pressed", channel="email", recipient=person, ref=name)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = b"List-Unsubscribe=One-Click"
        self._carrier.deliveries.raw(name, letter.unsubscribe, headers, body, "unsubscribe_posted")

    def _show(self, name: str, envelope: Envelope, recipient: str, message: Message) -> None:
        """Put what the log does not hold of a mail into its mailbox."""
        self._carrier.handsets.enclose(mail_key(name, recipient), _letter(envelope, message))

    def _plan(self, name: str, envelope: Envelope, recipient: str, message: Message, words: str) -> None:
        """Decide what a delivered mail leads to."""
        person = recipient.lower()
        people = self._carrier.people
        touch = people.touched("email", person)
        temper = people.temper("email", person, touch).name
        if temper == "bounce":
            minutes = self._carrier.script.timing.bounce_minutes
            self._in_minutes(minutes, lambda: self._bounce(name, envelope, recipient, message))
            return
        if person in people.by_hand:
            return
        ready = touch >= people.answers_on("email", person)
        if temper == "junk":
            minutes = self._carrier.script.timing.bounce_minutes
            self._in_minutes(minutes, lambda: self.complain(person, _letter(envelope, message)))
            return
        if temper == "out_of_office":
            self._in_minutes(0, lambda: self._answer(person, message, "out_of_office", words, touch, automatic=True))
            return
        if temper == "portal":
            self._visit(person, words, touch)
            return
        exchange = self._exchanges.get(person, Exchange())
        turn = react(temper, exchange, words, ready=ready, chooses=people.profile(person).chooses)
        if turn is None:
            return
        self._exchanges[person] = turn.after
        minutes = people.delay_minutes("email", person, touch, dialogue=exchange.opened)
        intent = turn.intent or turn.literal or "chatter"
        self._in_minutes(minutes, lambda: self._answer(person, message, intent, words, touch))

    def _visit(self, person: str, words: str, touch: int) -> None:
        """Have a person follow the link of a mail that has one, once."""
        url = link_in(words, self._carrier.account.inbound_email_url)
        if url is None or person in self._visitors:
            return
        self._visitors.add(person)
        people = self._carrier.people
        minutes = people.delay_minutes("email", person, touch, dialogue=False)
        self._in_minutes(minutes, lambda: Visit(self._carrier, person, people.profile(person)).begin(url))

    def _answer(
        self, person: str, message: Message, intent: str, received: str, touch: int, *, automatic: bool = False
    ) -> None:
        if person in self._carrier.people.by_hand:
            return  # a person has taken the mailbox since this was decided
        profile = self._carrier.people.profile(person)
        locale = profile.locale or guess_locale(person, received, self._carrier.people.default_locale)
        words = choose(WORDS[intent][locale], self._carrier.seed, "words", person, touch) if intent in WORDS else intent
        if profile.says is not None and intent != "yes" and intent in WORDS:
            words = profile.says
        to = _answer_to(message)
        subject = _decoded(str(message.get("Subject", "")))
        name = self._names.new()
        raw = build_reply(
            person, to, subject=subject if subject.startswith("Re:") else f"Re: {subject}", words=words, name=name,
            in_reply_to=message.get("Message-ID"), at=self._carrier.clock.now(), quoted=received, locale=locale,
            automatic=automatic,
        )  # fmt: skip
        self._post(name, person, to, raw, "mail_from_person", subject=subject, body=words, automatic=automatic)

    def _bounce(self, name: str, envelope: Envelope, recipient: str, message: Message) -> None:
        if not envelope.sender:
            return  # mail from the empty sender is itself a bounce, which is never answered (RFC 5321 section 6.1)
        raw = build_bounce(envelope, recipient, message, name=name, at=self._carrier.clock.now())
        self._post(name, "", envelope.sender, raw, "mail_bounced", recipient=recipient, token=_verp(envelope.sender))

    def _post(self, name: str, person: str, to: str, raw: bytes, kind: str, **facts: object) -> None:
        self._carrier.witness.record(kind, channel="email", to=to, ref=name, **{"from": person}, **facts)
        self._carrier.deliveries.mail(name, self._carrier.account.inbound_email_url, raw, "inbound_posted")

    def _in_minutes(self, minutes: float, action: Callable[[], object]) -> None:
        length = self._carrier.script.timing.minute_seconds
        now = self._carrier.clock.epoch()
        start = -(-now // length) * length if self._carrier.clock.stepped and length else now
        self._carrier.agenda.at(start + minutes * length, action)


def plain_words(message: Message) -> str:
    """Return the text of the first plain part, or nothing."""
    return words_of(message, "text/plain")


def words_of(message: Message, kind: str) -> str:
    """Return the text of the first part of a kind (``text/html``), or nothing."""
    for part in message.walk():
        if part.get_content_type() == kind:
            payload = part.get_payload(decode=True)
            charset = part.get_content_charset("utf-8")
            return payload.decode(charset, "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""
    return ""


def _answer_to(message: Message) -> str:
    return parseaddr(str(message.get("Reply-To") or message.get("From") or ""))[1]


def _one_click(message: Message) -> str:
    """Return the address that one click is posted to, when the mail offers it."""
    offered = "one-click" in str(message.get("List-Unsubscribe-Post", "")).lower()
    found = _ONE_CLICK.search(str(message.get("List-Unsubscribe", "")))
    return found.group(1) if offered and found else ""


def _subject(raw: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0]
    found = _SUBJECT.search(head)
    return _decoded(found.group(1).decode("utf-8", "replace")) if found else ""


def _decoded(text: str) -> str:
    text = re.sub(r"\r?\n(?=[ \t])", "", text).strip()
    return str(make_header(decode_header(text))) if _ENCODED in text else text


def _verp(sender: str) -> str | None:
    found = _DETAIL.search(sender)
    return found.group(1) if found else None


def _letter(envelope: Envelope, message: Message) -> Letter:
    """Return what the log does not hold of a mail."""
    return Letter(
        html=words_of(message, "text/html"),
        sender=parseaddr(str(message.get("From", "")))[1],
        reply_to=_answer_to(message),
        message_id=str(message.get("Message-ID", "")),
        envelope_sender=envelope.sender,
        head="".join(f"{name}: {value}\n" for name, value in message.items()),
        unsubscribe=_one_click(message),
    )
