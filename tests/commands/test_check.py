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


def test_what_ships_is_without_a_problem_and_needs_no_secrets() -> None:
    code, out = check(ROOT / "config")
    assert code == 0
    assert "0 problems\n" in out
    assert re.search(r"\d+ warnings; outreach check --warnings lists them\n", out)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        ("plans/pre_due.yaml", "offset:", "ofset:", "did you mean offset"),
        ("campaigns/pre_due_daily.yaml", "plan: pre_due", "plan: pre_do", "no plan"),
        ("policies/house.yaml", "citation:", "citaton:", "citaton"),
        ("creditors.yaml", "pay_url:", "pay_ulr:", "pay_ulr"),
        ("arrangements.yaml", "currency:", "curency:", "curency"),
        ("channels.yaml", "concurrency:", "concurency:", "concurency"),
        ("dialogues/installments.yaml", "max_turns:", "max_tuns:", "max_tuns"),
    ],
)
def test_a_typo_is_reported_with_file_line_and_column(
    file: str, right: str, wrong: str, said: str, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    target = config / file
    text = target.read_text("utf-8")
    assert right in text
    target.write_text(text.replace(right, wrong, 1), "utf-8")
    code, out = check(config)
    assert code == 1
    line = text[: text.index(right)].count("\n") + 1
    places = re.findall(rf"^{re.escape(str(target))}:(\d+):\d+ .*{re.escape(said)}", out, re.MULTILINE)
    assert str(line) in places, out


def test_what_people_must_look_at_in_the_packs_is_counted_and_is_no_problem() -> None:
    code, out = check(ROOT / "config")
    assert code == 0
    assert re.search(
        r"Policy packs hold \d+ rules: \d+ duties that no machine decides, \d+ of low confidence, "
        r"\d+ drafts that are not applied, \d+ superseded\.\n",
        out,
    )
