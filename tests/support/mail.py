"""Email as the house really builds it, and what people and mail systems send back to it."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_network
from typing import Any

from channels.contract import ChannelConfig
from channels.email.listener import Listener, ListenerOptions
from channels.email.smtp import SmtpEmail
from outreach.flows.house import House
from outreach.workers.mail_listener import StoringDesk

from .book import START, Someone, put
from .house import a_house, run_lanes
from .touching import plan_touch

OPTIONS: dict[str, Any] = {
    "host": "127.0.0.1", "port": 25, "tls": "none", "from_address": "pay@mail.example.com",
    "reply_to": "reply@mail.example.com", "bounce_to": "bounce@mail.example.com", "inbound_secret": "s3cret",
}  # fmt: skip
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass
class Letter:
    """One email that left: its return path and its headers."""

    return_path: str
    raw: bytes

    def __getitem__(self, header: str) -> str:
        return str(message_from_bytes(self.raw)[header])


class CarriedEmail(SmtpEmail):
    """The real adapter, whose relay keeps what it is given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            ChannelConfig("email", "test", "https://outreach.example.com", OPTIONS | options), lambda: START
        )
        self.letters: list[Letter] = []

    async def _hand_over(self, envelope_from: str, to: str, raw: bytes, envelope_id: str) -> None:
        self.letters.append(Letter(envelope_from, raw))


@asynccontextmanager
async def a_house_that_wrote(dsn: str, *people: Someone) -> AsyncIterator[tuple[House, list[Letter]]]:
    """Open a house that has written one email to each of some people."""
    email = CarriedEmail()
    put(dsn, *people)
    async with a_house(dsn, channels={"email": email}) as house:
        for one in people:
            plan_touch(dsn, one, channel="email")
        assert await run_lanes(house) == ({"sent": len(people)} if people else {})
        yield house, email.letters


@asynccontextmanager
async def listening(house: House, *, lmtp: bool = True, **options: Any) -> AsyncIterator[int]:
    """Listen for mail on a free port, into a house; gives the port."""
    merged = {"host": "127.0.0.1", "port": 0, "lmtp": lmtp, "peers": LOOPBACK, "max_bytes": 200_000} | options
    listener = Listener(ListenerOptions(**merged), StoringDesk(house))
    port = await listener.start()
    try:
        yield port
    finally:
        await listener.stop()


async def deliver(port: int, sender: str, recipient: str, raw: bytes, *, lmtp: bool = True) -> None:
    """Deliver one mail as a mail system does. Raises smtplib's errors."""
    await speak(port, lambda line: line.sendmail(sender, [recipient], raw), lmtp=lmtp)


async def speak(port: int, talk: Callable[[smtplib.SMTP], Any], *, lmtp: bool = True) -> Any:
    """Open a connection in a thread and talk over it."""

    def work() -> Any:
        with (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, local_hostname="mx.example.com") as line:
            return talk(line)

    return await asyncio.to_thread(work)


def answer(letter: Letter, words: str = "I can pay on Friday.\n", **headers: str | None) -> bytes:
    """Return what a person writes back; None leaves a header out."""
    mail = EmailMessage(policy=SMTP)
    base: dict[str, str | None] = {
        "From": "Ada <ada@example.com>", "To": letter["Reply-To"], "Subject": f"Re: {letter['Subject']}",
        "Message-ID": "<a1@borrower.example.com>", "In-Reply-To": letter["Message-ID"],
        "Date": "Mon, 01 Mar 2027 15:00:00 +0000",
    }  # fmt: skip
    for name, value in (base | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        if value is not None:
            mail[name] = value
    mail.set_content(words)
    return mail.as_bytes()


def bounce(letter: Letter, status: str = "5.1.1", action: str = "failed") -> bytes:
    """Return what a mail system says when it could not deliver."""
    block = (
        "Reporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {letter['To']}\r\nAction: {action}\r\nStatus: {status}\r\n"
    )
    return _report(letter, letter.return_path, "delivery-status", "message/delivery-status", block)


def complaint(letter: Letter) -> bytes:
    """Return what a mailbox provider says when somebody presses "this is spam"."""
    block = "Feedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: example\r\n"
    return _report(letter, "bounce@mail.example.com", "feedback-report", "message/feedback-report", block)


def _report(letter: Letter, to: str, kind: str, part: str, block: str) -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example.com\r\nTo: {to}\r\nMessage-ID: <r1@mx.example.com>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        f"--b\r\nContent-Type: {part}\r\n\r\n{block}\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {letter['Message-ID']}\r\nSubject: due\r\n\r\n--b--\r\n"
    ).encode()
