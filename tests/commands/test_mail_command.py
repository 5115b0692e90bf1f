"""`outreach mail`: the processes as they are started, on real sockets, and what doctor says of them."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.stack import free_port
from tests.support.book import Someone, put
from tests.support.house import rows
from tests.support.imap_server import PASSWORD, USER, imap_server

ENV = {
    "OUTREACH_MODE": "sandbox", "OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "OUTREACH_TWILIO_AUTH_TOKEN": "token",
    "OUTREACH_SMS_SENDER": "+12025550143", "OUTREACH_EMAIL_REPLY_TO": "reply@mail.example.com",
    "OUTREACH_SMTP_TLS": "none",
}  # fmt: skip
STOP = b"From: Ada <ada@example.com>\r\nTo: reply@mail.example.com\r\nMessage-ID: <1@example.com>\r\n\r\nSTOP\r\n"


def outreach(database: str, *args: str, **env: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"OUTREACH_DATABASE_URL": database, **ENV, **env})


def channels_stopped(database: str) -> int:
    return int(rows(database, "select count(*) from suppression where lifted_at is null")[0][0])


@contextmanager
def running(database: str, *args: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command as a process of its own until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "outreach", *args],
        env=os.environ | {"OUTREACH_DATABASE_URL": database, **ENV, **env},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_listener_takes_mail_until_it_is_told_to_end_and_logs_nothing_personal(database: str) -> None:
    put(database, Someone())
    port = free_port()
    with running(database, "mail", "listen", "--on", f"lmtp://127.0.0.1:{port}", OUTREACH_LOG_LEVEL="DEBUG") as process:
        assert process.stderr is not None
        log = ""
        while "listening for mail" not in log:
            line = process.stderr.readline()
            assert line, log
            log += line
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example.com") as mail_system:
            mail_system.sendmail("ada@example.com", ["reply@mail.example.com"], STOP)
        assert channels_stopped(database) == 4
        process.send_signal(signal.SIGTERM)
        log += process.communicate(timeout=30)[1]
        assert process.returncode == 0
    assert "mail taken" in log
    assert "ada" not in log.lower()
    assert "STOP" not in log


def test_a_place_that_is_taken_is_a_sentence(database: str) -> None:
    with imap_server() as other:
        result = outreach(database, "mail", "listen", "--on", f"lmtp://127.0.0.1:{other.port}")
    assert result.exit_code == 2
    assert "OUTREACH_MAIL_LISTEN: cannot listen there" in result.stderr


def test_the_poller_looks_once_and_doctor_says_when(database: str) -> None:
    put(database, Someone())
    with imap_server() as server:
        env = {
            "OUTREACH_IMAP_HOST": "127.0.0.1", "OUTREACH_IMAP_PORT": str(server.port), "OUTREACH_IMAP_TLS": "none",
            "OUTREACH_IMAP_USERNAME": USER, "OUTREACH_IMAP_PASSWORD": PASSWORD,
        }  # fmt: skip
        before = json.loads(outreach(database, "doctor", "--json", **env).stdout)["mail_intake"]
        assert before == {
            "posted": False, "listener": None, "mailbox": f"{USER}@127.0.0.1/INBOX", "mailbox_read_at": None,
        }  # fmt: skip
        server.add(STOP)
        result = outreach(database, "mail", "poll", "--once", **env)
        assert (result.exit_code, result.stdout) == (0, "1 mails taken\n"), result.stderr
        assert channels_stopped(database) == 4
        after = outreach(database, "doctor", "--json", OUTREACH_MAIL_LISTEN="lmtp://127.0.0.1:8024", **env)
        told = json.loads(after.stdout)["mail_intake"]
        assert told["listener"] == "lmtp://127.0.0.1:8024"
        assert told["mailbox_read_at"] is not None
        assert PASSWORD not in after.stdout
        wrong = outreach(database, "mail", "poll", "--once", **env | {"OUTREACH_IMAP_PASSWORD": "other"})
        assert wrong.exit_code == 1
        assert "the login or the folder is refused" in wrong.stderr


def test_what_is_not_configured_is_said(database: str) -> None:
    assert "OUTREACH_MAIL_LISTEN is not set" in outreach(database, "mail", "listen").stderr
    assert "OUTREACH_IMAP_HOST is not set" in outreach(database, "mail", "poll", "--once").stderr
    assert "mail intake" in (shown := outreach(database, "doctor").stdout)
    assert "not configured: bounces and answers by email are not taken in" in " ".join(shown.split())
