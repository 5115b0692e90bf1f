"""Decide: how many decisions a second the gate makes on one core, and how long the longest search for an hour takes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from outreach.benchmark.machine import busy_here, middle
from outreach.benchmark.stage import START
from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Consent, Contact, Facts, PersonalWindow, Point
from outreach.policy.gate import decide, next_permitted
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

CITY_CONTACTS = 50
SEARCHES = 200


def measure(*, decisions: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Decide for people of several places with the shipped policies: facts made beforehand, and made each time."""
    policy = load_policy(load_settings().config / "policies")
    people = [_someone(number) for number in range(PEOPLE)]
    ready = [_facts(*one) for one in people]
    city = [_in_the_city(number) for number in range(PEOPLE)]
    verdicts, city_verdicts = _verdicts(ready, policy), _verdicts(city, policy)
    alone = [_rate(lambda number: _ask(ready[number % PEOPLE], policy), decisions) for _ in range(runs)]
    with_facts = [_rate(lambda number: _ask(_facts(*people[number % PEOPLE]), policy), decisions) for _ in range(runs)]
    in_city = [_rate(lambda number: _ask(city[number % PEOPLE], policy), decisions) for _ in range(runs)]
    searches = _searches(policy)
    found = {
        "decisions": decisions,
        "runs": runs,
        "history": CONTACTS,
        "per_second": middle(alone, 0),
        "with_facts_per_second": middle(with_facts, 0),
        "verdicts": verdicts,
        "city_history": CITY_CONTACTS,
        "city_per_second": middle(in_city, 0),
        "city_verdicts": city_verdicts,
        "city_rules": len(decide(city[0], policy, START).passed),
        "search_p50_ms": middle(searches, 2),
        "search_worst_ms": round(max(searches), 2),
        "policy": policy.version,
    }
    say(
        f"decide: {found['per_second']:,.0f}/s, {found['with_facts_per_second']:,.0f}/s with the facts made each time, "
        f"{found['city_per_second']:,.0f}/s in New York City; longest search {found['search_worst_ms']} ms"
    )
    return found


def _verdicts(asked: list[Facts], policy: Policy) -> dict[str, int]:
    """Decide each once, which fills the caches that a long-lived worker has filled, and count the answers."""
    found: dict[str, int] = {}
    for facts in asked:
        verdict = decide(facts, policy, START).verdict.value
        found[verdict] = found.get(verdict, 0) + 1
    return dict(sorted(found.items()))


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


def _in_the_city(number: int) -> Facts:
    """Return a borrower of New York City whom an agency texts: federal, state, city and house rules.

    Fifty contacts in five weeks: twelve texts, letters of another system and calls that nobody answered, as the caps
    allow them, and nineteen times the borrower wrote and was answered. Every fourth person had a text today.
    """
    case_id, point_id = f"c{number}", f"p{number}"
    ways = (("sms", "delivered"), ("mail", "sent"), ("voice", "no_answer"))
    days = [0.2 if number % 4 == 0 else 2.5, *(2.5 + 3 * nth for nth in range(1, 12))]
    history = [_past(ago, *ways[nth % 3], case_id, point_id) for nth, ago in enumerate(days)]
    written = [0.9 + 1.8 * nth for nth in range((CITY_CONTACTS - len(days)) // 2)]
    history += [_past(ago, "sms", "conversation", case_id, point_id, "in", "reply") for ago in written]
    history += [_past(ago - 0.001, "sms", "delivered", case_id, point_id, "out", "reply") for ago in written]
    given = START - timedelta(days=30)
    return Facts(
        touch_id="", channel="sms", purpose="reminder", role="agency", actor="automated", borrower_id=f"b{number}",
        case_id=case_id, creditor_id="harbour", product="credit_card", case_state="open", amount_due_minor=12_000,
        currency="USD", days_past_due=5 + number % 60, due_on=None, charged_off=False, time_barred=False,
        accelerated=False, creditor_kind="bank", jurisdictions=("US-NY", "US-NY-NYC"), zones=("America/New_York",),
        point=Point(
            point_id, "phone", "mobile", "mobile", "active", ("US-NY",), ("America/New_York",), confirmed=True
        ),
        consents=(Consent("contact", "any", "given", given), Consent("written", "any", "given", given)),
        history=tuple(history),
    )  # fmt: skip


def _past(
    days: float, channel: str, outcome: str, case_id: str, point_id: str, way: str = "out", purpose: str = "reminder"
) -> Contact:
    at = START - timedelta(days=days)
    return Contact(at, channel, outcome, (case_id,), "harbour", point_id, way, purpose)


def _searches(policy: Policy) -> list[float]:
    """Return how long each search for an hour took (milliseconds) that goes through all five weeks in vain.

    Everybody named other times, of which none is left on the clocks of three candidate zones: nothing is remembered.
    """
    asked = [
        replace(_in_the_city(number), zones=_FAR_APART, personal_windows=_barred(number))
        for number in range(SEARCHES + 1)
    ]
    next_permitted(asked.pop(), policy, START)  # the hours of the rules, which a long-lived worker has worked out
    spent = []
    for facts in asked:
        begun = busy_here()
        next_permitted(facts, policy, START)
        spent.append((busy_here() - begun) * 1000)
    return spent


_FAR_APART = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu")


def _barred(number: int) -> tuple[PersonalWindow, ...]:
    minute, week = f"{number % 60:02d}", ("mon", "tue", "wed", "thu", "fri")
    return (
        PersonalWindow("bar", "00:00", f"{10 + number // 60:02d}:{minute}", ()),
        PersonalWindow("bar", "10:00", "18:00", week),
        PersonalWindow("bar", "10:00", f"20:{minute}", ("sat", "sun")),
        PersonalWindow("bar", "17:30", "24:00", ()),
    )
