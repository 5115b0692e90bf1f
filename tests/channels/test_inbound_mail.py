"""Mail that comes back: proof of origin, bounces, complaints, people, machines."""

import hashlib
import hmac
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from given import NOW, smtp_config
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Callback, Medium, Receipt, ReceiptStatus, Reply, TakesMail
from channels.email.inbound import MOST_WORDS
from channels.email.smtp import SmtpEmail
from channels.errors import BadSignature, MalformedCallback
from channels.router import make_router
from channels.routing import Route, Rules

SECRET = "s3cret"
OURS = "<0190-att-1@mail.example.com>"


def channel(**options: object) -> SmtpEmail:
    return SmtpEmail(smtp_config(25, **options), lambda: NOW)


def posted(raw: bytes, *, secret: str = SECRET, age: int = 0) -> Callback:
    stamp = int((NOW - timedelta(seconds=age)).timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"content-type": "message/rfc822", "x-outreach-signature": f"t={stamp},v1={mac}"}
    return Callback("/v1/callbacks/email", "", headers, raw)


def letter(words: str = "I can pay on Friday.\n", **headers: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    base = {
        "From": "Ana <ana@borrower.example.com>", "To": "reply+rt-9@mail.example.com", "Subject": "Re: due",
        "Message-ID": "<x1@borrower.example.com>", "In-Reply-To": OURS,
    }  # fmt: skip
    for name, value in (base | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        mail[name] = value
    mail.set_content(words)
    return mail.as_bytes()


def test_a_post_signed_by_our_receiving_host_verifies() -> None:
    channel().verify(posted(letter()))


@pytest.mark.parametrize(
    "forged",
    [
        posted(letter(), secret="other"), posted(letter(), age=200_000), posted(letter(), age=-200_000),
        Callback("/v1/callbacks/email", "", {}, letter()),
        Callback("/v1/callbacks/email", "", posted(letter()).headers, letter("I refuse.\n")),
        Callback("/v1/callbacks/email", "", {"x-outreach-signature": "t=1,v1=zz"}, b""),
        Callback("/v1/callbacks/email", "", {"x-outreach-signature": "t=٣,v1=" + "0" * 64}, b""),
    ],
)  # fmt: skip
def test_a_forged_or_stale_post_is_refused(forged: Callback) -> None:
    with pytest.raises(BadSignature):
        channel().verify(forged)


def test_without_a_secret_no_mail_is_believed() -> None:
    with pytest.raises(BadSignature):
        channel(inbound_secret=None).verify(posted(letter(), secret=""))


def test_an_answer_is_a_reply_with_its_token_and_attempt() -> None:
    (reply,) = channel().parse(posted(letter("Puedo pagar el viernes. 您好\n")))
    assert isinstance(reply, Reply)
    assert (reply.medium, reply.address, reply.token) == (Medium.EMAIL, "ana@borrower.example.com", "rt-9")
    assert (reply.text, reply.provider_ref) == ("Puedo pagar el viernes. 您好", OURS[1:-1])


def test_an_answer_in_html_alone_is_read_as_words() -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "ana@borrower.example.com", "reply+rt-9@mail.example.com"
    mail.set_content("<style>p{}</style><p>STOP</p><p>thank you</p>", subtype="html")
    (reply,) = channel().parse(posted(mail.as_bytes()))
    assert reply.text.split() == ["STOP", "thank", "you"]  # type: ignore[union-attr]


def test_the_same_mail_twice_has_one_key_and_a_reused_message_id_has_two() -> None:
    one, again, other = (
        next(iter(channel().parse(posted(raw)))).dedupe_key for raw in (letter(), letter(), letter("No.\n"))
    )
    assert one == again != other


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"Return_Path": "<>"}, {"X_Autoreply": "yes"}],
)
def test_a_machines_answer_is_not_a_persons(headers: dict[str, str]) -> None:
    assert list(channel().parse(posted(letter(**headers)))) == []


