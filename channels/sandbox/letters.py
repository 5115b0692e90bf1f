"""Mail the carrier writes itself: people's replies and delivery status notifications (RFC 3464)."""

from datetime import datetime
from email.generator import BytesGenerator
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from typing import Final

from channels.sandbox.smtp import Envelope

_WROTE: Final = {"en": "On {date}, {to} wrote:", "es": "El {date}, {to} escribió:", "zh": "{to} 于{date}写道："}


def build_reply(
    person: str,
    to: str,
    *,
    subject: str,
    words: str,
    name: str,
    at: datetime,
    in_reply_to: str | None = None,
    quoted: str = "",
    locale: str = "en",
    automatic: bool = False,
) -> bytes:
    """Build what a person's mail program sends, the received text quoted below; ``automatic`` is an absence note."""
    mail = EmailMessage(policy=SMTP)
    mail["Return-Path"] = f"<{'' if automatic else person}>"
    mail["From"], mail["To"], mail["Subject"] = person, to, " ".join(subject.split())
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{name.lower()}@mail.sandbox.test>"
    if in_reply_to:
        mail["In-Reply-To"] = mail["References"] = in_reply_to
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    heading = _WROTE[locale].format(date=f"{at:%Y-%m-%d %H:%M}", to=to)
    quote = "\n".join(f"> {line}" for line in quoted.splitlines())
    mail.set_content(f"{words}\n\n{heading}\n{quote}\n" if quoted else f"{words}\n")
    return mail.as_bytes()


def build_bounce(envelope: Envelope, recipient: str, original: Message, *, name: str, at: datetime) -> bytes:
    """Build the notification that ``recipient`` has no mailbox, to the envelope's sender (RFC 3464, RFC 6522)."""
    bounce = MIMEMultipart("report", report_type="delivery-status")
    bounce["Return-Path"] = "<>"
    bounce["From"] = "Mail Delivery Subsystem <mailer-daemon@sandbox.test>"
    bounce["To"] = bounce["Delivered-To"] = envelope.sender
    bounce["Subject"] = "Undelivered Mail Returned to Sender"
    bounce["Date"] = format_datetime(at)
    bounce["Message-ID"] = f"<{name.lower()}.bounce@sandbox.test>"
    bounce["Auto-Submitted"] = "auto-replied"
    bounce.attach(MIMEText(f"Your mail to {recipient} could not be delivered: no such mailbox.\n", "plain", "us-ascii"))
    bounce.attach(_status(envelope, recipient, at))
    headers = MIMEBase("text", "rfc822-headers")
    headers.set_payload("".join(f"{key}: {value}\n" for key, value in original.items()))
    bounce.attach(headers)
    return _written(bounce)


def build_complaint(envelope_sender: str, recipient: str, head: str, *, name: str, at: datetime) -> bytes:
    """Build the report that ``recipient`` called a mail junk, to the envelope's sender (RFC 5965)."""
    report = MIMEMultipart("report", report_type="feedback-report")
    report["Return-Path"] = "<>"
    report["From"] = "Complaints <feedback@sandbox.test>"
    report["To"] = report["Delivered-To"] = envelope_sender
    report["Subject"] = "A mail of yours was reported as junk"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = f"<{name.lower()}.complaint@sandbox.test>"
    report.attach(MIMEText("This is a report about a mail that its recipient called junk.\n", "plain", "us-ascii"))
    facts = MIMEBase("message", "feedback-report")
    facts.set_payload(
        f"Feedback-Type: abuse\nUser-Agent: SandboxCarrier/1\nVersion: 1\nOriginal-Mail-From: <{envelope_sender}>\n"
        f"Original-Rcpt-To: <{recipient}>\nArrival-Date: {format_datetime(at)}\n"
    )
    report.attach(facts)
    headers = MIMEBase("text", "rfc822-headers")
    headers.set_payload(head)
    report.attach(headers)
    return _written(report)


def _written(mail: Message) -> bytes:
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=mail.policy.clone(linesep="\r\n")).flatten(mail)
    return out.getvalue()


def _status(envelope: Envelope, recipient: str, at: datetime) -> Message:
    """Build the message/delivery-status part: one block about the mail, one about the recipient."""
    whole, one = Message(), Message()
    whole["Reporting-MTA"] = "dns; sandbox.test"
    if envelope.envid:
        whole["Original-Envelope-Id"] = envelope.envid
    whole["Arrival-Date"] = format_datetime(at)
    one["Original-Recipient"] = envelope.originals.get(recipient, f"rfc822;{recipient}")
    one["Final-Recipient"] = f"rfc822; {recipient}"
    one["Action"] = "failed"
    one["Status"] = "5.1.1"
    one["Diagnostic-Code"] = "smtp; 550 5.1.1 No such mailbox"
    part = MIMEBase("message", "delivery-status")
    part.set_payload([whole, one])
    return part
