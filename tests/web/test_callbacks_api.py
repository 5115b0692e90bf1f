"""Provider callbacks over HTTP: verified, grouped, in force before the answer."""

import asyncio
import hashlib
import hmac
import json
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import psycopg
import pytest
from twilio.request_validator import RequestValidator

from channels.contract import Answer, Callback
from channels.fake import SIGNATURE_HEADER, FakeChannel
from outreach.web import group_commit
from tests.support.book import Someone, put
from tests.support.house import MemoryQueue, rows
from tests.support.web import on_a_port, served, signed

SID = "AC" + "1" * 32
SECRET = "0123456789abcdef"


def inbox(database: str) -> list[tuple[Any, ...]]:
    return rows(database, "select channel, kind, state from inbox order by inbox_id")


async def test_a_forged_callback_is_403_and_stores_nothing(database: str) -> None:
    async with served(database) as (client, house):
        good = signed(house, "sms", dedupe_key="x", text="STOP", address="+12125550101")
        forged = await client.post("/v1/callbacks/sms", content=good["content"], headers={SIGNATURE_HEADER: "no"})
        assert forged.status_code == 403
        assert inbox(database) == []


async def test_an_oversized_callback_is_refused_before_it_is_verified(database: str) -> None:
    async with served(database) as (client, _):
        answer = await client.post("/v1/callbacks/sms", content=b"x" * 65_537)
        assert answer.status_code == 413
        assert inbox(database) == []


async def test_a_channel_that_nobody_configured_is_404(database: str) -> None:
    async with served(database) as (client, _):
        assert (await client.post("/v1/callbacks/pigeon")).status_code == 404


