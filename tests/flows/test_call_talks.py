"""Talks on calls: installments, promises, links and agents, by keys and words, begun here and finished there."""

import re
from dataclasses import replace
from datetime import timedelta

from channels.contract import Prompt
from outreach.domain.identity import IdentityMethod
from outreach.flows.house import House
from tests.support.book import Someone, put
from tests.support.calls import Caller, place_call
from tests.support.house import a_house, clock_of, rows, run_lanes
from tests.support.terms import with_terms
from tests.support.touching import attempts, plan_touch, say, told


async def known(database: str, house: House, one: Someone) -> Caller:
    """Call somebody and let them prove who they are."""
    caller = Caller(house, await place_call(database, house, one))
    await caller.pick_up()
    balance = await caller.press("1980")
    assert "120" in balance.say
    assert balance.speech
    return caller


def plainly(prompt: Prompt) -> str:
    """Return what is said without its marks of speech."""
    return re.sub(r"<[^>]+>", "", prompt.say)


def arrangements(database: str) -> list[tuple[object, ...]]:
    return rows(database, "select state, total_minor, source, (select count(*) from installment i "
                "where i.arrangement_id = a.arrangement_id) from arrangement a")  # fmt: skip


def texts(database: str) -> list[str]:
    return [each["template"] for each in attempts(database) if each["channel"] == "sms"]


