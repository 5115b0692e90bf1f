"""The sandbox's pure parts: segments, signatures, dialogue, menus, TwiML, tokens, forms."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smsutil import split
from twilio.request_validator import RequestValidator

from channels.sandbox.chance import choose, draw
from channels.sandbox.clock import Agenda, CarrierClock
from channels.sandbox.deliveries import twilio_signature
from channels.sandbox.dialogue import Exchange, asks_to_confirm, options_in, react
from channels.sandbox.errors import ScriptError
from channels.sandbox.http import parse_form
from channels.sandbox.listener import menu_digit, picks_up
from channels.sandbox.people import Temper
from channels.sandbox.script import load_script
from channels.sandbox.segments import count_segments
from channels.sandbox.twiml import TwimlError, read_twiml
from channels.sandbox.wire import Wire
from channels.sandbox.witness import token_of
from channels.sandbox.wording import MENU_WORDS, guess_locale

LETTERS = st.text(st.sampled_from("abc @£$é^{}[]€\n你好😀“"), min_size=1, max_size=500)
FIELDS = st.dictionaries(
    st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30),
    max_size=6,
)


@given(LETTERS)
@example("x" * 159 + "€")
@example("x" * 152 + "€" + "x" * 152)
@example("好" * 66 + "😀" + "好" * 60)
def test_segments_agree_with_an_independent_counter(text: str) -> None:
    assert count_segments(text) == len(split(text).parts)


@given(FIELDS)
def test_signatures_are_the_ones_twilio_computes(fields: dict[str, str]) -> None:
    url = "https://example.com/v1/callbacks/sms?token=a%27b&x=1"
    assert twilio_signature("12345", url, fields) == RequestValidator("12345").compute_signature(url, fields)


def test_a_signature_twilio_publishes() -> None:
    fields = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}
    fields["Caller"] = "+14158675309"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@given(FIELDS)
def test_forms_are_read_as_urllib_reads_them(fields: dict[str, str]) -> None:
    text = urlencode(fields)
    assert parse_form(text) == dict(parse_qsl(text, keep_blank_values=True))


@given(st.text(max_size=60))
def test_no_form_is_too_odd_to_be_read(text: str) -> None:
    assert isinstance(parse_form(text), dict)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Reply 1) 2 payments of $60 or 2) 3 payments of $40", ["1", "2"]),
        ("1. Two payments\n2. Three payments\n3. Four payments", ["1", "2", "3"]),
        ("Reply 1 for 2 payments, reply 2 for 3 payments", ["1", "2"]),
        ("Responda 1 para 2 pagos, responda 2 para 3 pagos", ["1", "2"]),
        ("回复1：分两期，每期60元；回复2：分三期，每期40元", ["1", "2"]),
        ("Your payment of $1.50 is due on March 2. Call 202-555-0143.", []),
        ("Your payment of $120.00 is due in 2 days", []),
    ],
)
def test_choices_are_found_in_what_was_sent(text: str, options: list[str]) -> None:
    assert options_in(text) == options


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Reply YES to confirm.", True),
        ("Responda SÍ para confirmar", True),
        ("回复“是”确认", True),
        ("Reply STOP to opt out. Yes, really.", False),
        ("Si usted ya pagó, ignore esto", False),
    ],
)
def test_a_question_for_yes_is_recognised(text: str, *, asks: bool) -> None:
    assert asks_to_confirm(text) is asks


def test_nobody_talks_who_has_nothing_to_say_and_no_talk_is_endless() -> None:
    assert react("silent", Exchange(), "1) a 2) b Reply YES", ready=True) is None
    assert react("installments", Exchange(), "hello", ready=False) is None
    exchange, turns = Exchange(), 0
    while (turn := react("installments", exchange, "1) a 2) b", ready=True)) is not None:
        exchange, turns = turn.after, turns + 1
    assert turns == 6


@pytest.mark.parametrize(
    ("menu", "wish", "digit"),
    [
        ("to pay now, press 1. for a payment plan, press 2. if you already paid, press 3.", "installments", "2"),
        ("press 1 to pay now, 2 for a payment plan, or 3 if you already paid", "installments", "2"),
        ("to pay now press one, for a payment plan press two", "installments", "2"),
        ("if you are not this person, press 2. if this is you, press 1.", "wrong_person", "2"),
        ("si usted es la persona, marque 1. si se equivocó de persona, marque 2.", "wrong_person", "2"),
        ("para pagar a plazos, oprima 2.", "installments", "2"),
        ("立即还款请按1，分期还款请按2，人工客服请按0", "installments", "2"),
        ("to hear this again press 9", "installments", None),
        ("your balance is 120 dollars and a plan may help", "installments", None),
    ],
)
def test_the_key_for_a_wish_is_found_in_a_menu(menu: str, wish: str, digit: str | None) -> None:
    assert menu_digit(menu, MENU_WORDS[wish]) == digit


def test_voicemail_waits_longer_than_a_person() -> None:
    assert picks_up(Temper("voicemail"), 14, 0.0).status == "no-answer"
    assert picks_up(Temper("voicemail"), 25, 0.99).machine
    assert picks_up(Temper("human"), 25, 0.99).status == "in-progress"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"<Response><Say>x", 12100),
        (b"<Reply/>", 12200),
        (b"<Response><Gather><Gather/></Gather></Response>", 12200),
        (b'<Response><Pause length="long"/></Response>', 12200),
        (b"<Response>" + b" " * 70_000 + b"</Response>", 11750),
    ],
)
def test_bad_twiml_is_refused_with_twilios_code(document: bytes, code: int) -> None:
    with pytest.raises(TwimlError) as caught:
        read_twiml(document)
    assert caught.value.code == code


def test_words_inside_speech_tags_are_heard() -> None:
    document = (
        b'<Response><Say>Hello <break time="1s"/><say-as interpret-as="digits">123</say-as> there</Say></Response>'
    )
    assert read_twiml(document)[0].text == "Hello 123 there"


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("http://x/v1/callbacks/sms?token=abc", "abc"),
        ("http://x/v1/callbacks/sms?x=1&t=abc#rp=all", "abc"),
        ("http://x/v1/calls/0123456789abcdefXYZ", "0123456789abcdefXYZ"),
        ("http://x/v1/calls/0123456789abcdefXYZ/menu?n=1", "0123456789abcdefXYZ"),
        ("http://x/v1/callbacks/sms", None),
    ],
)
def test_the_attempts_token_is_found_in_its_url(url: str, token: str | None) -> None:
    assert token_of(url) == token


@given(st.lists(st.integers(), min_size=1, max_size=9), st.text())
def test_chance_is_the_same_for_the_same_words(options: list[int], word: str) -> None:
    assert choose(options, 1, word) == choose(options, 1, word)
    assert choose(options, 1, word) in options
    assert 0 <= draw(1, word) < 1


@pytest.mark.parametrize(
    ("address", "text", "locale"),
    [
        ("+8613900000000", "", "zh"),
        ("+525500000000", "", "es"),
        ("+12025550143", "", "en"),
        ("+12025550143", "Hola, su pago de 10 es para el lunes", "es"),
        ("+12025550143", "您好", "zh"),
        ("+8613900000000", "Your payment is due", "en"),
    ],
)
def test_the_language_of_an_answer(address: str, text: str, locale: str) -> None:
    assert guess_locale(address, text, "en") == locale


@given(st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(1, 20), max_size=5))
def test_everything_planned_happens_once_in_order_at_its_own_time(plans: list[int], steps: list[int]) -> None:
    start = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    done: list[tuple[int, float]] = []

    async def run() -> None:
        clock = CarrierClock(start)
        agenda = Agenda(clock)
        for order, seconds in enumerate(plans):
            agenda.after(seconds, lambda o=order: done.append((o, clock.epoch() - start.timestamp())))  # type: ignore[misc]
        for step in [*steps, 100]:
            agenda.advance(clock.epoch() + step)
        assert agenda.next_at() is None

    asyncio.run(run())
    expected = sorted(enumerate(plans), key=lambda plan: (plan[1], plan[0]))
    assert done == [(order, float(seconds)) for order, seconds in expected]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{bad", "not YAML or JSON"),
        (b"a: [", "not YAML or JSON"),
        (b"\xff\xfe", "not YAML or JSON"),
        (b"- just a list", "a mapping"),
        (None, "cannot be read"),
    ],
)
def test_a_script_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, word: str) -> None:
    path = tmp_path / "people.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScriptError, match=word) as caught:
        load_script(path, stepped=True)
    assert str(path) in str(caught.value)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    yaml, json = tmp_path / "a.yaml", tmp_path / "a.json"
    yaml.write_text('profiles: {"+12025550143": {temperament: "fail:30005", locale: es-MX}}\n', "utf-8")
    json.write_text('{"profiles": {"+12025550143": {"temperament": "fail:30005", "locale": "es-MX"}}}', "utf-8")
    assert load_script(yaml, stepped=False) == load_script(json, stepped=False)
    assert load_script(yaml, stepped=False).profiles["+12025550143"].temperament == Temper("fail", 30005)


async def test_what_follows_a_whole_answer_does_not_spoil_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire = Wire()
    try:
        port = server.sockets[0].getsockname()[1]
        answer = await wire.send("POST", f"http://127.0.0.1:{port}/x", {}, b"")
    finally:
        wire.close()
        server.close()
        await server.wait_closed()
    assert answer.status == 204
