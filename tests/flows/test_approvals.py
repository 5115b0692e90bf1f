"""In production nothing is sent in words that nobody approved, and it goes on by itself once somebody has."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from outreach.domain.words import Channel
from outreach.flows.approvals import Approvals, approve, revoke, standings
from outreach.flows.house import House
from outreach.rendering.catalog import Catalog, Template
from tests.support.book import Someone, put
from tests.support.house import START, a_house, run_lanes
from tests.support.source import ROOT
from tests.support.touching import attempts, fake, plan_touch, step_to, told, touch


@asynccontextmanager
async def production(database: str) -> AsyncIterator[House]:
    """Open a house that needs approvals and has read none yet."""
    async with a_house(database, OUTREACH_MODE="production") as house:
        yield replace(house, approvals=Approvals())


def template(house: House, name: str = "missed_payment", channel: Channel = Channel.SMS) -> Template:
    found = house.renderer.catalog.find(name, channel, "en-US")
    assert found is not None
    return found


async def test_words_that_nobody_approved_wait_and_say_so(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with production(database) as house:
        assert await run_lanes(house) == {"deferred": 1}
        assert fake(house).sent == []
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("deferred", "template.unapproved")
    assert told(database, "touch.deferred")[0]["reasons"] == ["template.unapproved"]
    assert attempts(database) == []


async def test_an_approval_lets_go_what_waited_for_it(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with production(database) as house:
        await run_lanes(house)
        assert await approve(house, [template(house)], "Robin", "spring review") == 1
        assert await approve(house, [template(house)], "Robin", "again") == 0
        assert await step_to(house, START + timedelta(seconds=2)) == {"sent": 1}


async def test_what_was_read_is_used_for_less_than_a_second(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=None) for n in range(3)]
    put(database, *people)
    async with production(database) as house:
        await approve(house, [template(house)], "Robin", "")
        plan_touch(database, people[0])
        assert await run_lanes(house) == {"sent": 1}
        assert await revoke(house, [template(house)], "Robin") == 1
        plan_touch(database, people[1])
        assert await step_to(house, START + timedelta(seconds=0.9)) == {"sent": 1}
        plan_touch(database, people[2])
        assert await step_to(house, START + timedelta(seconds=1)) == {"deferred": 1}


async def test_changed_words_need_a_new_approval(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with production(database) as house:
        await approve(house, [replace(template(house), hash="what it said before")], "Robin", "")
        assert await run_lanes(house) == {"deferred": 1}
        async with house.store.transaction() as tx:
            states = {
                (one.template.name, one.template.channel.value): one.state
                for one in await standings(tx, house.renderer.catalog)
                if one.template.locale.code == "en-US"
            }
        assert states["missed_payment", "sms"] == "changed"
        assert states["missed_payment", "email"] == "new"


async def test_each_channel_and_locale_is_approved_for_itself(database: str) -> None:
    put(database, ada := Someone(), eva := Someone(ref="B2", locale="es-US", phone="+12125550102", email=None))
    plan_touch(database, ada, channel="email")
    plan_touch(database, eva)
    async with production(database) as house:
        await approve(house, [template(house)], "Robin", "")
        assert await run_lanes(house) == {"deferred": 2}


async def test_a_sandbox_needs_no_approval(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}


async def test_a_touch_that_nobody_lets_go_expires(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, expires_at=START + timedelta(hours=1))
    async with production(database) as house:
        await run_lanes(house)
        for quarter in range(1, 6):
            await step_to(house, START + timedelta(minutes=15 * quarter))
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("expired", "expiry.passed")


async def test_the_record_of_approvals_is_only_added_to(database: str) -> None:
    async with production(database) as house:
        await approve(house, [template(house)], "Robin", "")
        await revoke(house, [template(house)], "Sam")
    for change in (
        "delete from template_approval",
        "update template_approval set approved_by = 'Kim'",
        "update template_approval set revoked_by = null, revoked_at = null",
    ):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(change.encode())


def test_the_hash_of_a_template_covers_all_that_it_is_made_of(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    before = Catalog.load(tmp_path / "templates").templates
    base = tmp_path / "templates/en/base.sms.j2"
    base.write_text(base.read_text("utf-8").replace("Hi ", "Hello "), "utf-8")
    after = Catalog.load(tmp_path / "templates").templates
    differing = {(key[1], key[2]) for key in before if before[key].hash != after[key].hash}
    assert differing == {(Channel.SMS, "en-US"), (Channel.SMS, "en-GB")}
