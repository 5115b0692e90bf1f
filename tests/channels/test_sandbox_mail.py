"""Mail through the sandbox: taken, refused, greylisted, bounced and answered, over real SMTP."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage

import aiosmtplib
import pytest
from sandbox_listener import Listener, Seen

from channels.sandbox.client import Entry, Sandbox

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PERSON = "ana@borrower.test"
VERP = "bounce+tok3n-abc@lender.example.com"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    script = {"patterns": [{"match": "*@borrower.test", "temperament": "silent"}]}
    with Sandbox(callback_base=listener.url, script=script, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


def letter(body: str = "Your payment is due.\n.\n..dots\n") -> bytes:
    mail = EmailMessage()
    mail["From"] = "Example Bank <pay@lender.example.com>"
    mail["Reply-To"] = "reply+tok3n-abc@lender.example.com"
    mail["To"], mail["Subject"] = PERSON, "Su pago, 付款"
    mail["Message-ID"] = "<attempt-1@lender.example.com>"
    mail.set_content(body)
    mail.add_alternative(f"<p>{body}</p>", subtype="html")
    return mail.as_bytes()


def send(sandbox: Sandbox, raw: bytes | None = None, to: str = PERSON, **options: list[str]) -> None:
    async def run() -> None:
        async with aiosmtplib.SMTP(
            hostname=sandbox.smtp_host, port=sandbox.smtp_port, start_tls=False, timeout=10
        ) as smtp:
            await smtp.sendmail(
                VERP, [to], raw or letter(), mail_options=["ENVID=att-1"], rcpt_options=["NOTIFY=FAILURE"]
            )

    asyncio.run(run())


def entries(sandbox: Sandbox, kind: str) -> list[Entry]:
    return [entry for entry in sandbox.client.log() if entry["kind"] == kind]


def inbound(sandbox: Sandbox, listener: Listener, minutes: int = 240) -> list[Seen]:
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=minutes))
    sandbox.client.wait_idle()
    return [seen for seen in listener.seen if seen.path == "/v1/inbound/email"]


def test_a_mail_is_taken_whole_with_its_token_and_words(sandbox: Sandbox) -> None:
    send(sandbox)
    (taken,) = entries(sandbox, "mail_taken")
    assert (taken["to"], taken["from"], taken["token"], taken["envid"]) == (PERSON, VERP, "tok3n-abc", "att-1")
    assert (taken["subject"], taken["message_id"]) == ("Su pago, 付款", "<attempt-1@lender.example.com>")
    assert taken["body"] == "Your payment is due.\n.\n..dots\n"


def test_an_unknown_mailbox_is_refused_at_rcpt(sandbox: Sandbox) -> None:
    sandbox.client.profile({PERSON: "refuse"})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        send(sandbox)
    assert (caught.value.recipients[0].code, caught.value.recipients[0].message[:5]) == (550, "5.1.1")
    assert entries(sandbox, "mail_taken") == []


def test_a_greylisted_pair_is_taken_at_the_second_try(sandbox: Sandbox) -> None:
    sandbox.client.profile({PERSON: "greylist"})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        send(sandbox)
    assert caught.value.recipients[0].code == 451
    send(sandbox)
    assert len(entries(sandbox, "mail_taken")) == 1


def test_a_bounce_comes_later_as_a_signed_dsn_to_the_envelope_sender(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "bounce"})
    send(sandbox)
    assert listener.seen == []
    (seen,) = inbound(sandbox, listener, 10)
    stamp, mac = (part.partition("=")[2] for part in seen.headers["x-outreach-signature"].split(","))
    good = hmac.new(sandbox.inbound_secret.encode(), f"{stamp}.".encode() + seen.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mac, good)
    assert seen.headers["content-type"] == "message/rfc822"
    dsn = message_from_bytes(seen.body)
    assert (dsn.get_content_type(), dsn["To"], dsn["Return-Path"]) == ("multipart/report", VERP, "<>")
    _, status, original = dsn.get_payload()
    whole, one = status.get_payload()
    assert whole["Original-Envelope-Id"] == "att-1"
    assert (one["Action"], one["Status"], one["Final-Recipient"]) == ("failed", "5.1.1", f"rfc822; {PERSON}")
    assert "<attempt-1@lender.example.com>" in original.get_payload()


def test_a_person_answers_in_the_thread(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "promise", "locale": "es", "delay_minutes": 7}})
    send(sandbox)
    (seen,) = inbound(sandbox, listener, 8)
    reply = message_from_bytes(seen.body)
    assert reply["To"] == "reply+tok3n-abc@lender.example.com"
    assert (reply["From"], reply["In-Reply-To"]) == (PERSON, "<attempt-1@lender.example.com>")
    payload = reply.get_payload(decode=True)
    assert isinstance(payload, bytes)
    words = payload.decode().splitlines()
    assert "pag" in words[0].lower()
    assert "> Your payment is due." in words


def test_an_absence_note_says_it_is_automatic(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "out_of_office"})
    send(sandbox)
    (seen,) = inbound(sandbox, listener, 1)
    assert message_from_bytes(seen.body)["Auto-Submitted"] == "auto-replied"


def test_a_drop_after_data_leaves_the_sender_unsure_of_a_mail_that_was_taken(sandbox: Sandbox) -> None:
    sandbox.client.faults(smtp_drop_after_data_next=1)
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, ConnectionError)):
        send(sandbox)
    assert len(entries(sandbox, "mail_taken")) == 1


def test_421_refuses_before_anything_is_taken(sandbox: Sandbox) -> None:
    sandbox.client.faults(smtp_421_next=1)
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as caught:
        send(sandbox)
    assert caught.value.code == 421


def test_a_session_out_of_order_is_refused_step_by_step(sandbox: Sandbox) -> None:
    async def run() -> list[bytes]:
        reader, writer = await asyncio.open_connection(sandbox.smtp_host, sandbox.smtp_port)
        writer.write(
            b"RCPT TO:<a@b.test>\r\nDATA\r\nMAIL FROM:nobody\r\nMAIL FROM:<>\r\nRCPT TO:<nobody>\r\nWHAT\r\nNOOP\r\n"
            b"RSET\r\nQUIT\r\n"
        )
        lines = [line[:3] async for line in reader]
        writer.close()
        await writer.wait_closed()
        return lines

    assert asyncio.run(run()) == [b"220", b"503", b"503", b"501", b"250", b"501", b"502", b"250", b"250", b"221"]


def test_a_mail_cut_into_single_bytes_is_the_same_mail(sandbox: Sandbox) -> None:
    async def run() -> None:
        reader, writer = await asyncio.open_connection(sandbox.smtp_host, sandbox.smtp_port)
        wire = f"EHLO x\r\nMAIL FROM:<{VERP}>\r\nRCPT TO:<{PERSON}>\r\nDATA\r\nSubject: s\r\n\r\n..one\r\n.\r\nQUIT\r\n"
        for byte in wire.encode():
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await reader.read())[-13:] == b"221 2.0.0 Bye\r\n"[-13:]
        writer.close()
        await writer.wait_closed()

    asyncio.run(run())
    (taken,) = entries(sandbox, "mail_taken")
    assert (taken["subject"], taken["body"]) == ("s", ".one\n")
