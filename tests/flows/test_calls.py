"""Answered calls, walked key by key against the real gate, templates and Postgres."""

import json

import pytest

from channels.errors import BadSignature
from channels.fake import FakeChannel
from outreach.flows.calls import UnknownCallError, answer_call
from tests.support.book import Someone, put
from tests.support.calls import Caller, place_call
from tests.support.house import START, a_house, clock_of, rows

DEBT = (">120<", ">500<", "$120", "120 dollar", "$500", "balance", "payment", "owe", "debt", "past due", "due on",
        "installment")  # fmt: skip


def outcome(database: str) -> str:
    return str(rows(database, "select outcome from attempt")[0][0])


def told(database: str) -> list[str]:
    return [
        row[0] for row in rows(database, "select data->>'what' from timeline where kind = 'call.turn' order by seq")
    ]


def everything_stored(database: str) -> str:
    tables = rows(database, "select table_name from information_schema.tables where table_schema = 'public'")
    parts = [
        str(rows(database, f"select row_to_json(x) from {name} x"))  # noqa: S608 - names from the catalogue
        for (name,) in tables
        if name != "borrower"
    ]
    return "\n".join(parts)


def assert_says_nothing_of_the_debt(words: str) -> None:
    found = [word for word in DEBT if word in words.lower()]
    assert not found, (found, words)


async def test_the_right_year_opens_the_balance_and_counts_as_a_conversation(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        greeting = await caller.pick_up()
        assert greeting.gather
        assert greeting.digits == 4
        assert_says_nothing_of_the_debt(greeting.say)
        balance = await caller.press("1980")
        assert "120" in balance.say
        assert balance.digits == 1
        assert outcome(database) == "conversation"
        goodbye = await caller.press("1")
        assert not goodbye.gather
        assert told(database) == ["answered", "identity.passed", "menu.pay_now"]


async def test_a_wrong_year_three_times_ends_the_call_without_a_word_of_the_debt(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        heard = [
            await caller.pick_up(),
            await caller.press("1981"),
            await caller.press("1999"),
            await caller.press("2001"),
        ]
        assert [prompt.gather for prompt in heard] == [True, True, True, False]
        for prompt in heard:
            assert_says_nothing_of_the_debt(prompt.say)
        assert told(database)[-1] == "identity.given_up"
        assert outcome(database) != "conversation"


async def test_somebody_else_is_left_alone_at_that_number(database: str) -> None:
    put(database, ada := Someone(), Someone(ref="B2", email=None))
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        sorry = await caller.press("0")
        assert not sorry.gather
        assert_says_nothing_of_the_debt(sorry.say)
        assert outcome(database) == "wrong_party"
        point = rows(database, "select state from contact_point where contact_point_id = %s", ada.phone_id)
        assert point == [("wrong_party",)]
        others = rows(
            database,
            "select channel from suppression s join borrower b using (borrower_id) where external_id = 'B2' order by 1",
        )
        assert others == [("ivr",), ("voice",)]


async def test_the_stop_key_works_before_anyone_is_identified_and_pulls_back_waiting_calls(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        assert not (await caller.press("9")).gather
        refused = rows(database, "select channel, reason from suppression where contact_point_id is null order by 1")
        assert refused == [("ivr", "caller_pressed_stop"), ("voice", "caller_pressed_stop")]
        with pytest.raises(AssertionError, match=r"suppression|block"):
            await place_call(database, house, ada, "voice")


async def test_a_one_way_call_listens_for_the_stop_key_only(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada, "voice"), "voice")
        live = await caller.pick_up()
        assert (live.gather, live.digits) == (True, 1)
        assert_says_nothing_of_the_debt(live.say)
        assert await caller.press("9")
        assert rows(database, "select count(*) from suppression") == [(2,)]


@pytest.mark.parametrize(
    ("key", "task", "hold"),
    [
        ("3", "payment_claim", "review"),
        ("4", "dispute", "dispute"),
        ("0", "callback_request", None),
    ],
)
async def test_each_choice_of_the_menu_acts_on_the_case(database: str, key: str, task: str, hold: str | None) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        await caller.press("1980")
        assert not (await caller.press(key)).gather
        assert rows(database, "select kind from task") == [(task,)]
        assert rows(database, "select kind from hold") == ([(hold,)] if hold else [])


async def test_a_repeated_turn_gets_the_same_words_and_changes_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        balance = await caller.press("1980")
        turn = caller.turn()
        last = await caller.post(turn, "4")
        before = everything_stored(database)
        assert await caller.post(turn, "4") == last
        assert await caller.post(0, "1980") == last
        assert await caller.pick_up() == last
        assert balance != last
        assert json.dumps(everything_stored(database)) == json.dumps(before)


async def test_a_key_of_a_turn_that_was_never_asked_is_not_taken(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        assert (await caller.post(7, "1980")).digits == 4
        assert outcome(database) != "conversation"


async def test_what_identifies_a_person_is_never_stored(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(database, ada := Someone(birth_year=1987))
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        await caller.press("7361")
        await caller.press("1987")
        stored, printed = everything_stored(database), "".join(capsys.readouterr())
        for secret in ("7361", "1987"):
            assert secret not in printed
            assert f'"{secret}"' not in stored
            assert f"'{secret}'" not in stored


async def test_silence_is_asked_three_times_and_then_answered_with_goodbye(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        heard = [await caller.say_nothing() for _ in range(3)]
        assert [prompt.gather for prompt in heard] == [True, True, False]


async def test_a_borrower_whose_identity_cannot_be_checked_hears_nothing_of_the_debt(database: str) -> None:
    put(database, ada := Someone(birth_year=None))
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        only = await caller.pick_up()
        assert not only.gather
        assert_says_nothing_of_the_debt(only.say)


@pytest.mark.parametrize(("answered_by", "spoken", "expected"), [
    ("machine", True, "limited_content_left"), ("fax", False, "accepted"),
])  # fmt: skip
async def test_a_machine_hears_the_limited_words_and_a_fax_none(
    database: str, answered_by: str, spoken: bool, expected: str
) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        prompt = await caller.pick_up(answered_by)
        assert not prompt.gather
        assert bool(prompt.say) is spoken
        assert_says_nothing_of_the_debt(prompt.say)
        assert outcome(database) == expected


async def test_a_forged_turn_changes_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        token = await place_call(database, house, ada)
        forged = FakeChannel(secret="guess").callback(dedupe_key="x", digits="9")
        with pytest.raises(BadSignature):
            await answer_call(house, token, forged, 0)
        assert rows(database, "select count(*) from dialogue") == [(0,)]
        assert told(database) == []


async def test_a_call_of_another_day_is_not_answered_any_more(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        clock_of(house).instant = START.replace(day=2)
        with pytest.raises(UnknownCallError):
            await caller.pick_up()


async def test_a_call_that_was_cut_off_does_not_keep_the_next_one_from_talking(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await Caller(house, await place_call(database, house, ada)).pick_up()
        other = Someone(ref="B9", phone="+12125550109", email=None)
        put(database, other)
        again = Caller(house, await place_call(database, house, other))
        assert (await again.pick_up()).gather
