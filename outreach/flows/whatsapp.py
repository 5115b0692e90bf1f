"""WhatsApp: whether a text goes that way, on whose word, and until when our own words may.

To the gate it is a text: every rule, cap and refusal of texts holds. On top of that it needs to be switched on by the
creditor for the borrower's country, and the borrower's own consent to WhatsApp; no other consent stands in for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from channels.contract import WHATSAPP, Capability
from outreach.domain.case import Case, ContactPoint
from outreach.domain.touch import Touch
from outreach.domain.words import WHATSAPP_CONSENT, Channel, ConsentState, Purpose
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.policy.dossier import Dossier, Heard
from outreach.policy.facts import Consent, Suppression

THREAD = timedelta(hours=24) - timedelta(minutes=10)
"""How long after the borrower's last words by WhatsApp our own may answer: Meta's day, less what a webhook may take."""

_ANSWERS = frozenset({Purpose.REPLY, Purpose.CONFIRMATION})
_REFUSE_IT = frozenset({WHATSAPP_CONSENT, str(Channel.SMS), "any"})


@dataclass(frozen=True, slots=True)
class Way:
    """Where a touch goes. With ``thread_ends`` our own words may go there until then, else an approved template."""

    address: str
    thread_ends: datetime | None = None

    @property
    def by_whatsapp(self) -> bool:
        """Whether it goes by WhatsApp."""
        return self.address.startswith(WHATSAPP)


def carries_whatsapp(house: House) -> bool:
    """Tell whether the channel of texts has a sender for WhatsApp. As shipped it has none."""
    texts = house.channels.get(Channel.SMS)
    return texts is not None and Capability.WHATSAPP in texts.capabilities


async def load_threads(house: House, tx: Tx, channel: str, people: Mapping[UUID, Dossier], now: datetime) -> None:
    """Read when the people of a batch last wrote, and how; nothing is asked where WhatsApp cannot be meant."""
    if channel != Channel.SMS or not carries_whatsapp(house):
        return
    if not any(creditor.whatsapp for creditor in house.creditors.values()):
        return
    for borrower, point, by_whatsapp_at, at in await tx.last_texts(list(people), now - THREAD):
        if point is not None:
            people[borrower].heard[point] = Heard(at, by_whatsapp_at)


def way_of(house: House, touch: Touch, dossier: Dossier, case: Case, point: ContactPoint, now: datetime) -> Way:
    """Return where an allowed touch goes: to its address as it is, or by WhatsApp.

    An answer to words that came by WhatsApp goes back there while the thread is open; the words are the person's own.
    Anything else needs their consent to WhatsApp.
    """
    if touch.channel != Channel.SMS or dossier.borrower.country not in house.creditor(case.creditor_id).whatsapp:
        return Way(point.value)
    if not carries_whatsapp(house):
        return Way(point.value)
    heard = dossier.heard.get(point.contact_point_id)
    came_at = heard.by_whatsapp_at if heard else None
    ends = came_at + THREAD if came_at else None
    fresh = ends if ends is not None and ends > now else None
    answers = touch.purpose in _ANSWERS and fresh is not None and heard is not None and heard.at == came_at
    if not answers and not allows_whatsapp(dossier, case, point, now):
        return Way(point.value)
    return Way(WHATSAPP + point.value, fresh)


def allows_whatsapp(dossier: Dossier, case: Case, point: ContactPoint, now: datetime) -> bool:
    """Tell whether the newest word on WhatsApp is a consent in force, and no refusal of it or of texts came since."""
    key = str(point.contact_point_id)
    topical = [said for creditor, said in dossier.topical if creditor == case.creditor_id]
    words = [*dossier.consents, *(each for each in topical if isinstance(each, Consent))]
    refusals = [*dossier.suppressions, *(each for each in topical if isinstance(each, Suppression))]
    said = [each for each in words if each.channel in _REFUSE_IT and each.point_id in {None, key}]
    given = [
        each.at
        for each in said
        if each.channel == WHATSAPP_CONSENT
        and each.state == ConsentState.GIVEN
        and (each.expires_at is None or each.expires_at > now)
    ]
    if not given or any(each.channel in _REFUSE_IT and each.point_id in {None, key} for each in refusals):
        return False
    return not any(each.state != ConsentState.GIVEN and each.at >= max(given) for each in said)
