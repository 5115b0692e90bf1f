"""Scripted borrowers: reproducible by seed, stepped by the minute, answering what they were really sent."""

import json
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sandbox_listener import Listener, twilio_client
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from channels.sandbox.chance import weigh
from channels.sandbox.client import Entry, Sandbox
from channels.sandbox.errors import ControlError
from channels.sandbox.people import DEFAULT_MIX

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PERSON, SENDER = "+12025550143", "+12025550100"
OFFER = "We can split it. Reply 1) 2 payments of $60.00 or 2) 3 payments of $40.00. Reply STOP to opt out."
CONFIRM = "3 payments of $40.00 on Mar 6, Apr 6 and May 6. Reply YES to confirm. Reply STOP to opt out."


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    with Sandbox(callback_base=listener.url, seed=7, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


def told(entries: list[Entry]) -> list[tuple[Any, ...]]:
    """What happened, without the references that differ from run to run."""
    return sorted(
        (e["at"], e["kind"], e.get("to"), e.get("from"), e.get("body") or "", e.get("status") or "", e.get("code") or 0)
        for e in entries
        if e["kind"] in {"text_status", "text_from_person"}
    )


def twilio_post(client: Client, number: str) -> None:
    """Send; a person who stopped meanwhile is refused, which is part of the story too."""
    with suppress(TwilioRestException):
        client.messages.create(to=number, from_=SENDER, body="Your payment is due.")


def campaign(numbers: list[str], seed: int, listener: Listener) -> list[tuple[Any, ...]]:
    with Sandbox(callback_base=listener.url, seed=seed, start=START) as sandbox:
        client = twilio_client(sandbox)
        for day in range(2):
            for number in numbers:
                twilio_post(client, number)
            sandbox.client.set_clock(START + timedelta(days=day + 1))
            sandbox.client.wait_idle()
        return told(list(sandbox.client.log()))


def test_the_same_seed_tells_the_same_story_in_any_order_of_asking(listener: Listener) -> None:
    numbers = [f"+1202555{n:04d}" for n in range(100, 140)]
    first = campaign(numbers, 7, listener)
    assert any(kind == "text_from_person" for _, kind, *_ in first)
    assert campaign(numbers[::-1], 7, listener) == first
    assert campaign(numbers, 8, listener) != first


def test_the_default_mix_delivers_most_and_a_quarter_answer() -> None:
    drawn = Counter(weigh(DEFAULT_MIX["sms"], 1, "temper", "sms", f"+1202555{n:04d}", 0) for n in range(10_000))
    share = {name: count / 10_000 for name, count in drawn.items()}
    undelivered = (
        sum(share[name] for name in share if name.startswith("fail")) + share["sent_only"] + 0.3 * share["flaky"]
    )
    answers = ("promise", "installments", "paid", "dispute", "wrong_person", "help", "stop", "chatter")
    assert 0.86 < 1 - undelivered < 0.93
    assert 0.20 < sum(share[name] for name in answers) < 0.28
    assert 0.013 < share["stop"] < 0.03


def test_a_borrower_sets_up_installments_by_answering_what_they_are_sent(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: "installments"})
    client = twilio_client(sandbox)
    heard = []
    for words in ("Hi Ana, your payment of $120.00 is due.", OFFER, CONFIRM, "Done. Thank you."):
        client.messages.create(to=PERSON, from_=SENDER, body=words)
        state = sandbox.client.state()
        while state.next_at is not None:
            sandbox.client.set_clock(state.next_at)
            state = sandbox.client.wait_idle()
        heard.append([form["Body"] for form in listener.forms("/v1/callbacks/sms")])
    assert len(heard[0]) == 1
    assert [turn[-1].lower() for turn in heard[1:3]] == ["2", "yes"]
    assert heard[3] == heard[2]


@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        ("请尽快还款。", "+8613900000000", "退订|TD|停止|T|短信|别再"),
        ("Hola, su pago de $10 para el lunes", "+525500000000", None),
    ],
)
def test_people_answer_in_the_language_they_were_addressed_in(
    sandbox: Sandbox, listener: Listener, words: str, number: str, expected: str | None
) -> None:
    sandbox.client.profile({number: "installments" if expected is None else "stop"})
    twilio_client(sandbox).messages.create(to=number, from_=SENDER, body=words)
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(hours=4))
    sandbox.client.wait_idle()
    (answer,) = [form["Body"] for form in listener.forms("/v1/callbacks/sms")]
    wanted = expected.split("|") if expected else ["plazos", "cuotas", "plan de pagos"]
    assert any(word in answer for word in wanted)


