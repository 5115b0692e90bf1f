"""Time-ordered identifiers (UUIDv7, RFC 9562), so that tables grow at one end and can be partitioned by month."""

import secrets
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id(at: datetime) -> UUID:
    """Return a fresh UUIDv7 whose time part is ``at``."""
    return uuid7(nanoseconds=int(at.timestamp() * 1_000_000) * 1_000)


def new_token() -> str:
    """Return an unguessable word (128 bits) for callback and call URLs."""
    return secrets.token_urlsafe(16)
