"""Reads tests/corpus/bounces: mails that came back, with what they say."""

import base64
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "corpus" / "bounces"
_DEFAULTS = (
    ("to", "To: bounce+rt-9@mail.example.com"),
    ("date", "Date: Tue, 10 Mar 2026 09:00:07 +0000"),
    ("message-id", "Message-ID: <b-77@back.example.net>"),
)
_RETURNED = """Return-Path: <bounce+rt-9@mail.example.com>
Received: from mail.example.com (mail.example.com [192.0.2.1])
	by relay.example.net with ESMTP id 4F1A2B3C4D; Tue, 10 Mar 2026 09:00:00 +0000
From: Lender <notices@mail.example.com>
To: {}
Message-ID: <att-1@mail.example.com>
Subject: Your payment

Hello"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail and the lines it is to be read as."""

    name: str
    raw: bytes
    expected: tuple[str, ...]


def samples() -> Iterator[Sample]:
    """Yield every mail of the corpus."""
    for path in sorted(FOLDER.glob("*.txt")):
        for block in re.split(r"(?m)^### ", path.read_text("utf-8"))[1:]:
            yield _sample(path.stem, block)


def _sample(file: str, block: str) -> Sample:
    name, _, rest = block.partition("\n")
    lines = rest.split("\n")
    expected = tuple(line[2:] for line in lines if line.startswith("= "))
    charset = next((line.partition("=")[2] for line in lines if line.startswith("! charset=")), "utf-8")
    mail = "\n".join(line for line in lines if not line.startswith(("= ", "! ")))
    head, _, body = mail.partition("\n\n")
    given = {line.partition(":")[0].lower() for line in head.split("\n")}
    head = "\n".join([*(line for key, line in _DEFAULTS if key not in given), head])
    body = re.sub(r"(?m)^%returned (\S+)$", lambda found: _RETURNED.format(found[1]), body)
    body = re.sub(r"(?m)^%dsn (.+)$", _report, body)
    body = re.sub(r"(?m)^%part (.+)$", r"--b1\nContent-Type: \1\n", body)
    body = re.sub(r"(?m)^%end$", "--b1--", body)
    if "! report" in lines:
        head += '\nContent-Type: multipart/report; report-type=delivery-status; boundary="b1"'
    octets = body.encode(charset, "replace")
    encoding = next((line[2:] for line in lines if line in _ENCODED), None)
    if encoding:
        head, octets = f"{head}\nContent-Transfer-Encoding: {encoding}", _ENCODED[f"! {encoding}"](octets)
    return Sample(f"{file}: {name}", f"{head}\n\n".encode(charset, "replace") + octets, expected)


_ENCODED = {"! base64": base64.encodebytes, "! quoted-printable": quopri.encodestring}


def _report(found: re.Match[str]) -> str:
    """Write ``recipient|action|status|diagnostic`` as the part of RFC 3464 that says so."""
    recipient, action, status, said = found[1].split("|", 3)
    fields = {"Final-Recipient": f"rfc822; {recipient}", "Action": action, "Status": status, "Diagnostic-Code": said}
    block = "\n".join(f"{name}: {value}" for name, value in fields.items() if value)
    return f"--b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n{block}"
