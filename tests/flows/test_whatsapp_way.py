"""Which texts go by WhatsApp: only where creditor and borrower allow it, and our own words only within the thread."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from channels.config import load_channels
from channels.contract import WHATSAPP, Capability
from channels.errors import NoTemplate
from channels.fake import FakeChannel
from channels.registry import ADAPTERS
from outreach.domain.creditor import load_creditors
from outreach.flows.house import House
from outreach.flows.whatsapp import THREAD
from tests.support.book import Someone, put
from tests.support.house import START, a_house, rows
from tests.support.touching import fake, plan_touch, receive, run_all, step_to, told, touch

CONFIG = Path(__file__).parents[2] / "config"
BOTH = ("sms", "email", "voice", "ivr", "whatsapp")


def switched_on(house: House, *countries: str) -> House:
    """Return the house with WhatsApp switched on by every creditor for some countries."""
    on = {key: replace(each, whatsapp=countries) for key, each in house.creditors.items()}
    return replace(house, creditors=on)


def went(house: House) -> list[tuple[bool, bool]]:
    """Return of everything that left: by WhatsApp or not, with our own words or not."""
    return [(each.address.startswith(WHATSAPP), each.in_thread) for each in fake(house).sent]


async def by_whatsapp(house: House, ada: Someone, words: str, key: str) -> None:
    await receive(house, "sms", dedupe_key=key, text=words, address=ada.phone, by_whatsapp=True)
    await run_all(house)


def test_as_shipped_nothing_can_leave_by_whatsapp() -> None:
    env = {"OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "OUTREACH_TWILIO_AUTH_TOKEN": "s3cret"}
    env |= {"OUTREACH_SMS_SENDER": "+12025550143"}
    channels = load_channels(CONFIG / "channels.yaml", env).values()
    used = [name for each in channels for name in (each.adapter, *(one.config.adapter for one in each.senders)) if name]
    assert [name for name in used if Capability.WHATSAPP in ADAPTERS[name].kind.capabilities] == []
    assert [each.id for each in load_creditors(CONFIG / "creditors.yaml").values() if each.whatsapp] == []


@pytest.mark.parametrize(
    ("countries", "consents", "way"),
    [
        ((), BOTH, (False, False)),  # as shipped: a text, consent or not
        (("BR",), BOTH, (False, False)),
        (("US",), BOTH[:-1], (False, False)),  # consent to texts is none to WhatsApp
        (("US",), ("any",), (False, False)),
        (("US",), BOTH, (True, False)),
    ],
)
async def test_whatsapp_needs_the_creditors_switch_and_a_consent_of_its_own(
    database: str, countries: tuple[str, ...], consents: tuple[str, ...], way: tuple[bool, bool]
) -> None:
    put(database, ada := Someone(consents=consents))
    plan_touch(database, ada)
    async with a_house(database) as shipped:
        house = switched_on(shipped, *countries)
        await run_all(house)
        assert went(house) == [way]
        (out,) = fake(house).sent
        assert out.template is not None
    assert [entry.get("way") for entry in told(database, "touch.sent")] == (["whatsapp"] if way[0] else [None])


async def test_an_answer_goes_back_by_whatsapp_in_our_own_words_and_by_text_when_they_text(database: str) -> None:
    put(database, ada := Someone())  # no consent to WhatsApp: they wrote there themselves
    async with a_house(database) as shipped:
        house = switched_on(shipped, "US")
        await by_whatsapp(house, ada, "How much do I owe?", "1")
        assert went(house) == [(True, True)]
        assert fake(house).sent[0].validity <= THREAD
        await step_to(house, START + timedelta(minutes=1))
        await receive(house, "sms", dedupe_key="2", text="How much do I owe?", address=ada.phone)
        await run_all(house)
        assert went(house)[1:] == [(False, False)]
    assert rows(database, "select count(*) from reply") == [(2,)]


async def test_once_the_thread_is_over_only_a_template_goes(database: str) -> None:
    put(database, ada := Someone(consents=BOTH))
    async with a_house(database) as shipped:
        house = switched_on(shipped, "US")
        await by_whatsapp(house, ada, "Thanks, I will look at it", "1")
        later = plan_touch(database, ada, at=START + THREAD)
        before = len(fake(house).sent)
        await step_to(house, START + THREAD)
        assert touch(database, later)["state"] == "sent"
        assert went(house)[before:] == [(True, False)]


@pytest.mark.parametrize("by", [True, False])
async def test_a_stop_on_either_stops_both_and_takes_the_consent_to_whatsapp_back(database: str, by: bool) -> None:
    put(database, ada := Someone(consents=BOTH))
    key = plan_touch(database, ada, at=START + timedelta(hours=1))
    async with a_house(database) as shipped:
        house = switched_on(shipped, "US")
        await receive(house, "sms", dedupe_key="1", text="STOP", address=ada.phone, by_whatsapp=by)
        assert touch(database, key)["state"] == "cancelled"
        await run_all(house)
        assert went(house) == [(by, by)]  # one confirmation, where they said it
    assert rows(database, "select state from consent where channel = 'whatsapp' order by state") == [
        ("given",), ("revoked",)
    ]  # fmt: skip


async def test_without_an_approved_template_it_is_refused_for_that_and_nothing_else_leaves(database: str) -> None:
    put(database, ada := Someone(consents=BOTH))
    key = plan_touch(database, ada)
    refusing = FakeChannel(NoTemplate("no approved template"))
    async with a_house(database, channels={"sms": refusing}) as house:
        await run_all(switched_on(house, "US"))
        assert len(refusing.sent) == 1
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("failed", "provider.no_template")