async def test_news_is_stored_and_queued_once_however_often_it_comes(database: str) -> None:
    async with served(database) as (client, house):
        receipt = signed(house, "sms", dedupe_key="SM1:delivered", status="delivered", token="t")
        answers = [await client.post("/v1/callbacks/sms", **receipt) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [204, 204, 204]
        assert inbox(database) == [("sms", "receipt", "new")]
        assert isinstance(house.queue, MemoryQueue)
        assert [(kind, len(ids)) for kind, ids in house.queue.news] == [("receipt", 1)]


async def test_a_verified_callback_that_cannot_be_read_is_kept_and_alerted(database: str) -> None:
    async with served(database) as (client, house):
        good = signed(house, "sms", dedupe_key="x", text="hello")
        answer = await client.post("/v1/callbacks/sms", **(good | {"content": b"\x00 nonsense"}))
        assert answer.status_code == 204
        assert inbox(database) == [("sms", "malformed", "parked")]
        assert rows(database, "select kind from alert") == [("callback.malformed",)]


async def test_a_stop_is_in_force_before_the_provider_hears_204(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        stop = signed(house, "sms", dedupe_key="SM9", text="STOP", address=ada.phone, provider_keyword="STOP")
        assert (await client.post("/v1/callbacks/sms", **stop)).status_code == 204
        stopped = rows(database, "select channel from suppression where lifted_at is null")
        assert sorted(stopped) == [("email",), ("ivr",), ("sms",), ("voice",)], "a stop that names no channel means all"


async def test_callbacks_that_arrive_together_share_transactions_and_none_is_lost(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    take_news = group_commit.take_news

    async def counting(house: Any, channel: str, news: Any, heard: Any) -> int:
        taken.append(len(news))
        return await take_news(house, channel, news, heard)

    monkeypatch.setattr(group_commit, "take_news", counting)
    async with served(database) as (client, house):
        posts = [
            client.post("/v1/callbacks/sms", **signed(house, "sms", dedupe_key=f"SM{n}", status="sent", token=f"t{n}"))
            for n in range(300)
        ]
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {204}
        assert rows(database, "select count(*) from inbox") == [(300,)]
        assert sum(taken) == 300
        assert len(taken) < 60


async def test_one_that_cannot_be_stored_fails_alone(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_news = group_commit.take_news

    async def picky(house: Any, channel: str, news: Any, heard: Any) -> int:
        if any(each.dedupe_key == "poison" for each in news):
            raise ValueError("poison")
        return await take_news(house, channel, news, heard)

    monkeypatch.setattr(group_commit, "take_news", picky)
    async with served(database) as (client, house):
        keys = ["a", "poison", "b", "c"]
        posts = [
            client.post("/v1/callbacks/sms", **signed(house, "sms", dedupe_key=key, status="sent")) for key in keys
        ]
        answers = await asyncio.gather(*posts)
        assert [answer.status_code for answer in answers] == [204, 500, 204, 204]
        assert rows(database, "select dedupe_key from inbox order by 1") == [("a",), ("b",), ("c",)]


async def test_a_deadlock_does_not_cost_a_stop(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, ada := Someone())
    take_news = group_commit.take_news
    failures = iter([psycopg.errors.DeadlockDetected("once")])

    async def unlucky(house: Any, channel: str, news: Any, heard: Any) -> int:
        for error in failures:
            raise error
        return await take_news(house, channel, news, heard)

    monkeypatch.setattr(group_commit, "take_news", unlucky)
    async with served(database) as (client, house):
        stop = signed(house, "sms", dedupe_key="SM9", text="STOP", address=ada.phone, provider_keyword="STOP")
        assert (await client.post("/v1/callbacks/sms", **stop)).status_code == 204
        assert rows(database, "select count(*), count(distinct channel) from suppression") == [(4, 4)]


async def test_a_store_that_stays_away_is_503_so_that_the_provider_comes_back(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> int:
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(group_commit, "take_news", gone)
    monkeypatch.setattr(group_commit, "GIVE_UP_SECONDS", 0.05)
    async with served(database) as (client, house):
        answer = await client.post("/v1/callbacks/sms", **signed(house, "sms", dedupe_key="SM1", status="sent"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_mail_that_comes_in_is_a_reply_by_email(database: str) -> None:
    async with served(database) as (client, house):
        mail = signed(house, "email", dedupe_key="mail:1", text="hello", address="ada@example.com")
        assert (await client.post("/v1/inbound/email", **mail)).status_code == 204
        assert inbox(database) == [("email", "reply", "new")]


def environment(database: str, valkey_url: str) -> dict[str, str]:
    return {
        "OUTREACH_DATABASE_URL": database,
        "OUTREACH_REDIS_URL": valkey_url,
        "OUTREACH_MODE": "sandbox",
        "OUTREACH_TWILIO_ACCOUNT_SID": SID,
        "OUTREACH_TWILIO_AUTH_TOKEN": SECRET,
        "OUTREACH_SMS_SENDER": "+12025550143",
        "OUTREACH_SMTP_TLS": "none",
        "OUTREACH_INBOUND_MAIL_SECRET": SECRET,
    }


async def test_real_signatures_pass_over_a_real_port_byte_for_byte(database: str, valkey_url: str) -> None:
    put(database, ada := Someone())
    async with on_a_port(environment(database, valkey_url)) as url, httpx.AsyncClient() as client:
        assert (await client.get(url + "/healthz")).text == "ok\n"
        ready = await client.get(url + "/readyz")
        assert ready.json() | {"work": {}} == {
            "ready": True, "store": "ok", "queue": "ok", "pending_migrations": [], "work": {},
        }  # fmt: skip
        fields = {"AccountSid": SID, "MessageSid": "SM" + "2" * 32, "From": ada.phone, "To": "+12025550143",
                  "Body": "STOP ü + %20", "NumMedia": "0"}  # fmt: skip
        address = url + "/v1/callbacks/sms?t=a%2Fb+c"
        signature = RequestValidator(SECRET).compute_signature(address, fields)
        good = await client.post(address, data=fields, headers={"X-Twilio-Signature": signature})
        assert good.status_code == 204, good.text
        assert rows(database, "select count(*) from inbox") == [(1,)]
        forged = await client.post(address, data=fields | {"Body": "START"}, headers={"X-Twilio-Signature": signature})
        assert forged.status_code == 403


async def test_a_posted_mail_is_verified_by_the_email_channel(database: str, valkey_url: str) -> None:
    put(database, Someone())
    raw = b"From: ada@example.com\r\nTo: reply@mail.example.com\r\nMessage-ID: <1@example.com>\r\n\r\nSTOP\r\n"
    async with on_a_port(environment(database, valkey_url)) as url, httpx.AsyncClient() as client:
        for secret, status in ((SECRET, 204), ("guess", 403)):
            stamp = await _stamp(client, url)
            mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
            headers = {"Content-Type": "message/rfc822", "X-Outreach-Signature": f"t={stamp},v1={mac}"}
            answer = await client.post(url + "/v1/inbound/email", content=raw, headers=headers)
            assert answer.status_code == status, answer.text
        assert rows(database, "select channel, kind from inbox") == [("email", "reply")]


async def _stamp(client: httpx.AsyncClient, url: str) -> int:
    """Read the server's own clock from its Date header."""
    return int(parsedate_to_datetime((await client.get(url + "/healthz")).headers["date"]).timestamp())


class Wordy(FakeChannel):
    """A provider that repeats what is not answered with its words, and whose callbacks say more in the path."""

    def acknowledge(self, callback: Callback) -> Answer:
        return Answer("application/json", json.dumps({"code": 0, "path": callback.path}).encode())


@pytest.mark.parametrize("path", ["/v1/callbacks/sms", "/v1/callbacks/sms/route/secret"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_provider_that_wants_words_hears_them_once_its_news_is_stored(
    database: str, path: str, method: str
) -> None:
    async with served(database, channels={"sms": Wordy()}) as (client, house):
        news = signed(house, "sms", dedupe_key="SM1", status="sent", token="t1")
        answer = await client.request(method, path, **news)
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "path": path})
        assert rows(database, "select dedupe_key from inbox") == [("SM1",)]
        forged = await client.request(method, path, **(news | {"headers": {SIGNATURE_HEADER: "no"}}))
        assert forged.status_code == 403