def test_answers_come_on_whole_minutes_and_only_when_the_clock_gets_there(sandbox: Sandbox, listener: Listener) -> None:
    now = sandbox.client.state().now.replace(second=0, microsecond=0) + timedelta(minutes=5, seconds=17)
    sandbox.client.set_clock(now)
    sandbox.client.profile({PERSON: {"temperament": "paid", "delay_minutes": 9}})
    twilio_client(sandbox).messages.create(to=PERSON, from_=SENDER, body="Your payment is due.")
    due = sandbox.client.wait_idle().next_at
    assert due == now.replace(second=0) + timedelta(minutes=10)
    sandbox.client.set_clock(due - timedelta(seconds=1))
    assert sandbox.client.wait_idle().next_at == due
    assert listener.forms("/v1/callbacks/sms") == []
    sandbox.client.set_clock(due)
    sandbox.client.wait_idle()
    assert len(listener.forms("/v1/callbacks/sms")) == 1


def test_a_stop_by_script_blocks_later_texts(sandbox: Sandbox) -> None:
    sandbox.client.profile({PERSON: {"temperament": "stop", "says": "STOP"}})
    client = twilio_client(sandbox)
    client.messages.create(to=PERSON, from_=SENDER, body="Your payment is due.")
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(hours=4))
    sandbox.client.wait_idle()
    with pytest.raises(TwilioRestException) as caught:
        client.messages.create(to=PERSON, from_=SENDER, body="Your payment is due.")
    assert caught.value.code == 21610


def test_the_clock_does_not_go_back_and_needs_an_offset(sandbox: Sandbox) -> None:
    now = sandbox.client.state().now
    with pytest.raises(ControlError, match="does not go back"):
        sandbox.client.set_clock(now - timedelta(seconds=1))
    with pytest.raises(ControlError, match="offset"):
        sandbox.client.set_clock(now.replace(tzinfo=None))


def test_a_real_clock_cannot_be_moved() -> None:
    with Sandbox() as sandbox, pytest.raises(ControlError, match="clock is real"):
        sandbox.client.set_clock(START)


def test_the_log_file_holds_what_the_log_says(sandbox: Sandbox) -> None:
    twilio_client(sandbox).messages.create(
        to=PERSON, from_=SENDER, body="Hello", status_callback="http://127.0.0.1:9/x?token=tok3n"
    )
    after = sandbox.client.state().log
    written = [json.loads(line) for line in sandbox.log_path.read_text("utf-8").splitlines()]
    entries = list(sandbox.client.log())
    assert entries == written[-len(entries) :]
    assert written[-1]["n"] >= after
    taken = next(entry for entry in entries if entry["kind"] == "text_taken")
    assert (taken["token"], taken["body"], taken["to"], taken["from"]) == ("tok3n", "Hello", PERSON, SENDER)
    sandbox.client.reset()


def test_the_log_survives_a_polite_end(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with Sandbox(log=log, mute=True) as sandbox:
        twilio_client(sandbox).messages.create(to=PERSON, from_=SENDER, body="Hello")
        process = psutil.Process(sandbox.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert [json.loads(line)["kind"] for line in log.read_text().splitlines()] == ["text_taken"]


def test_a_mute_carrier_takes_everything_and_says_nothing(listener: Listener) -> None:
    listener.clear()
    with Sandbox(callback_base=listener.url, mute=True) as sandbox:
        client = twilio_client(sandbox)
        made = client.messages.create(to=PERSON, from_=SENDER, body="Hi", status_callback=f"{listener.url}/status")
        state = sandbox.client.state()
        assert (state.pending, state.next_at) == (0, None)
        assert client.messages(made.sid).fetch().status == "queued"
    assert listener.seen == []


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ({"patterns": [{"match": "*", "temperament": "furious"}]}, r"patterns\[1\].temperament: no temper 'furious'"),
        ({"profiles": {PERSON: {"tempo": 1}}}, r"profiles\[1\].tempo: no such field"),
        ({"profiles": {PERSON: {"birth_year": "x"}}}, r"profiles\[1\].birth_year: a whole number"),
        ({"profiles": {PERSON: {"locale": "fr-FR"}}}, r"profiles\[1\].locale: en, es or zh"),
        ({"distribution": {"sms": {"silent": -1}}}, "distribution.sms.silent: a weight"),
        ({"distribution": {"pigeon": {}}}, "distribution.pigeon: no such medium"),
        ({"timing": {"ring": 1}}, "timing.ring: no such field"),
        ({"colour": "red"}, "colour: no such field"),
        ({"patterns": {}}, "patterns: a list"),
    ],
)
def test_a_script_that_cannot_be_used_stops_the_start_and_says_where(
    capfd: pytest.CaptureFixture[str], script: dict[str, Any], word: str
) -> None:
    with pytest.raises(ControlError, match="exit code 2"), Sandbox(script=script):
        pass
    text = capfd.readouterr().err
    assert re.search(word, text), text
    assert "Traceback" not in text
    assert PERSON not in text
