"""Reads what the carrier saw and what the ledger says into the shapes of the independent checker."""

import json
from datetime import datetime
from pathlib import Path

from tests.ledger_checker import Seen, Written

TAKEN = {"text_taken", "mail_taken", "call_taken"}
ANSWERS = {"reply", "confirmation"}


def seen_by_carrier(log: Path) -> list[Seen]:
    """Everything the carrier took responsibility for."""
    with log.open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    # Voice and IVR are both calls to the carrier: which it was stands in the ledger only.
    return [
        Seen(
            datetime.fromisoformat(one["at"]),
            one["channel"],
            one["to"],
            one["ref"] if one["kind"] != "mail_taken" else one["message_id"].strip("<>"),
            one.get("body") or "",
        )
        for one in entries
        if one["kind"] in TAKEN
    ]


def written_in_ledger(ledger: Path) -> list[Written]:
    """Every attempt of the ledger."""
    with ledger.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Written(
            attempt_id=row["attempt_id"],
            touch_id=row["touch_id"],
            case_id=row["case_id"],
            borrower_id=row["borrower_id"],
            channel="voice" if row["channel"] == "ivr" else row["channel"],
            started_at=datetime.fromisoformat(row["started_at"]),
            state=row["state"],
            provider_ref=row["provider_ref"],
            zones=tuple(dict.fromkeys([*row["zones"], *(row["point_zones"] or [])])),
            jurisdictions=tuple(row["jurisdictions"]),
            answer=row["purpose"] in ANSWERS,
        )
        for row in rows
        if row["kind"] == "attempt"
    ]
