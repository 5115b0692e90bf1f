"""Calls: how long a caller waits for the next words, at the web process, turn by turn of whole calls."""

import http.client
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from channels.sandbox.deliveries import twilio_signature
from outreach.benchmark.machine import percentile
from outreach.benchmark.people import People
from outreach.benchmark.stage import START, Stage, StuckError, Watch, stage
from outreach.benchmark.trigger import until_up
from outreach.clock import monotonic, pause

AT_ONCE = 8
"""Callers on one connection each."""
BETWEEN = 0.5
"""Seconds each lets pass between two keys: together as many turns a second as some eighty people on the phone."""
KEYS = (None, "1980", "2", "1", "1")
"""What each caller does: picks up, proves who they are, asks for installments, takes the first offer, confirms it."""
WARM_UP = 16
_FAST = "100000"


def measure(var: Path, *, calls: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Hold ``runs`` times ``calls`` whole calls, ``AT_ONCE`` at a time; every turn of all of them is one measure."""
    limits = {"OUTREACH_CALLS_PER_SECOND": _FAST, "OUTREACH_CALLS_AT_ONCE": _FAST}
    with stage(var, **limits) as here:
        people = People(here.services.database_url)
        everyone = people.add(WARM_UP + calls * runs, START)
        begin = START + timedelta(minutes=1)
        people.plan_touches(everyone, "ivr", START, begin)
        people.settle_down()
        people.close()
        with here.stack("calls", "web") as processes:
            until_up(here, processes)
            here.clock.step_to(begin)
            watch = Watch(here.services.database_url, processes)
            watch.until_settled(begin)
            watch.close()
            tokens = _tokens(here, len(everyone))
            _hold(here, tokens[:WARM_UP])
            taken: list[tuple[int, float]] = []
            for run in range(runs):
                first = WARM_UP + run * calls
                taken += _hold(here, tokens[first : first + calls])
            agreed = _agreed(here)
    if agreed != len(everyone):
        raise StuckError(f"{agreed} of {len(everyone)} callers agreed to installments: a turn was not understood")
    found: dict[str, Any] = {
        "calls": calls * runs,
        "at_once": AT_ONCE,
        "turns": len(taken),
        **_shares([spent for _, spent in taken]),
    }
    by_turn: dict[int, list[float]] = defaultdict(list)
    for turn, spent in taken:
        by_turn[turn].append(spent)
    found["by_turn"] = {str(turn): _shares(each) for turn, each in sorted(by_turn.items())}
    say(f"calls: {found}")
    return found


def _shares(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}_ms": round(1000 * percentile(seconds, share / 100), 1) for share in (50, 99)}


def _tokens(here: Stage, wanted: int) -> list[tuple[str, str]]:
    """Return (token, provider's reference) of every call that was placed. Raises StuckError."""
    with psycopg.connect(here.services.database_url) as line:
        found = line.execute(
            "select token, provider_ref from attempt where channel = 'ivr' and state = 'accepted' order by attempt_id"
        ).fetchall()
    if len(found) != wanted:
        raise StuckError(f"{len(found)} of {wanted} calls were placed")
    return [(row[0], row[1]) for row in found]


def _agreed(here: Stage) -> int:
    with psycopg.connect(here.services.database_url) as line:
        row = line.execute("select count(*) from arrangement where source = 'ivr'").fetchone()
    return int(row[0]) if row else 0


def _hold(here: Stage, calls: list[tuple[str, str]]) -> list[tuple[int, float]]:
    """Hold calls, some at a time; returns (turn, seconds until its words were there) of every turn."""
    waiting: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for call in calls:
        waiting.put(call)
    taken: list[tuple[int, float]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            caller = _Caller(here)
            while True:
                taken.extend(caller.hold(*waiting.get_nowait()))
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise StuckError(f"a call broke off: {type(failed[0]).__name__}: {failed[0]}")
    return taken


class _Caller:
    """The provider's side of one call after another, over one connection."""

    def __init__(self, here: Stage) -> None:
        self._url = here.environ["OUTREACH_PUBLIC_URL"]
        self._key = here.environ["OUTREACH_TWILIO_AUTH_TOKEN"]
        self._account = here.environ["OUTREACH_TWILIO_ACCOUNT_SID"]
        address = urlsplit(self._url)
        self._line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def hold(self, token: str, ref: str) -> list[tuple[int, float]]:
        """Hold one call to its end; returns the seconds of each turn."""
        taken = []
        for turn, key in enumerate(KEYS):
            path = f"/v1/calls/{token}" if key is None else f"/v1/calls/{token}/turn?n={turn - 1}"
            taken.append((turn, self._post(path, ref, key)))
            pause(BETWEEN)
        return taken

    def _post(self, path: str, ref: str, key: str | None) -> float:
        fields = {"CallSid": ref, "AccountSid": self._account, "CallStatus": "in-progress", "Direction": "outbound-api",
                  "AnsweredBy": "human"}  # fmt: skip
        if key is not None:
            fields["Digits"] = key
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": twilio_signature(self._key, self._url + path, fields),
        }
        begun = monotonic()
        self._line.request("POST", path, urlencode(fields), headers)
        answer = self._line.getresponse()
        body = answer.read()
        spent = monotonic() - begun
        if answer.status != 200 or b"<Response>" not in body:
            raise StuckError(f"a turn was answered {answer.status}")
        return spent
