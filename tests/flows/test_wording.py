"""What a touch would say is judged at the gate before it is written: what is missing or forbidden is named."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from outreach.policy.codec import facts_from_json
from outreach.policy.gate import decide
from tests.support.book import Someone, put
from tests.support.house import a_house, rows, run_lanes
from tests.support.source import ROOT
from tests.support.touching import attempts, fake, plan_touch, told, touch

Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Copy a folder of the project with pieces of some files replaced."""

    def copy(folder: str, **files: tuple[str, str]) -> Path:
        target = tmp_path / folder
        shutil.copytree(ROOT / folder, target)
        for name, (old, new) in files.items():
            path = target / name.replace("__", "/").replace("_j2", ".j2")
            text = path.read_text("utf-8")
            assert old in text
            path.write_text(text.replace(old, new), "utf-8")
        return target

    return copy


def reasons(database: str) -> list[dict[str, Any]]:
    """Return the reasons of the only decision."""
    ((found,),) = rows(database, "select reasons from decision")
    return list(found)


def named(database: str, rule_id: str) -> dict[str, str]:
    """Return what one rule's reason says of the facts it used."""
    (found,) = [each for each in reasons(database) if each["rule_id"] == rule_id]
    return dict(found["facts"])


async def test_the_facts_of_a_decision_say_what_the_words_held(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
    ((facts,),) = rows(database, "select facts from decision")
    assert {"creditor_name", "opt_out_line", "amount_due"} <= set(facts["content"]["disclosures"])
    assert facts["content"]["families"] == []
    assert facts["content"]["media"] == "sms"


async def test_a_text_without_a_way_out_is_not_sent_and_the_way_out_is_named(database: str, changed: Changed) -> None:
    path = changed("templates", **{"en__reminder.sms_j2": (", {{ words.opt_out }}", "")})
    put(database, ada := Someone(email=None))
    key = plan_touch(database, ada)
    async with a_house(database, OUTREACH_TEMPLATES=str(path)) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house).sent == []
    assert touch(database, key)["reason"] == "content.missing"
    assert named(database, "house.statements")["missing"] == "opt_out_line"


async def test_a_threat_in_a_template_is_not_sent_and_the_family_is_named(database: str, changed: Changed) -> None:
    path = changed("templates", **{"en__missed_payment.sms_j2": ("It happens: you can", "Or go to JAIL. You can")})
    put(database, ada := Someone(email=None))
    key = plan_touch(database, ada)
    async with a_house(database, OUTREACH_TEMPLATES=str(path)) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house).sent == []
    assert touch(database, key)["reason"] == "content.forbidden"
    assert named(database, "US-UDAAP.words")["found"] == "arrest_threat"
    assert named(database, "house.words")["found"] == "arrest_threat"


async def test_another_channel_is_used_when_only_the_words_of_one_are_barred(database: str, changed: Changed) -> None:
    path = changed("templates", **{"en__missed_payment.sms_j2": ("It happens: you can", "This is urgent. You can")})
    put(database, ada := Someone())
    key = plan_touch(database, ada, fallback=("email",))
    async with a_house(database, OUTREACH_TEMPLATES=str(path)) as house:
        assert await run_lanes(house) == {"fell_back": 1, "sent": 1}
        assert fake(house).sent == []
        assert len(fake(house, "email").sent) == 1
    assert told(database, "touch.fell_back")[0]["touch_id"] == str(key)


@pytest.mark.parametrize("name", ["you will be arrested", "Pay within 2 hours"])
async def test_a_name_that_is_more_than_a_name_is_judged_like_any_words(database: str, name: str) -> None:
    put(database, ada := Someone(given_name=name, email=None))
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
    assert "content.forbidden" in {each["code"] for each in reasons(database)}


async def test_a_person_may_be_called_judge(database: str) -> None:
    put(database, ada := Someone(given_name="Judge", family_name="Police"))
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}


