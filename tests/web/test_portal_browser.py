"""The portal as a borrower meets it: chromium as a telephone, in three languages, by keyboard, without scripts."""

import itertools
import re
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from channels.sandbox.client import Sandbox
from outreach.domain.arrangement import Frequency, Shape
from outreach.flows.house import House
from outreach.settings import ROOT
from outreach.web.app import create_app
from outreach.web.portal_pages import words_of
from tests.support.book import START, Someone, put
from tests.support.browser import Window, a_browser, a_window
from tests.support.house import rows
from tests.support.portal import portal_served, portal_settings
from tests.support.terms import with_terms
from tests.support.web import KEY, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = words_of(ROOT / "templates")
LOCALES = {"en": "en-US", "es": "es-US", "zh": "zh-CN"}
MOST_BYTES = 60_000
HIGH_ENOUGH = 44
"""CSS pixels of the controls that matter; what axe-core holds all others to is 24."""


@dataclass
class Stand:
    """A browser, and the server that it opens pages of: real, on a port, with a fee and paydays in its terms."""

    dsn: str
    house: House
    browser: Browser
    origin: str
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def someone(self, **more: Any) -> tuple[Someone, str]:
        """Put a borrower in the book; returns them and the path of their page."""
        number = next(self.numbers)
        one = Someone(ref=f"B{number}", phone=f"+12125550{number}", email=f"b{number}@example.com", **more)
        put(self.dsn, one)
        assert self.house.portal is not None
        return one, "/p/" + self.house.portal.link(one.case_id, START).rpartition("/")[2]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(module_database: str) -> AsyncIterator[Stand]:
    twice = Shape(4, Frequency.SEMIMONTHLY, paydays=(15, 31))
    async with portal_served(module_database) as (plain, _), a_browser() as browser:
        shapes = (*plain.replies.policies[0].shapes, twice)
        house = with_terms(plain, fee_minor=600, shapes=shapes)
        app = create_app(portal_settings(module_database, OUTREACH_API_KEYS=KEY), house)
        async with listening(lambda _url: app) as origin:
            yield Stand(module_database, house, browser, origin)


def words(language: str, key: str, **places: object) -> str:
    return WORDS.say(language, key, **places)


async def holds(window: Window, *, name: str = "") -> None:
    """Assert what is true of every page, and keep a picture of it."""
    if name:
        await window.picture(f"portal-{name}")
    assert await window.violations() == []
    assert await window.overflow() <= 0
    assert await window.weight() < MOST_BYTES
    low = """least => [...document.querySelectorAll("main button, main .button, main .ways a")]
        .filter(each => each.getBoundingClientRect().height < least).map(each => each.textContent)"""
    assert await window.page.evaluate(low, HIGH_ENOUGH) == []
    assert window.strange == []
    assert [each for each in window.errors if "status of 4" not in each] == []  # chromium notes a 4xx that we meant


async def enter(window: Window, path: str, one: Someone, language: str = "en") -> None:
    await window.go(f"{path}?lang={language}")
    await answer(window, one, language)


async def answer(window: Window, one: Someone, language: str, year: str = "1980") -> None:
    await window.fill(birth_year=year, account_last4=f"{one.ref}-A1".replace("-", "")[-4:])
    await window.press(words(language, "door.button"))


@pytest.mark.parametrize("language", LOCALES)
async def test_the_whole_way_fits_a_small_telephone(stand: Stand, language: str) -> None:
    one, path = stand.someone(locale=LOCALES[language])

    def say(key: str, **places: object) -> str:
        return words(language, key, **places)

    async with a_window(stand.browser, stand.origin, width=320, height=640) as window:
        page = window.page
        await window.go(path)
        assert (
            await page.title() == f"{say('door.title')} · {stand.house.creditor('harbour').name_for(LOCALES[language])}"
        )
        await holds(window, name=f"{language}-1-door")
        await answer(window, one, language)
        assert "120.00" in await page.inner_text(".owed")
        await holds(window, name=f"{language}-2-home")
        await window.press(say("home.plan"))
        first = page.locator(".offers .card").first
        shown = await first.inner_text()
        for told in ("63.00", "6.00", "126.00", say("plan.total"), say("plan.fee"), say("plan.fortnightly")[1:]):
            assert told in shown
        await first.locator("summary").click()
        assert await first.locator("tbody tr").count() == 2
        await holds(window, name=f"{language}-3-plans")
        await page.locator("#every").select_option("semimonthly-15-31")
        await window.fill(each="30", first_on="2027-03-12")
        await window.press(say("plan.show"))
        cells = await page.locator("form.card tbody td").all_inner_texts()
        assert len(cells) == 2 * 5  # 126.00 in parts of no more than 30.00
        assert "15" in cells[0]
        await holds(window, name=f"{language}-4-preview")
        await window.press(say("plan.go_on"))
        assert "126.00" in await page.inner_text("tfoot")
        assert say("readback.fee", fee="").strip("。. ")[:8] in await page.inner_text(".card")
        await holds(window, name=f"{language}-5-check")
        assert rows(stand.dsn, "select 1 from arrangement where case_id = %s", one.case_id) == []
        await window.press(say("readback.confirm"))
        assert await page.get_by_role("status").inner_text() == say("said.plan")
        assert await page.locator("h1").inner_text() == say("arranged.title")
        await holds(window, name=f"{language}-6-done")
    made = rows(stand.dsn, "select frequency, total_minor, source from arrangement where case_id = %s", one.case_id)
    assert made == [("semimonthly", 12_600, "portal")]


