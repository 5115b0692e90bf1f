"""Random rules, facts and instants for the gate and its oracle, grown from a seed so that they can be repeated."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from policy_samples import ALL_DAYS, EVERY_DAY, NEW_YORK, facts, rule

from outreach.policy.facts import Consent, Contact, Content, Facts, Hold, Override, PersonalWindow, Point, Suppression

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
# Weeks in which clocks change somewhere, north and south, and one in which none does.
WEEKS = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 5), (4, 2), (6, 10), (9, 3), (10, 1), (10, 30))]
ZONES = [
    NEW_YORK, "America/Los_Angeles", "America/Phoenix", "Europe/London", "Asia/Kolkata", "Asia/Shanghai",
    "Australia/Lord_Howe", "Australia/Adelaide", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati",
    "Pacific/Chatham", "Pacific/Pago_Pago", "America/St_Johns",
]  # fmt: skip
CHANNELS = ["sms", "voice", "email"]
PAST_CHANNELS = [*CHANNELS, "ivr", "mail", "visit", "whatsapp", "other", "pigeon"]
OUTCOMES = [
    "delivered", "accepted", "unknown", "pending", "released", "bounced", "no_answer", "conversation", "busy",
    "wrong_party", "voicemail_left", "voicemail_possible", "limited_content_left",
]  # fmt: skip
COUNTS = [
    "touches", "attempts", "attempts_unanswered", "attempts_with_connection_or_message", "conversations",
    "communications", "initiated_communications", "messages_sent", "successful_contacts", "visits",
]  # fmt: skip
SCOPES = ["case", "creditor", "borrower", "number"]
PURPOSES = ["reminder", "reply", "requested_callback", "consent_request", "statutory_notice"]
WORDS = ["creditor_name", "opt_out_line", "legal_threat", "insult"]
HOLIDAYS = {
    date(2026, 3, 9),
    date(2026, 4, 6),
    date(2026, 6, 12),
    date(2026, 9, 7),
    date(2026, 10, 5),
    date(2026, 11, 2),
}


def holidays(random: Random) -> set[date] | None:
    """Return the public holidays of the year, or None: no calendar is known."""
    return HOLIDAYS if random.random() < 0.8 else None


def calendars(known: set[date] | None) -> dict[str, Any]:
    """Return a calendar as a stored policy holds it."""
    if known is None:
        return {}
    return {"US": {"2025": ["2025-12-25"], "2026": sorted(day.isoformat() for day in known), "2027": ["2027-01-01"]}}


def some(random: Random, choices: Sequence[T], chance: float = 0.3) -> list[T]:
    return [one for one in choices if random.random() < chance]


def rules(random: Random) -> list[dict[str, Any]]:
    made = [random.choice(SHAPES)(random) for _ in range(random.randint(0, 5))]
    return [one | selectors(random) | {"id": f"r{index}"} for index, one in enumerate(made)]


def selectors(random: Random) -> dict[str, Any]:
    """Return whom a rule concerns; most concern everybody, so that they bind."""
    found: dict[str, Any] = {"jurisdiction": "US"}
    if random.random() < 0.3:
        found["in_force_from"] = random.choice(["2026-06-12", "2026-10-02", "2020-01-01"])
    if random.random() < 0.15:
        found |= {"in_force_until": random.choice(["2026-10-31", "2027-01-01"]), "status": "superseded"}
    if random.random() < 0.15:
        found["days_past_due"] = random.choice([{"from": 1}, {"until": 5}, {"from": 3, "until": 31}])
    if random.random() < 0.15:
        found["debt_states"] = some(random, ["charged_off", "time_barred", "accelerated", "not_accelerated"], 0.4)
    if random.random() < 0.1:
        found["creditor_kinds"] = [random.choice(["bank", "online_lender"])]
    if random.random() < 0.1:
        found["except_purposes"] = ["reply"]
    if random.random() < 0.2:
        found["lifted_by"] = [random.choice(["agreed_time", "reply_in_thread", "consent_to_extra"])]
    return found


def clock(random: Random) -> str | None:
    return random.choice([None, None, None, "Asia/Shanghai", "number", "landline_number"])


def window(random: Random) -> dict[str, Any]:
    start = random.randint(0, 36)
    texts = [f"{half // 2:02d}:{half % 2 * 30:02d}" for half in (start, random.randint(start + 6, 48))]
    days = random.choice([EVERY_DAY, ALL_DAYS, some(random, EVERY_DAY, 0.7) or ["tue"]])
    hours = [{"days": days, "start": texts[0], "end": texts[1]}]
    spoken_of = random.choice(["as_listed", "like_any_day", "like_any_day"])
    return rule("window", hours=hours, clock=clock(random), holidays=spoken_of, channels=some(random, CHANNELS, 0.2))


def period(random: Random) -> dict[str, Any]:
    per = random.choice(["rolling", "rolling_days", "full_days", "business_days", "day", "week", "month"])
    if per == "rolling":
        return {"per": per, "length": f"{random.randint(1, 96)}h"}
    return {"per": per} | ({"length": f"{random.randint(1, 5)}d"} if per.endswith("days") else {})


def counting(random: Random) -> dict[str, Any]:
    return {
        "counts": random.choice(COUNTS),
        "scope": random.choice(SCOPES),
        "clock": clock(random),
        "directions": random.choice([["out"], ["out", "in"]]),
        "counted_channels": some(random, PAST_CHANNELS[:-1], 0.1),
        "except_counted_purposes": random.choice([[], ["reply"]]),
    }


def cap(random: Random) -> dict[str, Any]:
    limits = [period(random) | {"most": random.randint(1, 3)} for _ in range(random.randint(1, 2))]
    return rule("cap", limits=limits, channels=some(random, CHANNELS, 0.2), **counting(random))


def gap(random: Random) -> dict[str, Any]:
    return rule("gap", wait=period(random), channels=some(random, CHANNELS, 0.2), **counting(random))


def distinct(random: Random) -> dict[str, Any]:
    return rule("distinct_channels", limit=period(random) | {"most": random.randint(1, 2)}, **counting(random))


def prerequisite(random: Random) -> dict[str, Any]:
    asks = random.choice([{"notices": ["placement_notice"]}, {"counted_purposes": ["statutory_notice"]}])
    return rule("prerequisite", wait=period(random), clock=clock(random), **asks)


def hold(random: Random) -> dict[str, Any]:
    return rule("hold", kinds=["dispute", "hardship"], **random.choice([{}, {"at_least": "3d"}]))


def consent(random: Random) -> dict[str, Any]:
    return rule("consent", kinds=random.choice([[], ["contact"], ["written"]]))


def bar(random: Random) -> dict[str, Any]:
    picked = random.choice([{"labels": ["work"]}, {"channels": ["email"]}, {"products": ["medical"]}])
    return rule("bar", code="place.work", unless_confirmed=random.random() < 0.5, **picked)


def refusal(random: Random) -> dict[str, Any]:
    return rule("refusal", heard_on=some(random, CHANNELS, 0.4), covers=some(random, CHANNELS, 0.4))


def content(random: Random) -> dict[str, Any]:
    media = random.choice([{}, {"media": ["sms", "voicemail"]}])
    return rule("content", requires=[random.choice(WORDS[:2])], forbids=[random.choice(WORDS[2:])], **media)


SHAPES = [window, window, window, cap, cap, cap, gap, distinct, prerequisite, hold, consent, bar, refusal, content]


def situation(random: Random) -> tuple[Facts, datetime]:
    at = random.choice(WEEKS) + random.randint(0, 7 * 1440) * MINUTE
    channel = random.choice(CHANNELS)
    kind, types = ("email", ["mailbox"]) if channel == "email" else ("phone", ["mobile", "unknown", "voip"])
    if channel == "voice":
        types = [*types, "fixed_line"]
    zones = tuple(random.sample(ZONES, random.choice([1, 1, 1, 2])))
    point = Point(
        "p1", kind, random.choice(types), random.choice(["mobile", "work", "home"]), "active", (),
        tuple(random.sample(ZONES, random.choice([0, 0, 1]))), random.random() < 0.3,
    )  # fmt: skip
    made = facts(
        channel=channel,
        purpose=random.choice(["reminder", "reminder", "reply"]),
        product=random.choice(["card", "medical", ""]),
        creditor_kind=random.choice(["", "bank"]),
        charged_off=random.choice([None, True, False]),
        time_barred=random.choice([None, True, False]),
        accelerated=random.choice([None, True, False]),
        days_past_due=random.randint(-2, 40),
        zones=zones,
        located_zones=tuple(random.sample(ZONES, random.choice([0, 0, 0, 1]))),
        point=point,
        history=tuple(contact(random, at) for _ in range(random.randint(0, 9))),
        consents=tuple(given(random, at) for _ in range(random.choice([0, 1, 1, 2]))),
        personal_windows=tuple(named(random, at) for _ in range(random.choice([0, 0, 0, 1, 2]))),
        holds=tuple(rest(random, at) for _ in range(random.choice([0, 0, 0, 1]))),
        suppressions=tuple(stop(random, at) for _ in range(random.choice([0, 0, 0, 1]))),
        overrides=tuple(override(random, at) for _ in range(random.choice([0, 0, 1]))),
        content=random.choice([None, written(random, channel)]),
    )  # fmt: skip
    return made, at


def written(random: Random, medium: str) -> Content:
    return Content(tuple(some(random, WORDS[:2], 0.8)), tuple(some(random, WORDS[2:], 0.1)), medium)


def contact(random: Random, at: datetime) -> Contact:
    return Contact(
        at - random.randint(0, random.choice([2, 7, 20]) * 1440) * MINUTE,
        random.choice(PAST_CHANNELS),
        random.choice(OUTCOMES),
        random.choice([("c1",), ("c1",), ("c2",), ("c1", "c2"), ()]),
        random.choice(["k1", "k1", "k2", ""]),
        random.choice(["p1", "p1", "p2", ""]),
        random.choice(["out", "out", "out", "in"]),
        random.choice([*PURPOSES, "reminder", "reminder", "gossip"]),
        random.random() < 0.85,
        random.choice(["", "", "placement_notice"]),
    )


def later(random: Random, at: datetime) -> datetime | None:
    return None if random.random() < 0.3 else at + random.randint(-500, 4000) * MINUTE


def given(random: Random, at: datetime) -> Consent:
    age = timedelta(days=random.randint(1, 40), microseconds=random.randint(0, 999))
    return Consent(
        random.choice(["contact", "written"]), random.choice(["any", "sms", "voice"]), "given", at - age, None,
        later(random, at),
    )  # fmt: skip


def named(random: Random, at: datetime) -> PersonalWindow:
    start, end = random.sample(range(48), 2)
    texts = [f"{half // 2:02d}:{half % 2 * 30:02d}" for half in (start, end)]
    days = tuple(some(random, ALL_DAYS, 0.5))
    return PersonalWindow(
        random.choice(["allow", "bar"]), texts[0], texts[1], days, random.choice(["any", "sms"]), later(random, at)
    )


def rest(random: Random, at: datetime) -> Hold:
    since = at - random.randint(1, 4000) * MINUTE
    return Hold(
        random.choice(["dispute", "attorney", "litigation"]),
        since,
        random.choice([None, "c1", "c2"]),
        later(random, at),
    )


def stop(random: Random, at: datetime) -> Suppression:
    return Suppression(
        random.choice(["any", *CHANNELS]), random.choice(["opt_out.said", "wrong_party"]), at - MINUTE,
        random.choice([None, "p1", "p2"]), later(random, at), random.choice([None, "c1", "c2"]),
    )  # fmt: skip


def override(random: Random, at: datetime) -> Override:
    return Override(
        random.choice(["agreed_time", "reply_in_thread", "consent_to_extra"]),
        at - random.randint(-500, 500) * MINUTE, later(random, at), random.choice(["any", "sms"]),
        random.choice(["letter 1", "letter 1", None]), random.random() < 0.1,
    )  # fmt: skip


SPOILS: dict[str, Callable[[Facts, datetime], Facts]] = {
    "hold": lambda f, at: replace(f, holds=(*f.holds, Hold("dispute", at))),
    "suppression": lambda f, at: replace(f, suppressions=(*f.suppressions, Suppression("any", "opt_out", at))),
    "contact": lambda f, at: replace(
        f, history=(*f.history, Contact(at - MINUTE, "sms", "unknown", ("c1",), "k1", "p1"))
    ),
    "zone": lambda f, at: replace(f, zones=(*f.zones, "Asia/Tokyo")),
    "strange zone": lambda f, at: replace(f, zones=(*f.zones, "Nowhere/Else")),
    "jurisdiction": lambda f, at: replace(f, jurisdictions=(*f.jurisdictions, "FR")),
    "bar": lambda f, at: replace(
        f, personal_windows=(*f.personal_windows, PersonalWindow("bar", "09:00", "21:00", ()))
    ),
    "revocation": lambda f, at: replace(f, consents=(*f.consents, Consent("contact", "any", "revoked", at))),
    "paid": lambda f, at: replace(f, amount_due_minor=0),
    "closed": lambda f, at: replace(f, case_state="closed"),
    "pause": lambda f, at: replace(f, paused=("everything",)),
    "expiry": lambda f, at: replace(f, expires_at=at),
    "no point": lambda f, at: replace(f, point=None),
    "debt not known": lambda f, at: replace(f, charged_off=None, time_barred=None, accelerated=None),
    "creditor not known": lambda f, at: replace(f, creditor_kind="", product=""),
    "threat": lambda f, at: replace(f, content=Content((), ("legal_threat",), "sms")),
    "visit": lambda f, at: replace(
        f, history=(*f.history, Contact(at - MINUTE, "visit", "conversation", ("c1",), "k1"))
    ),
    "unheard-of channel": lambda f, at: replace(f, history=(*f.history, Contact(at - MINUTE, "pigeon", "sent"))),
    "city": lambda f, at: replace(f, jurisdictions=(*f.jurisdictions, "US-NY-NYC")),
    "country only": lambda f, at: replace(f, jurisdictions=("US",)),
}
"""Facts that can only forbid: with any of them added, nothing that was refused may be permitted."""
