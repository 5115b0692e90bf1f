"""The borrower portal from link to plan: the whole way in three languages, and what each form does on the case."""

import asyncio
import re
from datetime import date, timedelta

import httpx
import pytest

from outreach.flows.explain import explain
from outreach.flows.story import load_story
from outreach.settings import ROOT
from outreach.web.app import create_app
from outreach.web.portal_pages import words_of
from tests.support.book import START, Someone, put
from tests.support.house import rows, run_lanes
from tests.support.portal import a_visitor, portal_served, portal_settings, read_page
from tests.support.terms import with_terms
from tests.support.touching import fake, plan_touch, run_all, say, told

WORDS = words_of(ROOT / "templates")
LANGUAGES = {"en": "en-US", "es": "es-US", "zh": "zh-CN"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_plan_is_seen_adjusted_read_back_and_confirmed(database: str, language: str) -> None:
    put(database, ada := Someone(locale=LANGUAGES[language]))

    def words(key: str, **places: object) -> str:
        return WORDS.say(language, key, **places)

    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        door = await visitor.open()
        assert words("door.why") in door.text
        assert "120.00" not in door.text
        assert "Ada" not in door.text
        home = await visitor.enter(ada)
        assert home.status_code == 200
        assert "120.00" in home.text
        assert "B1A1" in home.text
        plan = await visitor.open("plan")
        assert words("plan.weekly") in plan.text
        shown = await visitor.send(-1, do="show", count="5", every="weekly", first_on="2027-03-10")
        assert words("plan.preview") in shown.text
        assert shown.text.count("24.00</td>") == 5
        check = await visitor.send(-1, do="choose", count="5", every="weekly", first_on="2027-03-10")
        assert words("readback.title") in check.text
        assert rows(database, "select count(*) from arrangement") == [(0,)]
        done = await visitor.send()
        assert words("said.plan") in done.text
        assert words("arranged.title") in done.text
        ics = await visitor.open("schedule.ics")
        assert ics.headers["content-type"].startswith("text/calendar")
        assert ics.text.count("BEGIN:VEVENT") == 5
        assert "DTSTART;VALUE=DATE:20270310" in ics.text
        assert all(len(line.encode()) <= 75 for line in ics.text.split("\r\n"))
    assert rows(database, "select due_on, amount_minor from installment order by no") == [
        (date(2027, 3, day), 2_400) for day in (10, 17, 24, 31)
    ] + [(date(2027, 4, 7), 2_400)]
    assert rows(database, "select source, state from arrangement") == [("portal", "active")]


async def test_the_case_tells_it_and_it_is_confirmed_in_writing(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("plan")
        await visitor.send(0, do="choose")
        await visitor.send()
        await run_lanes(house)
        mails = list(fake(house, "email").sent)
        assert len(mails) == 1
        assert "$60.00" in str(mails[0])
        story = await load_story(house, "B1")
        assert story is not None
        assert story.intact
        sentences = [line.sentence for line in story.lines]
    assert "The borrower opened their page and was identified." in sentences
    assert "The borrower answered by web page, read as: installments." in sentences
    assert "The borrower confirmed payment of $120.00 in 2 installments." in sentences
    assert rows(database, "select channel, state from inbox") == [("portal", "applied")] * 2


async def test_two_tabs_at_once_make_one_arrangement(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("plan")
        await visitor.send(0, do="choose")
        first, second = await visitor.open("check"), await visitor.open("check")
        forms = [dict(read_page(page.text).forms[0][1]) for page in (first, second)]
        assert forms[0]["once"] != forms[1]["once"]
        await asyncio.gather(*(visitor.client.post(f"{visitor.base}/check", data=form) for form in forms))
    assert rows(database, "select count(*) from arrangement") == [(1,)]
    assert len(told(database, "arrangement.confirmed")) == 1


async def test_a_plan_changed_in_another_tab_is_not_confirmed_unseen(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("plan")
        old = await visitor.send(0, do="choose")
        await visitor.open("plan")
        await visitor.send(1, do="choose")
        visitor.page = old
        answer = await visitor.send()
        assert answer.status_code == 409
        assert WORDS.say("en", "readback.changed") in answer.text
        assert rows(database, "select count(*) from arrangement") == [(0,)]
        await visitor.send()
    assert rows(database, "select count(*) from installment") == [(3,)]


async def test_a_payment_that_comes_in_between_makes_the_plan_be_looked_at_anew(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("plan")
        await visitor.send(0, do="choose")
        rows(database, "update account set amount_due_minor = 8000 returning 1")
        answer = await visitor.send()
        assert WORDS.say("en", "said.rests") in answer.text
        assert "$40.00" in answer.text
    assert rows(database, "select count(*) from arrangement") == [(0,)]


@pytest.mark.parametrize(
    "fields",
    [
        {"count": "13", "every": "weekly", "first_on": "2027-03-10"},
        {"count": "8", "every": "weekly", "first_on": "2027-03-10"},
        {"count": "2", "every": "monthly", "first_on": "2027-03-10"},
        {"count": "2", "every": "weekly", "first_on": "2027-04-02"},
        {"count": "2", "every": "weekly", "first_on": "2027-02-28"},
        {"count": "two", "every": "weekly", "first_on": "2027-03-10"},
        {"count": "2", "every": "weekly", "first_on": "2027-02-31"},
        {"count": "", "every": "", "first_on": ""},
    ],
)
async def test_a_plan_out_of_bounds_is_not_taken(database: str, fields: dict[str, str]) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        for do in ("show", "choose"):
            await visitor.open("plan")
            answer = await visitor.send(-1, do=do, **fields)
            assert answer.status_code == 422
            assert "$20.00" in answer.text
    assert rows(database, "select count(*) from dialogue") == [(0,)]


async def test_a_promise_is_recorded_and_repeated_back(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("promise")
        assert (await visitor.send(on="2027-03-16")).status_code == 422
        assert (await visitor.send(on="2027-03-10", amount="500")).status_code == 422
        assert (await visitor.send(on="2027-03-10", amount="x")).status_code == 422
        home = await visitor.send(on="2027-03-10", amount="50,5")
        assert "$50.50" in home.text
        await run_lanes(house)
        assert len(fake(house, "email").sent) == 1
    assert rows(database, "select due_on, amount_minor, source from promise") == [(date(2027, 3, 10), 5_050, "portal")]


@pytest.mark.parametrize(
    ("way", "hold", "task"),
    [
        ("paid", "review", "payment_claim"),
        ("hardship", "hardship", "hardship"),
        ("dispute", "dispute", "dispute"),
        ("call", None, "callback_request"),
    ],
)
async def test_what_is_told_rests_the_case_and_goes_to_a_person(
    database: str, way: str, hold: str | None, task: str
) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open(way)
        answer = await visitor.send(words="Please look at it", when="evening")
        assert WORDS.say("en", f"said.{way}") in answer.text
        assert ("$120.00" in answer.text) == (hold is None)
        await run_lanes(house)
        assert not fake(house, "sms").sent
    assert rows(database, "select kind from hold where kind = %s", hold or "") == ([(hold,)] if hold else [])
    assert (task,) in rows(database, "select kind from task")
    body = rows(database, "select body from reply where body like %s", f"{way}%")[0][0]
    assert "Please look at it" in body


async def test_words_that_hold_more_than_the_form_are_acted_on(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("dispute")
        await visitor.send(words="This is not mine. I filed for bankruptcy. Stop texting me.")
    assert {row[0] for row in rows(database, "select kind from hold")} >= {"dispute", "bankruptcy"}
    assert ("sms",) in rows(database, "select channel from suppression")


async def test_channels_are_stopped_one_by_one_or_all(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("contact")
        assert (await visitor.send(0, do="stop")).status_code == 422
        page = await visitor.send(0, do="stop", channel=["calls"])
        assert WORDS.say("en", "contact.stopped") in page.text
        assert sorted(rows(database, "select channel, route from suppression")) == [
            ("ivr", "portal"),
            ("voice", "portal"),
        ]
        await visitor.send(0, do="stop_all")
        await run_lanes(house)
    assert {row[0] for row in rows(database, "select channel from suppression")} == {"sms", "email", "voice", "ivr"}
    assert rows(database, "select count(*) from consent where state = 'revoked'") == [(4,)]


async def test_times_and_language_are_remembered(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        await visitor.open("contact")
        page = await visitor.send(1, do="time", day=["mon", "tue", "nonsense"], **{"from": "09:00", "to": "17:00"})
        assert "09:00–17:00 · Monday, Tuesday" in page.text
        asked = await house_says(house, ada)
        assert "personal_window.closed" in asked
        assert (await visitor.send(2, do="time", **{"from": "09:00", "to": "09:00"})).status_code == 422
        await visitor.send(1, do="clear")
        assert "personal_window.closed" not in await house_says(house, ada)
        await visitor.send(-1, do="language", language="zh")
    assert rows(database, "select locale from borrower") == [("zh-CN",)]
    assert [one["locale"] for one in told(database, "language.chosen")] == ["zh-CN"]


async def house_says(house: object, one: Someone) -> set[str]:
    found = await explain(house, str(one.case_id), None, ("sms",))  # type: ignore[arg-type]
    assert found is not None
    return {reason.code for answer in found.answers for reason in answer.decision.reasons}


async def test_the_same_form_twice_is_one(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        form = await visitor.open("call")
        await visitor.send(when="any")
        visitor.page = form
        again = await visitor.send(when="any")
        assert WORDS.say("en", "said.repeated") in again.text
    assert rows(database, "select count(*) from task") == [(1,)]


async def test_an_offer_open_by_text_is_not_agreed_once_more(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        plan_touch(database, ada)
        await run_all(house)
        await say(house, ada, "PLAN", key="r1")
        await say(house, ada, "2", key="r2")
        await visitor.enter(ada)
        await visitor.open("plan")
        await visitor.send(0, do="choose")
        await visitor.send()
        await say(house, ada, "YES", key="r3")
    assert rows(database, "select count(*), max(source) from arrangement") == [(1, "portal")]
    assert len(told(database, "arrangement.confirmed")) == 1


async def test_a_case_without_a_policy_goes_to_a_person(database: str) -> None:
    put(database, ada := Someone(amount_due_minor=5_000))
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        page = await visitor.open("plan")
        assert WORDS.say("en", "plan.nothing") in page.text
        answer = await visitor.send(do="choose")
        assert WORDS.say("en", "said.asked") in answer.text
    assert rows(database, "select kind from task") == [("no_offer_fits",)]


async def test_the_language_is_switched_on_any_page_and_kept(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        page = await visitor.open(lang="es")
        assert '<html lang="es-US">' in page.text
        home = await visitor.enter(ada)
        assert WORDS.say("es", "home.choices") in home.text
        assert "20 de febrero de 2027" in home.text
        assert (await visitor.open("plan", lang="zh")).text.count('lang="zh-CN"') == 1
        assert WORDS.say("zh", "promise.title") in (await visitor.open("promise")).text
    assert rows(database, "select locale from borrower") == [("en-US",)]


async def test_every_page_is_small_labelled_and_without_scripts(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        pages = [await visitor.open(), await visitor.enter(ada)]
        ways = ("plan", "promise", "paid", "hardship", "dispute", "call", "contact")
        pages += [await visitor.open(way) for way in ways]
        await visitor.open("plan")
        pages.append(await visitor.send(-1, do="show", count="4", every="weekly", first_on="2027-03-10"))
        pages.append(await visitor.send(-1, do="choose", count="4", every="weekly", first_on="2027-03-10"))
        css = await visitor.client.get("/portal.css")
    for page in pages:
        assert page.status_code == 200
        assert len(page.content) + len(css.content) < 60_000
        assert "<script" not in page.text
        assert not re.search(r'\son\w+="|\sstyle="', page.text)
        found = read_page(page.text)
        assert set(found.controls) <= set(found.labels)
        assert len(found.ids) == len(set(found.ids))
        assert page.text.count("<h1>") == 1
        described = re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', page.text)
        assert {name for names in described for name in names.split()} <= set(found.ids)
        assert not re.search(r'(?:src|href|action)="https?://(?!pay\.example\.com)', page.text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_reminder_carries_the_link_that_opens_the_page(database: str, language: str) -> None:
    put(database, ada := Someone(locale=LANGUAGES[language]))
    plan_touch(database, ada, channel="email")
    async with portal_served(database) as (house, app):
        await run_all(house)
        assert rows(database, "select reason from touch") == [(None,)]
        body = rows(database, "select body from attempt")[0][0]
        link = re.search(r"http://127\.0\.0\.1:8080/p/([\w-]{44})", body)
        assert link
        assert f'href="{link[0]}"' in str(fake(house, "email").sent[0])
        async with a_visitor(app, house, ada.case_id, link[1]) as visitor:
            assert (await visitor.enter(ada)).status_code == 200


async def test_a_fee_is_told_before_the_yes_and_the_plan_follows_in_writing_once(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (plain, _):
        house = with_terms(plain, fee_minor=600)
        app = httpx.ASGITransport(app=create_app(portal_settings(database), house))
        async with a_visitor(app, house, ada.case_id) as visitor:
            await visitor.enter(ada)
            await visitor.open("plan")
            check = await visitor.send(0, do="choose")
            assert WORDS.say("en", "readback.fee", fee="$6.00") in check.text
            assert WORDS.say("en", "readback.no_fee") not in check.text
            await visitor.send()
            await run_lanes(house)
    assert rows(database, "select total_minor, fee_minor from arrangement") == [(12_600, 600)]
    assert rows(database, "select count(*) from touch where template = 'arrangement_confirmation'") == [(1,)]


async def test_who_broke_plans_before_is_offered_none_on_the_page(database: str) -> None:
    put(database, ada := Someone())
    for days in (300, 100):
        rows(database, """insert into arrangement (arrangement_id, case_id, borrower_id, state, frequency,
               total_minor, currency, proposed_at, ended_at, source)
             values (gen_random_uuid(), %s, %s, 'broken', 'weekly', 1, 'USD', %s, %s, 'sms') returning 1""",
             ada.case_id, ada.borrower_id, START, START - timedelta(days=days))  # fmt: skip
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        assert WORDS.say("en", "plan.nothing") in (await visitor.open("plan")).text
