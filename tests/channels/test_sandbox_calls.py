"""Calls through the sandbox: TwiML fetched and walked, keys pressed, callbacks posted, everything said on record."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sandbox_listener import Listener, Seen, twilio_client
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.sandbox.client import Entry, Sandbox

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PERSON, SENDER = "+12025550143", "+12025550100"
EVENTS = ["initiated", "ringing", "answered", "completed"]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    with Sandbox(callback_base=listener.url, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    listener.answers = lambda seen: (200, MENU[urlsplit(seen.path).path](seen)) if "/call" in seen.path else (204, b"")
    return running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return twilio_client(sandbox)


def ask(words: str, action: str, **gather: Any) -> bytes:
    response = VoiceResponse()
    question = Gather(action=action, **({"num_digits": 4, "timeout": 6} | gather))
    question.say(words)
    response.append(question)
    response.say("We did not hear you. Goodbye.")
    response.hangup()
    return str(response).encode()


def say(words: str) -> bytes:
    response = VoiceResponse()
    response.say(words)
    return str(response).encode()


def identify(seen: Seen) -> bytes:
    if seen.form.get("Digits") != "1984":
        return say("Thank you. Goodbye.")
    menu = "Your debt is 120 dollars. To pay now, press 1. For a payment plan, press 2. If you already paid, press 3."
    return ask(menu, "/call/menu?x=1", num_digits=1)


MENU = {
    "/call/start": lambda _: ask("Please enter your year of birth, four digits.", "identify", finish_on_key="#"),
    "/call/identify": identify,
    "/call/menu": lambda seen: say(f"You chose {seen.form['Digits']}."),
    "/call/loop": lambda _: b"<Response><Redirect>/call/loop</Redirect></Response>",
    "/call/bad": lambda _: b"<Response><Say>half",
    "/call/odd": lambda _: b"<Response><Shout>hello</Shout></Response>",
}


def dial(client: Client, listener: Listener, path: str = "/call/start", **more: Any) -> Any:
    base = {"to": PERSON, "from_": SENDER, "url": listener.url + path, "timeout": 25}
    return client.calls.create(**(base | more))


def ended(sandbox: Sandbox) -> Entry:
    sandbox.client.wait_idle()
    return next(entry for entry in sandbox.client.log() if entry["kind"] == "call_ended")


def test_the_right_person_identifies_and_chooses_a_plan(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "installments", "birth_year": 1984}})
    made = dial(client, listener)
    assert made.status == "queued"
    end = ended(sandbox)
    assert end["digits"] == ["1984", "2"]
    assert end["said"][-1] == "You chose 2."
    assert [urlsplit(s.path).path for s in listener.seen] == ["/call/start", "/call/identify", "/call/menu"]
    found = client.calls(made.sid).fetch()
    assert (found.status, int(found.duration) > 5) == ("completed", True)


def test_nothing_about_the_debt_is_said_before_identity(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "fails_identity", "birth_year": 1984}})
    dial(client, listener)
    said = " ".join(ended(sandbox)["said"])
    assert "debt" not in said
    assert said.endswith("Thank you. Goodbye.")


def test_silence_falls_through_to_the_next_verb(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "says_nothing"})
    dial(client, listener)
    end = ended(sandbox)
    assert end["digits"] == []
    assert end["said"][-1] == "We did not hear you. Goodbye."


def test_every_request_of_a_call_is_signed_and_numbered(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "human", "birth_year": 1984}})
    dial(
        client, listener, status_callback=f"{listener.url}/status?token=abc", status_callback_event=EVENTS,
        machine_detection="Enable",
    )  # fmt: skip
    ended(sandbox)
    forms = listener.forms("/status")
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert forms[-1]["AnsweredBy"] == "human"
    assert int(forms[-1]["CallDuration"]) > 0
    validator = RequestValidator(sandbox.auth_token)
    assert all(validator.validate(s.url, s.form, s.headers["x-twilio-signature"]) for s in listener.seen)


def test_only_the_final_event_is_posted_unless_more_are_asked_for(
    client: Client, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.client.profile({PERSON: "human"})
    dial(client, listener, status_callback=f"{listener.url}/status")
    ended(sandbox)
    assert [form["CallStatus"] for form in listener.forms("/status")] == ["completed"]


@pytest.mark.parametrize(
    ("temperament", "status", "sip"),
    [("busy", "busy", "486"), ("no_answer", "no-answer", "487"), ("unreachable", "failed", "404")],
)
def test_a_call_nobody_takes_ends_as_it_should_and_says_nothing(
    client: Client, sandbox: Sandbox, listener: Listener, *, temperament: str, status: str, sip: str
) -> None:
    sandbox.client.profile({PERSON: temperament})
    dial(client, listener, status_callback=f"{listener.url}/status")
    end = ended(sandbox)
    assert (end["status"], end["said"], end["duration"]) == (status, [], 0)
    form = listener.forms("/status")[-1]
    assert (form["CallStatus"], form["SipResponseCode"], form["CallDuration"]) == (status, sip, "0")
    assert listener.forms("/call") == []


@pytest.mark.parametrize(
    ("detection", "answered_by"), [("Enable", "machine_start"), ("DetectMessageEnd", "machine_end_beep")]
)
def test_a_machine_picks_up_and_presses_nothing(
    client: Client, sandbox: Sandbox, listener: Listener, detection: str, answered_by: str
) -> None:
    sandbox.client.profile({PERSON: "voicemail"})
    dial(client, listener, machine_detection=detection)
    end = ended(sandbox)
    assert (end["answered_by"], end["digits"]) == (answered_by, [])
    assert listener.forms("/call/start")[0]["AnsweredBy"] == answered_by


def test_a_short_ring_ends_before_the_machine_picks_up(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "voicemail"})
    dial(client, listener, timeout=14)
    assert ended(sandbox)["status"] == "no-answer"


def test_scripted_keys_and_speech_are_given_in_order(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "human", "keys": ["1984", "3"]}})
    dial(client, listener)
    assert ended(sandbox)["digits"] == ["1984", "3"]


def test_speech_is_posted_with_its_confidence(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "human", "speech": ["I will pay on Friday"]}})
    spoken: list[Seen] = []

    def answers(seen: Seen) -> tuple[int, bytes]:
        if seen.path.endswith("/heard"):
            spoken.append(seen)
            return 200, say("Thank you.")
        return 200, ask("When can you pay?", "/heard", input="speech")

    listener.answers = answers
    dial(client, listener)
    assert ended(sandbox)["spoken"] == ["I will pay on Friday"]
    assert spoken[0].form["SpeechResult"] == "I will pay on Friday"
    assert 0 < float(spoken[0].form["Confidence"]) <= 1


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [("/call/bad", "call_error", 12100), ("/call/odd", "call_error", 12200), ("/call/loop", "call_loop", None)],
)
def test_broken_instructions_end_the_call_and_are_on_record(
    client: Client, sandbox: Sandbox, listener: Listener, *, path: str, kind: str, code: int | None
) -> None:
    sandbox.client.profile({PERSON: "human"})
    dial(client, listener, path)
    assert ended(sandbox)["status"] == "completed"
    assert [e.get("code") for e in sandbox.client.log() if e["kind"] == kind] == [code]


def test_a_call_still_queued_can_be_cancelled_and_never_rings(
    client: Client, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.client.profile({PERSON: "slow:7200"})
    made = dial(client, listener, status_callback=f"{listener.url}/status")
    assert client.calls(made.sid).update(status="canceled").status == "canceled"
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(hours=3))
    sandbox.client.wait_idle()
    assert [form["CallStatus"] for form in listener.forms("/status")] == ["canceled"]
    with pytest.raises(TwilioRestException) as caught:
        client.calls(made.sid).update(status="canceled")
    assert caught.value.code == 21220


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"to": "12"}, 21217), ({"to": "+15005550002"}, 21214), ({"url": "ftp://x"}, 21205), ({"from_": "x"}, 21212)],
)
def test_a_bad_call_is_refused_with_twilios_code(
    client: Client, sandbox: Sandbox, listener: Listener, changes: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as caught:
        dial(client, listener, **changes)
    assert caught.value.code == code
    assert client.calls.list() == []


def test_calls_are_listed_by_number(client: Client, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "busy"})
    dial(client, listener)
    assert [call.status for call in client.calls.list(to=PERSON)] == ["busy"]
    assert client.calls.list(to="+12025550144") == []
