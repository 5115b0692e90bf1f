"""Answers that ended without leaving: somebody waits for them, so a person gets them at once."""

from collections.abc import Iterable
from datetime import datetime

from outreach.domain.ids import new_id
from outreach.domain.tasks import TASK_DUE
from outreach.domain.timeline import Entry
from outreach.domain.touch import TouchMove
from outreach.domain.words import TouchState
from outreach.flows.ports import Tx

_NEVER_LEFT = frozenset({TouchState.BLOCKED, TouchState.EXPIRED, TouchState.SUPERSEDED, TouchState.FAILED})


async def hand_over_unsaid(tx: Tx, moves: Iterable[TouchMove], now: datetime) -> None:
    """Give a person the answers among ``moves`` that have just ended without leaving: somebody waits for them.

    One open task a case is enough, and what led to the answer may have gone to a person already.
    """
    ended = [move.touch_id for move in moves if move.state in _NEVER_LEFT]
    if not ended:
        return
    entries: list[Entry] = []
    for touch, case, channel, template, reason, evidence in await tx.unsaid_answers(ended):
        key = new_id(now)
        detail = {
            "surface": channel,
            "evidence": evidence,
            "template": template,
            "reasons": [reason],
            "touch_id": str(touch),
        }
        await tx.insert_task({"task_id": key, "case_id": case, "kind": "answer_unsaid", "at": now,
                              "due_at": now + TASK_DUE, "detail": detail})  # fmt: skip
        entries.append(Entry(case, now, "task.opened", {"task_id": key, "kind": "answer_unsaid"}))
    await tx.append(entries)
