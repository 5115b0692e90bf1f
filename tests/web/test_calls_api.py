"""Calls walked over HTTP with real Twilio signatures and TwiML, as the carrier would."""

from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest
from twilio.request_validator import RequestValidator

from channels.config import load_channels
from channels.contract import Channel
from channels.fake import FakeChannel
from channels.registry import make_channel
from outreach.settings import load_settings
from tests.support.book import START, Someone, put
from tests.support.calls import place_call
from tests.support.house import rows
from tests.support.web import served

SID, SECRET, PUBLIC = "AC" + "1" * 32, "0123456789abcdef", "http://outreach.test"
DEBT = ("120", "500", "balance", "payment", "owe", "debt", "past due", "installment")


class FakeCarrier(FakeChannel):
    """Takes the call like the fake, but signs, parses and speaks like Twilio."""

    def __init__(self, twilio: Any) -> None:
        super().__init__()
        self.verify, self.parse, self.answer = twilio.verify, twilio.parse, twilio.answer  # type: ignore[method-assign]


def carrier(channel: str) -> Channel:
    env = {"OUTREACH_TWILIO_ACCOUNT_SID": SID, "OUTREACH_TWILIO_AUTH_TOKEN": SECRET, "OUTREACH_PUBLIC_URL": PUBLIC,
           "OUTREACH_SMS_SENDER": "+12025550143"}  # fmt: skip
    blocks = load_channels(load_settings({}).config / "channels.yaml", env)
    return FakeCarrier(make_channel(blocks[channel], lambda: START))


class Phone:
    """The carrier's side: posts signed forms and follows the markup it gets."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.token, self.next = client, token, f"{PUBLIC}/v1/calls/{token}"

    async def ask(self, secret: str = SECRET, **fields: str) -> httpx.Response:
        form = {"AccountSid": SID, "CallSid": "CA" + "3" * 32, "CallStatus": "in-progress", "Direction": "outbound-api",
                "From": "+12025550143", "To": "+12125550101", **fields}  # fmt: skip
        signature = RequestValidator(secret).compute_signature(self.next, form)
        parts = urlsplit(self.next)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return await self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})

    async def hear(self, **fields: str) -> str:
        """Post, remember where the answer goes, and return every word spoken."""
        answer = await self.ask(**fields)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        root = ET.fromstring(answer.content)  # noqa: S314 - our own output
        gather = root.find("Gather")
        self.next = gather.attrib["action"] if gather is not None else ""
        return " ".join(" ".join(root.itertext()).split())


async def test_the_whole_walk_with_the_right_year(database: str) -> None:
    put(database, ada := Someone())
    async with served(database, {"ivr": carrier("ivr")}, OUTREACH_PUBLIC_URL=PUBLIC) as (client, house):
        phone = Phone(client, await place_call(database, house, ada))
        greeting = await phone.hear(AnsweredBy="human")
        assert not [word for word in DEBT if word in greeting.lower()], greeting
        balance = await phone.hear(Digits="1980")
        assert "120" in balance
        assert "thank you" in (await phone.hear(Digits="4")).lower()
        assert phone.next == ""
        assert rows(database, "select kind from hold") == [("dispute",)]
        assert rows(database, "select outcome from attempt") == [("conversation",)]


@pytest.mark.parametrize("pressed", [["1981", "1982", "1983"], ["0"], ["9"]])
async def test_nobody_but_the_borrower_hears_a_word_of_the_debt(database: str, pressed: list[str]) -> None:
    put(database, ada := Someone())
    async with served(database, {"ivr": carrier("ivr")}, OUTREACH_PUBLIC_URL=PUBLIC) as (client, house):
        phone = Phone(client, await place_call(database, house, ada))
        heard = [await phone.hear(AnsweredBy="human")] + [await phone.hear(Digits=keys) for keys in pressed]
        assert phone.next == ""
        for words in heard:
            assert not [word for word in DEBT if word in words.lower()], words


async def test_a_stop_key_on_a_one_way_call_is_in_force_when_the_call_ends(database: str) -> None:
    put(database, ada := Someone())
    async with served(database, {"voice": carrier("voice")}, OUTREACH_PUBLIC_URL=PUBLIC) as (client, house):
        phone = Phone(client, await place_call(database, house, ada, "voice"))
        assert "press 9" in await phone.hear(AnsweredBy="human")
        await phone.hear(Digits="9")
        assert rows(database, "select channel from suppression order by 1") == [("ivr",), ("voice",)]


async def test_a_machine_hears_the_limited_words_once(database: str) -> None:
    put(database, ada := Someone())
    async with served(database, {"ivr": carrier("ivr")}, OUTREACH_PUBLIC_URL=PUBLIC) as (client, house):
        phone = Phone(client, await place_call(database, house, ada))
        words = await phone.hear(AnsweredBy="machine_start")
        assert words
        assert not [word for word in DEBT if word in words.lower()], words
        assert rows(database, "select outcome from attempt") == [("limited_content_left",)]


async def test_a_forged_turn_is_403_and_an_unknown_call_404(database: str) -> None:
    put(database, ada := Someone())
    async with served(database, {"ivr": carrier("ivr")}, OUTREACH_PUBLIC_URL=PUBLIC) as (client, house):
        phone = Phone(client, await place_call(database, house, ada))
        assert (await phone.ask(secret="guess")).status_code == 403
        assert rows(database, "select count(*) from dialogue") == [(0,)]
        assert (await Phone(client, "nobody").ask()).status_code == 404
        phone.next += "/turn?n=zero"
        assert (await phone.ask()).status_code == 422
