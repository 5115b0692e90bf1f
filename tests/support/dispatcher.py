"""A dispatcher process for races: opens a house on a test's database, waits for the word, sends, says what it sent."""

import asyncio
import json
import sys
from uuid import UUID

from outreach.flows.dispatch import dispatch

from .house import a_house
from .touching import fake


async def main(dsn: str, touches: list[UUID]) -> None:
    """Send every touch in a batch of its own, all at once."""
    async with a_house(dsn) as house:
        print("ready", flush=True)  # noqa: T201 - the other side reads it
        await asyncio.to_thread(sys.stdin.readline)
        tallies = await asyncio.gather(*(dispatch(house, "sms", [key]) for key in touches))
        sent = [outbound.address for outbound in fake(house).sent]
    print(json.dumps({"tallies": tallies, "sent": sent}), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [UUID(word) for word in sys.argv[2:]]))
