"""Our requests, and the sandbox's answers, held to what Twilio publishes of its API."""

import asyncio
import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from openapi_core.exceptions import OpenAPIError
from published import Answered, Asked, check_answer, check_request

from channels.contract import Call, ChannelConfig, LookupKey, Outbound, Template, Text
from channels.errors import SendError
from channels.http_pool import HttpPool
from channels.registry import make_channel
from channels.sandbox.client import Sandbox
from channels.sandbox.problems import _TEXTS

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PERSON, SENDER, SERVICE = "+12025550143", "+12025550100", "MG" + "b" * 32
WINDOW = timedelta(hours=2)
REFUSED = (OpenAPIError, AssertionError)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    script = {
        "numbers": [SENDER], "services": {SERVICE: SENDER}, "timing": {"delivered_seconds": 1},
        "patterns": [{"match": "*", "temperament": "silent"}],
    }  # fmt: skip
    with Sandbox(callback_base="http://127.0.0.1:9", script=script, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.client.reset()
    return running


@dataclass
class Wire:
    """Everything the adapters exchange with the carrier, taken off the pool they all share."""

    exchanges: list[tuple[Asked, Answered]] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)

    def note(self, method: str, target: str, body: bytes | None, status: int, raw: bytes) -> None:
        asked = Asked(method, target, body or b"")
        self.exchanges.append((asked, Answered(status, raw)))
        kind = asked.path.rpartition("Accounts/")[2].partition("/")[2].removesuffix(".json").partition("/")
        self.shapes.add(f"{method} {kind[0]}{'/one' if kind[1] else ''}")


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    seen, exchange = Wire(), HttpPool.exchange

    async def noted(self: HttpPool, method: str, url: Any, body: bytes | None, headers: Any, form: Any) -> Any:
        status, raw, answered = await exchange(self, method, url, body, headers, form)
        seen.note(method, str(url.relative()), body, status, raw)
        return status, raw, answered

    monkeypatch.setattr(HttpPool, "exchange", noted)
    return seen


def using(sandbox: Sandbox, adapter: str, work: Callable[[Any], Awaitable[object]], **options: object) -> None:
    account = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token, "base_url": sandbox.http_url}
    config = ChannelConfig(adapter, adapter, "https://outreach.example.com", account | {"sender": SENDER} | options)

    async def run() -> None:
        channel = make_channel(config, lambda: START)
        try:
            await work(channel)
        finally:
            await channel.close()

    asyncio.run(run())


def outbound(content: Any, **more: Any) -> Outbound:
    return Outbound("0190-att-1", "tok3nA-bcdefghijklmnop", PERSON, content, WINDOW, **more)


CONTENT = {
    "pre_due": {
        "en-US": {
            "content_sid": "HX" + "c" * 32,
            "variables": {"1": "borrower.given_name", "2": "case.amount_due"},
        }
    }
}
WORDS = "¡Hola Ana! 您好 100% + a&b=c — ref 8F3K 🙂"


async def everything_of_texts(channel: Any) -> None:
    accepted = await channel.send(outbound(Text(WORDS)))
    await channel.send(outbound(Text(WORDS), sender=SENDER))
    found = await channel.look_up(LookupKey("x", "x", PERSON, WORDS, START.timestamp()))
    assert found is not None
    await channel.look_after([accepted.provider_ref])
    with suppress(SendError):
        await channel.send(Outbound("a", "t", "+15005550001", Text(WORDS), WINDOW))


async def everything_of_whatsapp(channel: Any) -> None:
    template = Template("pre_due", "en-US", {"borrower.given_name": "Ana", "case.amount_due": "$120.00"})
    to = f"whatsapp:{PERSON}"
    await channel.send(Outbound("a", "t", to, Text(WORDS), WINDOW, template=template))
    await channel.send(Outbound("b", "u", to, Text(WORDS), WINDOW, template=template, in_thread=True))
    assert await channel.look_up(LookupKey("b", "u", PERSON, WORDS, START.timestamp())) is not None


async def everything_of_calls(channel: Any) -> None:
    accepted = await channel.send(outbound(Call()))
    await channel.send(outbound(Call(detect_machine=False)))
    assert await channel.look_up(LookupKey("x", "x", PERSON, None, START.timestamp())) is not None
    await channel.look_after([accepted.provider_ref])
    await channel.cancel(accepted.provider_ref)
    await channel.cancel("CA" + "0" * 32)


def test_every_request_our_adapters_make_and_every_answer_to_it_is_as_published(sandbox: Sandbox, wire: Wire) -> None:
    using(sandbox, "twilio_sms", everything_of_texts)
    using(sandbox, "twilio_sms", everything_of_texts, redact=True)
    using(sandbox, "twilio_sms", everything_of_texts, sender=None, messaging_service_sid=SERVICE)
    using(sandbox, "twilio_whatsapp", everything_of_whatsapp, templates=CONTENT)
    using(sandbox, "twilio_voice", everything_of_calls)
    using(sandbox, "twilio_ivr", everything_of_calls, machine_detection="DetectMessageEnd")
    for asked, answered in wire.exchanges:
        check_request(asked)
        check_answer(asked, answered)
    assert wire.shapes == {
        "POST Messages", "GET Messages", "GET Messages/one", "POST Messages/one", "POST Calls", "GET Calls",
        "GET Calls/one", "POST Calls/one",
    }  # fmt: skip