_FOCUSED = """() => {
    const at = document.activeElement, drawn = getComputedStyle(at), box = at.getBoundingClientRect();
    return {
        page: at === document.body,
        name: at.id || (at.querySelector(".go") || at).textContent.trim(),
        visible: drawn.outlineStyle !== "none" && parseFloat(drawn.outlineWidth) >= 2,
        inside: box.right <= innerWidth && box.bottom <= innerHeight,
    };
}"""


async def tab_to(window: Window, name: str) -> list[str]:
    """Press Tab until the control of this name or id has the focus; returns what had it on the way."""
    passed: list[str] = []
    for _ in range(40):
        await window.page.keyboard.press("Tab")
        at = await window.page.evaluate(_FOCUSED)
        if at["page"]:
            continue  # the window itself, before the first control and after the last
        assert at["visible"], at
        assert at["inside"], at
        passed.append(at["name"].split("\n")[0])
        if name in {at["name"], passed[-1]}:
            return passed
    raise AssertionError(f"{name} is not reached: {passed}")


async def enter_key(window: Window) -> None:
    async with window.page.expect_navigation(wait_until="load"):
        await window.page.keyboard.press("Enter")


async def test_a_plan_is_made_with_the_keyboard_alone(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin) as window:
        keys = window.page.keyboard
        await window.go(path)
        order = await tab_to(window, "birth_year")
        assert order == [words("en", "frame.skip"), "Español", "中文", "birth_year"]
        await keys.type("1980")
        assert await tab_to(window, "account_last4") == ["account_last4"]
        await keys.type(f"{one.ref}A1"[-4:])
        await enter_key(window)
        order = await tab_to(window, words("en", "home.plan"))
        assert order[3:] == [words("en", "home.pay"), words("en", "home.plan")]
        await enter_key(window)
        await tab_to(window, "count")
        await keys.press("Control+A")
        await keys.type("5")
        await enter_key(window)  # as people do: it shows the dates, and agrees to nothing
        assert await window.page.locator("h1").inner_text() == words("en", "plan.preview")
        await tab_to(window, words("en", "plan.go_on"))
        await enter_key(window)
        order = await tab_to(window, words("en", "readback.confirm"))
        assert order[-2:] == [words("en", "frame.back"), words("en", "readback.confirm")]
        await enter_key(window)
        assert await window.page.get_by_role("status").inner_text() == words("en", "said.plan")
        order = await tab_to(window, words("en", "frame.leave"))
        await enter_key(window)
        assert await window.page.locator("#birth_year").count() == 1
    assert rows(stand.dsn, "select count(*) from installment i join arrangement a using (arrangement_id)"
                " where a.case_id = %s", one.case_id) == [(5,)]  # fmt: skip


async def test_everything_works_without_scripts(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin, java_script_enabled=False) as window:
        await enter(window, path, one)
        await window.press(words("en", "home.plan"))
        await window.fill(count="3")
        await window.press(words("en", "plan.show"))
        await window.press(words("en", "plan.go_on"))
        await window.press(words("en", "readback.confirm"))
        await window.press(words("en", "home.change"))
        await window.press(words("en", "plan.choose"), nth=1)
        assert words("en", "readback.instead") in await window.page.inner_text("main")
        await window.press(words("en", "readback.confirm"))
        await window.press(words("en", "home.end"))
        await window.press(words("en", "end.confirm"))
        assert await window.page.get_by_role("status").inner_text() == words("en", "said.end")
        assert "$120.00" in await window.page.inner_text(".owed")
        assert window.strange == []
    states = rows(stand.dsn, "select state, ended_by, total_minor, fee_minor from arrangement where case_id = %s"
                  " order by proposed_at, ended_by desc", one.case_id)  # fmt: skip
    assert sorted(states) == [("cancelled", "borrower", 12_000, 0), ("cancelled", "change", 12_600, 600)]


WAYS = ("plan", "promise", "time", "paid", "hardship", "dispute", "call", "contact")


async def test_pages_reflow_when_they_are_enlarged_four_times(stand: Stand) -> None:
    one, path = stand.someone(given_name="Maximiliana-Esperanza")
    async with a_window(stand.browser, stand.origin, width=320, height=256, device_scale_factor=4) as window:
        await enter(window, path, one, "es")
        for way in ("", *WAYS):
            await window.go(f"{path}/{way}" if way else path)
            assert await window.overflow() <= 0, way
        assert window.strange == window.errors == []


