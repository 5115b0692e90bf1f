"""When the carrier took a text to each of some people, by its own log."""

from collections.abc import Callable
from datetime import datetime

from outreach.benchmark.stage import Stage, StuckError
from outreach.clock import monotonic, pause

PATIENCE = 60.0
"""Seconds after which a text that did not reach the carrier is given up on."""


class Arrivals:
    """Reads on in the carrier's log from where it stopped last time."""

    def __init__(self, here: Stage) -> None:
        self._here = here
        self._seen = 0

    def wait(self, wanted: set[str], meanwhile: Callable[[], None] | None = None) -> dict[str, datetime]:
        """Return the instant of the first text to each number of ``wanted``. ``meanwhile`` is called between looks.

        Raises StuckError.
        """
        deadline = monotonic() + PATIENCE
        found: dict[str, datetime] = {}
        while wanted - found.keys():
            if meanwhile is not None:
                meanwhile()
            for entry in self._here.sandbox.client.log(self._seen):
                self._seen = entry["n"]
                if entry.get("to") in wanted:
                    found.setdefault(entry["to"], datetime.fromisoformat(entry["at"]))
            if monotonic() > deadline:
                raise StuckError(f"{len(wanted) - len(found)} of {len(wanted)} texts did not reach the carrier")
            pause(0.05)
        return found
