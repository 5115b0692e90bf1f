"""Places a call through the real gate, and answers it turn by turn as a provider would."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from channels.contract import Prompt
from channels.fake import FakeChannel
from outreach.flows.calls import answer_call
from outreach.flows.house import House

from .book import Someone
from .house import rows, run_lanes


def dial(dsn: str, now: datetime, one: Someone, channel: str = "ivr", *, hours: int = 8) -> None:
    """Store a call to somebody that is due now."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """insert into touch (touch_id, case_id, borrower_id, channel, template, purpose, state, due_at, not_before,
                 expires_at, created_at) values (%s,%s,%s,%s,'missed_payment','reminder','planned',%s,%s,%s,%s)""",
            (uuid4(), one.case_id, one.borrower_id, channel, now, now, now + timedelta(hours=hours), now),
        )


async def place_call(dsn: str, house: House, one: Someone, channel: str = "ivr", *, hours: int = 8) -> str:
    """Let a call to somebody leave, of use for ``hours``; returns its token."""
    dial(dsn, house.clock.now(), one, channel, hours=hours)
    tally = await run_lanes(house)
    assert tally == {"sent": 1}, rows(dsn, "select verdict, reasons from decision")
    query = "select token from attempt where channel = %s and borrower_id = %s order by started_at desc"
    return str(rows(dsn, query, channel, one.borrower_id)[0][0])


class Caller:
    """The provider's side of one call: asks for words, posts what is pressed, follows the action it was given."""

    def __init__(self, house: House, token: str, channel: str = "ivr") -> None:
        self.house, self.token = house, token
        fake = house.channels[channel]
        assert isinstance(fake, FakeChannel)
        self.fake = fake

    async def pick_up(self, answered_by: str | None = "human") -> Prompt:
        """Answer the call."""
        return await self._ask(None, dedupe_key="up", status="answered", token=self.token, answered_by=answered_by)

    async def press(self, digits: str) -> Prompt:
        """Press keys where the last prompt listens."""
        return await self.post(self.turn(), digits=digits)

    async def speak(self, words: str) -> Prompt:
        """Say something where the last prompt listens for words."""
        return await self._ask(self.turn(), dedupe_key=f"turn-{self.turn()}", text=words, token=self.token)

    async def come_back(self, *, answered: bool) -> Prompt:
        """Return from whoever the call was handed on to."""
        return await self._ask(self.turn(), dedupe_key="dialled", dialled=answered, token=self.token)

    async def say_nothing(self) -> Prompt:
        """Let the question time out."""
        return await self._ask(self.turn(), dedupe_key="quiet", status="answered", token=self.token)

    async def post(self, turn: int, digits: str) -> Prompt:
        """Post keys to a turn of one's choice."""
        return await self._ask(turn, dedupe_key=f"turn-{turn}", digits=digits, token=self.token)

    def turn(self) -> int:
        """Return the turn that the last prompt waits for."""
        found = re.fullmatch(rf"/v1/calls/{self.token}/turn\?n=(\d+)", self.fake.prompts[-1].action or "")
        assert found, f"the call does not listen: {self.fake.prompts[-1]}"
        return int(found[1])

    async def _ask(self, turn: int | None, **fields: Any) -> Prompt:
        await answer_call(self.house, self.token, self.fake.callback(**fields), turn)
        return self.fake.prompts[-1]
