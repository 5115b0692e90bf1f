"""Tasks for people: everything they need in one place, closed once, and holds that end only where they may."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from outreach.domain.events import Event, read_event
from outreach.domain.located_yaml import ConfigError
from outreach.domain.tasks import LIFTABLE, Disposition, TaskRules, load_task_rules
from outreach.domain.words import HoldKind
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.outgoing import read_events
from outreach.flows.task_view import load_task
from outreach.flows.task_words import KINDS
from outreach.flows.tasks import TaskError, TaskGoneError, assign_task, close_task, list_tasks
from outreach.policy.policy import Policy
from outreach.policy.rules import Rest
from outreach.settings import load_settings
from tests.support.book import START, Someone, put
from tests.support.house import a_house, clock_of, rows
from tests.support.source import ROOT
from tests.support.touching import plan_touch, run_all, say, told


async def a_task(database: str, house: House, one: Someone, words: str) -> UUID:
    """Let somebody answer a reminder with words that need a person; returns the task."""
    plan_touch(database, one)
    await run_all(house)
    await say(house, one, words, key=f"reply-{one.ref}")
    return UUID(str(rows(database, "select task_id from task where case_id = %s", one.case_id)[0][0]))


def standing(database: str) -> list[str]:
    return sorted(row[0] for row in rows(database, "select kind from hold where lifted_at is null"))


async def test_a_task_shows_all_that_a_person_needs(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "This is not my debt, I dispute it")
        view = await load_task(house, key)
    assert view is not None
    assert (view.task.kind, view.account_ref, view.borrower) == ("dispute", "B1-A1", "Ada Example")
    assert "not right" in view.about
    assert "120" in view.summary[0]
    assert "read as dispute" in view.summary[1]
    said = [line.words for line in view.transcript if line.words]
    assert "This is not my debt, I dispute it" in said
    assert "Harbour" in (said[0] or "")
    assert view.suggested is not None
    assert view.suggested.id == view.offered[0].id == "dispute_answered"
    ((kind, reach, barred),) = [(hold.kind, hold.reach, hold.barred_by) for hold in view.holds]
    assert (kind, reach) == ("dispute", "this case")
    assert all(citation for _, citation in barred)
    assert view.task.due_at == START + timedelta(hours=24)


async def test_the_hold_of_an_attorney_names_the_law_it_stands_on(database: str) -> None:
    put(database, ada := Someone(creditor="meridian"))
    async with a_house(database) as house:
        view = await load_task(house, await a_task(database, house, ada, "I have a lawyer, talk to my attorney"))
    assert view is not None
    cited = [citation for hold in view.holds for _, citation in hold.barred_by]
    assert view.holds[0].kind == "attorney"
    assert any("1692c" in each for each in cited), cited


async def test_closing_ends_the_hold_its_disposition_names_and_says_who(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I already paid this last week")
        assert standing(database) == ["review"]
        done = await close_task(house, key, "payment_found", "sam", "found in suspense")
        async with house.store.transaction() as tx:
            events = (await read_events(tx, 0, 100, None, words=False)).events
        assert await list_tasks(house) == []
        assert [one.closed_by for one in await list_tasks(house, closed=True)] == ["sam"]
    assert (done.lifted, done.kept, standing(database)) == (("review",), (), [])
    (closed,) = told(database, "task.closed")
    assert {name: closed[name] for name in ("kind", "disposition", "by", "holds")} == {
        "kind": "payment_claim", "disposition": "payment_found", "by": "sam", "holds": ["review"],
    }  # fmt: skip
    assert "suspense" not in str(told(database, "task.closed")), "a note may be personal"
    by_type = {each.type.value: each.data for each in events}
    assert by_type["case.hand_off_closed"]["disposition"] == "payment_found"
    assert by_type["hold.lifted"]["hold"] == "review"


async def pay(house: House, one: Someone, minor: int) -> None:
    """Tell of a payment as the lender's system does."""
    event = {"specversion": "1.0", "id": f"p{minor}", "source": "/lender", "type": "payment.received",
             "subject": f"account/{one.ref}-A1", "time": house.clock.now().isoformat(),
             "data": {"payment_id": f"p{minor}", "amount_minor": minor, "currency": "USD"}}  # fmt: skip
    read = read_event(event, house.clock.now())
    assert isinstance(read, Event)
    await take_events(house, [read])


