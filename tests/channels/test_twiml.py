"""What a call says and how it listens: the markup must be well formed, escaped, and never loop on silence."""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from given import twilio_config
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import PUBLIC_URL

from channels.contract import Answer, Prompt
from channels.errors import ConfigError, ContentRefused, Unsupported
from channels.ivr.twilio import TwilioIvr
from channels.twiml import VOICES
from channels.voice.twilio import TwilioVoice

CONFIG = twilio_config("ivr", "http://127.0.0.1:9")
IVR = TwilioIvr(CONFIG)
VOICE = TwilioVoice(CONFIG)
# From Twilio's own schema of the verbs (VoiceResponse): attribute names it knows.
GATHER = {
    "action", "actionOnEmptyResult", "bargeIn", "debug", "enhanced", "finishOnKey", "hints", "input", "language",
    "maxSpeechTime", "method", "numDigits", "partialResultCallback", "partialResultCallbackMethod", "profanityFilter",
    "speechModel", "speechTimeout", "timeout",
}  # fmt: skip
SAY = {"voice", "language", "loop"}


def tree(answer: Answer) -> ET.Element:
    assert answer.content_type == "text/xml; charset=utf-8"
    assert len(answer.body) < 64_000
    return ET.fromstring(answer.body)  # noqa: S314 - our own output


def prompt(say: str, **fields: Any) -> Prompt:
    return Prompt(say, **({"locale": "en-US"} | fields))


def asking(say: str = "Press 1.", **fields: Any) -> Prompt:
    return prompt(say, **({"gather": True, "action": "/v1/calls/tok-9?turn=1"} | fields))


@pytest.mark.parametrize("channel", [IVR, VOICE])
def test_a_prompt_that_does_not_listen_says_its_words_and_hangs_up(channel: Any) -> None:
    root = tree(channel.answer(prompt("Good morning.")))
    assert [verb.tag for verb in root] == ["Say", "Hangup"]
    assert root[0].text == "Good morning."


def test_listening_comes_back_to_the_action_even_after_silence_and_then_hangs_up() -> None:
    root = tree(IVR.answer(asking(digits=4, timeout_seconds=8)))
    gather, redirect, hangup = root
    action = f"{PUBLIC_URL}/v1/calls/tok-9?turn=1"
    assert (gather.tag, redirect.tag, hangup.tag) == ("Gather", "Redirect", "Hangup")
    assert gather.attrib == {"input": "dtmf", "action": action, "method": "POST", "numDigits": "4", "timeout": "8"}
    assert (redirect.text, redirect.attrib) == (action, {"method": "POST"})
    assert [child.tag for child in gather] == ["Say"]


def test_listening_for_speech_names_language_and_hints() -> None:
    root = tree(IVR.answer(asking("请说", locale="zh-CN", speech=True, hints=("是", "不是\x0b"))))
    assert root[0].attrib["input"] == "dtmf speech"
    assert root[0].attrib["language"] == "cmn-Hans-CN"
    assert root[0].attrib["hints"] == "是, 不是"
    assert root[0][0].attrib == {"language": "cmn-CN", "voice": "Polly.Zhiyu-Neural"}
    assert set(root[0].attrib) <= GATHER


def test_voice_listens_so_that_its_stop_key_works() -> None:
    root = tree(VOICE.answer(asking()))
    assert [verb.tag for verb in root] == ["Gather", "Redirect", "Hangup"]


def test_nothing_to_say_only_hangs_up() -> None:
    root = tree(VOICE.answer(Prompt(say="", locale="xx")))
    assert [verb.tag for verb in root] == ["Hangup"]


@pytest.mark.parametrize("action", [None, "", "https://elsewhere.example.com/"])
def test_listening_without_a_path_to_come_back_to_is_refused(action: str | None) -> None:
    with pytest.raises(ContentRefused):
        IVR.answer(asking(action=action))


@pytest.mark.parametrize("locale", ["en-US", "en_GB", "es-MX", "es-AR", "zh-CN", "zh-Hans", "en"])
def test_every_shipped_language_has_a_voice(locale: str) -> None:
    say = tree(IVR.answer(prompt("x", locale=locale)))[0]
    assert say.attrib["voice"].startswith("Polly.")
    assert set(say.attrib) <= SAY


