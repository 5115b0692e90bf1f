"""One table for all: what the exchange log keeps of a send holds no number, name, word, token or credential of it."""

import asyncio
import contextlib
import string
from dataclasses import replace
from typing import Any

import orjson
import pytest
from given import APPROVED, outbound
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lanes import LANES, SECRETS, Lane, Row, twilio_callback
from peers import Relay

from channels.contract import Call, LooksUp, LookupKey, Mail, Outbound, Text
from channels.errors import SendError
from channels.exchange import Tape, known_of, recording, tell, tell_asked
from channels.exchange_in import tell_callback

KEY = b"k" * 32
EVERY_ROW = [
    pytest.param(lane, row, row_name, id=f"{name}: {row_name}")
    for name, lane in LANES.items()
    for row_name, row in lane.rows.items()
]
every_lane = pytest.mark.parametrize("lane", LANES.values(), ids=LANES.keys())
PRIVATE = (*SECRETS, "your payment", "Your payment", "$120", "Basic ", "Bearer ", "LTAI-example")


def kept(lane: Lane, row: Row, *sent: Outbound) -> list[str]:
    """Send on a real socket and return what would be stored of each."""

    async def main() -> list[str]:
        found = []
        async with lane.peer() as peer:
            lane.script(peer, row)
            channel = lane.make(peer, **row.options)
            for one in sent:
                tape = Tape()
                with recording(tape), contextlib.suppress(SendError):
                    await channel.send(one)
                assert tape.trips
                found.append(orjson.dumps(tell(tape, KEY, one)).decode())
            await channel.close()
        return found

    return asyncio.run(main())


@pytest.mark.parametrize(("lane", "row", "name"), EVERY_ROW)
def test_no_row_leaves_a_trace_of_the_person_or_the_keys(lane: Lane, row: Row, name: str) -> None:
    (text,) = kept(lane, row, lane.outbound())
    assert [secret for secret in PRIVATE if secret in text] == []
    (trip,) = orjson.loads(text)
    assert trip["ms"] >= 0
    if trip["over"] == "smtp":
        assert trip["dialogue"], name
        assert trip["request"]["bytes"] > 100
    else:
        assert trip["request"]["fields"], name
        assert ("lost" in trip) != ("answer" in trip)
        if isinstance(trip.get("answer"), dict) and row.expected is None:
            assert trip["answer"]["status"] in {200, 201}


# Made up words are unlike anything that a provider's fields are called.
WORDS = st.text(string.ascii_letters + " áñ你们$&=%+", min_size=8, max_size=40).map(lambda text: f"Wö{text.strip()}ß")
TOKEN = st.text(string.ascii_letters + string.digits + "-_", min_size=16, max_size=22).map("Tk-".__add__)
NAME = st.text(string.ascii_uppercase, min_size=6, max_size=12).map("XQ".__add__)
LINE = st.integers(10_000_000, 99_999_999)


def someone(lane: Lane, words: str, token: str, line: int, name: str) -> tuple[Outbound, list[str]]:
    """Return an attempt to somebody made up, and all that may stand nowhere."""
    number = f"+86129{line}" if lane.adapter == "aliyun_sms" else f"+120{line}"
    address = {"smtp": f"{name.lower()}@borrower.example.com", "twilio_whatsapp": f"whatsapp:{number}"}.get(
        lane.adapter, number
    )
    private = [token, address, address.removeprefix("whatsapp:")[1:], name]
    content: Any = lane.content
    if isinstance(content, Text):
        content = Text(f"{words} {name}")
        private.append(words)
    elif isinstance(content, Mail):
        content = Mail(f"{words} {name}", f"{name} {words}", reply_token=f"r{token}")
        private.append(words)
    else:
        assert isinstance(content, Call)
    made = outbound(content, address, token=token, **lane.more)
    if lane.more:
        made = replace(made, template=replace(APPROVED, parameters=dict.fromkeys(APPROVED.parameters, name)))
    return made, private


@every_lane
@settings(max_examples=12, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_whoever_is_written_to_stays_unknown(lane: Lane, data: st.DataObject) -> None:
    made = [someone(lane, data.draw(WORDS), data.draw(TOKEN), data.draw(LINE), data.draw(NAME)) for _ in range(3)]
    row = lane.rows[data.draw(st.sampled_from(["accepted", "bad_address", "5xx"]))]
    if lane.adapter == "smtp":
        row = Row({}, None)
    for text, (_, private) in zip(kept(lane, row, *(one for one, _ in made)), made, strict=True):
        assert [each for each in private if each in text] == []


@every_lane
def test_a_look_up_is_kept_without_the_person_it_asks_about(lane: Lane) -> None:
    async def main() -> None:
        async with lane.peer() as peer:
            lane.script(peer, lane.rows["accepted"])
            channel = lane.make(peer)
            if isinstance(channel, LooksUp):
                sent = lane.outbound()
                body = sent.content.body if isinstance(sent.content, Text) else None
                key, tape = LookupKey(sent.attempt_id, sent.token, sent.address, body, 1_772_000_000.0), Tape()
                with recording(tape), contextlib.suppress(SendError):
                    await channel.look_up(key)
                told = tell_asked("look_up", tape.trips, KEY, known_of(key))
                assert {trip["what"] for trip in told} == {"look_up"}
                text = orjson.dumps(told).decode()
                assert [each for each in (*PRIVATE, sent.address[1:], sent.token) if each in text] == []
            await channel.close()

    asyncio.run(main())


@every_lane
def test_a_callback_is_kept_without_its_person_or_secret(lane: Lane) -> None:
    genuine = lane.genuine()
    text = orjson.dumps(tell_callback(lane.adapter, "lane", genuine, KEY)).decode()
    assert [secret for secret in (*PRIVATE, "12905550312", "push-0123456789") if secret in text] == []
    assert "/v1/callbacks/lane" in text


def test_a_reply_is_kept_without_its_words_or_number() -> None:
    said = {"From": "+12025550143", "To": "+12025550100", "Body": "STOP it, Ana", "SmsStatus": "received"}
    told = tell_callback("twilio_sms", "lane", twilio_callback("/v1/callbacks/lane", said), KEY)
    text = orjson.dumps(told).decode()
    assert [secret for secret in ("2025550143", "STOP it", "Ana", "tok_EN-123") if secret in text] == []
    assert told["request"]["fields"]["SmsStatus"] == "received"


@every_lane
def test_a_digest_needs_the_key(lane: Lane) -> None:
    async def main() -> tuple[Tape, Outbound]:
        async with lane.peer() as peer:
            lane.script(peer, lane.rows["accepted"])
            channel = lane.make(peer)
            with recording(Tape()) as tape:
                await channel.send(lane.outbound())
            await channel.close()
            assert not isinstance(peer, Relay) or peer.mails
            return tape, lane.outbound()

    tape, sent = asyncio.run(main())
    first, again, other = (tell(tape, key, sent) for key in (KEY, KEY, b"x" * 32))
    assert first == again
    assert first != other
    assert repr(tape).startswith("<channels.exchange.Tape")