async def test_no_page_has_a_serious_fault_for_who_sees_or_hears_it_otherwise(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin) as window:
        page = window.page
        assert await window.go("/p/nothing") == 404
        await holds(window, name="en-error-gone")
        await window.go(path)
        await answer(window, one, "en", year="1981")
        assert (await page.title()).startswith(words("en", "frame.error"))
        await holds(window, name="en-error-door")
        await answer(window, one, "en")
        for way in WAYS[1:]:
            await window.go(f"{path}/{way}")
            await holds(window, name=f"en-way-{way}")


WRONG: tuple[tuple[str, str, dict[str, str], tuple[str, ...]], ...] = (
    ("plan", "plan.show", {"count": "99", "first_on": "2027-09-09"}, ("first_on", "count")),
    ("plan", "plan.show", {"each": "1.00"}, ("each",)),
    ("plan", "plan.show", {"count": "12"}, ("count",)),
    ("promise", "promise.button", {"on": "2028-01-01", "amount": "500"}, ("on", "amount")),
    ("time", "time.button", {"on": "2027-03-01"}, ("on",)),
    ("contact", "contact.stop_some", {}, ("stop-sms",)),
)


async def test_an_error_is_told_at_its_field_and_at_the_top(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin) as window:
        page, seen = window.page, set()
        await enter(window, path, one)
        for way, button, fields, wrong in WRONG:
            await window.go(f"{path}/{way}")
            await page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true })")
            await window.fill(**fields)
            await window.press(words("en", button))
            links = page.locator(".problem a")
            assert [await link.get_attribute("href") for link in await links.all()] == [f"#{at}" for at in wrong]
            for at in wrong:
                assert await page.locator(f"#{at}-error").inner_text()
                described = await page.locator(f":is(#{at}, fieldset:has(#{at}))").first.get_attribute(
                    "aria-describedby"
                )
                assert f"{at}-error" in (described or "")
            assert {at: await page.locator(f"#{at}").input_value() for at in fields} == fields
            await links.first.focus()
            await page.keyboard.press("Enter")
            assert await page.evaluate("document.activeElement.id") == wrong[0]
            if way not in seen:
                await holds(window, name=f"en-error-{way}")
            seen.add(way)


async def test_more_time_is_read_back_and_moves_the_due_date(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin, width=320) as window:
        await enter(window, path, one)
        await window.press(words("en", "home.time"))
        await window.fill(on="2027-03-12")
        await window.press(words("en", "time.button"))
        assert "March 12, 2027" in await window.page.inner_text(".owed")
        await holds(window, name="en-time-check")
        await window.press(words("en", "time.confirm"))
        assert await window.page.get_by_role("status").inner_text() == words("en", "said.time")
        assert "March 12, 2027" in await window.page.inner_text(".owed")
        assert await window.page.get_by_role("link", name=re.compile(words("en", "home.time"))).count() == 0
    assert rows(stand.dsn, "select to_on::text, source from extension where case_id = %s", one.case_id) == [
        ("2027-03-12", "portal")
    ]
    written = rows(stand.dsn, "select template, channel from touch where case_id = %s", one.case_id)
    assert written == [("extension_done", "email")]


async def test_ending_a_plan_is_asked_kindly_first(stand: Stand) -> None:
    one, path = stand.someone()
    async with a_window(stand.browser, stand.origin, width=320) as window:
        await enter(window, path, one)
        await window.press(words("en", "home.plan"))
        await window.press(words("en", "plan.choose"))
        await window.press(words("en", "readback.confirm"))
        await window.press(words("en", "home.change"))
        assert "$126.00" not in await window.page.inner_text("main")  # the fee is not asked a second time
        await holds(window, name="en-plan-change")
        await window.go(f"{path}/end")
        assert "$120.00" in await window.page.inner_text("main")
        await holds(window, name="en-plan-end")
        await window.press(words("en", "end.keep"))
        assert await window.page.locator("h1").inner_text() == words("en", "arranged.title")
    assert rows(stand.dsn, "select state from arrangement where case_id = %s", one.case_id) == [("active",)]


async def test_the_console_has_no_serious_fault(stand: Stand) -> None:
    one, _ = stand.someone()
    async with a_window(stand.browser, stand.origin, width=1280, height=800) as window:
        await window.go("/login")
        assert await window.violations() == []
        await window.fill(key=KEY)
        await window.press("Log in")
        for path in ("/", "/cases", "/cases?ref=nobody", f"/cases/{one.case_id}"):
            await window.go(path)
            await window.picture(f"console-{path.strip('/').partition('/')[0].partition('?')[0] or 'overview'}")
            assert await window.violations() == [], path
            assert window.strange == []


async def test_the_handsets_have_no_serious_fault(stand: Stand) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pay@bank.example.com", "alex@example.com", "A note"
    mail.set_content("Hello")
    with Sandbox() as sandbox:
        with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as smtp:
            smtp.send_message(mail)
        sandbox.client.wait_idle()
        async with a_window(stand.browser, sandbox.http_url) as window:
            await window.go("/handsets")
            assert await window.violations() == []
            await window.press("alex@example.com")
            await window.picture("handset")
            assert await window.violations() == []
            assert window.strange == window.errors == []
