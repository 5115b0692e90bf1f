"""Batch: what two hundred decisions of a worker cost together, from reading the facts to the last verdict."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from outreach.benchmark.machine import middle
from outreach.benchmark.people import People
from outreach.benchmark.stage import START, quiet_house, stage
from outreach.clock import monotonic
from outreach.domain.ids import new_id
from outreach.flows.dispatch import HISTORY
from outreach.flows.house import House
from outreach.policy.dossier import facts_for
from outreach.settings import Settings

BATCH = 200
PEOPLE = 4_000
PAST = 20
WARM_UP = 3

_PAST = """
insert into attempt (attempt_id, touch_id, decision_id, case_id, borrower_id, creditor_id, contact_point_id, channel,
  purpose, token, state, outcome, rank, template, template_hash, locale, policy_version, started_at, started_real_at)
select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), c.case_id, c.borrower_id, c.creditor_id,
  p.contact_point_id, case when p.kind = 'email' then 'email' else 'sms' end,
  case when n %% 2 = 0 then 'reminder' else 'reply' end,
  gen_random_uuid()::text, 'accepted', 'delivered', 50, 't', 'h', 'en-US', 'p', %(at)s - n * interval '42 hours', %(at)s
from cases c
cross join generate_series(1, %(past)s) n
join contact_point p on p.borrower_id = c.borrower_id and p.kind = case when n %% 3 = 0 then 'email' else 'phone' end
"""


def measure(var: Path, *, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Decide ``runs`` batches of borrowers with twenty contacts each; every batch is of others."""
    with stage(var) as here, asyncio.Runner() as runner:
        people = People(here.services.database_url)
        try:
            people.add(PEOPLE, START - timedelta(days=60))
            with psycopg.connect(here.services.database_url, autocommit=True) as line:
                line.execute(_PAST.encode(), {"at": START, "past": PAST})
                pairs = line.execute("select borrower_id, case_id from cases order by case_id").fetchall()
            people.settle_down()
        finally:
            people.close()
        spent = runner.run(_measure(here.settings(), pairs, runs))
    found = {
        "batch": BATCH,
        "history": PAST,
        "runs": runs,
        "p50_ms": middle(spent, 1),
        "worst_ms": round(max(spent), 1),
    }
    say(f"batch: {BATCH} decisions with their facts in {found['p50_ms']} ms, at worst {found['worst_ms']} ms")
    return found


async def _measure(settings: Settings, pairs: list[tuple[UUID, UUID]], runs: int) -> list[float]:
    house = await quiet_house(settings)
    try:
        batches = [pairs[at : at + BATCH] for at in range(0, len(pairs), BATCH)]
        return [await _decide(house, batch) for batch in batches[: runs + WARM_UP]][WARM_UP:]
    finally:
        await house.close()


async def _decide(house: House, batch: list[tuple[UUID, UUID]]) -> float:
    """Read and decide as the dispatcher does, but write nothing; returns milliseconds."""
    begun = monotonic()
    async with house.store.transaction() as tx:
        people = await tx.dossiers([owner for owner, _ in batch], at=START, since=START - HISTORY)
        cases = await tx.cases([case for _, case in batch])
        for owner, case_id in batch:
            dossier, case = people[owner], cases[case_id]
            facts = facts_for(
                dossier, case, touch_id=new_id(START), channel="sms", purpose="reminder", role="first_party",
                actor="automated", at=START, expires_at=START + timedelta(days=1), point=dossier.points_for("sms")[0],
            )  # fmt: skip
            house.decide(facts, START)
    return (monotonic() - begun) * 1000
