"""Mail that comes back is read for what it says: the corpus, every way a file may spell it, and any bytes at all."""

import pytest
from bounce_corpus import FOLDER, Sample, samples
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.bounces import open_mail, read_mail
from channels.email.findings import DEAD, Action, Finding, MailKind
from channels.email.verdicts import find_status, judge

ANSWERS = [row.split("\t") for row in (FOLDER / "answers.tsv").read_text("utf-8").splitlines()]
SAMPLES = list(samples())
FIRST = [sample for sample in SAMPLES if not sample.name.startswith("wild_")]


def line(finding: Finding) -> str:
    fields = (
        finding.kind, finding.recipient, "hard" if finding.hard else "soft", finding.status, finding.action,
        finding.reason,
    )  # fmt: skip
    return " ".join(field or "-" for field in fields)


def lines(raw: bytes) -> list[str]:
    return sorted(line(finding) for finding in read_mail(raw))


def test_the_corpus_is_large_and_names_each_mail_once() -> None:
    assert len(SAMPLES) >= 450
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_mail_is_read_for_what_it_says(sample: Sample) -> None:
    assert lines(sample.raw) == sorted(sample.expected)


@pytest.mark.parametrize("sample", FIRST, ids=lambda sample: sample.name)
@pytest.mark.parametrize("spelling", ["crlf", "cr", "mbox", "blank lines first"])
def test_line_ends_and_envelopes_of_files_change_nothing(sample: Sample, spelling: str) -> None:
    raw = {
        "crlf": sample.raw.replace(b"\n", b"\r\n"),
        "cr": sample.raw.replace(b"\n", b"\r"),
        "mbox": b"From MAILER-DAEMON Tue Mar 10 09:00:07 2026\n" + sample.raw,
        "blank lines first": b"\n\n" + sample.raw,
    }[spelling]
    assert lines(raw) == sorted(sample.expected)


@pytest.mark.parametrize(("hard", "reason", "answer"), ANSWERS, ids=[row[2][:60] for row in ANSWERS])
def test_an_answer_is_judged_by_its_words(hard: str, reason: str, answer: str) -> None:
    verdict = judge(answer=answer, around="", status=find_status(answer), action=Action.FAILED)
    assert ("hard" if verdict.dead else "soft", verdict.reason) == (hard, reason)


@pytest.mark.parametrize(("hard", "reason", "answer"), ANSWERS, ids=[row[2][:60] for row in ANSWERS])
@pytest.mark.parametrize("action", [Action.DELAYED, Action.DELIVERED, Action.RELAYED, Action.EXPANDED])
def test_what_has_not_failed_is_never_hard(hard: str, reason: str, answer: str, action: Action) -> None:
    report = (
        "From: MAILER-DAEMON@relay.example.net\nTo: bounce+rt-9@mail.example.com\nSubject: Report\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Final-Recipient: rfc822; a@example.org\n"
        f"Action: {action}\nDiagnostic-Code: smtp; {answer}\n--b--\n"
    )
    (finding,) = read_mail(report.encode())
    assert (finding.action, finding.hard, finding.recipient) == (action, False, "a@example.org")


def check(raw: bytes) -> None:
    read = open_mail(raw)
    assert read.findings
    for finding in read.findings:
        assert not finding.hard or (finding.kind is MailKind.BOUNCE and finding.reason in DEAD)
        assert finding.recipient is None or finding.recipient == finding.recipient.lower()
        (finding.recipient or "").encode()
        assert finding.status is None or finding.status[0] in "245"
    recipients = [finding.recipient for finding in read.findings if finding.recipient]
    assert len(recipients) == len(set(recipients)) or read.findings[0].kind is not MailKind.BOUNCE


@given(raw=st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read(raw: bytes) -> None:
    check(raw)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_broken_reports_are_read(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)).raw)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        match data.draw(st.integers(0, 2)):
            case 0:
                raw[at : at + data.draw(st.integers(1, 200))] = b""
            case 1:
                raw[at:at] = data.draw(st.binary(max_size=30))
            case _:
                other = data.draw(st.sampled_from(SAMPLES)).raw
                raw[at:at] = other[data.draw(st.integers(0, len(other))) :][:400]
    check(bytes(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\n\n" * 2_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)),
        b"Content-Type: message/rfc822\n\n" * 3_000,
        b"Subject: " + b"=?utf-8?b?" * 5_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"<a@example.org>:\n" * 5_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"unknown user " * 20_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"a" * 200_000 + b"@" + b"b." * 20_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + (b"-" * 70 + b"\n") * 1_400,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"<a@example.org> " * 10_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"550-5.1.1 the user account mailbox is\n" * 5_000,
        b"Content-Type: text/html\n\n" + b"<div " * 50_000,
        b"Content-Type: text/html\n\n" + b"<blockquote>" * 20_000,
        b"Content-Type: text/plain; charset=utf-7\n\n+2AA-",
        b"Content-Type: text/plain; charset=unicode_escape\n\n\\ud800\xff",
        b"Content-Type: text/plain; charset=idna\n\n" + b"\xe9" * 4_000,
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n\n"
        + b"Final-Recipient: rfc822; a@example.org\nAction: failed\n\n"
        * 3_000,
        b"From: MAILER-DAEMON\nSubject: Returned mail\n\n" + b"_" * 100_000 + b" " + b"a_" * 50_000,
        b"From: MAILER-DAEMON\nSubject: \x1b$B" + b"%" * 9_999 + b"\n\n" + b"a@example.org refused\n" * 9_000,
        b"From: MAILER-DAEMON\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
        b"From: MAILER-DAEMON\nContent-Transfer-Encoding: base64\n\n" + b"QUJDREVGR0gg\n" * 400_000,
        b"Subject: a\n" + b" b\n" * 300_000,
        b'From: no-reply@events.example\n\n{"notificationType":' + b"[" * 100_000,
        b'Subject: a\n\n{"notificationType":"Bounce","bounce":{"bouncedRecipients":[1,[2],{"emailAddress":[3]}]}}',
    ],
    ids=range(23),
)
def test_hostile_mail_is_read(raw: bytes) -> None:
    check(raw)


def test_a_recipient_spoken_of_twice_is_found_once_and_the_worse_news_counts() -> None:
    blocks = "".join(
        f"Final-Recipient: rfc822; a@example.org\nAction: {action}\nStatus: {status}\n\n"
        for action, status in (("delayed", "4.4.1"), ("failed", "5.1.1"))
    )
    raw = (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{blocks}--b--\n"
    )
    assert [line(finding) for finding in read_mail(raw.encode())] == [
        "bounce a@example.org hard 5.1.1 failed unknown_user"
    ]