async def test_a_payment_of_all_that_is_due_ends_the_check_for_it(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I already paid this last week")
        await pay(house, ada, 2000)
        assert standing(database) == ["review"], "there is something left to look for"
        await pay(house, ada, 10000)
        assert standing(database) == []
        view = await load_task(house, key)
    assert view is not None
    assert (view.task.disposition, view.task.closed_by) == ("payment_found", "payment.received")
    assert told(database, "hold.lifted")[0]["kind"] == "review"


async def test_a_payment_leaves_every_other_hold(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await a_task(database, house, ada, "This is not my debt, I dispute it")
        await pay(house, ada, 12000)
    assert standing(database) == ["dispute"]
    assert told(database, "task.closed") == []


async def test_a_disposition_without_a_say_about_holds_leaves_them(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I dispute this debt")
        await close_task(house, key, "passed_on", "sam")
    assert standing(database) == ["dispute"]
    assert told(database, "hold.lifted") == []


async def test_of_two_who_close_at_once_one_wins_and_the_other_is_told(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I dispute this debt")
        ends = await asyncio.gather(
            close_task(house, key, "dispute_upheld", "sam"), close_task(house, key, "dispute_answered", "kim"),
            return_exceptions=True,
        )  # fmt: skip
    (won,) = [end for end in ends if not isinstance(end, BaseException)]
    (lost,) = [end for end in ends if isinstance(end, BaseException)]
    assert isinstance(lost, TaskGoneError)
    assert won.by in str(lost)
    assert len(told(database, "task.closed")) == len(told(database, "hold.lifted")) == 1


async def test_a_task_is_closed_only_with_what_it_is_offered(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I dispute this debt")
        with pytest.raises(TaskError, match="dispute_answered"):
            await close_task(house, key, "payment_found", "sam")
        with pytest.raises(LookupError):
            await close_task(house, ada.case_id, "dealt_with", "sam")
    assert standing(database) == ["dispute"]


async def test_a_rule_that_keeps_a_hold_for_a_time_keeps_it_when_the_task_is_closed(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as plain:
        house = replace(plain, policy=with_rest(plain.policy, "hardship", timedelta(days=10)))
        key = await a_task(database, house, ada, "I lost my job and cannot pay")
        view = await load_task(house, key)
        assert view is not None
        assert [hold.kept_until for hold in view.holds] == [START + timedelta(days=10)]
        done = await close_task(house, key, "hardship_arranged", "sam")
        assert done.lifted == ()
        assert done.kept == (("hardship", "a rule keeps it until 2027-03-11 15:00 UTC"),)
    assert standing(database) == ["hardship"]


def with_rest(policy: Policy, kind: str, at_least: timedelta) -> Policy:
    """Return the policy with one more rule: a hold of this kind stands at least so long in the United States."""
    like = policy.rule("US-REGF-ATTORNEY")
    assert like is not None
    more = Rest(like.head, frozenset({kind}), at_least)
    return Policy(policy.version, (*policy.rules, more), policy.calendars, policy.packs, policy.content)


async def test_what_another_open_task_rests_on_stays_on_hold(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        key = await a_task(database, house, ada, "I dispute this debt")
        rows(database, """insert into task (task_id, case_id, kind, opened_at, due_at, detail)
               select gen_random_uuid(), case_id, 'complaint', opened_at, due_at, detail
               from task returning 1""")  # fmt: skip
        done = await close_task(house, key, "dispute_answered", "sam")
        assert done.kept == (("dispute", "another open task rests on it"),)
        (other,) = [one.task_id for one in await list_tasks(house)]
        assert other != key
    assert standing(database) == ["dispute"]


async def test_the_list_is_of_what_is_open_the_most_overdue_first(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=None) for n in (1, 2, 3)]
    put(database, *people)
    async with a_house(database) as house:
        first, second = people[:2]
        one = await a_task(database, house, second, "I dispute this debt")
        clock_of(house).instant += timedelta(hours=2)
        two = await a_task(database, house, first, "I already paid this last week")
        assert [line.task_id for line in await list_tasks(house)] == [one, two]
        assert [line.task_id for line in await list_tasks(house, kind="payment_claim")] == [two]
        clock_of(house).instant = START + timedelta(hours=25)
        assert [line.overdue for line in await list_tasks(house)] == [True, False]
        due = await list_tasks(house, due_before=house.clock.now())
        assert [line.task_id for line in due] == [one]
        await assign_task(house, two, "kim")
        await assign_task(house, two, "kim")
        assert [line.task_id for line in await list_tasks(house, assigned_to="kim")] == [two]
        await close_task(house, two, "payment_not_found", "kim")
        with pytest.raises(TaskGoneError, match="kim"):
            await assign_task(house, two, "sam")
    assert [each["to"] for each in told(database, "task.assigned")] == ["kim"]


def shipped() -> TaskRules:
    return load_task_rules(load_settings({}).config / "tasks.yaml")


def opened_kinds() -> set[str]:
    """Return every kind of task that the code or a shipped dialogue opens, as their texts name them."""
    texts = [path.read_text("utf-8") for path in (ROOT / "config" / "dialogues").glob("*.yaml")]
    found = {kind for text in texts for kind in re.findall(r"hand_off: (\w+)", text)}
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "outreach").rglob("*.py"))
    calls = r"(?:open_task\(tx, speaker, |_hand_over\(\w+, |_hand_over\(\w+\.state, |HAND_OFF, )"
    found |= set(re.findall(calls + r'"(\w+)"', code))
    found |= set(re.findall(r'"kind": "(\w+)", "at": now', code))
    return found - {"misconfigured"}  # stands in for what a file got wrong; such a file is refused


def test_every_kind_of_task_has_words_and_something_to_close_it_with() -> None:
    kinds = opened_kinds()
    assert {"dispute", "payment_claim", "shared_address", "check_number", "not_understood", "personal_times"} <= kinds
    assert kinds - set(KINDS) == set()
    rules = shipped()
    unsuggested = {kind for kind in KINDS if rules.suggested(kind) is None}
    assert unsuggested == {"no_way_to_begin"}
    assert all(rules.offered(kind) for kind in KINDS)


def test_nothing_shipped_lifts_what_only_the_lender_can_take_back() -> None:
    assert {hold for one in shipped().dispositions for hold in one.lifts} <= LIFTABLE
    for hold in (HoldKind.CEASE, HoldKind.ATTORNEY, HoldKind.BANKRUPTCY, HoldKind.DECEASED):
        assert hold not in LIFTABLE


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("dispositions:\n  - {id: free, says: x, lifts: [cease]}\n", "cease cannot be lifted with a task"),
        ("dispositions:\n  - {id: free, says: x, lifts: [dispte]}\n", "dispute"),
        ("dispositions:\n  - {id: a, says: x}\n  - {id: a, says: y}\n", "a is used twice"),
        (
            "dispositions:\n  - {id: a, says: x, suggested_for: [k]}\n  - {id: b, says: y, suggested_for: [k]}\n",
            "something else is suggested for k",
        ),
        ("dispositions: []\n", "at least 1"),
    ],
)
def test_a_wrong_file_is_refused_with_what_would_be_right(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "tasks.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refused:
        load_task_rules(tmp_path / "tasks.yaml")
    assert wrong in "\n".join(str(each) for each in refused.value.problems)


async def test_a_rule_of_the_file_cannot_be_got_round_by_name(database: str) -> None:
    """Even a disposition that names a hold of the law lifts nothing it did not come with."""
    put(database, ada := Someone())
    async with a_house(database) as plain:
        greedy = Disposition("greedy", "x", None, frozenset(), frozenset({"dispute", "cease"}))
        house = replace(plain, tasks=TaskRules((greedy,)))
        key = await a_task(database, house, ada, "I dispute this debt")
        rows(database, """insert into hold (hold_id, borrower_id, kind, since_at, source, evidence)
               values (gen_random_uuid(), %s, 'cease', %s, 'event:core', 'letter') returning 1""",
             ada.borrower_id, START)  # fmt: skip
        await close_task(house, key, "greedy", "sam")
    assert standing(database) == ["cease"]
