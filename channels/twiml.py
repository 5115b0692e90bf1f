"""Turns a prompt into TwiML: the voices, the limited SSML that may pass, and the way a call goes on after silence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from twilio.twiml import TwiML
from twilio.twiml.voice_response import Gather, Say, VoiceResponse

from channels.contract import Answer, Prompt
from channels.errors import ContentRefused, Unsupported

DIAL_SECONDS = 30
"""How long the line of an agent rings before the call comes back."""
MAX_SAY = 4_096
"""Characters of text Twilio speaks in one verb."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How one locale is spoken and listened to; the two use different language tags for Chinese."""

    speaks: str
    voice: str
    listens: str


VOICES: dict[str, Voice] = {
    "en-US": Voice("en-US", "Polly.Joanna-Neural", "en-US"),
    "en-GB": Voice("en-GB", "Polly.Amy-Neural", "en-GB"),
    "en-IN": Voice("en-IN", "Polly.Kajal-Neural", "en-IN"),
    "es-US": Voice("es-US", "Polly.Lupe-Neural", "es-US"),
    "es-MX": Voice("es-MX", "Polly.Mia-Neural", "es-MX"),
    "es-ES": Voice("es-ES", "Polly.Lucia-Neural", "es-ES"),
    "zh-CN": Voice("cmn-CN", "Polly.Zhiyu-Neural", "cmn-Hans-CN"),
}
_BY_LANGUAGE = {"en": "en-US", "es": "es-US", "zh": "zh-CN"}

_MARKUP = re.compile(
    r'<break\s+time="(?P<time>\d{1,5}ms|\d{1,2}(?:\.\d+)?s)"\s*/>'
    r'|<say-as\s+interpret-as="(?P<kind>characters|spell-out|cardinal|ordinal|digits|date|time|telephone)"'
    r'(?:\s+format="(?P<format>mdy|dmy|ymd|md|dm|ym|my|d|m|y)")?\s*>(?P<words>[^<>]*)</say-as>'
)
_ENTITY = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#39;": "'", "&#34;": '"', "&amp;": "&"}
_ENTITY_PATTERN = re.compile("|".join(_ENTITY))
_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def voice_of(locale: str, voices: Mapping[str, Voice] = VOICES) -> Voice:
    """Return the voice of a locale, else of its language. Raises Unsupported when there is none."""
    tag = locale.replace("_", "-")
    language = tag.partition("-")[0]
    # A voice named for a whole language (es) is wanted before the shipped one of its first region.
    found = voices.get(tag) or voices.get(language) or voices.get(_BY_LANGUAGE.get(language, ""))
    if found is None:
        raise Unsupported(f"no voice for this locale; there are {', '.join(voices)}")
    return found


def spoken(prompt: Prompt, public_url: str, voices: Mapping[str, Voice] = VOICES, *, speech: bool = True) -> Answer:
    """Say the words; when asked, listen, and come back to ``action`` even when nothing is said; then hang up.

    Without words and without a question it only hangs up, whatever the locale. ``speech`` False: keys only, even where
    the prompt would take words.
    """
    prompt = replace(prompt, speech=prompt.speech and speech)
    response = VoiceResponse()
    if not prompt.say and not prompt.gather:
        response.hangup()
        return _answer(response)
    voice = voice_of(prompt.locale, voices)
    say = _say(prompt.say, voice)
    if prompt.gather:
        action = _absolute(prompt.action, public_url)
        response.append(_gather(prompt, voice, action).append(say))
        # Silence falls through Gather. The answer then comes back without digits, so that the flow counts the turn.
        response.redirect(action, method="POST")
    else:
        response.append(say)
    if prompt.dial:
        response.dial(prompt.dial, action=_absolute(prompt.action, public_url), method="POST", timeout=DIAL_SECONDS)
    response.hangup()
    return _answer(response)


def _answer(response: VoiceResponse) -> Answer:
    return Answer("text/xml; charset=utf-8", response.to_xml().encode("utf-8"))


def _gather(prompt: Prompt, voice: Voice, action: str) -> Gather:
    return Gather(
        input="dtmf speech" if prompt.speech else "dtmf",
        action=action,
        method="POST",
        num_digits=prompt.digits,
        timeout=prompt.timeout_seconds,
        language=voice.listens if prompt.speech else None,
        hints=clean(", ".join(prompt.hints)) if prompt.speech and prompt.hints else None,
        speech_timeout="auto" if prompt.speech else None,
    )


def _absolute(action: str | None, public_url: str) -> str:
    if action is None or not action.startswith("/"):
        raise ContentRefused("a prompt that listens needs an action path starting with /")
    return public_url.rstrip("/") + action


def _say(text: str, voice: Voice) -> Say:
    """Build the verb from text and the SSML that may pass; anything else in angle brackets is spoken text, escaped."""
    if len(text) > MAX_SAY:
        raise ContentRefused(f"over {MAX_SAY} characters to say")
    say = Say(voice=voice.voice, language=voice.speaks)
    done = 0
    for part in _MARKUP.finditer(text):
        _add_text(say, text[done : part.start()])
        if part["time"]:
            say.break_(time=part["time"])
        else:
            say.say_as(_plain(part["words"]), interpret_as=part["kind"], format=part["format"])
        done = part.end()
    _add_text(say, text[done:])
    return say


def _add_text(verb: TwiML, text: str) -> None:
    if text:
        verb.append(_plain(text))


def _plain(text: str) -> str:
    """Undo the template's own XML escaping (the builder escapes once more) and drop what XML cannot hold."""
    return clean(_ENTITY_PATTERN.sub(lambda found: _ENTITY[found[0]], text))


def clean(text: str) -> str:
    """Drop control characters and others that make XML ill-formed (Twilio error 12100)."""
    return _NOT_XML.sub("", text)
