"""The bytes of an email: what the standard library reads back is what went in, whatever went in."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import errors
from channels.contract import Attachment, Mail
from channels.email.mime import Letterhead, mailbox, tagged

AT = datetime(2026, 11, 22, 15, 0, 5, tzinfo=UTC)
HOUSE = Letterhead.of(
    "Example Bank",
    "pay@mail.example.com",
    "reply@mail.example.com",
    "bounce@mail.example.com",
    "https://o.example.com/",
)
ANA = "ana@borrower.example.com"


def built(mail: Mail, house: Letterhead = HOUSE) -> tuple[bytes, EmailMessage]:
    raw = house.build(mail, ANA, "0190-att-1", "tok-1", AT)
    return raw, cast("EmailMessage", message_from_bytes(raw, policy=policy.default))


def content(part: Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


WORDS = [
    "Hello Ana,\n.\n..dots\nFrom here on\n-- \nBank\n",
    "Hola señora Ñandú, mañana vence su cuota de 120,00 €.\n",
    "您好，您的还款日是三月三日。\n" * 20,
    "x" * 5_000 + "\n",
    "long " * 400 + "ñ\n",
    "tabs\tand trailing \t \nspaces  \n",
    "🙂" * 100,
    "",
    "=E2=80=A6 =?utf-8?q?not_decoded?=\n",
]


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_every_kind_of_text_reads_back_the_same(words: str) -> None:
    raw, mail = built(Mail("Subject", words, f"<p>{words}</p>"))
    text, html = mail.iter_parts()
    assert (content(text), content(html)) == (words, f"<p>{words}</p>")
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert mail.defects == []


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_reads_back_the_same(text: str) -> None:
    raw, mail = built(Mail("s", text))
    assert content(mail) == text
    assert raw.isascii()


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200)


@given(subject=PRINTABLE)
@settings(max_examples=200, deadline=None)
def test_any_subject_reads_back_the_same_in_short_lines(subject: str) -> None:
    raw, mail = built(Mail(subject, "x"))
    assert mail["Subject"] == subject
    assert max(len(line) for line in raw.split(b"\r\n")) <= 98
    assert mail.defects == []


@pytest.mark.parametrize(
    "subject", ["Due\r\nBcc: x@example.com", "Due\nX: y", "nul\x00", "bell\x07", "x" * 501, "a\u2028b"]
)
def test_a_subject_that_would_add_a_header_is_refused(subject: str) -> None:
    with pytest.raises(errors.ContentRefused):
        built(Mail(subject, "x"))


def test_the_headers_a_careful_sender_sets() -> None:
    _, mail = built(Mail("Su pago vence mañana", "x", reply_token="rt-9"))
    assert mail["From"] == "Example Bank <pay@mail.example.com>"
    assert mail["To"] == ANA
    assert mail["Reply-To"] == "reply+rt-9@mail.example.com"
    assert mail["Message-ID"] == "<0190-att-1@mail.example.com>"
    assert parsedate_to_datetime(mail["Date"]) == AT
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://o.example.com/v1/unsubscribe/tok-1>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["MIME-Version"] == "1.0"
    assert all(len(mail.get_all(name, [])) == 1 for name in mail)


@pytest.mark.parametrize("name", ['Ana "A" O\\Neil', "示例银行", "Café, S.A.", "x" * 70])
def test_any_display_name_reads_back_the_same(name: str) -> None:
    house = Letterhead.of(
        name, "pay@mail.example.com", "r@mail.example.com", "b@mail.example.com", "https://o.example.com"
    )
    _, mail = built(Mail("s", "x"), house)
    assert mail["From"].addresses[0].display_name == name
    assert mail["From"].addresses[0].addr_spec == "pay@mail.example.com"


def test_a_boundary_written_into_the_text_does_not_split_the_email() -> None:
    words = "--=_0190-att-1\n--=_0190-att-1--\n=_0190-att-1_\n"
    _, mail = built(Mail("s", words, "<p>x</p>"))
    text, html = mail.iter_parts()
    assert (content(text), content(html)) == (words, "<p>x</p>")


@pytest.mark.parametrize("field", ["attempt_id", "token", "reply_token"])
@pytest.mark.parametrize("value", ["a\r\nBcc: x@example.com", "a b", "", "é", "<x>", "x" * 200])
def test_a_token_that_would_break_a_header_stops_the_lane(field: str, value: str) -> None:
    fields = {"attempt_id": "a", "token": "t", "reply_token": "r"} | {field: value}
    with pytest.raises(errors.Misconfigured):
        HOUSE.build(Mail("s", "x", reply_token=fields["reply_token"]), ANA, fields["attempt_id"], fields["token"], AT)


def test_a_domain_outside_ascii_goes_out_in_ascii() -> None:
    assert mailbox("ana@bücher.example") == "ana@xn--bcher-kva.example"
    assert tagged("b@x.example.com", None) == "b@x.example.com"


def test_a_file_goes_with_the_words_and_comes_back_byte_for_byte() -> None:
    calendar = "BEGIN:VCALENDAR\r\nSUMMARY:Öl 您好\r\nEND:VCALENDAR\r\n"
    file = Attachment("installments.ics", "text/calendar; method=PUBLISH", calendar)
    _, message = built(Mail("Plan", WORDS[0], "<p>Hello</p>", attachments=(file,)))
    assert message.get_content_type() == "multipart/mixed"
    words, attached = message.iter_parts()
    assert words.get_content_type() == "multipart/alternative"
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_filename() == "installments.ics"
    assert attached.get_content_disposition() == "attachment"
    assert cast("bytes", attached.get_payload(decode=True)).decode() == calendar


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ('a"b.ics', "text/calendar"),
        ("a\r\nX: y", "text/calendar"),
        ("../a.ics", "text/calendar"),
        ("a.ics", "text/x\r\n"),
    ],
)
def test_a_file_cannot_write_headers(name: str, media_type: str) -> None:
    with pytest.raises(errors.ContentRefused):
        built(Mail("Plan", "Hello", attachments=(Attachment(name, media_type, "x"),)))