def ask(sandbox: Sandbox, method: str, target: str, **form: str) -> dict[str, Any]:
    """Make one request as any user of the sandbox may; hold it, and what comes back, to what is published."""
    asked = Asked(method, target, urlencode(form).encode())
    check_request(asked)
    answer = _raw(sandbox, method, target, form)
    check_answer(asked, answer)
    read: dict[str, Any] = json.loads(answer.data) if answer.data else {}
    return read


def _raw(sandbox: Sandbox, method: str, target: str, form: dict[str, str]) -> Answered:
    key = b64encode(f"{sandbox.account_sid}:{sandbox.auth_token}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        sandbox.http_url + target, urlencode(form).encode() if form else None, {"Authorization": f"Basic {key}"},
        method=method,
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
            return Answered(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.read())


def test_a_text_is_shown_as_published_in_every_state_it_can_have(sandbox: Sandbox) -> None:
    base = f"/2010-04-01/Accounts/{sandbox.account_sid}/Messages"
    tempers = {"silent": None, "sent_only": None, "fail:30005": None, "fail:30034": None, "promise": None}
    shown: set[str] = set()
    for number, temper in enumerate(tempers, 110):
        person = f"+1202555{number:04d}"
        sandbox.client.profile({person: temper})
        taken = ask(sandbox, "POST", f"{base}.json", To=person, From=SENDER, Body="hello")
        shown |= {taken["status"], ask(sandbox, "GET", f"{base}/{taken['sid']}.json")["status"]}
    by_service = ask(sandbox, "POST", f"{base}.json", To=PERSON, MessagingServiceSid=SERVICE, Body="hello")
    later = (START + timedelta(days=2)).isoformat()
    planned = ask(
        sandbox, "POST", f"{base}.json", To=PERSON, MessagingServiceSid=SERVICE, Body="hello", ScheduleType="fixed",
        SendAt=later,
    )  # fmt: skip
    shown |= {by_service["status"], planned["status"]}
    shown.add(ask(sandbox, "POST", f"{base}/{planned['sid']}.json", Status="canceled")["status"])
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(hours=12))
    listed = ask(sandbox, "GET", f"{base}.json?PageSize=3")
    while listed["next_page_uri"]:
        shown |= {each["status"] for each in listed["messages"]}
        listed = ask(sandbox, "GET", listed["next_page_uri"])
    shown |= {each["status"] for each in listed["messages"]}
    assert ask(sandbox, "GET", f"{base}.json?To=%2B12025550110&DateSent%3E=2026-03-01T00%3A00%3A00Z")["messages"]
    ask(sandbox, "DELETE", f"{base}/{by_service['sid']}.json")
    assert shown >= {
        "queued", "accepted", "scheduled", "sent", "delivered", "undelivered", "failed", "canceled", "received",
    }  # fmt: skip


def test_a_call_is_shown_as_published_in_every_state_it_can_have(sandbox: Sandbox) -> None:
    base = f"/2010-04-01/Accounts/{sandbox.account_sid}/Calls"
    shown: set[str] = set()
    for number, temper in enumerate(("human", "busy", "no_answer", "voicemail", "unreachable"), 130):
        person = f"+1202555{number:04d}"
        sandbox.client.profile({person: temper})
        taken = ask(sandbox, "POST", f"{base}.json", To=person, From=SENDER, Twiml="<Response><Say>Hi</Say></Response>")
        shown.add(taken["status"])
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=30))
    sandbox.client.wait_idle()
    calls = ask(sandbox, "GET", f"{base}.json?PageSize=50")["calls"]
    shown |= {each["status"] for each in calls}
    assert {each["status"] for each in calls if each["price"] is not None} == {"completed"}
    assert shown >= {"queued", "completed", "busy", "no-answer", "failed"}


@pytest.mark.parametrize("number", ["+12025550143", "+1202555", "12025550143", "nonsense", "+8613800138000"])
@pytest.mark.parametrize("fields", ["", "?Fields=line_type_intelligence%2Cline_status"])
def test_a_number_is_looked_up_as_published(sandbox: Sandbox, number: str, fields: str) -> None:
    assert "valid" in ask(sandbox, "GET", f"/v2/PhoneNumbers/{number}{fields}")


