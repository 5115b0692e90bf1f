"""The case timeline: append-only entries, each chained to the one before it, so that an edit shows."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened on a case. ``data`` holds ids, codes and amounts, never anything personal."""

    case_id: UUID
    at: datetime
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place; fields are the columns of table ``timeline``. ``data`` is the exact JSON text hashed."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    data: orjson.Fragment
    prev_hash: str
    hash: str


def chain(entries: Iterable[Entry], heads: dict[UUID, tuple[int, str]]) -> list[Link]:
    """Chain entries behind the heads (seq, hash) of their cases; advances ``heads`` in place."""
    links = []
    for entry in entries:
        seq, previous = heads[entry.case_id]
        data = orjson.dumps(entry.data, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        digest = link_hash(previous, entry.case_id, seq + 1, entry.at, entry.kind, data)
        links.append(Link(entry.case_id, seq + 1, entry.at, entry.kind, orjson.Fragment(data), previous, digest))
        heads[entry.case_id] = (seq + 1, digest)
    return links


def link_hash(previous: str, case_id: UUID, seq: int, at: datetime, kind: str, data: bytes) -> str:
    """Return the SHA-256 (hex) that binds one entry to the one before it."""
    micros = int(at.timestamp()) * 1_000_000 + at.microsecond
    return hashlib.sha256(
        b"%s|%s|%d|%d|%s|%s" % (previous.encode(), case_id.bytes, seq, micros, kind.encode(), data)
    ).hexdigest()