def test_auto_submitted_no_is_a_person() -> None:
    assert len(list(channel().parse(posted(letter(Auto_Submitted="no"))))) == 1


def report(kind: str, part: str, block: str) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@relay.example.com\r\nTo: bounce+rt-9@mail.example.com\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        f"--b\r\nContent-Type: {part}\r\n\r\n{block}\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {OURS}\r\nSubject: due\r\n\r\n--b--\r\n"
    ).encode()


def bounce(action: str, code: str) -> bytes:
    block = (
        "Reporting-MTA: dns; relay.example.com\r\nOriginal-Envelope-Id: 0190-att-1\r\n\r\n"
        f"Final-Recipient: rfc822; ana@borrower.example.com\r\nAction: {action}\r\nStatus: {code}\r\n"
    )
    return report("delivery-status", "message/delivery-status", block)


@pytest.mark.parametrize(
    ("action", "code", "status", "error_class"),
    [
        ("failed", "5.1.1", ReceiptStatus.UNDELIVERED, "bad_address"),
        ("Failed", "5.2.2", ReceiptStatus.UNDELIVERED, "throttled"),
        ("failed", "4.4.7", ReceiptStatus.UNDELIVERED, "throttled"),
        ("failed", "5.7.1", ReceiptStatus.UNDELIVERED, "rejected"),
        ("delayed", "4.4.1", ReceiptStatus.SENDING, None),
        ("delivered", "2.0.0", ReceiptStatus.DELIVERED, None),
    ],
)
def test_a_bounce_is_news_of_the_attempt(
    action: str, code: str, status: ReceiptStatus, error_class: str | None
) -> None:
    (receipt,) = channel().parse(posted(bounce(action, code)))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.error_class, receipt.provider_code) == (status, error_class, code)
    assert (receipt.token, receipt.provider_ref) == ("rt-9", OURS[1:-1])


def test_a_complaint_is_an_opt_out() -> None:
    block = "Feedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: x\r\n"
    (receipt,) = channel().parse(posted(report("feedback-report", "message/feedback-report", block)))
    assert isinstance(receipt, Receipt)
    assert (receipt.error_class, receipt.token) == ("opted_out", "rt-9")


def test_what_the_borrower_quotes_signs_and_attaches_is_not_said() -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "ana@borrower.example.com", "reply+rt-9@mail.example.com"
    mail.set_content(
        "I paid.\n\nSent from my iPhone\n\nOn Tue, Mar 10, 2026, Lender <a@example.com> wrote:\n> Reply STOP\n"
    )
    mail.add_attachment("stop everything", filename="note.txt")
    (reply,) = channel().parse(posted(mail.as_bytes()))
    assert reply.text == "I paid."  # type: ignore[union-attr]


def test_a_bounce_in_free_text_is_news_of_the_attempt() -> None:
    raw = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: bounce+rt-9@mail.example.com\n"
        "Subject: failure notice\n\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n<ana@example.org>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
        f"Return-Path: <bounce+rt-9@mail.example.com>\nReceived: from x\nMessage-ID: {OURS}\nSubject: due\n\nhi\n"
    )
    (receipt,) = channel().parse(posted(raw.encode()))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.error_class) == (ReceiptStatus.UNDELIVERED, "bad_address")
    assert (receipt.token, receipt.provider_ref, receipt.provider_code) == ("rt-9", OURS[1:-1], "5.1.1")


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus"])
def test_a_report_that_is_no_refusal_stops_nothing(kind: str) -> None:
    block = f"Feedback-Type: {kind}\r\nVersion: 1\r\nUser-Agent: x\r\n"
    assert list(channel().parse(posted(report("feedback-report", "message/feedback-report", block)))) == []


@pytest.mark.parametrize("subject", ["Automatic reply: due", "Respuesta automática: due", "自动回复: due"])
def test_absence_notes_without_any_header_are_machines(subject: str) -> None:
    assert list(channel().parse(posted(letter("I am away.\n", Subject=subject)))) == []


