"""Calls that say one thing and hang up, through Twilio."""

from collections.abc import Iterable
from typing import ClassVar

from channels.contract import Answer, Callback, Medium, Prompt, Receipt, Reply
from channels.errors import Unsupported
from channels.twilio_calls import TwilioCalls, progress
from channels.twiml import spoken


class TwilioVoice(TwilioCalls):
    """``channels.contract.Channel`` for spoken reminders; it does not listen."""

    name: ClassVar[str] = "twilio_voice"
    medium: ClassVar[Medium] = Medium.VOICE

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a progress callback into news. Raises MalformedCallback."""
        receipt = progress(callback)
        return () if receipt is None else (receipt,)

    def answer(self, prompt: Prompt) -> Answer:
        """Say the words and hang up. Raises Unsupported for a prompt that listens."""
        if prompt.gather:
            raise Unsupported("this channel does not listen; an ivr channel does")
        return spoken(prompt, self._public_url)
