"""The parts every side of the carrier shares: account, clock, log, faults, people and deliveries."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from channels.sandbox.clock import Agenda, CarrierClock
from channels.sandbox.deliveries import Deliveries
from channels.sandbox.faults import Faults
from channels.sandbox.handsets import Handsets
from channels.sandbox.http import Answer, Outcome, Response
from channels.sandbox.keys import Keys
from channels.sandbox.people import People
from channels.sandbox.problems import problem
from channels.sandbox.script import Script
from channels.sandbox.witness import Witness


@dataclass(frozen=True, slots=True)
class Account:
    """The one account that is served, and where its inbound traffic goes."""

    sid: str
    token: str
    inbound_sms_url: str
    inbound_email_url: str
    aliyun_url: str = ""
    gateway_url: str = ""
    second_token: str | None = None
    inbound_call_url: str | None = None


@dataclass(frozen=True, slots=True)
class Carrier:
    """What texts, calls and mail are built on."""

    account: Account
    script: Script
    clock: CarrierClock
    agenda: Agenda
    witness: Witness
    faults: Faults
    people: People
    deliveries: Deliveries
    handsets: Handsets
    keys: Keys

    @property
    def seed(self) -> int:
        """The seed every decision draws from."""
        return self.people.seed

    def accept(self, take: Callable[[], Response]) -> Answer:
        """Take a create request, or let the fault in force spoil it before or after it is taken."""
        if not self.faults.armed:
            return take()
        refused = self._spoil_before()
        return refused if refused is not None else self._spoil_after(take())

    def _spoil_before(self) -> Answer | None:
        hit = self.faults.hit
        for name, answer in _BEFORE.items():
            if hit(name):
                self.witness.record("fault", fault=name)
                return answer
        return None

    def _spoil_after(self, answer: Response) -> Answer:
        if answer.status >= 400:
            return answer
        for name, spoilt in _AFTER.items():
            if self.faults.hit(name):
                self.witness.record("fault", fault=name)
                return spoilt
        return answer


_BEFORE: dict[str, Answer] = {
    "http_429_next": problem(20429, ("Retry-After", "1")),
    "http_500_next": problem(20500),
    "hang_before_accept_next": Outcome.HANG,
    "reset_before_accept_next": Outcome.RESET,
}
_AFTER: dict[str, Answer] = {
    "hang_next": Outcome.HANG,
    "reset_after_accept_next": Outcome.RESET,
    "http_500_after_accept_next": problem(20500),
    "html_next": Response(200, b"<html><body>Please wait while we check your browser</body></html>", b"text/html"),
}


class Names:
    """Makes SIDs: unique over restarts, so that nothing that removes doubles by SID mistakes one run for another."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix + os.urandom(8).hex()
        self._count = 0

    def new(self) -> str:
        """Return the next 34-character SID."""
        self._count += 1
        return f"{self._prefix}{self._count:016x}"


@lru_cache(maxsize=256)
def _rfc2822(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC)).replace("GMT", "+0000")


def rfc2822(epoch: float | None) -> str | None:
    """Write an instant the way the 2010 API does, or None."""
    return None if epoch is None else _rfc2822(int(epoch))


async def settle_later(seconds: float, answer: Answer) -> Answer:
    """Answer after a delay of real time (the latency fault)."""
    await asyncio.sleep(seconds)
    return answer