def test_a_post_without_headers_is_no_mail() -> None:
    with pytest.raises(MalformedCallback):
        list(channel().parse(posted(b"")))


OURS_ALL = ["reply+t@mail.example.com", "REPLY@mail.example.com", "bounce+a=b@mail.example.com", "pay@mail.example.com"]
OTHERS = [
    "ana@mail.example.com",
    "reply@example.org",
    "reply",
    "",
    "@mail.example.com",
    "reply@mail.example.com.evil.test",
]


def test_only_the_mailboxes_that_we_write_from_are_ours() -> None:
    assert [channel().is_ours(each) for each in OURS_ALL] == [True] * len(OURS_ALL)
    assert [channel().is_ours(each) for each in OTHERS] == [False] * len(OTHERS)


def test_the_token_of_our_own_mailbox_goes_before_anybody_elses_tag() -> None:
    raw = letter(Delivered_To="ana+loans@borrower.example.com", Cc="reply+rt-9@mail.example.com", To="x@example.com")
    (reply,) = channel().read_mail(raw)
    assert reply.token == "rt-9"


def test_of_several_emails_that_a_mail_answers_the_latest_counts() -> None:
    old = OURS.replace("att-1", "att-0")
    raw = letter(In_Reply_To="<other@borrower.example.com>", References=f"{old} <x@example.org> {OURS}")
    (reply,) = channel().read_mail(raw)
    assert reply.provider_ref == OURS[1:-1]


@given(words=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Z"]), max_size=200))
@settings(max_examples=50, deadline=None)
def test_line_ends_trace_headers_and_a_last_blank_line_make_no_other_mail(words: str) -> None:
    raw = letter(words + "\n")
    ways = (raw, raw.replace(b"\r\n", b"\n"), b"Received: from x\r\n" + raw, raw + b"\r\n")
    assert len({reply.dedupe_key for way in ways for reply in channel().read_mail(way)}) == 1


def test_one_mail_to_two_of_our_tokens_is_two_answers() -> None:
    keys = {
        each.dedupe_key
        for token in ("a", "b")
        for each in channel().read_mail(f"Delivered-To: reply+{token}@mail.example.com\r\n".encode() + letter())
    }
    assert len(keys) == 2


def test_reports_about_nothing_we_know_are_told_apart() -> None:
    unknown = bounce("failed", "5.1.1").replace(OURS.encode(), b"<a@example.org>").replace(b"+rt-9", b"")
    others = unknown.replace(b"ana@", b"ben@")
    keys = [next(iter(channel().read_mail(raw))).dedupe_key for raw in (unknown, unknown, others)]
    assert keys[0] == keys[1] != keys[2]


def test_a_persons_words_are_cut_where_nobody_reads_on() -> None:
    (reply,) = channel().read_mail(letter("STOP. " + "And another thing. " * 3000))
    assert isinstance(reply, Reply)
    assert reply.text is not None
    assert reply.text.startswith("STOP.")
    assert len(reply.text) == MOST_WORDS


def test_several_senders_share_their_mail() -> None:
    senders = {"one": channel(), "two": channel(from_address="pay@other.example.com", reply_to="r@other.example.com")}
    routes = [Route(name) for name in senders]
    router = make_router("email", senders, routes, Rules())
    assert isinstance(router, TakesMail)
    boxes = ("reply+t@mail.example.com", "r+t@other.example.com", "x@example.com")
    assert [router.is_ours(each) for each in boxes] == [True, True, False]
    raw = letter(In_Reply_To="<0190-att-2@other.example.com>")
    (reply,) = router.read_mail(raw)
    assert reply.provider_ref == "two:0190-att-2@other.example.com"
    assert list(router.parse(posted(raw))) == [reply], "posted or delivered, it is the same reply"


@given(raw=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_mail_breaks_the_reader(raw: bytes) -> None:
    try:
        news = list(channel().parse(posted(raw)))
    except MalformedCallback:
        return
    assert all(isinstance(item, Receipt | Reply) for item in news)
