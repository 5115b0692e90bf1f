"""The borrower portal's rules (config/portal.yaml) and its links: signed, expiring, about one case."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from outreach.domain.config_edge import Shape, read_shape, word
from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located


class Fact(StrEnum):
    """Something only the borrower should know. ``account_last4`` are the last four letters or digits of the account."""

    BIRTH_YEAR = "birth_year"
    POSTCODE = "postcode"
    ACCOUNT_LAST4 = "account_last4"


@dataclass(frozen=True, slots=True)
class PortalRules:
    """How long links and visits last, and how somebody shows to be the borrower.

    Of ``facts``, the first ``needed`` that are on file are asked for, and all must be right. After ``tries`` wrong
    answers about one case nobody gets in for ``lock``.
    """

    link_life: timedelta = timedelta(days=30)
    session: timedelta = timedelta(minutes=20)
    facts: tuple[Fact, ...] = (Fact.BIRTH_YEAR, Fact.POSTCODE, Fact.ACCOUNT_LAST4)
    needed: int = 2
    tries: int = 3
    lock: timedelta = timedelta(hours=1)


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOUR = 3600
_MAC = 14  # 112 bits: nobody guesses one, and the link stays short enough for a text
_SIZE = 16 + 3 + _MAC


@dataclass(frozen=True, slots=True)
class Portal:
    """Makes and opens links. ``keys``: the first signs, the others still open what they signed (rotation)."""

    rules: PortalRules
    public_url: str
    keys: tuple[bytes, ...] = field(repr=False)

    @staticmethod
    def of(rules: PortalRules, public_url: str, secrets: Sequence[str]) -> "Portal":
        """Make it from secrets, the one in use first."""
        return Portal(rules, public_url, tuple(hashlib.sha256(f"portal\0{one}".encode()).digest() for one in secrets))

    @property
    def is_loopback(self) -> bool:
        """Whether pages are served to this machine only, over plain HTTP: there cookies may be plain, too."""
        parts = urlsplit(self.public_url)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK

    def link(self, case_id: UUID, now: datetime) -> str:
        """Return the address of a case's page, good for ``rules.link_life`` from ``now`` (to the hour)."""
        held = case_id.bytes + (int(self.ends(now).timestamp()) // _HOUR).to_bytes(3, "big")
        token = base64.urlsafe_b64encode(held + _mac(self.keys[0], held)).rstrip(b"=").decode()
        return f"{self.public_url}/p/{token}"

    def ends(self, now: datetime) -> datetime:
        """Return when a link made ``now`` ends: the full hour after its life."""
        return datetime.fromtimestamp((int((now + self.rules.link_life).timestamp()) // _HOUR + 1) * _HOUR, UTC)

    def open(self, token: str, now: datetime) -> UUID | None:
        """Return the case a link is about; None for one that is not ours, was changed, or has ended."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        if len(raw) != _SIZE or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
            return None
        held, mac = raw[:-_MAC], raw[-_MAC:]
        ours = [hmac.compare_digest(_mac(key, held), mac) for key in self.keys]
        ends = datetime.fromtimestamp(int.from_bytes(held[16:], "big") * _HOUR, UTC)
        return UUID(bytes=held[:16]) if any(ours) and now < ends else None

    def sign(self, use: str, *parts: str) -> str:
        """Return a signature over ``parts`` for one use, by the key in use."""
        return hmac.new(self.keys[0], "\0".join((use, *parts)).encode(), hashlib.sha256).hexdigest()

    def is_signed(self, mac: str, use: str, *parts: str) -> bool:
        """Tell whether ``mac`` is our signature by any of the keys; takes the same time for each."""
        text = "\0".join((use, *parts)).encode()
        good = [
            hmac.compare_digest(mac.encode(), hmac.new(key, text, hashlib.sha256).hexdigest().encode())
            for key in self.keys
        ]
        return any(good)


def _mac(key: bytes, held: bytes) -> bytes:
    return hmac.new(key, b"link\0" + held, hashlib.sha256).digest()[:_MAC]


class _Identity(Shape):
    ask: Annotated[tuple[Annotated[Fact, word(Fact, "fact")], ...], Field(strict=False, min_length=1)]
    needed: Annotated[int, Field(ge=1, le=3)] = 2
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    lock_minutes: Annotated[int, Field(ge=5, le=7 * 24 * 60)] = 60


class PortalShape(Shape):
    """The file as it is written."""

    link_days: Annotated[int, Field(ge=1, le=180)] = 30
    session_minutes: Annotated[int, Field(ge=5, le=120)] = 20
    identity: _Identity


def load_portal_rules(path: Path) -> PortalRules:
    """Return the rules of a file; the built-in ones where there is none. Raises ConfigError with every problem."""
    if not path.exists():
        return PortalRules()
    rules, problems = read_portal_rules(load_located(path))
    if problems:
        raise ConfigError(problems)
    return rules


def read_portal_rules(located: Located) -> tuple[PortalRules, list[Problem]]:
    """Read the rules from a parsed file, with the problems found."""
    problems = list(located.problems)
    if located.data is None:
        return PortalRules(), problems
    shape, found = read_shape(PortalShape, located)
    problems += found
    if shape is None:
        return PortalRules(), problems
    asked = shape.identity
    if len(set(asked.ask)) < len(asked.ask):
        problems.append(located.problem(("identity", "ask"), "names a fact twice"))
    if asked.needed > len(asked.ask):
        text = f"must not be more than the {len(asked.ask)} facts that ask names"
        problems.append(located.problem(("identity", "needed"), text))
    return PortalRules(
        link_life=timedelta(days=shape.link_days),
        session=timedelta(minutes=shape.session_minutes),
        facts=asked.ask,
        needed=asked.needed,
        tries=asked.tries,
        lock=timedelta(minutes=asked.lock_minutes),
    ), problems
