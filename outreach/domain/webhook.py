"""Webhooks by the Standard Webhooks scheme: signatures, how long to wait between tries, and where one endpoint stands.

The scheme: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.outbound_types import Type

SECRET_PREFIX = "whsec_"  # noqa: S105 - the scheme's public prefix
SECRET_BYTES = (24, 64)
"""How long a secret may be, from and to, by the scheme."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)
"""How long an event is tried, and how long an endpoint may take nothing before it is disabled."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver of events. ``types`` None means all. The first of ``secrets`` is the newest; each signs.

    ``private`` permits addresses that are not on the public internet, ``words`` what borrowers wrote. ``timeout`` is in
    seconds, ``alert_after`` in failures one after another.
    """

    name: str
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)
    types: frozenset[Type] | None = None
    private: bool = False
    words: bool = False
    timeout: float = 10.0
    alert_after: int = 10


@dataclass(frozen=True, slots=True)
class Webhooks:
    """config/webhooks.yaml: who hears what. ``source`` is the CloudEvents source of every event."""

    source: str = "/outreach"
    words_in_feed: bool = False
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one POST. ``status`` is None when no answer came; ``note`` is a code, never what was answered."""

    status: int | None
    note: str
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has the event: only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more: 410."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an endpoint stands; fields are the columns of table ``webhook_endpoint``. Instants are real time."""

    position: int
    state: str
    failures: int
    failing_since: datetime | None
    next_at: datetime | None
    delivered_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Wait:
    """An event that was not taken, or waits behind one; fields are the columns of table ``webhook_delivery``."""

    position: int
    case_id: UUID
    state: str
    tries: int
    first_at: datetime | None
    next_at: datetime
    note: str | None


def read_secret(text: str) -> bytes:
    """Return the key of ``whsec_<base64>``. Raises ValueError saying what would be right, never the value."""
    wanted = f"must be {SECRET_PREFIX} and the base64 of {SECRET_BYTES[0]} to {SECRET_BYTES[1]} random bytes"
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(wanted)
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(wanted) from None
    if not SECRET_BYTES[0] <= len(key) <= SECRET_BYTES[1]:
        raise ValueError(wanted)
    return key


def sign(secrets: Sequence[bytes], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the scheme's headers: one ``v1`` signature for each secret, the newest first."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((event_id.encode(), stamp.encode(), body))
    marks = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }


def wait_after(tries: int, jitter: float, retry_after: float | None = None) -> timedelta:
    """Return how long to wait after the ``tries``-th failure: doubling from 5 s to 4 h, shortened by up to half.

    ``jitter`` is from 0 to 1 and keeps many from coming back at one instant. A receiver may ask for more patience.
    """
    grown = min(FIRST_WAIT * float(2 ** min(tries - 1, 20)), LONGEST_WAIT) * (1 - jitter / 2)
    asked = timedelta(seconds=min(retry_after or 0.0, LONGEST_WAIT.total_seconds()))
    return max(grown, asked)
