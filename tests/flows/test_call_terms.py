"""Terms on calls: more time, another plan, the end of one, by keys and words; and what of the words is kept."""

import re
from dataclasses import replace
from datetime import date

import pytest

from channels.contract import Prompt
from outreach.flows.call_steps import Heard
from outreach.flows.call_words import plain_words, words_kept
from outreach.flows.house import House
from outreach.flows.task_view import load_task
from outreach.flows.tasks import list_tasks
from outreach.replies.dialogue_spec import DialogueState
from tests.support.book import Someone, put
from tests.support.calls import Caller, place_call
from tests.support.house import a_house, rows, run_lanes
from tests.support.terms import with_terms
from tests.support.touching import attempts, told

NEW_DAY = date(2027, 3, 10)


async def known(database: str, house: House, one: Someone) -> Caller:
    """Call somebody and let them prove who they are."""
    caller = Caller(house, await place_call(database, house, one))
    await caller.pick_up()
    await caller.press("1980")
    return caller


def plainly(prompt: Prompt) -> str:
    return plain_words(prompt.say)


def texts(database: str) -> list[str]:
    return [each["template"] for each in attempts(database) if each["channel"] == "sms"]


def give_plan(database: str, one: Someone) -> None:
    rows(database, """with made as (insert into arrangement (arrangement_id, case_id, borrower_id, state, frequency,
           total_minor, currency, proposed_at, confirmed_at, source)
         values (gen_random_uuid(), %s, %s, 'active', 'weekly', 12000, 'USD', now(), now(), 'sms')
         returning arrangement_id)
         insert into installment (arrangement_id, no, due_on, amount_minor)
         select arrangement_id, n, date '2027-03-06' + n * 7, 6000 from made, generate_series(1, 2) n returning 1""",
         one.case_id, one.borrower_id)  # fmt: skip


def plans(database: str) -> list[tuple[object, ...]]:
    return rows(database, "select state, source from arrangement order by proposed_at")


async def test_more_time_is_granted_on_a_call_by_keys_after_a_read_back(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        asked = await caller.press("7")
        assert "move your due date, up to" in plainly(asked)
        assert asked.digits == 4
        check = await caller.press("0310")
        assert "120 dollars" in plainly(check)
        assert "press 1" in check.say
        assert rows(database, "select 1 from extension") == [], "nothing before the yes"
        done = await caller.press("1")
        assert (done.gather, "is now due on" in plainly(done)) == (False, True)
        await run_lanes(house)
    assert rows(database, "select to_on, source from extension") == [(NEW_DAY, "ivr")]
    assert texts(database) == ["extension_done"]
    assert told(database, "extension.granted")


@pytest.mark.parametrize(
    ("locale", "ask", "day", "yes", "done"),
    [
        ("en-US", "I need more time", "March 10", "yes", "is now due on"),
        ("es-US", "necesito más tiempo para pagar", "el 10 de marzo", "sí", "vence ahora"),
        ("zh-CN", "我需要延期还款", "3月10号", "好的", "还款日改为"),
    ],
)
async def test_more_time_is_granted_on_a_call_by_words(
    database: str, locale: str, ask: str, day: str, yes: str, done: str
) -> None:
    put(database, ada := Someone(locale=locale))
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.speak(ask)
        await caller.speak(day)
        assert done in plainly(await caller.speak(yes))
    assert rows(database, "select to_on from extension") == [(NEW_DAY,)]


async def test_a_day_out_of_bounds_goes_to_a_person_with_the_words_that_asked_for_it(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.press("7")
        answer = await caller.speak("December 24, my card is 4111 1111 1111 1111")
        assert not answer.gather
        (line,) = await list_tasks(house)
        view = await load_task(house, line.task_id)
    assert (line.kind, rows(database, "select 1 from extension")) == ("extension_out_of_bounds", [])
    assert view is not None
    said = "\n".join(each.words or "" for each in view.transcript)
    assert "They said: December 24, my card is [number]" in said
    assert "We said: We can move your due date" in said
    assert "1980" not in said, "an answer about identity is never kept"


async def test_more_time_is_not_spoken_of_before_the_person_is_known(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        for words in ("I need more time", "change my plan"):
            answer = await caller.speak(words)
            assert not re.search(r"due|plan|dollars|\d{2}", plainly(answer).replace("nineteen", ""))
    kept = rows(database, "select heard from call_turn where heard is not null")
    assert kept == []


async def test_without_an_extension_to_give_other_terms_are_offered(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as plain:
        house = with_terms(plain, extension_max_days=0)
        caller = await known(database, house, ada)
        assert "installments" in plainly(await caller.press("7"))


async def test_a_plan_is_changed_on_a_call(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        give_plan(database, ada)
        standing = plainly(await caller.press("2"))
        assert "You have a plan with 120 dollars" in standing
        assert "To change it, press 1. To end it, press 2." in standing
        assert "press 1" in (await caller.press("1")).say
        assert "Your choice" in plainly(await caller.press("2"))
        assert plans(database) == [("active", "sms")]
        assert "is set up" in plainly(await caller.press("1"))
        await run_lanes(house)
    assert [state for state, _ in plans(database)] == ["cancelled", "active"]
    assert texts(database) == ["installments_done"]


@pytest.mark.parametrize(("first", "left"), [("2", [("active", "sms")]), ("1", [("cancelled", "sms")])])
async def test_a_plan_ends_on_a_call_only_with_a_yes(database: str, first: str, left: list[tuple[str, str]]) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        give_plan(database, ada)
        await caller.press("2")
        assert "will be due again as before" in plainly(await caller.press("2"))
        answer = await caller.press(first)
        await run_lanes(house)
    assert plans(database) == left
    assert answer.gather is (first == "2")
    assert texts(database) == ([] if first == "2" else ["plan_cancelled"])


async def test_somebody_who_says_to_end_their_plan_hears_what_that_means(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        give_plan(database, ada)
        assert "To end it, press 1" in plainly(await caller.speak("I want to cancel my payment plan"))
    assert plans(database) == [("active", "sms")]


async def test_a_hold_that_comes_in_before_the_yes_grants_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.press("7")
        await caller.press("0310")
        rows(database, """insert into hold (hold_id, borrower_id, case_id, kind, since_at, source)
               select gen_random_uuid(), borrower_id, case_id, 'dispute', opened_at, 'event:core'
               from cases returning 1""")  # fmt: skip
        answer = await caller.press("1")
        assert "due" not in plainly(answer)
    assert rows(database, "select 1 from extension") == []
    assert rows(database, "select kind from task") == [("interrupted",)]


KNOWN = DialogueState("call", "ivr", "menu", "menu")


@pytest.mark.parametrize(
    ("heard", "state", "kept"),
    [
        (Heard(text="I lost my job"), KNOWN, "I lost my job"),
        (Heard(text="call 212 555 0100 please, it is 123-45-6789"), KNOWN, "call [number] please, it is [number]"),
        (Heard(text="pay 400 on the 15th of 2027"), KNOWN, "pay 400 on the 15th of 2027"),
        (Heard(digits="2"), KNOWN, None),
        (Heard(text="nineteen eighty"), replace(KNOWN, identified=False, awaiting="identity"), None),
        (Heard(text="who is this"), replace(KNOWN, identified=False), None),
        (Heard(), KNOWN, None),
    ],
)
def test_only_words_of_a_known_person_are_kept_and_no_long_number(
    heard: Heard, state: DialogueState, kept: str | None
) -> None:
    assert words_kept(state, heard) == kept
