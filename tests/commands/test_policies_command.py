"""`outreach policies`: what counsel must confirm, one rule in words, and what another version would change."""

import asyncio
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from tests.support.book import START, Someone, put
from tests.support.house import a_house, rows
from tests.support.source import ROOT
from tests.support.touching import plan_touch, step_to

PACKS = ROOT / "config" / "policies"


def outreach(*args: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["policies", *args], env={"COLUMNS": "200", "OUTREACH_MODE": "sandbox", **env})


def listed(*args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(outreach("list", "--json", *args).stdout)
    return found


@pytest.fixture(scope="module")
def stricter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped packs with evenings cut short, one touch in seven days, and a rule of its own."""
    folder = tmp_path_factory.mktemp("packs")
    shutil.copytree(PACKS, folder, dirs_exist_ok=True)
    house = folder / "house.yaml"
    text = house.read_text("utf-8").replace('end: "20:50"', 'end: "09:00"', 1)
    text += """
  - id: house.no_ivr
    shape: bar
    summary: No keypad calls at all.
    channels: [ivr]
    code: place.work
    citation: house policy
    source: house policy
    confidence: high
    in_force_from: 2024-01-01
"""
    house.write_text(text, "utf-8")
    return folder


@pytest.fixture
def lived(database: str) -> str:
    put(database, ada := Someone())
    plan_touch(database, ada)
    plan_touch(database, ada, at=START + timedelta(hours=2))

    async def live() -> None:
        async with a_house(database) as house:
            await step_to(house, START)
            await step_to(house, START + timedelta(hours=2))

    asyncio.run(live())
    return database


def test_every_rule_is_listed_with_where_it_stands() -> None:
    found = listed()
    assert len(found) > 200
    assert all(one["id"] and one["summary"] and one["citation"] and one["source"] and one["asks"] for one in found)
    assert {"draft", "superseded", "in_force"} <= {one["status"] for one in found}


def test_filters_narrow_the_list_together() -> None:
    low = listed("--confidence", "low")
    assert low
    assert {one["confidence"] for one in low} == {"low"}
    duties = listed("--duties")
    assert {one["shape"] for one in duties} == {"duty"}
    both = listed("--duties", "--confidence", "low")
    assert {one["id"] for one in both} == {one["id"] for one in low} & {one["id"] for one in duties}
    assert {one["shape"] for one in listed("--shape", "gap")} == {"gap"}
    assert {one["status"] for one in listed("--status", "superseded")} == {"superseded"}


def test_a_place_brings_all_that_lies_in_it_and_nothing_above() -> None:
    assert {one["jurisdiction"] for one in listed("--jurisdiction", "US-NY")} == {"US-NY", "US-NY-NYC"}
    assert {one["jurisdiction"] for one in listed("--jurisdiction", "any")} <= {"any"}


def test_the_table_for_counsel_shows_summary_citation_and_note() -> None:
    text = outreach("list", "--confidence", "low").stdout
    first = listed("--confidence", "low")[0]
    assert first["id"] in text
    assert "Note: " in text
    assert re.search(r"\d+ rules: \d+ (duty|duties) that no machine decides, \d+ of low confidence", text)


def test_an_unknown_shape_is_answered_with_those_there_are() -> None:
    answer = outreach("list", "--shape", "gapp")
    assert answer.exit_code == 2
    assert "did you mean gap" in answer.stderr


def test_one_rule_is_shown_in_words() -> None:
    text = outreach("show", "US-REGF-7IN7").stdout
    for words in (
        "At most 7 attempts about this debt in any 7 days.",
        "Binds those who collect for the creditor, or bought the debt.",
        "presumption of law, kept like law",
        "12 CFR 1006.14(b)(2)(i)(A)",
        "from 2021-11-30",
    ):
        assert words in text, text


def test_an_unknown_rule_is_answered_with_the_nearest() -> None:
    answer = outreach("show", "US-REGF-7IN8")
    assert answer.exit_code == 1
    assert "US-REGF-7IN7" in answer.stderr


def test_equal_policies_have_no_difference() -> None:
    text = outreach("diff", str(PACKS), str(PACKS), "--days", "0").stdout
    assert "Rules: 0 added, 0 removed, 0 changed." in text


def test_rules_are_compared_field_by_field_without_a_database(stricter: Path) -> None:
    answer = outreach(
        "diff", str(PACKS), str(stricter), "--days", "0", "--json", OUTREACH_DATABASE_URL="postgresql://no.test/x"
    )
    found = json.loads(answer.stdout)
    changes = {one["rule_id"]: one for one in found["rules"]}
    assert {name: one["kind"] for name, one in changes.items()} == {"house.hours": "changed", "house.no_ivr": "added"}
    assert [field[0] for field in changes["house.hours"]["fields"]] == ["hours"]
    assert found["decisions"] is None
    back = json.loads(outreach("diff", str(stricter), str(PACKS), "--days", "0", "--json").stdout)
    assert {one["rule_id"]: one["kind"] for one in back["rules"]}["house.no_ivr"] == "removed"


def test_decisions_are_taken_again_under_both(lived: str, stricter: Path) -> None:
    ((version,),) = rows(lived, "select distinct policy_version from decision")
    answer = outreach("diff", version, str(stricter), "--json", OUTREACH_DATABASE_URL=lived)
    found = json.loads(answer.stdout)["decisions"]
    assert found["decided"] == 2
    assert found["changes"] == {"send to defer": 1}
    assert found["by_rule"]["house.hours"]["send to defer"] == 1
    assert found["by_jurisdiction"]["US-NY"]["send to defer"] == 1
    ((touch,),) = rows(lived, "select touch_id::text from attempt")
    assert found["samples"]["send to defer"] == [touch]
    text = outreach("diff", version, str(stricter), OUTREACH_DATABASE_URL=lived).stdout
    assert "1 would have come out otherwise." in text
    assert re.search(r"1  send to defer +such as touch " + touch, text)


def test_only_the_last_days_are_taken_again(lived: str, stricter: Path) -> None:
    async def later() -> None:
        async with a_house(lived) as house:
            await step_to(house, START + timedelta(days=3))

    asyncio.run(later())
    count = rows(lived, "select count(*) from decision where at > %s", START + timedelta(days=1))[0][0]
    assert count >= 1
    answer = outreach("diff", str(PACKS), str(stricter), "--days", "1", "--json", OUTREACH_DATABASE_URL=lived)
    assert (
        json.loads(answer.stdout)["decisions"]["decided"]
        == rows(lived, "select count(*) from decision where at > (select max(at) from decision) - interval '1 day'")[0][
            0
        ]
    )


def test_nothing_decided_yet_is_said(database: str) -> None:
    answer = outreach("diff", str(PACKS), str(PACKS), OUTREACH_DATABASE_URL=database)
    assert (answer.exit_code, "Nothing has been decided yet." in answer.stdout) == (0, True)


def test_what_is_neither_folder_nor_version_is_refused_with_what_is_stored(lived: str) -> None:
    ((version,),) = rows(lived, "select distinct policy_version from decision")
    answer = outreach("diff", "0000", str(PACKS), OUTREACH_DATABASE_URL=lived)
    assert answer.exit_code == 2
    assert version in answer.stderr
    assert "Traceback" not in answer.stderr


def test_packs_with_faults_are_reported_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("pack: any\nrules: [{id: a}]\n", "utf-8")
    answer = outreach("diff", str(tmp_path), str(PACKS), "--days", "0")
    assert answer.exit_code == 2
    assert "x.yaml:2" in answer.stderr
