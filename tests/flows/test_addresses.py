"""Numbers and mailboxes: shared, wrong, reassigned, at work; and what others did with them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from outreach.domain.refusal_config import RefusalRules
from outreach.flows.events import take_events
from tests.flows.test_consents import DAY, SPOKEN_OF, event, take, verdict
from tests.support.book import START, Someone, put
from tests.support.house import a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, plan_touch, receive, run_intake, say, told, touch


def two_at_one_number(database: str) -> tuple[Someone, Someone]:
    ada, ben = Someone(), Someone(ref="B2", given_name="Ben", email="ben@example.com", consents=("sms", "email"))
    put(database, ada, ben)
    return ada, ben


def states(database: str) -> list[tuple[str, str]]:
    return rows(  # type: ignore[return-value]
        database,
        "select external_id, state from contact_point join borrower using (borrower_id) "
        "where kind = 'phone' order by 1",
    )


async def written_to_both(database: str, house: Any, ada: Someone, ben: Someone) -> None:
    """Write to two people at their common number, on two days: they share its slots."""
    for days, one in enumerate((ada, ben)):
        plan_touch(database, one, at=START + 2 * days * DAY)
        clock_of(house).instant = START + 2 * days * DAY
        assert await run_lanes(house) == {"sent": 1}


async def test_an_answer_that_may_be_either_persons_goes_to_a_person_and_onto_nobodys_case(database: str) -> None:
    ada, ben = two_at_one_number(database)
    async with a_house(database) as house:
        await written_to_both(database, house, ada, ben)
        sent = len(fake(house).sent)
        await say(house, ada, "I will pay 50 on Friday", key="1")
        assert len(fake(house).sent) == sent, "nothing is said back to somebody we cannot name"
    assert rows(database, "select count(*) from reply") == [(0,)]
    assert rows(database, "select count(*) from promise") == [(0,)]
    assert rows(database, "select state, note from inbox") == [("parked", "several borrowers have this address")]
    assert sorted(rows(database, "select borrower_id, kind from hold")) == sorted(
        [(ada.borrower_id, "review"), (ben.borrower_id, "review")]
    )
    tasks = rows(database, "select case_id, kind, detail from task")
    assert {row[0] for row in tasks} == {ada.case_id, ben.case_id}
    assert all("Friday" not in str(row) for row in tasks)


async def test_an_answer_at_a_shared_number_is_whose_we_wrote_to_when_only_one_was(database: str) -> None:
    ada, ben = two_at_one_number(database)
    plan_touch(database, ben)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "I will pay 50 on Friday", key="1")
    assert rows(database, "select borrower_id from reply") == [(ben.borrower_id,)]


async def test_a_stop_that_may_be_either_persons_is_both_persons(database: str) -> None:
    ada, ben = two_at_one_number(database)
    async with a_house(database) as house:
        await written_to_both(database, house, ada, ben)
        await say(house, ada, "STOP", key="1")
        for days, one in ((5, ada), (7, ben)):
            assert await verdict(database, house, one, days * DAY) == "blocked"
            assert await verdict(database, house, one, days * DAY, channel="email") == "blocked"
    assert rows(database, "select count(*) from suppression where contact_point_id is null and channel = 'sms'") == [
        (2,)
    ]
    assert rows(database, "select count(*) from attempt where purpose = 'confirmation'") == [(0,)]


async def test_a_start_that_may_be_either_persons_opens_nothing(database: str) -> None:
    ada, ben = two_at_one_number(database)
    async with a_house(database) as house:
        await written_to_both(database, house, ada, ben)
        await say(house, ada, "STOP", key="1")
        clock_of(house).instant += timedelta(hours=1)
        await say(house, ada, "START", key="2")
    assert rows(database, "select count(*) from consent where reopens") == [(0,)]


async def test_a_wrong_number_said_once_is_dead_on_every_debt_for_everyone_who_has_it(database: str) -> None:
    ada, ben = two_at_one_number(database)
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "You have the wrong number", key="1")
        assert await verdict(database, house, ben, 3 * DAY) == "blocked"
        reminder, acknowledgement = fake(house).sent
        assert reminder.address == acknowledgement.address
        assert acknowledgement.template is not None
        assert acknowledgement.template.name == "wrong_party_ack"
    assert states(database) == [("B1", "wrong_party"), ("B2", "wrong_party")]


async def test_a_stop_from_a_number_that_was_given_up_still_counts(database: str) -> None:
    put(database, ada := Someone())
    rows(database, "update contact_point set state = 'wrong_party' where kind = 'phone' returning 1")
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone)
    found = rows(database, "select distinct contact_point_id, reason from suppression")
    assert found == [(ada.phone_id, "opt_out.said")]


async def test_a_reassigned_number_is_dead_with_what_was_permitted_for_it(database: str) -> None:
    ada, _ = two_at_one_number(database)
    new = Someone(ref="B3", email=None)
    put(database, new, at=START + 2 * DAY)
    plan_touch(database, ada)
    async with a_house(database) as house:
        data = {"value": ada.phone, "since": (START + DAY).isoformat(), "evidence": "carrier list"}
        await take(house, "contact_point.reassigned", data, "r1")
        assert await run_lanes(house) == {"blocked": 1}
        assert states(database) == [("B1", "reassigned"), ("B2", "reassigned"), ("B3", "active")]
        back = {"value": ada.phone, "state": "active", "evidence": "letter of the borrower"}
        await take(house, "contact_point.updated", back, "u1")
        assert await verdict(database, house, ada, 2 * DAY) == "blocked", "consent was for the number's old owner"
        await take(house, "consent.given", {"channel": "sms", "value": ada.phone, "route": "letter", "wording": "yes",
                                            "evidence": "letter"}, "g1")  # fmt: skip
        assert await verdict(database, house, ada, 4 * DAY) == "sent"


async def test_a_mailbox_at_an_employers_rests_until_its_owner_writes_from_it(database: str) -> None:
    put(database, ada := Someone(email="ada@mail.factory.test"))
    async with a_house(database) as wired:
        house = replace(wired, refusals=RefusalRules(employers=frozenset({"factory.test"})))
        assert await verdict(database, house, ada, timedelta(), channel="email") == "blocked"
        ((facts,),) = rows(database, "select facts->'point' from decision")
        assert facts["label"] == "work"
        await say(house, ada, "When is it due?", key="1", channel="email")
        assert rows(database, "select confirmed from contact_point where kind = 'email'") == [(True,)]
        assert await verdict(database, house, ada, 3 * DAY, channel="email") == "sent"
    assert told(database, "contact_point.confirmed")


@pytest.mark.parametrize("words", ["STOP", "wrong person", "remove me"])
async def test_words_that_refuse_or_come_from_somebody_else_confirm_nothing(database: str, words: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await receive(house, "sms", dedupe_key="1", text=words, address=ada.phone)
        await run_intake(house)
    assert rows(database, "select count(*) from contact_point where confirmed") == [(0,)]


async def test_a_recorded_conversation_rests_the_telephone_and_both_debts_it_was_about(database: str) -> None:
    from tests.flows.test_consents import second_account  # noqa: PLC0415

    put(database, ada := Someone())
    other = second_account(database, ada, "harbour")
    async with a_house(database) as house:
        data = {"by": "agency", "channel": "voice", "outcome": "conversation", "direction": "in",
                "accounts": ["B1-A2"], "value": ada.phone}  # fmt: skip
        await take(house, "contact.recorded", data, "c1", "account/B1-A1")
        await take(house, "contact.recorded", data | {"contact_id": "c1"}, "c2", "account/B1-A1")
        for case in (ada.case_id, other.case_id):
            key = plan_touch(database, ada, channel="voice", case_id=case, at=START + 6 * DAY,
                             expires_at=START + 20 * DAY)  # fmt: skip
            clock_of(house).instant = START + 6 * DAY
            await run_lanes(house)
            assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("deferred", "cooldown.running")
    assert rows(database, "select made_by, external_id, cardinality(account_ids) from recorded_contact") == [
        ("agency", "c1", 2)
    ]


async def test_what_others_did_at_a_shared_number_uses_its_slot_and_never_says_whose(database: str) -> None:
    ada, ben = two_at_one_number(database)
    async with a_house(database) as house:
        data = {"by": "agency", "channel": "sms", "outcome": "delivered", "value": ada.phone}
        await take(house, "contact.recorded", data, "c1")
        assert await verdict(database, house, ben, timedelta(hours=1)) == "deferred"
    ((history,),) = rows(database, "select facts->'history' from decision")
    (seen,) = history
    assert (seen["same_borrower"], seen["case_ids"], seen["point_id"]) == (False, [], str(ben.phone_id))


async def test_a_number_that_is_none_of_the_borrowers_uses_no_slot_of_theirs(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await take(house, "contact.recorded", {"by": "a", "channel": "sms", "value": "+12125550188"}, "c1")
        await take(house, "contact.recorded", {"by": "a", "channel": "sms"}, "c2")
        await verdict(database, house, ada, timedelta(hours=1))
    ((history,),) = rows(database, "select facts->'history' from decision")
    assert sorted(each["point_id"] for each in history) == ["", "elsewhere"]


async def test_a_notice_of_long_ago_is_still_known(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        data = {"by": "mailhouse", "channel": "mail", "outcome": "sent", "notice": "placement_notice",
                "at": (START - 90 * DAY).isoformat()}  # fmt: skip
        await take(house, "contact.recorded", data, "c1", "account/B1-A1")
        await take(house, "contact.recorded", data | {"notice": None}, "c2", "account/B1-A1")
        await verdict(database, house, ada, timedelta(hours=1))
    ((history,),) = rows(database, "select facts->'history' from decision")
    assert [(each["notice"], each["purpose"], each["case_ids"]) for each in history] == [
        ("placement_notice", "statutory_notice", [str(ada.case_id)])
    ]


async def test_where_a_person_last_said_to_be_adds_a_law_and_a_clock(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        data = {"country": "US", "subdivision": "US-HI"}
        await take(house, "borrower.located", data, "l1")
        await take_events(house, [event("borrower.located", {"country": "GB"}, "l0", at=START - DAY)])
        assert await verdict(database, house, ada, timedelta(hours=1)) == "deferred", "05:00 in Honolulu"
    ((facts,),) = rows(database, "select facts from decision")
    assert facts["located_zones"] == ["Pacific/Honolulu"]
    assert facts["jurisdictions"] == ["US-NY", "US-HI"]


async def test_what_is_known_of_a_debt_reaches_the_gate_and_unknown_stays_unknown(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        await take(house, "case.updated", {"accelerated": True, "creditor_kind": "bank"}, "u1", "account/B1-A1")
        await take(house, "case.updated", {"charged_off": False}, "u2", "account/B1-A1")
        await verdict(database, house, ada, timedelta(hours=1))
    ((facts,),) = rows(database, "select facts from decision")
    known = {name: facts[name] for name in ("accelerated", "charged_off", "time_barred", "creditor_kind")}
    assert known == {"accelerated": True, "charged_off": False, "time_barred": None, "creditor_kind": "bank"}


async def test_an_event_about_a_number_nobody_has_changes_nothing(database: str) -> None:
    put(database, Someone())
    async with a_house(database) as house:
        await take(house, "contact_point.reassigned", {"value": "+12125550188"}, "r1")
        await take(house, "consent.revoked", {"route": "call", "scope": "topic", **SPOKEN_OF}, "r2")
    assert [entry["result"] for entry in told(database, "event")] == ["unknown_point", "no_topic"]
    assert states(database) == [("B1", "active")]
