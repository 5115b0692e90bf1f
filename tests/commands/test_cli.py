"""The command line as a whole: what it lists without importing anything is what the commands say of themselves."""

import subprocess
import sys
from inspect import cleandoc

import pytest
from typer import Context
from typer.main import get_command
from typer.testing import CliRunner

from outreach.cli import COMMANDS, app, load
from tests.support.source import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_paragraph_of_its_own_help(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert COMMANDS[name][1] == " ".join(cleandoc(command.help).split("\n\n")[0].split())


def test_listing_the_commands_imports_none_of_them() -> None:
    code = "import sys; from outreach.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    listed, modules = ran.stdout.rsplit("\n", 2)[:2]
    assert all(name in listed for name in COMMANDS)
    assert sorted(each for each in modules.split() if each.startswith(("outreach", "channels"))) == [
        "outreach",
        "outreach.cli",
    ]


def test_completion_offers_commands_and_what_is_below_them() -> None:
    group = get_command(app)
    around = Context(group, info_name="outreach")
    assert [each.value for each in group.shell_complete(around, "po")] == ["portal", "policies"]
    name, case, rest = group.resolve_command(around, ["case", "show"])
    assert (name, rest) == ("case", ["show"])
    assert [each.value for each in case.shell_complete(Context(case, parent=around), "")] == ["show", "explain"]


def test_an_unknown_command_is_refused_with_the_nearest_name() -> None:
    answer = CliRunner().invoke(app, ["campain"])
    assert answer.exit_code == 2
    assert "campaign" in answer.output
