"""The ledger: one JSON line per attempt and per decision that did not send. Nothing personal is in it."""

from collections.abc import AsyncIterator
from datetime import datetime

import orjson

from outreach.flows.house import House

# The columns of the named query ``ledger``, in its order.
COLUMNS = (
    "decision_id", "decided_at", "verdict", "until", "policy_version", "channel", "reasons", "touch_id", "case_id",
    "borrower_id", "step", "plan", "plan_version", "campaign_id", "template", "purpose", "attempt_id",
    "state", "outcome",
    "anomaly", "provider_ref", "provider_code", "error_code", "segments", "started_at", "settled_at", "template_hash",
    "locale", "contact_point_id", "account", "borrower", "zones", "jurisdictions", "point_zones", "point_regions",
    "answered_by", "duration_seconds", "price_micros", "currency", "decided_by", "words_off_at",
)  # fmt: skip


async def ledger_lines(
    house: House, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[bytes]:
    """Yield the ledger in order of decision, each line ending with a newline; constant memory."""
    async with house.store.transaction() as tx:
        async for row in tx.ledger(since, until):
            line = dict(zip(COLUMNS, row, strict=True))
            line["kind"] = "attempt" if line["attempt_id"] else "refusal"
            yield orjson.dumps(line, option=orjson.OPT_UTC_Z) + b"\n"