async def test_installments_are_set_up_on_a_call_and_confirmed_by_text(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        offers = await caller.press("2")
        assert "press <" not in offers.say
        assert "press 1" in offers.say
        assert "press 2" in offers.say
        read_back = await caller.press("2")
        assert arrangements(database) == [], "nothing before it is confirmed"
        assert "To set this up, press 1" in read_back.say
        done = await caller.press("1")
        assert not done.gather
        assert "is set up" in done.say
        await run_lanes(house)
    ((state, total, source, parts),) = arrangements(database)
    assert (state, total, source) == ("active", 12_000, "ivr")
    assert int(str(parts)) >= 2
    assert texts(database) == ["installments_done"]
    assert told(database, "arrangement.confirmed")[0]["evidence"].startswith("call:")


async def test_a_fee_is_said_on_a_call_before_the_yes_and_owed_once_after_it(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as plain:
        caller = await known(database, house := with_terms(plain, fee_minor=600, down_payment_percent=25), ada)
        assert "a fee of 6 dollars" in plainly(await caller.press("2"))
        read_back = await caller.press("2")
        assert "126 dollars in all, with a fee of 6 dollars in it" in plainly(read_back)
        await caller.press("1")
        await run_lanes(house)
    ((state, total, *_),) = arrangements(database)
    assert (state, total) == ("confirmed", 12_600)
    assert rows(database, "select amount_due_minor from account") == [(12_600,)]


async def test_a_payment_mid_call_has_the_choice_read_back_anew(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.press("2")
        await caller.press("1")
        rows(database, "update account set amount_due_minor = 8000 returning 1")
        again = await caller.press("1")
        assert "80 dollars in all" in plainly(again)
        assert arrangements(database) == [], "the yes was to another amount"
        await caller.press("1")
    ((state, total, *_),) = arrangements(database)
    assert (state, total) == ("active", 8_000)


async def test_who_has_a_plan_and_asks_for_one_on_a_call_hears_of_it_and_gets_no_second(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        rows(database, """with made as (insert into arrangement (arrangement_id, case_id, borrower_id, state, frequency,
               total_minor, currency, proposed_at, confirmed_at, source)
             values (gen_random_uuid(), %s, %s, 'active', 'weekly', 12000, 'USD', now(), now(), 'sms')
             returning arrangement_id)
             insert into installment (arrangement_id, no, due_on, amount_minor)
             select arrangement_id, 1, '2027-03-20', 12000 from made returning 1""",
             ada.case_id, ada.borrower_id)  # fmt: skip
        assert "You have a plan" in plainly(await caller.press("2"))
        assert not (await caller.press("0")).gather
    assert len(arrangements(database)) == 1
    assert rows(database, "select kind from task") == [("callback_request",)]


async def test_confirming_twice_sets_up_one_arrangement(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.press("2")
        await caller.press("1")
        turn = caller.turn()
        first = await caller.post(turn, "1")
        assert await caller.post(turn, "1") == first
    assert len(arrangements(database)) == 1


async def test_what_a_text_began_a_call_finishes(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        plan_touch(database, ada)
        await run_lanes(house)
        await say(house, ada, "PLAN", key="1")
        await say(house, ada, "2", key="2")
        assert "installments_readback" in texts(database)
        clock_of(house).instant += timedelta(days=1)
        caller = await known(database, house, ada)
        read_back = await caller.press("2")
        assert "To set this up, press 1" in read_back.say, "the choice is waiting"
        await caller.press("1")
    assert [each[0] for each in arrangements(database)] == ["active"]
    assert rows(database, "select outcome from dialogue where surface = 'sms'") == [("finished_on_call",)]


async def test_what_a_call_began_a_text_finishes(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        plan_touch(database, ada)
        await run_lanes(house)
        clock_of(house).instant += timedelta(days=1)
        caller = await known(database, house, ada)
        await caller.press("2")  # and the line breaks
        clock_of(house).instant += timedelta(minutes=30)
        await say(house, ada, "2", key="1")
        assert "installments_readback" in texts(database)
        await say(house, ada, "YES", key="2")
    assert [each[:3] for each in arrangements(database)] == [("active", 12_000, "sms")]


async def test_an_offer_for_another_amount_is_not_finished_by_text(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        plan_touch(database, ada)
        await run_lanes(house)
        clock_of(house).instant += timedelta(days=1)
        caller = await known(database, house, ada)
        await caller.press("2")
        rows(database, "update account set amount_due_minor = 9000 returning 1")
        await say(house, ada, "2", key="1")
    assert arrangements(database) == []
    assert "installments_readback" not in texts(database)


async def test_a_day_is_promised_by_keys_after_it_was_read_back(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        asked = await caller.press("5")
        assert asked.digits == 4
        check = await caller.press("0305")
        assert rows(database, "select count(*) from promise") == [(0,)]
        assert check.digits == 1
        await caller.press("1")
        await run_lanes(house)
    assert rows(database, "select due_on::text, amount_minor, source from promise") == [("2027-03-05", 12_000, "ivr")]
    assert texts(database) == ["promise_confirmation"]


async def test_a_link_to_pay_goes_by_text_and_never_to_a_landline(database: str) -> None:
    put(database, ada := Someone(), bob := Someone(ref="B2", phone="+12125550177", phone_type="fixed_line", email=None))
    async with a_house(database) as house:
        sent = await (await known(database, house, ada)).press("1")
        assert "sending you a text" in sent.say
        await run_lanes(house)
        fixed = await (await known(database, house, bob)).press("1")
        assert "text" not in fixed.say
        await run_lanes(house)
    assert texts(database) == ["pay_link"]
    assert "https://pay.example.com/us" in next(a["body"] for a in attempts(database) if a["channel"] == "sms")


async def test_words_are_understood_as_texts_are_and_kept_in_one_place_only(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        sorry = await caller.speak("I lost my job zanzibar and cannot pay")
        assert "paused" in sorry.say
        assert not sorry.gather
    assert rows(database, "select kind from hold") == [("hardship",)]
    assert rows(database, "select heard from call_turn where heard is not null") == [
        ("I lost my job zanzibar and cannot pay",)
    ]
    tables = rows(database, "select table_name from information_schema.tables where table_schema = 'public'")
    for (name,) in [each for each in tables if each != ("call_turn",)]:
        assert "zanzibar" not in str(rows(database, f"select row_to_json(x) from {name} x"))  # noqa: S608 - the catalogue


async def test_stop_said_in_words_before_identity_is_in_force_at_once(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        assert not (await caller.speak("stop contacting me")).gather
    refused = {row[0] for row in rows(database, "select channel from suppression where contact_point_id is null")}
    assert refused == {"sms", "email", "voice", "ivr"}


async def test_a_rest_placed_mid_call_keeps_an_arrangement_from_being_agreed(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        await caller.press("2")
        await caller.press("1")
        rows(database, """insert into hold (hold_id, borrower_id, case_id, kind, source, since_at)
             values (gen_random_uuid(), %s, %s, 'dispute', 'api', %s) returning 1""",
             ada.borrower_id, ada.case_id, clock_of(house).instant)  # fmt: skip
        goodbye = await caller.press("1")
        assert not goodbye.gather
    assert arrangements(database) == []
    assert rows(database, "select kind from task") == [("interrupted",)]


async def test_a_debt_paid_mid_call_is_not_talked_about_any_more(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        await caller.pick_up()
        rows(database, "update account set amount_due_minor = 0 returning 1")
        goodbye = await caller.press("1980")
        assert (goodbye.gather, "120" in goodbye.say) == (False, False)


def with_agent(house: House) -> House:
    creditor = replace(house.creditors["harbour"], agent_line="+12025550199")
    return replace(house, creditors={**house.creditors, "harbour": creditor})


async def test_a_person_is_dialled_in_help_hours_and_a_missed_one_calls_back(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as bare:
        caller = await known(database, house := with_agent(bare), ada)
        dialled: Prompt = await caller.press("0")
        assert (dialled.dial, dialled.gather) == ("+12025550199", False)
        back = await caller.come_back(answered=False)
        assert "call you back" in back.say
        assert rows(database, "select kind from task") == [("callback_request",)]
        assert not house.creditors["harbour"].agent_answers_at(clock_of(house).instant.replace(hour=4))


async def test_a_creditor_may_ask_for_the_postcode_instead(database: str) -> None:
    put(database, ada := Someone())
    rows(database, "update borrower set postcode = '10001' returning 1")
    async with a_house(database) as bare:
        creditor = replace(bare.creditors["harbour"], identity=IdentityMethod.POSTCODE)
        house = replace(bare, creditors={**bare.creditors, "harbour": creditor})
        caller = Caller(house, await place_call(database, house, ada))
        asked = await caller.pick_up()
        assert asked.digits == 5
        assert "postcode" in asked.say
        assert (await caller.press("1980")).digits == 5
        assert "120" in (await caller.press("10001")).say


async def test_a_call_goes_on_in_the_language_that_is_keyed_and_remembered_once_it_is_known_whose(
    database: str,
) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        caller = Caller(house, await place_call(database, house, ada))
        asked = await caller.pick_up()
        assert "Para español, oprima asterisco" in asked.say
        changed = await caller.press("*")
        assert (changed.locale, changed.digits) == ("es-US", 4), "the voice and the recogniser follow"
        assert "Hola, le habla" in changed.say
        assert "For English, press star" in changed.say
        assert rows(database, "select locale from borrower") == [("en-US",)], "it may be somebody else's wish"
        balance = await caller.press("1980")
        assert "Su pago de" in balance.say
        assert rows(database, "select locale from borrower") == [("es-US",)]
        turn = caller.turn()
        offers = await caller.post(turn, "2")
        assert "cuotas" in offers.say
        assert await caller.post(turn, "2") == offers
        await caller.press("2")
        await caller.press("1")
        await run_lanes(house)
    assert texts(database) == ["installments_done"]
    assert "cuotas" in next(each["body"] for each in attempts(database) if each["channel"] == "sms")
    assert [entry["locale"] for entry in told(database, "language.chosen")] == ["es-US"]
    assert "language" in [entry["what"] for entry in told(database, "call.turn")]


async def test_a_language_may_be_asked_for_in_words_alone_or_beside_something_else(database: str) -> None:
    put(database, ada := Someone(), bob := Someone(ref="B2", phone="+12125550177", email=None))
    async with a_house(database) as house:
        caller = await known(database, house, ada)
        again = await caller.speak("in Chinese please")
        assert again.locale == "zh-CN"
        assert again.gather
        assert "120" in again.say
        back = await caller.press("*")
        assert back.locale == "en-US"
        other = await known(database, house, bob)
        sorry = await other.speak("en español por favor, perdí mi trabajo")
        assert sorry.locale == "es-US"
        assert not sorry.gather
    assert ("hardship",) in rows(database, "select kind from hold")
    assert rows(database, "select locale from borrower order by external_id") == [("en-US",), ("es-US",)]
