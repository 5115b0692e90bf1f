"""Answers: from the provider's webhook of a text to the carrier's acceptance of its answer, beside a campaign."""

import http.client
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from channels.sandbox.deliveries import twilio_signature
from outreach.benchmark.arrivals import Arrivals
from outreach.benchmark.machine import percentile
from outreach.benchmark.people import People, number_of
from outreach.benchmark.stage import START, Stage, StuckError, stage
from outreach.benchmark.trigger import CAMPAIGN_PER_SECOND, GAP, WARM_UP, until_up
from outreach.clock import SystemClock, monotonic, pause

SAID = "PLAN"
"""What is texted: the answer is made of offers, with a dialogue opened, the reply stored and read."""

Say = Callable[[str], None]


def measure(var: Path, *, texts: int, runs: int, say: Say) -> dict[str, Any]:
    """Measure ``runs`` times ``texts`` single texts, at rest and beside a campaign; all are taken together."""
    with stage(var) as here:
        people = People(here.services.database_url)
        warm, idle, beside = (people.add(many, START) for many in (WARM_UP, texts * runs, texts * runs))
        length = timedelta(seconds=GAP * texts * runs)
        crowd = people.add(round(CAMPAIGN_PER_SECOND * length.total_seconds()), START)
        begin = START + timedelta(minutes=1)
        people.plan_touches(crowd, "sms", START, begin, apart=timedelta(seconds=1 / CAMPAIGN_PER_SECOND))
        people.settle_down()
        people.close()
        with here.stack("sms", "web", "intake") as processes:
            until_up(here, processes)
            writers = Writers(here)
            writers.write(warm)
            found = {"idle": _told(*writers.write(idle))}
            say(f"answers, idle: {found['idle']}")
            here.clock.step_to(begin)
            found["beside_campaign"] = _told(*writers.write(beside, moving=True))
            say(f"answers, beside a campaign: {found['beside_campaign']}")
            writers.close()
    return {"texts": texts * runs, "campaign_per_second": CAMPAIGN_PER_SECOND, **found}


def _told(answers: list[float], taken: list[float]) -> dict[str, float]:
    named = (("", answers), ("taken_", taken))
    return {
        f"{name}p{share}_ms": round(1000 * percentile(each, share / 100), 1)
        for name, each in named
        for share in (50, 99)
    }


class Writers:
    """Posts texts as the provider does and asks the carrier when each answer reached it, on one machine's clock."""

    def __init__(self, here: Stage) -> None:
        self._here = here
        self._clock = SystemClock()
        self._arrivals = Arrivals(here)
        address = urlsplit(here.environ["OUTREACH_PUBLIC_URL"])
        self._line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def write(self, who: range, *, moving: bool = False) -> tuple[list[float], list[float]]:
        """Post one text of each of ``who``; returns the seconds to each answer, and to each 2xx.

        ``moving`` lets business time run. The time runs from when a text was due: a slow web process is not waited for.
        """
        begun, start, real = monotonic(), self._here.clock.now(), self._clock.real()
        told, taken = {}, []
        for nth, number in enumerate(who):
            while (elapsed := monotonic() - begun) < nth * GAP:
                if moving:
                    self._here.clock.step_to(start + timedelta(seconds=elapsed))
                pause(0.005)
            told[number_of(number)] = real + timedelta(seconds=nth * GAP)
            self._post(number)
            taken.append(monotonic() - begun - nth * GAP)

        def move() -> None:
            self._here.clock.step_to(start + timedelta(seconds=monotonic() - begun))

        arrived = self._arrivals.wait(set(told), move if moving else None)
        return [(arrived[phone] - at).total_seconds() for phone, at in told.items()], taken

    def _post(self, number: int) -> None:
        url = f"{self._here.environ['OUTREACH_PUBLIC_URL']}/v1/callbacks/sms"
        sid = f"SM{number:032x}"
        fields = {
            "AccountSid": self._here.sandbox.account_sid, "ApiVersion": "2010-04-01", "From": number_of(number),
            "To": "+12025550100", "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received",
            "Body": SAID, "NumMedia": "0", "NumSegments": "1",
        }  # fmt: skip
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": twilio_signature(self._here.sandbox.auth_token, url, fields),
        }
        self._line.request("POST", urlsplit(url).path, urlencode(fields).encode(), headers)
        answer = self._line.getresponse()
        answer.read()
        if not 200 <= answer.status < 300:
            raise StuckError(f"a text was refused with {answer.status}; see var/bench/log/web.log")

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()