REFUSALS: list[tuple[str, str, dict[str, str], int]] = [
    ("POST", "Messages.json", {"To": "not a number", "From": SENDER, "Body": "x"}, 21211),
    ("POST", "Messages.json", {"From": SENDER, "Body": "x"}, 21604),
    ("POST", "Messages.json", {"To": PERSON, "Body": "x"}, 21603),
    ("POST", "Messages.json", {"To": PERSON, "From": SENDER}, 21602),
    ("POST", "Messages.json", {"To": PERSON, "From": SENDER, "Body": "x" * 1601}, 21617),
    ("POST", "Messages.json", {"To": PERSON, "From": SENDER, "Body": "x", "ValidityPeriod": "99999"}, 21624),
    ("POST", "Messages.json", {"To": PERSON, "From": "+12025550199", "Body": "x"}, 21606),
    ("POST", "Messages.json", {"To": PERSON, "From": SENDER, "Body": "x", "StatusCallback": "nowhere"}, 21609),
    ("POST", "Messages.json", {"To": "+15005550002", "From": SENDER, "Body": "x"}, 21612),
    ("GET", "Messages/SM0.json", {}, 20404),
    ("POST", "Calls.json", {"To": PERSON, "From": SENDER}, 21205),
    ("GET", "Calls/CA0.json", {}, 20404),
    ("GET", "Nothing.json", {}, 20404),
    ("PUT", "Messages.json", {"To": PERSON}, 20004),
]


@pytest.mark.parametrize(("method", "path", "form", "code"), REFUSALS)
def test_a_refusal_has_the_fields_that_twilios_own_libraries_read(
    sandbox: Sandbox, method: str, path: str, form: dict[str, str], code: int
) -> None:
    target = f"/2010-04-01/Accounts/{sandbox.account_sid}/{path}"
    answer = _raw(sandbox, method, target, form)
    check_answer(Asked(method, target), answer)
    assert json.loads(answer.data)["code"] == code


def test_every_refusal_the_sandbox_knows_has_a_status_of_a_refusal() -> None:
    assert len(_TEXTS) > 20
    assert all(400 <= status < 600 and text for status, text in _TEXTS.values())


BASE = "/2010-04-01/Accounts/AC" + "0123456789abcdef" * 2
GOOD = {"To": PERSON, "From": SENDER, "Body": "hello"}
WRONG_REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "a number that is none": ("POST", "/Messages.json", GOOD | {"To": "not-a-number"}),
    "nobody": ("POST", "/Messages.json", {"Body": "hello"}),
    "a field that does not exist": ("POST", "/Messages.json", GOOD | {"Bodyy": "hello"}),
    "a validity in words": ("POST", "/Messages.json", GOOD | {"ValidityPeriod": "soon"}),
    "a service that is none": ("POST", "/Messages.json", GOOD | {"MessagingServiceSid": "MG1"}),
    "a kind of schedule that is none": ("POST", "/Messages.json", GOOD | {"ScheduleType": "later"}),
    "a template that is none": ("POST", "/Messages.json", GOOD | {"ContentSid": "HX1"}),
    "a filter that does not exist": ("GET", "/Messages.json?Recipient=x", {}),
    "too large a page": ("GET", "/Messages.json?PageSize=5000", {}),
    "an account that is none": ("GET", "/../AC1/Messages.json", {}),
    "a state nothing can be moved to": ("POST", f"/Messages/SM{'a' * 32}.json", {"Status": "delivered"}),
    "a call that rings in words": ("POST", "/Calls.json", {"To": PERSON, "From": SENDER, "Timeout": "long"}),
    "an operation that does not exist": ("DELETE", "/Messages.json", {}),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_REQUESTS)
def test_a_wrong_request_does_not_pass(what: str) -> None:
    method, path, form = WRONG_REQUESTS[what]
    with pytest.raises(REFUSED):
        check_request(Asked(method, BASE + path, urlencode(form).encode()))


def good_answer(sandbox: Sandbox) -> dict[str, Any]:
    return ask(sandbox, "POST", f"/2010-04-01/Accounts/{sandbox.account_sid}/Messages.json", **GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "teleported"}, {"sid": "SM1"}, {"num_segments": 1}, {"error_code": "30005"}, {"surprise": 1},
        {"date_created": "2026-03-02T15:00:00Z"}, {"price_unit": "dollars"}, {"direction": "sideways"}, {"body": None,
        "to": 7}, {"account_sid": "AC1"}, {"subresource_uris": "/Media.json"}, {"date_sent": ...},
    ],
)  # fmt: skip
def test_a_wrong_answer_does_not_pass(sandbox: Sandbox, change: dict[str, Any]) -> None:
    asked = Asked("POST", f"{BASE}/Messages.json", urlencode(GOOD).encode())
    good = good_answer(sandbox)
    check_answer(asked, Answered(201, json.dumps(good).encode()))
    bad = {name: value for name, value in (good | change).items() if value is not ...}
    with pytest.raises(REFUSED):
        check_answer(asked, Answered(201, json.dumps(bad).encode()))


@pytest.mark.parametrize(
    "refusal",
    [{"code": 1}, {"code": 21211, "message": "x", "status": 400}, {"code": "21211", "message": "x", "status": 400,
     "more_info": "https://www.twilio.com/docs/errors/21211"}, {"code": 21211, "message": "x", "status": 404,
     "more_info": "https://www.twilio.com/docs/errors/21211"}],
)  # fmt: skip
def test_a_wrong_refusal_does_not_pass(refusal: dict[str, Any]) -> None:
    with pytest.raises(REFUSED):
        check_answer(Asked("GET", f"{BASE}/Messages.json"), Answered(400, json.dumps(refusal).encode()))
