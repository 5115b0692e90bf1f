"""`outreach dialogues` and what `outreach check` says of the keys and words of calls."""

import shutil
from pathlib import Path

from typer.testing import CliRunner

from outreach.cli import app
from outreach.commands.checking import find_problems
from outreach.settings import ROOT, load_settings

RUNNER = CliRunner()


def test_every_dialogue_is_listed_and_can_be_drawn() -> None:
    listed = RUNNER.invoke(app, ["dialogues", "list"])
    assert listed.exit_code == 0
    assert "call: on ivr; begins on by itself" in listed.stdout
    drawn = RUNNER.invoke(app, ["dialogues", "draw", "installments"]).stdout
    assert drawn.startswith("stateDiagram-v2\n")
    assert "offered --> read_back: choose option if option open, then propose arrangement" in drawn
    assert "%% call" in RUNNER.invoke(app, ["dialogues", "draw"]).stdout


def test_a_name_or_format_that_is_not_there_is_said_with_those_that_are() -> None:
    for wrong in (["draw", "nope"], ["draw", "--format", "svg"]):
        answer = RUNNER.invoke(app, ["dialogues", *wrong])
        assert answer.exit_code == 2
        assert "installments" in answer.output or "mermaid" in answer.output


def test_check_finds_keys_that_no_prompt_tells_and_words_that_are_not_there(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    call = config / "dialogues" / "call.yaml"
    text = call.read_text("utf-8").replace("menu.pay: pay_now", "menu.buy: pay_now")
    text = text.replace('keys: {"0": wrong_party}', 'keys: {"7": wrong_party}')
    text = text.replace("say: agent_connect", "say: elsewhere").replace("say: pay_sent", "say: elsewhere")
    call.write_text(text.replace("send_text: pay_link", "send_text: no_such"), "utf-8")
    found = [(p.field, p.text) for p in find_problems(load_settings({}), config, ROOT / "templates")]
    told = "the prompt identity does not say key 7 in en-US, en-GB, es-US, es-MX, zh-CN"
    assert ("states.identity.keys.7", told) in found
    assert ("say", "no part elsewhere in the words of a call") in found
    assert ("send_text", "no template no_such for sms") in found
    assert any(field == "states.menu.keys.menu.buy" for field, _ in found)
