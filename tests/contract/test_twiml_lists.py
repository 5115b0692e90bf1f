"""Everything a call can say, held to Twilio's own lists of verbs, attributes and values."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from twilio.twiml import voice_response

from channels.contract import ChannelConfig, Prompt
from channels.ivr.twilio import TwilioIvr
from channels.twiml import VOICES
from channels.voice.twilio import TwilioVoice
from outreach.domain.words import Channel
from outreach.rendering.catalog import Catalog
from outreach.rendering.render import Renderer
from outreach.rendering.sample import sample_fields

LISTS: dict[str, Any] = json.loads((Path(__file__).parent / "twiml.json").read_text("utf-8"))
ROOT = Path(__file__).parents[2]
CONFIG = ChannelConfig(
    "ivr", "twilio_ivr", "https://outreach.example.com",
    {"account_sid": "AC" + "0" * 32, "auth_token": "12345", "sender": "+12025550100"},
)  # fmt: skip
TURN = "/v1/calls/t/turn?n=1"
IVR, VOICE = TwilioIvr(CONFIG), TwilioVoice(CONFIG)
_WHOLE = {"number": r"-?\d+", "boolean": "true|false", "string": "(?s).*"}


def wrong(document: bytes) -> list[str]:
    """Return everything in a document that Twilio's lists do not have."""
    root = ET.fromstring(document)  # noqa: S314 - our own output
    found = [] if root.tag == "Response" else [f"{root.tag} is not the outermost element"]
    return found + [problem for element in root.iter() for problem in _wrong_in(element)]


def _wrong_in(element: ET.Element) -> Iterator[str]:
    listed = LISTS.get(element.tag)
    if listed is None:
        yield f"<{element.tag}> is not a verb"
        return
    for name, value in element.attrib.items():
        kind = listed["attributes"].get(name)
        if kind is None:
            yield f"<{element.tag}> has no {name}"
        elif isinstance(kind, str):
            if not re.fullmatch(_WHOLE[kind], value):
                yield f"<{element.tag} {name}> is no {kind}"
        elif not set(value.split(" ") if kind["several"] else [value]) <= set(kind["values"]):
            yield f"<{element.tag} {name}> does not know {value}"
    for child in element:
        if child.tag not in listed["holds"]:
            yield f"<{element.tag}> cannot hold <{child.tag}>"


CATALOG = Catalog.load(ROOT / "templates")


def spoken(locale: str) -> set[str]:
    """Everything any template of a call says in one language."""
    renderer = Renderer(CATALOG)
    return {
        words
        for channel in (Channel.IVR, Channel.VOICE)
        for name in CATALOG.names(channel)
        for words in dict(renderer.render(name, channel, locale, sample_fields(locale)).spoken).values()
    }


@pytest.mark.parametrize("locale", sorted(CATALOG.locales.by_code))
def test_everything_a_call_says_is_twiml_as_twilio_lists_it(locale: str) -> None:
    said = spoken(locale)
    assert len(said) > 20
    assert any("<say-as" in words for words in said)
    for words in said:
        for prompt in (
            Prompt(words, locale),
            Prompt(words, locale, gather=True, digits=4, action=TURN, speech=True, hints=("yes", "no")),
            Prompt(words, locale, dial="+12025550199", action=TURN),
        ):
            assert wrong(IVR.answer(prompt).body) == []
    assert wrong(VOICE.answer(Prompt(words, locale, gather=True, action=TURN)).body) == []


def test_all_three_languages_are_said() -> None:
    assert {code.partition("-")[0] for code in CATALOG.locales.by_code} >= {"en", "es", "zh"}


@pytest.mark.parametrize("locale", sorted(VOICES))
def test_every_shipped_voice_and_language_is_one_of_twilios(locale: str) -> None:
    voice = VOICES[locale]
    assert voice.voice in LISTS["Say"]["attributes"]["voice"]["values"]
    assert voice.speaks in LISTS["Say"]["attributes"]["language"]["values"]
    assert voice.listens in LISTS["Gather"]["attributes"]["language"]["values"]


@pytest.mark.parametrize("kind", LISTS["say-as"]["attributes"]["interpret-as"]["values"])
def test_a_kind_of_speech_passes_only_when_twilio_knows_it_and_is_text_otherwise(kind: str) -> None:
    for known in (kind, "currency", "money"):
        body = IVR.answer(Prompt(f'<say-as interpret-as="{known}">12</say-as>', "en-US")).body
        assert wrong(body) == []


@pytest.mark.parametrize("form", [*LISTS["say-as"]["attributes"]["format"]["values"], "mmm", "dmydmy"])
def test_a_format_of_dates_passes_only_when_twilio_knows_it(form: str) -> None:
    words = f'<say-as interpret-as="date" format="{form}">2026-03-02</say-as>'
    assert wrong(IVR.answer(Prompt(words, "en-US")).body) == []


@pytest.mark.parametrize(
    "document",
    [
        "<Response><Say bogus='1'>x</Say></Response>", "<Response><Sing>x</Sing></Response>",
        "<Response><Gather timeout='soon'/></Response>", "<Response><Gather input='dtmf nods'/></Response>",
        "<Response><Say voice='Polly.Nobody'>x</Say></Response>", "<Response><Say><Play>x</Play></Say></Response>",
        "<Response><Say><say-as interpret-as='currency'>1</say-as></Say></Response>", "<Say>x</Say>",
        "<Response><Gather><Dial>1</Dial></Gather></Response>", "<Response><Hangup now='true'/></Response>",
        "<Response><Gather actionOnEmptyResult='maybe'/></Response>",
    ],
)  # fmt: skip
def test_what_twilio_does_not_list_does_not_pass(document: str) -> None:
    assert wrong(document.encode()) != []


@pytest.mark.parametrize("verb", ["say", "gather", "dial", "redirect", "pause", "play", "record", "reject"])
def test_the_lists_know_every_attribute_of_the_sdk_we_build_with(verb: str) -> None:
    """Two sources of Twilio's, generated apart: the library for Python and the lists taken from the one for Node."""
    taken = inspect.signature(getattr(voice_response.VoiceResponse, verb)).parameters
    named = [name for name, each in taken.items() if each.default is None and name not in {"message", "number", "url"}]
    written = {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in named}
    assert written - set(LISTS[verb.capitalize()]["attributes"]) <= {"recordingConfigurationId"}
    assert written
