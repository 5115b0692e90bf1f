"""Mail that comes back is read for what it says: the corpus, every way a file may spell it, and any bytes at all."""

import pytest
from bounce_corpus import Sample, samples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.email.bounces import open_mail, read_mail
from channels.email.findings import DEAD, Action, Finding, MailKind

SAMPLES = list(samples())


def line(finding: Finding) -> str:
    fields = (
        finding.kind, finding.recipient, "hard" if finding.hard else "soft", finding.status, finding.action,
        finding.reason,
    )  # fmt: skip
    return " ".join(field or "-" for field in fields)


def lines(raw: bytes) -> list[str]:
    return sorted(line(finding) for finding in read_mail(raw))


def test_the_corpus_is_large_and_names_each_mail_once() -> None:
    assert len(SAMPLES) >= 120
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_mail_is_read_for_what_it_says(sample: Sample) -> None:
    assert lines(sample.raw) == sorted(sample.expected)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("spelling", ["crlf", "cr", "mbox", "blank lines first"])
def test_line_ends_and_envelopes_of_files_change_nothing(sample: Sample, spelling: str) -> None:
    raw = {
        "crlf": sample.raw.replace(b"\n", b"\r\n"),
        "cr": sample.raw.replace(b"\n", b"\r"),
        "mbox": b"From MAILER-DAEMON Tue Mar 10 09:00:07 2026\n" + sample.raw,
        "blank lines first": b"\n\n" + sample.raw,
    }[spelling]
    assert lines(raw) == sorted(sample.expected)