def test_a_language_without_a_voice_is_refused_not_mispronounced() -> None:
    with pytest.raises(Unsupported, match="en-US"):
        IVR.answer(prompt("Bonjour", locale="fr-FR"))
    assert all(voice.voice for voice in VOICES.values())


def test_breaks_and_say_as_pass_as_markup_around_text_in_order() -> None:
    words = 'Call <say-as interpret-as="digits">1234</say-as> or <break time="500ms"/>wait <break time="1.5s" />now'
    say = tree(IVR.answer(prompt(words)))[0]
    assert [child.tag for child in say] == ["say-as", "break", "break"]
    assert (say.text, say[0].text, say[0].tail, say[1].tail, say[2].tail) == ("Call ", "1234", " or ", "wait ", "now")
    assert say[0].attrib == {"interpret-as": "digits"}
    assert say[1].attrib == {"time": "500ms"}


@pytest.mark.parametrize(
    "hostile",
    [
        "<Dial>+12025550143</Dial>", "</Say><Hangup/>", "<break time='9s'/>", '<break time="5h"/>', "<!--",
        "]]>", "& <",
        '<say-as interpret-as="expletive">x</say-as>', "<say-as interpret-as=\"digits\"><Play>x</Play></say-as>",
    ],
)  # fmt: skip
def test_any_other_markup_is_only_text(hostile: str) -> None:
    root = tree(IVR.answer(prompt(hostile)))
    assert [verb.tag for verb in root] == ["Say", "Hangup"]
    assert len(root[0]) == 0
    assert root[0].text == hostile


def test_text_escaped_by_a_template_is_not_escaped_twice() -> None:
    assert tree(IVR.answer(prompt("A &amp; B &lt;3&gt; O&#39;Neil")))[0].text == "A & B <3> O'Neil"


def test_more_than_twilio_speaks_is_refused() -> None:
    with pytest.raises(ContentRefused):
        IVR.answer(prompt("x" * 4097))


@given(words=st.text(max_size=300), hint=st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_whatever_is_said_is_well_formed(words: str, hint: str) -> None:
    root = tree(IVR.answer(asking(words, speech=True, hints=(hint,))))
    assert [verb.tag for verb in root] == ["Gather", "Redirect", "Hangup"]


def test_a_call_is_handed_on_and_comes_back_to_the_action() -> None:
    root = tree(IVR.answer(prompt("Please hold.", dial="+12025550199", action="/v1/calls/tok-9/turn?n=3")))
    assert [verb.tag for verb in root] == ["Say", "Dial", "Hangup"]
    assert (root[1].text, root[1].attrib["action"]) == ("+12025550199", f"{PUBLIC_URL}/v1/calls/tok-9/turn?n=3")


def test_voices_and_speech_are_configured() -> None:
    voices = {"es": {"voice": "Polly.Mia-Neural"}, "fr": {"voice": "Polly.Lea-Neural", "listens": "fr-CA"}}
    quiet = TwilioIvr(replace(CONFIG, options={**CONFIG.options, "speech": False, "voices": voices}))
    root = tree(quiet.answer(asking("Hola", locale="es-CO", speech=True)))
    assert root[0].attrib["input"] == "dtmf"
    assert root[0][0].attrib == {"language": "es-US", "voice": "Polly.Mia-Neural"}
    assert tree(quiet.answer(prompt("Bonjour", locale="fr-FR")))[0].attrib == {
        "language": "fr", "voice": "Polly.Lea-Neural",
    }  # fmt: skip


@pytest.mark.parametrize("voices", [{"es": {"voice": "Mia"}}, {"spanish": {"voice": "Polly.Mia"}}, {"es": {}}])
def test_a_voice_that_cannot_be_is_refused(voices: Any) -> None:
    with pytest.raises(ConfigError, match="voices"):
        TwilioIvr(replace(CONFIG, options={**CONFIG.options, "voices": voices}))
