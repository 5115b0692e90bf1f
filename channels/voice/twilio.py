"""Calls that say one thing, listen for the key that stops them and hang up, through Twilio."""

from typing import ClassVar

from channels.adapter import Adapter
from channels.contract import Medium
from channels.twilio_calls import TwilioCallOptions, TwilioCalls


class TwilioVoice(TwilioCalls):
    """``channels.contract.Channel`` for spoken reminders, which can be stopped within the call."""

    name: ClassVar[str] = "twilio_voice"
    medium: ClassVar[Medium] = Medium.VOICE


ADAPTER = Adapter(TwilioVoice, TwilioCallOptions, lambda config, _now: TwilioVoice(config))
