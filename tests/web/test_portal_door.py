"""The portal's door: links that lead nowhere, guesses, lock-out, sessions, forms of others, and what never shows."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from outreach.domain.portal import Portal, PortalRules
from outreach.flows.portal import load_standing
from outreach.flows.story import load_story
from outreach.settings import SettingsError, load_settings
from tests.support.book import START, Someone, put
from tests.support.house import clock_of, rows
from tests.support.portal import SECRET, Visitor, a_visitor, give_postcode, portal_served, read_page
from tests.support.web import KEY, served

OTHER = "another-secret-of-the-portal-for-tests"


async def test_every_link_that_leads_nowhere_gives_the_same_page(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app):
        assert house.portal is not None
        good = house.portal.link(ada.case_id, START).rpartition("/")[2]
        late = house.portal.link(ada.case_id, START - timedelta(days=31)).rpartition("/")[2]
        nobody = house.portal.link(Someone().case_id, START).rpartition("/")[2]
        forged = Portal.of(PortalRules(), "http://x", [OTHER]).link(ada.case_id, START).rpartition("/")[2]
        changed = [good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in (0, 20, 23, 43)]
        bodies = set()
        for token in (late, nobody, forged, *changed, good[:-1], good + "A", good + "=", "x", "%00", "é", "." * 44):
            async with a_visitor(app, house, ada.case_id, token) as visitor:
                answer = await visitor.open()
            assert answer.status_code == 404
            assert "set-cookie" not in answer.headers
            bodies.add(answer.text)
        assert len(bodies) == 1
        async with a_visitor(app, house, ada.case_id, good) as visitor:
            assert (await visitor.open()).status_code == 200


def test_a_link_holds_the_case_and_its_end_and_nothing_else() -> None:
    portal, ada = Portal.of(PortalRules(), "https://pay.example.com", [SECRET]), Someone()
    link = portal.link(ada.case_id, START)
    token = link.removeprefix("https://pay.example.com/p/")
    assert re.fullmatch(r"[A-Za-z0-9_-]{44}", token)
    assert portal.open(token, START) == ada.case_id
    assert portal.open(token, START + timedelta(days=30)) == ada.case_id
    assert portal.open(token, portal.ends(START)) is None
    assert SECRET not in repr(portal)


def test_a_key_is_rotated_without_breaking_links() -> None:
    ada = Someone()
    old = Portal.of(PortalRules(), "https://x", [SECRET])
    token = old.link(ada.case_id, START).rpartition("/")[2]
    assert Portal.of(PortalRules(), "https://x", [OTHER, SECRET]).open(token, START) == ada.case_id
    assert Portal.of(PortalRules(), "https://x", [OTHER]).open(token, START) is None


@pytest.mark.parametrize(
    "environ",
    [
        {"OUTREACH_PORTAL_SECRET": "short"},
        {"OUTREACH_PORTAL_SECRET_PREVIOUS": OTHER},
        {"OUTREACH_PORTAL_SECRET": OTHER, "OUTREACH_PORTAL_SECRET_PREVIOUS": "short"},
        {"OUTREACH_PORTAL_SECRET": OTHER, "OUTREACH_PUBLIC_URL": "https://" + "x" * 80},
        {"OUTREACH_PORTAL_SECRET": OTHER, "OUTREACH_PUBLIC_URL": "pay.example.com"},
    ],
)
def test_a_secret_or_address_that_cannot_serve_stops_the_process(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="expected"):
        load_settings(environ)


async def test_without_a_secret_there_is_no_portal(database: str) -> None:
    put(database, ada := Someone())
    token = Portal.of(PortalRules(), "http://x", [SECRET]).link(ada.case_id, START).rpartition("/")[2]
    async with served(database) as (client, house):
        assert house.portal is None
        assert (await client.get(f"/p/{token}")).status_code == 404


async def test_three_wrong_answers_lock_the_door_for_every_link_of_the_case(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.open()
        pages = [await visitor.send(birth_year="1981", account_last4="B1A1") for _ in range(3)]
        locked = await visitor.enter(ada)
        assert {page.status_code for page in (*pages, locked)} == {403}
        bare = {re.sub(r'name="(proof|once)" value="[^"]*"', "", page.text) for page in (*pages, locked)}
        assert len(bare) == 1
        clock_of(house).instant = START + timedelta(minutes=30)
        async with a_visitor(app, house, ada.case_id) as other:
            assert other.token == visitor.token or (await other.enter(ada)).status_code == 403
        assert house.portal is not None
        later = house.portal.link(ada.case_id, START + timedelta(hours=5)).rpartition("/")[2]
        assert later != visitor.token
        async with a_visitor(app, house, ada.case_id, later) as other:
            assert (await other.enter(ada)).status_code == 403
        clock_of(house).instant = START + timedelta(minutes=61)
        assert (await visitor.enter(ada)).status_code == 200
        story = await load_story(house, "B1")
        assert story is not None
        assert any("it is locked" in line.sentence for line in story.lines)


async def test_guesses_at_once_are_counted_one_by_one(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        form = read_page((await visitor.open()).text).forms[0][1]
        wrong = [form | {"birth_year": str(year), "account_last4": "B1A1"} for year in range(1990, 1996)]
        answers = await asyncio.gather(
            *(visitor.client.post(f"{visitor.base}/identify", data=guess) for guess in wrong)
        )
        assert {answer.status_code for answer in answers} == {403}
        assert (await visitor.enter(ada)).status_code == 403
    assert rows(database, "select tries, locked_until_real_at is not null from portal_identity") == [(3, True)]


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"birth_year": "1980", "postcode": "10001"}, 200),
        ({"birth_year": "１９８０", "postcode": " 100 01 "}, 200),
        ({"birth_year": "1980", "postcode": "10001-9999"}, 200),
        ({"birth_year": "1980", "postcode": ""}, 403),
        ({"birth_year": "", "postcode": ""}, 403),
        ({"birth_year": "1980", "postcode": "10002"}, 403),
        ({"birth_year": "1980", "account_last4": "B1A1", "postcode": "x"}, 403),
    ],
)
async def test_the_first_facts_on_file_must_all_be_right(database: str, answers: dict[str, str], status: int) -> None:
    put(database, ada := Someone())
    give_postcode(database, ada, "10001-1234")
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        page = await visitor.open()
        assert re.findall(r'<input id="(\w+)" name', page.text) == ["birth_year", "postcode"]
        assert (await visitor.send(**answers)).status_code == status


async def test_nobody_comes_in_where_too_little_is_on_file(database: str) -> None:
    put(database, ada := Someone(birth_year=None))
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        page = await visitor.open()
        assert "call us" in page.text
        assert read_page(page.text).forms == []
        answer = await visitor.client.post(f"{visitor.base}/identify", data={"account_last4": "B1A1"})
        assert answer.status_code == 403


async def test_nothing_of_the_debt_shows_before_identity(database: str) -> None:
    put(database, ada := Someone(given_name="Ada", family_name="Lovelace"))
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        for way in ("", "plan", "check", "promise", "paid", "contact", "schedule.ics"):
            page = await visitor.open(way)
            assert 'action="' + visitor.base + '/identify"' in page.text
            shown = re.sub(r'value="[^"]*"', "", page.text)  # proofs are random
            shown = shown.replace("Harbour Example Credit", "").replace("+12025550143", "")
            for secret in ("120", "12,0", "B1A1", "Ada", "Lovelace", "credit", "1980", "owed", "due"):
                assert secret not in shown
        for way in ("plan", "check", "promise", "dispute", "contact", "leave"):
            answer = await visitor.client.post(f"{visitor.base}/{way}", data={"do": "stop_all"})
            assert answer.status_code == 303
    assert rows(database, "select count(*) from inbox") == [(0,)]
    assert rows(database, "select count(*) from suppression") == [(0,)]


async def test_a_visit_opens_one_link_only(database: str) -> None:
    put(database, ada := Someone(), bob := Someone(ref="B2", phone="+12125550102", email="bob@example.com"))
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        cookie = visitor.client.cookies["outreach_portal"]
        async with a_visitor(app, house, bob.case_id) as other:
            answer = await other.client.get(other.base, headers={"Cookie": f"outreach_portal={cookie}"})
            assert "/identify" in answer.text
            assert "$" not in answer.text
            proof = read_page(visitor.page.text).forms[0][1]
            refused = await other.client.post(
                f"{other.base}/dispute", data=proof, headers={"Cookie": f"outreach_portal={cookie}"}
            )
            assert refused.status_code == 303
    assert rows(database, "select count(*) from hold") == [(0,)]


async def test_a_visit_ends_by_itself_or_by_signing_out(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        clock_of(house).instant = START + timedelta(minutes=19)
        assert "$120.00" in (await visitor.open()).text
        clock_of(house).instant = START + timedelta(minutes=38)
        page = await visitor.open()
        assert "$120.00" in page.text
        action, hidden = read_page(page.text).forms[-1]
        assert action.endswith("/leave")
        await visitor.client.post(action, data=hidden)
        assert "$120.00" not in (await visitor.open()).text
        await visitor.enter(ada)
        clock_of(house).instant = START + timedelta(minutes=59)
        assert "$120.00" not in (await visitor.open()).text


@pytest.mark.parametrize("cookie", ["", "1.x.00", "9" * 5000 + ".x.0", "..", "é.é.é", "1.2.3.4"])
async def test_a_made_up_visit_is_none(database: str, cookie: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        headers = {"Cookie": f"outreach_portal={cookie}; outreach_portal_lang=xx; outreach_portal_said=<b>".encode()}
        answer = await visitor.client.get(visitor.base, headers=headers)
        assert answer.status_code == 200
        assert "$120.00" not in answer.text


async def test_a_form_of_somebody_else_changes_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        page = await visitor.open()
        hidden = read_page(page.text).forms[0][1]
        right = {"birth_year": "1980", "account_last4": "B1A1"}
        for proof in ({}, {"proof": "0" * 64}, {"proof": "é"}):
            answer = await visitor.client.post(f"{visitor.base}/identify", data=right | proof)
            assert answer.status_code == 403
        async with a_visitor(app, house, ada.case_id) as stranger:
            answer = await stranger.client.post(f"{visitor.base}/identify", data=right | hidden)
            assert answer.status_code == 403
        assert rows(database, "select count(*) from portal_identity") == [(0,)]
        await visitor.enter(ada)
        ways = {"contact": {"do": "stop_all"}, "dispute": {}, "promise": {"on": "2027-03-05"}, "check": {}, "leave": {}}
        for way, fields in ways.items():
            answer = await visitor.client.post(f"{visitor.base}/{way}", data=fields | {"proof": hidden["proof"]})
            assert answer.status_code == 403
        many = await visitor.client.post(f"{visitor.base}/dispute", content=b"&".join([b"a=1"] * 500))
        assert many.status_code == 403
        large = await visitor.client.post(f"{visitor.base}/dispute", content=b"words=" + b"x" * 40_000)
        assert large.status_code == 413
    assert rows(database, "select count(*) from inbox") == [(0,)]


async def test_a_form_kept_until_the_case_is_closed_does_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        await visitor.enter(ada)
        kept = {way: read_page((await visitor.open(way)).text).forms[0][1] for way in ("promise", "dispute", "paid")}
        await visitor.open("plan")
        check = read_page((await visitor.send(0, do="choose")).text).forms[0][1]
        rows(database, "update cases set state = 'closed', closed_at = %s returning 1", START)
        fields = {"on": "2027-03-05", "words": "x"}
        for way, form in (*kept.items(), ("check", check)):
            await visitor.client.post(f"{visitor.base}/{way}", data=form | fields)
        home = await visitor.open()
        assert "This is closed" in home.text
        assert "$120.00" not in home.text
        await visitor.open("contact")
        await visitor.send(0, do="stop_all")
    assert rows(
        database,
        """select (select count(*) from arrangement), (select count(*) from promise), (select count(*) from hold),
             (select count(*) from task)""",
    ) == [(0, 0, 0, 0)]
    assert rows(database, "select count(*) from suppression") == [(4,)]


@pytest.mark.parametrize("hold", ["dispute", "attorney", "bankruptcy", "deceased", "cease"])
async def test_a_case_on_hold_shows_no_offer_and_no_amount(database: str, hold: str) -> None:
    put(database, ada := Someone())
    rows(
        database,
        "insert into hold (hold_id, borrower_id, kind, since_at, source) values (gen_random_uuid(), %s, %s, %s, 'x')"
        " returning 1",
        ada.borrower_id, hold, START,
    )  # fmt: skip
    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        page = await visitor.enter(ada)
        assert "A person is looking at this" in page.text
        assert "$" not in page.text
        assert (await visitor.client.get(f"{visitor.base}/plan")).status_code == 303


async def test_what_a_borrower_writes_is_never_markup(database: str) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    put(database, ada := Someone(given_name=bad[:60]))
    async with portal_served(database, OUTREACH_API_KEYS=KEY) as (house, app):
        async with a_visitor(app, house, ada.case_id) as visitor:
            await visitor.enter(ada)
            assert "<script" not in visitor.page.text
            await visitor.open("dispute")
            long = await visitor.send(words=bad + "x" * 3000)
            assert long.status_code == 422
            assert "<script" not in long.text
            assert "&lt;script&gt;" in long.text
            await visitor.send(words=bad)
        async with httpx.AsyncClient(transport=app, base_url="http://outreach.test") as operator:
            await operator.post("/login", data={"key": KEY})
            story = await operator.get(f"/cases/{ada.case_id}")
    assert "&lt;script&gt;alert(1)" in story.text
    assert "<script" not in story.text


async def test_no_address_and_no_log_line_holds_anything_personal(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database, ada := Someone(given_name="Ada", family_name="Lovelace"))
    give_postcode(database, ada, "10001")
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(str(request.url))

    async with portal_served(database) as (house, app), a_visitor(app, house, ada.case_id) as visitor:
        visitor.client.event_hooks["request"] = [note]
        await visitor.open()
        await visitor.send(birth_year="1912", postcode="10001")
        await visitor.enter(ada, postcode="10001")
        await visitor.open("promise")
        await visitor.send(on="2027-03-05", amount="44.44")
        await visitor.open("dispute")
        await visitor.send(words="My name is Lovelace, call +12125550101")
        links = re.findall(r'href="([^"]+)"', visitor.page.text)
    out = capsys.readouterr()
    for text in ("\n".join(asked), "\n".join(links).replace("+12025550143", ""), out.out, out.err):
        for personal in ("Lovelace", "1980", "1912", "10001", "44.44", "4444", "+12125550101", "B1A1", "2027-03-05"):
            assert personal not in text.replace(START.isoformat(), "")
    assert visitor.token not in out.out + out.err


async def test_pages_are_kept_by_nobody_and_tell_nobody(database: str) -> None:
    put(database, ada := Someone())
    async with (
        portal_served(database, OUTREACH_PUBLIC_URL="https://pay.example.com") as (house, app),
        a_visitor(app, house, ada.case_id) as visitor,
    ):
        visitor.client.base_url = httpx.URL("https://pay.example.com")
        assert house.portal is not None
        assert house.portal.link(ada.case_id, START).startswith("https://pay.example.com/p/")
        pages = [await visitor.open(), await visitor.enter(ada), await visitor.open("plan")]
        await visitor.send(0, do="choose")
        pages += [await visitor.send(), await visitor.open("schedule.ics")]
        cookies = [each for page in pages for each in page.headers.get_list("set-cookie")]
        for page in pages:
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["x-content-type-options"] == "nosniff"
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            assert "unsafe" not in page.headers["content-security-policy"]
    assert cookies
    for cookie in cookies:
        marks = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "max-age=0" not in marks:
            assert {"httponly", "secure", "samesite=strict", f"path={visitor.base}".lower()} <= marks


async def test_an_agency_says_on_each_page_what_the_law_asks(database: str) -> None:
    put(database, ada := Someone())
    async with portal_served(database) as (house, _):
        agency = replace(house, creditors={"harbour": replace(house.creditors["harbour"], role="agency")})
        assert (await load_standing(house, ada.case_id)).notices == ()
        assert "debt_collector_disclosure" in (await load_standing(agency, ada.case_id)).notices


def test_a_visitor_reads_forms() -> None:
    """The helper of these tests would prove nothing if it found no forms."""
    page = read_page('<form action="/a"><input type="hidden" name="x" value="1"></form><label for="b"></label>')
    assert page.forms == [("/a", {"x": "1"})]
    assert page.labels == ["b"]
    assert Visitor is not None
