"""A dispatcher process whose provider takes its time: says when it sends, then at which instants it handed over."""

import asyncio
import json
import sys
from uuid import UUID

from channels.contract import Accepted, Outbound
from channels.fake import FakeChannel
from outreach.clock import SystemClock
from outreach.flows.dispatch import dispatch

from .house import a_house
from .pacing import OneByOne

SEND_TAKES = 0.4


class Slow(FakeChannel):
    """Notes the machine's instant of every send and answers late."""

    def __init__(self) -> None:
        super().__init__()
        self.instants: list[str] = []

    async def send(self, outbound: Outbound) -> Accepted:
        self.instants.append(SystemClock().real().isoformat())
        if len(self.instants) == 1:
            print("sending", flush=True)  # noqa: T201 - the other side reads it
        await asyncio.sleep(SEND_TAKES)
        return await super().send(outbound)


async def main(dsn: str, touches: list[UUID]) -> None:
    """Send everything as one batch."""
    sms = Slow()
    async with a_house(dsn, channels={"sms": sms}, pacer=OneByOne()) as house:
        await dispatch(house, "sms", touches)
    print(json.dumps(sms.instants), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [UUID(word) for word in sys.argv[2:]]))
