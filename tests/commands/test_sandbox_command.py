"""`outreach sandbox`: what it prints points an installation at it, and its page of the manual is complete."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from channels.config import load_channels
from channels.sandbox.desk import MAIL_SWITCHES, PHONE_SWITCHES
from channels.sandbox.faults import NAMES
from outreach.cli import app
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "channels" / "sandbox.md").read_text("utf-8")
_EXPORT = re.compile(r"export (\w+)='([^']*)'\n")


@contextmanager
def running(*more: str) -> Iterator[str]:
    """Run the command on free ports; yield what it prints until it has said everything."""
    command = [sys.executable, "-m", "outreach", "sandbox", "--http", "0", "--smtp", "0", *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        try:
            while "/sandbox/state" not in said:
                line = process.stdout.readline()
                assert line, f"it ended: {process.wait()}"
                said += line
            yield said
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_it_prints_settings_that_point_the_shipped_channels_at_it() -> None:
    with running("--callback-base", "http://127.0.0.1:9") as said:
        environ = dict(_EXPORT.findall(said))
        blocks = load_channels(ROOT / "config" / "channels.yaml", environ)
        assert {block.options.get("base_url") for block in blocks.values()} >= {environ["OUTREACH_TWILIO_BASE_URL"]}
        assert all(line.startswith(("#", "export ")) for line in said.splitlines())  # a shell can read it as it is
        assert environ["OUTREACH_PUBLIC_URL"] == "http://127.0.0.1:9"
        (page,) = re.findall(r"http://\S+/handsets", said)
        account = environ["OUTREACH_TWILIO_ACCOUNT_SID"], environ["OUTREACH_TWILIO_AUTH_TOKEN"]
        form = {"To": "+12025550143", "From": environ["OUTREACH_SMS_SENDER"], "Body": "What the command sent"}
        url = f"{environ['OUTREACH_TWILIO_BASE_URL']}/2010-04-01/Accounts/{account[0]}/Messages.json"
        assert httpx.post(url, data=form, auth=account).status_code == 201
        assert "What the command sent" in httpx.get(page).text


@pytest.mark.parametrize("port", ["eighty", "70000", "127.0.0.1:", ""])
def test_a_port_that_cannot_be_is_an_error_and_says_so(port: str) -> None:
    answer = CliRunner().invoke(app, ["sandbox", "--http", port])
    assert (answer.exit_code, "neither a port nor HOST:PORT" in answer.output) == (2, True)


def test_a_script_that_cannot_be_read_is_an_error_and_says_so(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["sandbox", "--script", str(tmp_path / "none.yaml")])
    assert answer.exit_code == 2


def test_the_manual_names_every_fault_and_no_other() -> None:
    table = PAGE.partition("## Faults")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {*NAMES, "latency_ms"}


def test_every_switch_says_what_it_does() -> None:
    for switches in (PHONE_SWITCHES, MAIL_SWITCHES):
        assert all(": " in said for said, _ in switches.values())


def test_the_screenshot_of_the_manual_is_there_and_small() -> None:
    (name,) = re.findall(r"\]\(([\w-]+\.png)\)", PAGE)
    assert 0 < (ROOT / "docs" / "channels" / name).stat().st_size < 60_000
