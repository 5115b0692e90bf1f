"""Calls that hold an exchange by keypad and speech, through Twilio."""

from typing import ClassVar

from channels.adapter import Adapter
from channels.contract import Medium
from channels.twilio_calls import TwilioCallOptions, TwilioCalls


class TwilioIvr(TwilioCalls):
    """``channels.contract.Channel`` for interactive calls.

    A prompt's ``action`` must name the turn, so that the same key pressed in two turns is two replies and a repeated
    callback is one.
    """

    name: ClassVar[str] = "twilio_ivr"
    medium: ClassVar[Medium] = Medium.IVR


ADAPTER = Adapter(TwilioIvr, TwilioCallOptions, lambda config, _now: TwilioIvr(config))
