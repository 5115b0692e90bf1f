"""`outreach bounces parse`: JSON Lines out, errors by file on standard error, never a traceback."""

from pathlib import Path

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from outreach.cli import app

BOUNCE = (
    b"From: MAILER-DAEMON@relay.example.net\nTo: bounce+rt-9@mail.example.com\nSubject: failure notice\n\n"
    b"<%b@example.org>:\n550 5.1.1 unknown user\n"
)
REPLY = b"From: Ana <Ana@example.org>\nTo: reply+rt-9@mail.example.com\nSubject: Re: due\n\nOn Friday.\n"
FIELDS = ["file", "kind", "recipient", "hard", "status", "action", "reason"]


def parse(*files: str, given: bytes | None = None) -> tuple[list[dict[str, object]], str, int]:
    result = CliRunner().invoke(app, ["bounces", "parse", *files], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [orjson.loads(line) for line in result.stdout_bytes.splitlines()], result.stderr, result.exit_code


def test_a_line_for_each_recipient_with_every_field(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(BOUNCE % b"leo")
    lines, errors, code = parse(str(path))
    assert (errors, code) == ("", 0)
    assert lines == [
        {
            "file": str(path), "kind": "bounce", "recipient": "leo@example.org", "hard": True, "status": "5.1.1",
            "action": "failed", "reason": "unknown_user",
        }
    ]  # fmt: skip
    assert list(lines[0]) == FIELDS


def test_a_person_is_a_reply(tmp_path: Path) -> None:
    path = tmp_path / "reply.eml"
    path.write_bytes(REPLY)
    ((line,), _, code) = parse(str(path))
    assert (line["kind"], line["recipient"], line["hard"], line["reason"], code) == (
        "reply", "ana@example.org", False, None, 0,
    )  # fmt: skip


def test_folders_are_read_in_order_and_hidden_files_are_not(tmp_path: Path) -> None:
    for name in ("b.eml", "a.eml", ".hidden", "cur/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(BOUNCE % b"leo")
    lines, _, code = parse(str(tmp_path))
    assert ([line["file"] for line in lines], code) == ([str(tmp_path / n) for n in ("a.eml", "b.eml", "cur/c")], 0)


def test_standard_input_is_a_dash() -> None:
    lines, _, code = parse("-", given=BOUNCE % b"leo")
    assert ([line["file"] for line in lines], code) == (["-"], 0)


def test_an_mbox_holds_many(tmp_path: Path) -> None:
    path = tmp_path / "box"
    separator = b"From MAILER-DAEMON Tue Mar 10 09:00:07 2026\n"
    path.write_bytes(b"\n".join(separator + BOUNCE % name for name in (b"ana", b"leo", b"mei")))
    lines, _, code = parse(str(path))
    assert ([line["recipient"] for line in lines], code) == (
        ["ana@example.org", "leo@example.org", "mei@example.org"], 0,
    )  # fmt: skip


def test_a_returned_mail_that_holds_a_from_line_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "one"
    inner = b"From someone Tue Mar 10 09:00:00 2026\nReceived: from x\nFrom: notices@mail.example.com\n\nhi\n"
    report = (
        b"From MAILER-DAEMON Tue Mar 10 09:00:07 2026\nFrom: MAILER-DAEMON@relay.example.net\n"
        b'Content-Type: multipart/mixed; boundary="b"\nSubject: failure notice\n\n'
        b"--b\n\n<leo@example.org>: unknown user\n"
        b"--b\nContent-Type: message/rfc822\n\n" + inner + b"--b--\n"
    )
    path.write_bytes(report)
    lines, _, _ = parse(str(path))
    assert [line["recipient"] for line in lines] == ["leo@example.org"]


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    good, empty, missing = tmp_path / "good.eml", tmp_path / "empty.eml", tmp_path / "missing.eml"
    good.write_bytes(BOUNCE % b"leo")
    empty.write_bytes(b"")
    lines, errors, code = parse(str(missing), str(empty), str(good))
    assert ([line["file"] for line in lines], code) == ([str(good)], 2)
    assert str(missing) in errors
    assert str(empty) in errors


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dangling.eml"
    path.symlink_to(tmp_path / "gone.eml")
    _, errors, code = parse(str(path))
    assert str(path) in errors
    assert code == 2


@given(raw=st.binary(min_size=1, max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_gives_lines_or_an_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "any.eml"
    path.write_bytes(raw)
    lines, errors, code = parse(str(path))
    assert (code, bool(errors)) == ((0, False) if lines else (2, True))
    assert all(list(line) == FIELDS for line in lines)
