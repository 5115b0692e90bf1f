"""Decide: how many decisions a second the gate makes on one core, each with 35 days of history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from outreach.benchmark.machine import busy_here, middle
from outreach.benchmark.stage import START
from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Consent, Contact, Facts
from outreach.policy.gate import decide
from outreach.policy.load import load_policy
from outreach.policy.policy import Policy
from outreach.settings import load_settings

PEOPLE = 500
_OUT = (35, 34, 33, 32, 31, 29, 26, 23, 20, 17, 14, 11, 8, 5, 2)
_IN = (28, 21, 16, 9, 3)
"""Days ago: fifteen touches as the house's caps allow them, and five replies. Every fourth person had one today."""
CONTACTS = len(_OUT) + len(_IN)
CHANNELS = ("sms", "email", "voice", "ivr")
PLACES = (
    ("US", "US-NY", "America/New_York"),
    ("US", "US-CA", "America/Los_Angeles"),
    ("US", "US-TX", "America/Chicago"),
    ("GB", "GB-ENG", "Europe/London"),
    ("MX", "MX-CMX", "America/Mexico_City"),
)


def measure(*, decisions: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Decide for people of several places with the shipped policies: facts made beforehand, and made each time."""
    policy = load_policy(load_settings().config / "policies")
    people = [_someone(number) for number in range(PEOPLE)]
    ready = [_facts(*one) for one in people]
    verdicts: dict[str, int] = {}
    for facts in ready:  # fills the caches a long-lived worker has filled
        found = decide(facts, policy, START)
        verdicts[found.verdict.value] = verdicts.get(found.verdict.value, 0) + 1
    alone = [_rate(lambda number: _ask(ready[number % PEOPLE], policy), decisions) for _ in range(runs)]
    with_facts = [_rate(lambda number: _ask(_facts(*people[number % PEOPLE]), policy), decisions) for _ in range(runs)]
    found_ = {
        "decisions": decisions,
        "runs": runs,
        "history": CONTACTS,
        "per_second": middle(alone, 0),
        "with_facts_per_second": middle(with_facts, 0),
        "verdicts": dict(sorted(verdicts.items())),
        "policy": policy.version,
    }
    say(
        f"decide: {found_['per_second']:,.0f}/s, {found_['with_facts_per_second']:,.0f}/s with the facts made each time"
    )
    return found_


def _ask(facts: Facts, policy: Policy) -> None:
    decide(facts, policy, START)


def _rate(work: Callable[[int], None], times: int) -> float:
    """Return how often ``work`` is done in one second of one core."""
    begun = busy_here()
    for number in range(times):
        work(number)
    return times / (busy_here() - begun)


def _someone(number: int) -> tuple[Dossier, Case, ContactPoint]:
    """Return one borrower as the dispatcher reads them: twenty contacts on every channel over the last 35 days."""
    country, subdivision, zone = PLACES[number % len(PLACES)]
    key, case_key, phone_key = (UUID(int=number * 16 + place) for place in range(3))
    point = ContactPoint(
        phone_key, key, "phone", f"+1202555{100 + number % 100:04d}", "mobile", "home", "active",
        (subdivision,), (zone,), 0, confirmed=True,
    )  # fmt: skip
    borrower = Borrower(key, "Ada", "Example", 1980, None, country, subdivision, "en-US", (subdivision,), (zone,))
    history = [
        Contact(
            START - timedelta(days=days, hours=number % 3), CHANNELS[(nth + number) % 2 if days < 8 else nth % 4],
            "delivered", (str(case_key),), "harbour", str(phone_key),
        )
        for nth, days in enumerate(_OUT if number % 4 else (*_OUT[:-1], 0))
    ]  # fmt: skip
    history += [
        Contact(
            START - timedelta(days=days), "sms", "conversation", (str(case_key),), "", str(phone_key), "in", "reply"
        )
        for days in _IN
    ]
    given = Consent("contact", "any", "given", START - timedelta(days=100))
    case = Case(
        case_key, UUID(int=number), f"B{number}-1", key, "harbour", "open", "early", "credit_card", "USD", 50_000,
        12_000, (START - timedelta(days=5)).date(), 0, "",
    )  # fmt: skip
    return Dossier(borrower, [point], [given], history=history), case, point


def _facts(dossier: Dossier, case: Case, point: ContactPoint) -> Facts:
    return facts_for(
        dossier, case, touch_id=case.case_id, channel="sms", purpose="reminder", role="first_party",
        actor="automated", at=START, expires_at=START + timedelta(days=3), point=point,
    )  # fmt: skip
