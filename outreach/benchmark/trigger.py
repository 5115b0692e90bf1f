"""Trigger: from the lender's event to the carrier's acceptance, through web, scheduler, lane and adapter."""

import http.client
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from outreach.benchmark.arrivals import PATIENCE, Arrivals
from outreach.benchmark.machine import percentile
from outreach.benchmark.people import People, number_of
from outreach.benchmark.stage import START, Stage, StuckError, stage
from outreach.clock import SystemClock, monotonic, pause
from outreach.settings import ROOT
from outreach.stack import Stack

KEY = "bench-key"
GAP = 0.1
"""Seconds between two events: each finds the house at rest, or busy with the campaign only."""
CAMPAIGN_PER_SECOND = 200
WARM_UP = 10

_PLAN = "plans/missed_payment.yaml"


def measure(var: Path, *, events: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure ``runs`` times ``events`` single events, at rest and beside a campaign; all are taken together."""
    config = _at_once(var)
    with stage(var, OUTREACH_CONFIG=str(config), OUTREACH_API_KEYS=KEY) as here:
        people = People(here.services.database_url)
        warm, idle, beside = (people.add(many, START) for many in (WARM_UP, events * runs, events * runs))
        length = timedelta(seconds=GAP * events * runs)
        crowd = people.add(round(CAMPAIGN_PER_SECOND * length.total_seconds()), START)
        begin = START + timedelta(minutes=1)
        people.plan_touches(crowd, "sms", START, begin, apart=timedelta(seconds=1 / CAMPAIGN_PER_SECOND))
        people.settle_down()
        people.close()
        with here.stack("sms", "web") as processes:
            until_up(here, processes)
            client = Lender(here)
            client.tell(warm)
            found = {"idle": _told(client.tell(idle))}
            say(f"trigger, idle: {found['idle']}")
            here.clock.step_to(begin)
            found["beside_campaign"] = _told(client.tell(beside, moving=True))
            say(f"trigger, beside a campaign: {found['beside_campaign']}")
            client.close()
    return {"events": events * runs, "campaign_per_second": CAMPAIGN_PER_SECOND, **found}


def _told(latencies: list[float]) -> dict[str, float]:
    return {f"p{share}_ms": round(1000 * percentile(latencies, share / 100), 1) for share in (50, 99)}


def _at_once(var: Path) -> Path:
    """Copy the configuration and let the plan's first step be due with the event instead of an hour after it."""
    config = var / "config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(ROOT / "config", config)
    plan = (config / _PLAN).read_text("utf-8")
    if "offset: 1h" not in plan:
        raise StuckError(f"config/{_PLAN} does not begin with a step an hour after its event any more")
    (config / _PLAN).write_text(plan.replace("offset: 1h", "offset: 0h", 1), "utf-8")
    return config


def until_up(here: Stage, processes: Stack) -> None:
    """Wait until the web process answers. Raises StuckError."""
    address = urlsplit(here.environ["OUTREACH_PUBLIC_URL"])
    deadline = monotonic() + PATIENCE
    while True:
        line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            line.request("GET", "/v1/openapi.json")
            line.getresponse().read()
        except OSError:
            if monotonic() > deadline or processes.revive():
                raise StuckError("the web process does not answer; see var/bench/log/web.log") from None
            pause(0.1)
        else:
            return
        finally:
            line.close()


class Lender:
    """Posts events and asks the carrier when each text reached it. Both read the same machine's clock."""

    def __init__(self, here: Stage) -> None:
        self._here = here
        self._clock = SystemClock()
        self._arrivals = Arrivals(here)
        address = urlsplit(here.environ["OUTREACH_PUBLIC_URL"])
        self._line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def tell(self, who: range, *, moving: bool = False) -> list[float]:
        """Post one event for each of ``who``; returns the seconds each text took. ``moving`` lets business time run."""
        begun, start = monotonic(), self._here.clock.now()
        told = {}
        for nth, number in enumerate(who):
            while (elapsed := monotonic() - begun) < nth * GAP:
                if moving:
                    self._here.clock.step_to(start + timedelta(seconds=elapsed))
                pause(0.01)
            told[number_of(number)] = self._clock.real()
            self._post(number)
        arrived = self._arrivals.wait(set(told))
        return [(arrived[phone] - at).total_seconds() for phone, at in told.items()]

    def _post(self, number: int) -> None:
        due_on = (START - timedelta(days=1)).date().isoformat()
        event = {
            "specversion": "1.0",
            "id": f"missed-{number}",
            "source": "/bench",
            "type": "payment.missed",
            "subject": f"account/B{number}-1",
            "time": self._here.clock.now().isoformat(),
            "data": {"amount_due_minor": 12_000, "balance_minor": 50_000, "due_on": due_on},
        }
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/cloudevents+json"}
        self._line.request("POST", "/v1/events", orjson.dumps(event), headers)
        answer = self._line.getresponse()
        body = answer.read()
        if not 200 <= answer.status < 300:
            raise StuckError(f"an event was refused with {answer.status}: {body[:300].decode('utf-8', 'replace')}")

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()