async def test_whoever_collects_for_others_prints_what_the_law_asks_of_them(database: str, changed: Changed) -> None:
    config = changed("config", **{"creditors.yaml": ("role: first_party", "role: agency")})
    put(database, ada := Someone())
    plan_touch(database, ada)
    plan_touch(database, ada, channel="voice", template="pre_due")
    async with a_house(database, OUTREACH_CONFIG=str(config)) as house:
        await run_lanes(house)
    found = dict(rows(database, "select channel, facts from decision"))
    assert {"mini_miranda", "debt_collector_disclosure"} <= set(found["sms"]["content"]["disclosures"])
    assert "mini_miranda" not in found["voice"]["content"]["disclosures"]
    ((against,),) = rows(database, "select reasons from decision where channel = 'voice'")
    missing = {each["rule_id"]: dict(each["facts"])["missing"] for each in against if each["code"] == "content.missing"}
    assert missing["US-REGF-IDENTITY"] == "collector_name"
    assert missing["US-REGF-MINIMIRANDA"] == "debt_collector_disclosure,mini_miranda"


async def test_a_collector_names_itself_in_a_notice(database: str, changed: Changed) -> None:
    config = changed("config", **{"creditors.yaml": ("role: first_party", "role: agency")})
    old = "    notices:\n      # 15"
    new = "    notices:\n      collector_name: Example Recovery writes on behalf of the lender.\n      # 15"
    templates = changed("templates", **{"locales.yaml": (old, new)})
    put(database, ada := Someone(jurisdictions=["US-NY", "US-NY-NYC"]))
    plan_touch(database, ada, channel="email")
    async with a_house(database, OUTREACH_CONFIG=str(config), OUTREACH_TEMPLATES=str(templates)) as house:
        await run_lanes(house)
    ((facts,),) = rows(database, "select facts from decision")
    assert "collector_name" in facts["content"]["disclosures"]


async def test_a_call_leaves_nothing_on_a_machine_when_a_rule_objects_to_the_voicemail_only(
    database: str, changed: Changed
) -> None:
    path = changed("templates", **{"en__reminder.voice_j2": ("{{ words.call_opt_out }}", "")})
    put(database, ada := Someone(phone_type="fixed_line"))
    plan_touch(database, ada, channel="voice", template="pre_due")
    async with a_house(database, OUTREACH_TEMPLATES=str(path)) as house:
        assert await run_lanes(house) == {"sent": 1}
    (attempt,) = attempts(database)
    assert set(orjson.loads(attempt["body"])) == {"live"}


async def test_a_voicemail_that_says_what_it_must_is_left(database: str) -> None:
    put(database, ada := Someone(phone_type="fixed_line"))
    plan_touch(database, ada, channel="voice", template="pre_due")
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
    (attempt,) = attempts(database)
    assert set(orjson.loads(attempt["body"])) == {"live", "voicemail"}


async def test_a_voicemail_that_hints_at_money_is_not_left(database: str, changed: Changed) -> None:
    path = changed("templates", **{"en__reminder.voice_j2": ("{{ words.call_opt_out }}", "It is about your loan.")})
    put(database, ada := Someone())
    plan_touch(database, ada, channel="voice", template="pre_due")
    async with a_house(database, OUTREACH_TEMPLATES=str(path)) as house:
        # The template is not fit to be used at all: what is wrong with it stands in `outreach check`.
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house, "voice").sent == []


async def test_stored_content_decides_the_same_again(database: str) -> None:
    put(database, ada := Someone(given_name="you will be arrested", email=None))
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        policy = house.policy
    with psycopg.connect(database) as connection:
        row = connection.execute("select at, verdict, facts::text, reasons from decision").fetchone()
    assert row is not None
    again = decide(facts_from_json(row[2].encode()), policy, row[0])
    assert again.verdict == row[1]
    assert [reason.rule_id for reason in again.reasons] == [each["rule_id"] for each in row[3]]
