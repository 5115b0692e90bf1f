"""Reading at Twilio what an attempt came to once it is over: one request each, few at a time, never hammered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from channels.contract import Aftermath
from channels.errors import Misconfigured, NotSent, OutcomeUnknown, SendError
from channels.exchange import about
from channels.twilio_common import unreadable_is_unknown

AT_ONCE = 8
_GONE = "20404"

Ask = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Fetches or changes the resource of a reference; returns it. Raises SendError."""
Read = Callable[[str, Mapping[str, Any]], Aftermath]


async def look_after_each(refs: Sequence[str], ask: Ask, read: Read, *, redacts: bool = False) -> list[Aftermath]:
    """Ask about each; once Twilio is out of reach or asks us to slow down, the rest is left for the next time.

    ``redacts``: asking takes words off, so a resource that is gone holds none and one that refuses holds them still.
    """
    gate, stop = asyncio.Semaphore(AT_ONCE), asyncio.Event()

    async def one(ref: str) -> Aftermath | None:
        async with gate:
            with about(ref):
                return None if stop.is_set() else await care(ref)

    async def care(ref: str) -> Aftermath | None:
        try:
            with unreadable_is_unknown():
                return read(ref, await ask(ref))
        except Misconfigured as error:
            if error.provider_code == _GONE:  # somebody deleted it there: no words and no price to come
                return Aftermath(ref, complete=True, words_off=redacts or None)
            stop.set()
        except (NotSent, OutcomeUnknown):
            stop.set()
        except SendError:
            # Not over yet, as Twilio sees it.
            return Aftermath(ref, complete=False, words_off=False if redacts else None)
        return None

    return [said for said in await asyncio.gather(*map(one, refs)) if said is not None]
