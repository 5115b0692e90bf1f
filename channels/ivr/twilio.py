"""Calls that hold an exchange by keypad and speech, through Twilio."""

import hashlib
from collections.abc import Iterable
from typing import ClassVar

from channels.contract import Answer, Callback, Capability, Medium, Prompt, Receipt, Reply
from channels.twilio_calls import TwilioCalls, progress
from channels.twilio_common import form_of, required, token_of
from channels.twiml import spoken


class TwilioIvr(TwilioCalls):
    """``channels.contract.Channel`` for interactive calls.

    A prompt's ``action`` must name the turn, so that the same key pressed in two turns is two replies and a repeated
    callback is one.
    """

    name: ClassVar[str] = "twilio_ivr"
    medium: ClassVar[Medium] = Medium.IVR
    capabilities: ClassVar[frozenset[Capability]] = TwilioCalls.capabilities | {Capability.REPLIES}

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn progress, digits or speech into news; silence is none. Raises MalformedCallback."""
        fields = form_of(callback)
        if fields.get("Digits") or fields.get("SpeechResult"):
            return (_reply(callback, fields),)
        receipt = progress(callback)
        return () if receipt is None else (receipt,)

    def answer(self, prompt: Prompt) -> Answer:
        """Turn a prompt into TwiML. Raises Unsupported (locale) or ContentRefused (length, missing action)."""
        return spoken(prompt, self._public_url)


def _reply(callback: Callback, fields: dict[str, str]) -> Reply:
    sid = required(fields, "CallSid")
    inbound = fields.get("Direction") == "inbound"
    person, ours = ("From", "To") if inbound else ("To", "From")
    return Reply(
        dedupe_key=f"{sid}:{_turn(callback)}",
        medium=Medium.IVR,
        address=fields.get(person),
        text=fields.get("SpeechResult") or None,
        digits=fields.get("Digits") or None,
        token=token_of(callback),
        provider_ref=sid,
        to=fields.get(ours),
        confidence=_confidence(fields.get("Confidence")),
    )


def _turn(callback: Callback) -> str:
    """Name the turn by where the answer came to, never by what was pressed: digits may be secrets."""
    return hashlib.sha256(f"{callback.path}?{callback.query}".encode()).hexdigest()[:16]


def _confidence(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0.0 <= value <= 1.0 else None
