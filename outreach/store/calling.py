"""Who is on the phone: everything a turn of a call is decided by, read in one round trip."""

from datetime import datetime

from outreach.domain.case import Case
from outreach.domain.intake import AnsweredCall, OpenDialogue
from outreach.policy.dossier import Dossier
from outreach.store.base import Ask, Row
from outreach.store.dispatching import Dispatching

_ELSEWHERE = ("sms", "email")


class Calling(Dispatching):
    """Reads of calls."""

    async def caller(
        self, call: AnsweredCall, *, at: datetime, since: datetime, broken_since: datetime
    ) -> tuple[Dossier, Case, Row | None, Row | None, OpenDialogue | None, list[OpenDialogue]]:
        """Lock the borrower of a call, and sharers of their numbers, then read what its turn is decided by.

        Returns what ``dossiers`` (history goes back to ``since``), ``cases``, ``live_arrangements`` and ``background``
        (broken arrangements go back to ``broken_since``) do, then the call's own dialogue, ended or not, and the open
        ones by text and by email.
        """
        who, case = [call.borrower_id], {"cases": [call.case_id]}
        self._write("dispatch", "lock_borrowers", borrowers=who)  # what comes behind it sees what it has waited for
        asks = self._dossier_asks(who, at, since, at)
        about = {"borrower_id": call.borrower_id, "case_id": call.case_id, "since": broken_since}
        more: tuple[Ask, ...] = (
            ("dispatch", "cases", case),
            ("dispatch", "live_arrangements", case),
            ("agreement", "background", about),
            ("intake", "call_dialogue", {"dialogue_id": call.attempt_id}),
            *(("intake", "open_dialogue", {"borrower_id": who[0], "surface": each}) for each in _ELSEWHERE),
        )
        found = await self._many(*asks, *more)
        cases, plans, backgrounds, talks, *elsewhere = found[len(asks) :]
        return (
            self._people(found[: len(asks)])[call.borrower_id],
            Case(*cases[0]),
            plans[0] if plans else None,
            backgrounds[0] if backgrounds else None,
            OpenDialogue(*talks[0]) if talks else None,
            [OpenDialogue(*row) for rows in elsewhere for row in rows[:1]],
        )
