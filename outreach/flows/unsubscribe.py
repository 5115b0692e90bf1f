"""Unsubscribe with one click (RFC 8058): emails to that borrower end in one transaction."""

from outreach.domain.words import Channel
from outreach.flows.house import House
from outreach.flows.stop import Said, stop_channels
from outreach.policy.facts import Suppression


async def unsubscribe(house: House, token: str) -> bool:
    """Stop emails to whoever the email of ``token`` went to; False when there was no such email. Safe to repeat."""
    async with house.store.transaction() as tx:
        attempt = await tx.attempt_by_token(token)
        if attempt is None or attempt[6] != Channel.EMAIL:
            return False
        borrower, now = attempt[3], house.clock.now()
        await tx.lock_borrowers([borrower])
        dossier = (await tx.dossiers([borrower], at=now, since=now))[borrower]
        if not any(_covers(each) for each in dossier.suppressions):
            said = Said(reason="one_click_unsubscribe", since=now, route="email")
            await stop_channels(house, tx, borrower, [Channel.EMAIL], said, now)
    return True


def _covers(known: Suppression) -> bool:
    """Tell whether a refusal that is in force already covers every email, for good."""
    whole = known.point_id is None and known.case_id is None and known.until is None
    return whole and known.channel in {Channel.EMAIL, "any"}
