"""Email through a real Postfix: taken, greylisted, refused, and brought back by its own reports to the case."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channels.contract import ChannelConfig, Mail, Outbound
from channels.email.bounces import read_mail
from channels.email.findings import Action, MailKind, Reason
from channels.email.smtp import SmtpEmail
from outreach.flows.house import House
from tests.support.book import Someone, put
from tests.support.house import MemoryQueue, a_house, rows, run_lanes
from tests.support.mail import OPTIONS, listening
from tests.support.postfix import PATIENCE, Relay, a_relay
from tests.support.receiver import until
from tests.support.touching import plan_touch, run_intake

BEFORE_TODAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""The verifier looks at the machine's clock and refuses a signature from the future."""
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with a_relay() as running:
        yield running


def email_through(relay: Relay, **options: Any) -> SmtpEmail:
    merged = OPTIONS | {"port": relay.port} | options
    return SmtpEmail(ChannelConfig("email", "test", "https://outreach.example.com", merged), lambda: BEFORE_TODAY)


def outbound(to: str) -> Outbound:
    mail = Mail("Your payment is due", "Hello Ana,\n.\nyour payment is due.\n", "<p>Hello Ana</p>", reply_token="rt-9")
    return Outbound("0190-att-1", "tok-1", to, mail, timedelta(hours=2))


async def wrote(database: str, house: House, *people: Someone) -> None:
    put(database, *people)
    for one in people:
        plan_touch(database, one, channel="email")
    assert await run_lanes(house) == {"sent": len(people)}


async def came_back(house: House, mails: int) -> None:
    """Wait until the relay has brought us so many mails, and take them in."""
    queue = house.queue
    assert isinstance(queue, MemoryQueue)
    await until(lambda: len(queue.news) >= mails, PATIENCE)
    await run_intake(house)


def public_key(name: bytes, timeout: int = 5) -> bytes:
    """Answer like the DNS of mail.example.com."""
    assert name == b"r1._domainkey.mail.example.com."
    der = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


async def test_what_arrives_behind_a_real_relay_is_still_signed_and_knows_its_way_back(relay: Relay) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    email = email_through(relay, dkim_private_key=pem, dkim_selector="r1")
    async with relay.far_end() as far:
        try:
            taken = await email.send(outbound("ana@borrower.example"))
            arrived = await far.got("ana@borrower.example")
        finally:
            await email.close()
    assert arrived.mail_from == "bounce+rt-9@mail.example.com"
    assert isinstance(arrived.content, bytes)
    assert dkim.verify(arrived.content, dnsfunc=public_key)
    mail = message_from_bytes(arrived.content)
    assert mail["Message-ID"] == f"<{taken.provider_ref}>"
    assert "by relay.example.net (Postfix)" in mail["Received"]


async def test_a_real_relays_report_names_the_attempt_and_the_recipient_we_wrote_to(relay: Relay) -> None:
    email = email_through(relay, bounce_to="bounce@elsewhere.example")
    async with relay.far_end() as far:
        try:
            await email.send(outbound("nobody.ana@borrower.example"))
            arrived = await far.got("bounce+rt-9@elsewhere.example")
        finally:
            await email.close()
    assert arrived.mail_from in {"", "<>"}
    assert isinstance(arrived.content, bytes)
    assert b"Original-Envelope-Id: 0190-att-1" in arrived.content
    assert b"Original-Recipient: rfc822;nobody.ana@borrower.example" in arrived.content
    (finding,) = read_mail(arrived.content)
    assert (finding.kind, finding.recipient) == (MailKind.BOUNCE, "nobody.ana@borrower.example")
    assert (finding.hard, finding.status, finding.action) == (True, "5.1.1", Action.FAILED)
    assert finding.reason is Reason.UNKNOWN_USER


async def test_a_greylisted_mail_arrives_later_and_once(relay: Relay, database: str) -> None:
    email = email_through(relay)
    async with relay.far_end() as far, a_house(database, channels={"email": email}) as house:
        try:
            await wrote(database, house, Someone(email="grey@borrower.example"))
            await far.got("grey@borrower.example")
        finally:
            await email.close()
        assert far.asked == ["grey@borrower.example"] * 2
        assert len(far.taken) == 1
        assert rows(database, "select outcome, error_code from attempt") == [("accepted", None)]


async def test_what_the_far_host_refuses_comes_back_to_its_attempt(relay: Relay, database: str) -> None:
    email = email_through(relay)
    people = [
        Someone(name, email=f"{name}@borrower.example", phone=f"+1212555010{place}")
        for place, name in enumerate(("nobody", "full", "strict", "fine"))
    ]
    async with (
        relay.far_end() as far,
        a_house(database, channels={"email": email}) as house,
        listening(house, port=relay.back_port),
    ):
        try:
            await wrote(database, house, *people)
            assert rows(database, "select distinct outcome from attempt") == [("accepted",)], "the relay took them all"
            await came_back(house, 3)
            await far.got("fine@borrower.example")
        finally:
            await email.close()
    found = rows(
        database,
        "select p.value, a.outcome, a.error_code, p.state"
        " from attempt a join contact_point p using (contact_point_id) order by 1",
    )
    assert found == [
        ("fine@borrower.example", "accepted", None, "active"),
        ("full@borrower.example", "failed", "throttled", "active"),
        ("nobody@borrower.example", "failed", "bad_address", "invalid"),
        ("strict@borrower.example", "failed", "rejected", "active"),
    ]
