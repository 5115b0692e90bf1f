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
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=bounce.policy.clone(linesep="\r\n")).flatten(bounce)
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
