"""The Messages resource of the sandbox, asked through Twilio's own SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sandbox_listener import Listener, twilio_client
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.sandbox.client import Sandbox

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SENDER = "+12025550100"
PERSON = "+12025550143"
SCRIPT = {
    "numbers": [SENDER],
    "services": {"MG" + "0" * 32: SENDER},
    "patterns": [{"match": "+1202555*", "temperament": "silent"}],
}


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    with Sandbox(callback_base=listener.url, script=SCRIPT, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return twilio_client(sandbox)


def send(client: Client, **changes: Any) -> Any:
    return client.messages.create(**({"to": PERSON, "from_": SENDER, "body": "Hello"} | changes))


def code_of(client: Client, **changes: Any) -> int:
    with pytest.raises(TwilioRestException) as caught:
        send(client, **changes)
    return int(caught.value.code)


def test_a_text_is_created_queued_and_shown_the_same_when_fetched(client: Client) -> None:
    made = send(client, body="Hello Ana, 你好")
    assert (made.status, made.num_segments, made.direction, made.to) == ("queued", "1", "outbound-api", PERSON)
    found = client.messages(made.sid).fetch()
    assert found.body == "Hello Ana, 你好"
    assert found.date_created.replace(tzinfo=UTC) >= START


def test_a_text_by_messaging_service_starts_accepted_and_gets_the_service_number(client: Client) -> None:
    made = client.messages.create(to=PERSON, messaging_service_sid="MG" + "0" * 32, body="Hello")
    assert (made.status, made.from_) == ("accepted", SENDER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "not-a-number"}, 21211),
        ({"to": "+0123456789"}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550009"}, 21614),
        ({"from_": ""}, 21603),
        ({"from_": "??"}, 21212),
        ({"from_": "+12025550199"}, 21606),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"validity_period": 36001}, 21624),
        ({"status_callback": "not a url"}, 21609),
        ({"schedule_type": "fixed", "send_at": START + timedelta(days=1)}, 35118),
    ],
)
def test_a_bad_create_is_refused_with_twilios_code_and_sends_nothing(
    client: Client, sandbox: Sandbox, changes: dict[str, Any], code: int
) -> None:
    assert code_of(client, **changes) == code
    assert client.messages.list() == []
    assert [entry["code"] for entry in sandbox.client.log() if entry["kind"] == "text_refused"] == [code]


def test_a_wrong_token_is_refused_with_20003(sandbox: Sandbox) -> None:
    assert code_of(twilio_client(sandbox, "wrong")) == 20003


def test_an_unknown_text_is_20404(client: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        client.messages("SM" + "0" * 32).fetch()
    assert (caught.value.code, caught.value.status) == (20404, 404)


def test_the_list_filters_by_number_and_day_and_pages_newest_first(client: Client, sandbox: Sandbox) -> None:
    for number in range(5):
        send(client, body=f"text {number}")
    send(client, to="+12025550144")
    sandbox.client.set_clock(sandbox.client.state().now)
    found = client.messages.list(to=PERSON, page_size=2)
    assert [text.body for text in found] == ["text 4", "text 3", "text 2", "text 1", "text 0"]
    today = sandbox.client.state().now.date()
    assert len(client.messages.list(to=PERSON, date_sent=today)) == 5
    assert client.messages.list(to=PERSON, date_sent_after=today + timedelta(days=1)) == []
    assert len(client.messages.list(date_sent_before=today, date_sent_after=today)) == 6


def test_status_callbacks_follow_in_order_signed_and_without_the_initial_status(
    client: Client, sandbox: Sandbox, listener: Listener
) -> None:
    url = f"{listener.url}/status?token=abc%27d&x=1"
    made = send(client, status_callback=url + "#rc=3&rp=all")
    sandbox.client.wait_idle()
    seen = listener.wait_for(2, "/status")
    assert [s.form["MessageStatus"] for s in seen] == ["sent", "delivered"]
    validator = RequestValidator(sandbox.auth_token)
    for request in seen:
        assert request.form["MessageSid"] == made.sid
        assert validator.validate(url, request.form, request.headers["x-twilio-signature"])
        assert not validator.validate(url, request.form | {"To": "+1"}, request.headers["x-twilio-signature"])
    assert client.messages(made.sid).fetch().status == "delivered"


@pytest.mark.parametrize(
    ("temperament", "statuses", "code"),
    [
        ("fail:30005", ["sent", "undelivered"], "30005"),
        ("fail:30034", ["failed"], "30034"),
        ("sent_only", ["sent"], None),
    ],
)
def test_failures_come_with_their_code(
    client: Client, sandbox: Sandbox, listener: Listener, *, temperament: str, statuses: list[str], code: str | None
) -> None:
    sandbox.client.profile({PERSON: temperament})
    send(client, status_callback=f"{listener.url}/status")
    sandbox.client.wait_idle()
    forms = listener.forms("/status")
    assert [form["MessageStatus"] for form in forms] == statuses
    assert forms[-1].get("ErrorCode") == code


def test_a_text_held_longer_than_its_validity_fails_with_30036_and_never_leaves(
    client: Client, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.client.profile({PERSON: "slow:900"})
    late = send(client, status_callback=f"{listener.url}/status", validity_period=600)
    in_time = send(client, validity_period=1200)
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=20))
    sandbox.client.wait_idle()
    assert client.messages(late.sid).fetch().error_code == 30036
    assert client.messages(late.sid).fetch().date_sent is None
    assert client.messages(in_time.sid).fetch().status == "delivered"


def test_a_stop_blocks_the_number_until_start_and_reaches_the_inbound_webhook(
    client: Client, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.client.say(PERSON, SENDER, " stop ")
    assert code_of(client) == 21610
    sandbox.client.say(PERSON, SENDER, "Stop please")
    sandbox.client.say(PERSON, SENDER, "START")
    assert send(client).status == "queued"
    sandbox.client.wait_idle()
    seen = listener.wait_for(3, "/v1/callbacks/sms")
    assert sorted(s.form["Body"] for s in seen) == [" stop ", "START", "Stop please"]
    validator = RequestValidator(sandbox.auth_token)
    assert all(validator.validate(s.url, s.form, s.headers["x-twilio-signature"]) for s in seen)


def test_a_stop_in_other_words_is_passed_on_but_not_obeyed_by_the_carrier(client: Client, sandbox: Sandbox) -> None:
    sandbox.client.say(PERSON, SENDER, "stop texting me")
    assert send(client).status == "queued"


def test_a_scheduled_text_can_be_cancelled_and_a_sent_one_cannot(client: Client, sandbox: Sandbox) -> None:
    at = sandbox.client.state().now + timedelta(hours=1)
    service = {"from_": None, "messaging_service_sid": "MG" + "0" * 32}
    planned = send(client, **service, schedule_type="fixed", send_at=at.isoformat())
    assert planned.status == "scheduled"
    assert client.messages(planned.sid).update(status="canceled").status == "canceled"
    kept = send(client, **service, schedule_type="fixed", send_at=at.isoformat())
    sandbox.client.set_clock(at)
    assert client.messages(planned.sid).fetch().status == "canceled"
    assert client.messages(kept.sid).fetch().status == "delivered"
    with pytest.raises(TwilioRestException) as caught:
        client.messages(kept.sid).update(status="canceled")
    assert caught.value.code == 30409


def test_redacting_and_deleting_leave_the_log_as_it_was(client: Client, sandbox: Sandbox) -> None:
    made = send(client, body="private words")
    sandbox.client.state()
    assert client.messages(made.sid).update(body="").body == ""
    assert client.messages(made.sid).delete()
    with pytest.raises(TwilioRestException):
        client.messages(made.sid).fetch()
    taken = [entry for entry in sandbox.client.log() if entry["kind"] == "text_taken"]
    assert [entry["body"] for entry in taken] == ["private words"]
