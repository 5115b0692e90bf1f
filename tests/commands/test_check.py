"""`outreach check`: one wrong key in any section is reported where it stands."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.cli import app
from tests.support.source import ROOT


def check(config: Path) -> tuple[int, str]:
    """Check a folder; returns exit code and output."""
    answer = CliRunner().invoke(app, ["check", "--config", str(config)], env={"COLUMNS": "400"})
    return answer.exit_code, answer.stdout


@pytest.fixture(scope="module")
def shipped() -> tuple[int, str]:
    """What the command says of what ships; it takes seconds, so it is asked once."""
    return check(ROOT / "config")


def test_what_ships_is_without_a_problem_and_needs_no_secrets(shipped: tuple[int, str]) -> None:
    code, out = shipped
    assert code == 0
    assert "0 problems\n" in out
    assert re.search(r"\d+ warnings; outreach check --warnings lists them\n", out)


TYPOS = (
    ("plans/pre_due.yaml", "offset:", "ofset:", "did you mean offset"),
    ("campaigns/pre_due_daily.yaml", "plan: pre_due", "plan: pre_do", "no plan"),
    ("policies/house.yaml", "citation:", "citaton:", "citaton"),
    ("creditors.yaml", "pay_url:", "pay_ulr:", "pay_ulr"),
    ("arrangements.yaml", "currency:", "curency:", "curency"),
    ("channels.yaml", "concurrency:", "concurency:", "concurency"),
    ("dialogues/installments.yaml", "max_turns:", "max_tuns:", "max_tuns"),
)


def test_typos_in_seven_files_are_all_reported_with_file_line_and_column(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    wanted = []
    for file, right, wrong, said in TYPOS:
        target = config / file
        text = target.read_text("utf-8")
        assert right in text
        target.write_text(text.replace(right, wrong, 1), "utf-8")
        wanted.append((target, text[: text.index(right)].count("\n") + 1, said))
    code, out = check(config)
    assert code == 1
    for target, line, said in wanted:
        places = re.findall(rf"^{re.escape(str(target))}:(\d+):\d+ .*{re.escape(said)}", out, re.MULTILINE)
        assert str(line) in places, out


def test_what_people_must_look_at_in_the_packs_is_counted_and_is_no_problem(shipped: tuple[int, str]) -> None:
    code, out = shipped
    assert code == 0
    assert re.search(
        r"Policy packs hold \d+ rules: \d+ duties that no machine decides, \d+ of low confidence, "
        r"\d+ drafts that are not applied, \d+ superseded\.\n",
        out,
    )
