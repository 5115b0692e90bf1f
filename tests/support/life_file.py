"""A scenario file: one life of a case in the words of the trade, and what came out of it, kept in the same file."""

import difflib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from outreach.domain.calendar import first_zone
from outreach.domain.money import parse_minor
from outreach.domain.places import Place, place_of

MARK = "came_out: |\n"
"""From this line on a file is what came out; --update-golden writes it anew."""

VERBS = frozenset({
    "event", "data", "missed", "due", "pays", "takes_back", "hold", "lift", "sms", "email", "call", "page",
    "unsubscribe", "receipt", "carrier", "delivers", "campaign", "operator", "together", "twice", "from", "at", "note",
})  # fmt: skip
"""What a step can say; docs/scenarios.md explains each."""

_TOP = frozenset({"life", "begins", "borrower", "account", "campaigns", "terms", "steps", "came_out"})
_BORROWER = frozenset({
    "name", "place", "clock", "language", "born", "phones", "emails", "consents", "refused",
})  # fmt: skip
_ACCOUNT = frozenset({"creditor", "product", "due", "currency", "balance", "due_on"})


@dataclass(frozen=True)
class Life:
    """One file: who the borrower is, what happens, and what came out the last time it was written down."""

    path: Path
    about: str
    starts: str
    borrower: dict[str, Any]
    account: dict[str, Any]
    steps: list[dict[str, Any]]
    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    golden: str = ""

    @property
    def begins(self) -> datetime:
        """When the case is opened."""
        return self.instant(self.starts)

    @property
    def place(self) -> Place:
        """Where the borrower lives: the law that may apply and the clocks they may live by."""
        where, _, postcode = str(self.borrower.get("place", "US-NY 12207")).partition(" ")
        country, dash, _ = where.partition("-")
        return place_of(country, where if dash else None, postcode or None, self.borrower.get("clock"))

    def instant(self, local: object) -> datetime:
        """Read ``2027-03-01 09:05`` on the borrower's own clock."""
        moment = local if isinstance(local, datetime) else datetime.fromisoformat(str(local))
        return moment.replace(tzinfo=first_zone(self.place.zones))

    def minor(self, amount: object) -> int:
        """Read an amount of the account's currency."""
        return parse_minor(str(amount), self.currency)

    @property
    def currency(self) -> str:
        """The account's currency."""
        return str(self.account.get("currency", "USD"))

    def row(self) -> dict[str, Any]:
        """Return the borrower as one JSON line of the import format."""
        told = self.borrower
        given, _, family = str(told.get("name", "Ada Example")).partition(" ")
        where, _, postcode = str(told.get("place", "US-NY 12207")).partition(" ")
        country, dash, _ = where.partition("-")
        on = self.begins.replace(year=self.begins.year - 1).date().isoformat()
        consents = [("given", each) for each in told.get("consents", ["sms", "email", "voice", "ivr"])]
        consents += [("revoked", each) for each in told.get("refused", [])]
        return {
            "borrower_id": "B1", "given_name": given, "family_name": family, "birth_year": told.get("born", 1980),
            "locale": told.get("language", "en-US"), "country": country, "subdivision": where if dash else None,
            "postcode": postcode or None, "time_zone": told.get("clock"),
            "phones": [_phone(each) for each in told.get("phones", ["+15185550101"])],
            "emails": [{"address": each} for each in told.get("emails", ["ada@example.com"])],
            "consents": [{"channel": channel, "state": state, "on": on} for state, channel in consents],
            "accounts": [self._account()],
        }  # fmt: skip

    def _account(self) -> dict[str, Any]:
        told = self.account
        due = str(told.get("due", "120.00"))
        return {
            "account_id": "A-4821", "creditor": told.get("creditor", "harbour"),
            "product": told.get("product", "credit_card"), "currency": self.currency,
            "balance": str(told.get("balance", due)), "amount_due": due, "due_on": str(told["due_on"]),
        }  # fmt: skip


def _phone(told: str) -> dict[str, str]:
    number, _, label = told.partition(" ")
    return {"number": number, "label": label or "mobile"}


def read_life(path: Path) -> Life:
    """Read a scenario file. A key that nobody knows is an error: a step that does nothing proves nothing."""
    told = yaml.safe_load(path.read_text("utf-8"))
    _known(path, "", told, _TOP)
    _known(path, "borrower", told.get("borrower", {}), _BORROWER)
    _known(path, "account", told["account"], _ACCOUNT)
    for number, step in enumerate(told["steps"]):
        _known(path, f"steps[{number}]", step, VERBS)
    return Life(
        path=path,
        about=told["life"],
        starts=str(told["begins"]),
        borrower=told.get("borrower", {}),
        account=told["account"],
        steps=told["steps"],
        campaigns=told.get("campaigns", {}),
        terms=told.get("terms", {}),
        golden=told.get("came_out") or "",
    )


def _known(path: Path, field_: str, told: dict[str, Any], allowed: frozenset[str]) -> None:
    odd = sorted(set(told) - allowed)
    assert not odd, f"{path.name}: {field_}: {', '.join(odd)} unknown; allowed: {', '.join(sorted(allowed))}"


def settle_golden(life: Life, came_out: str, *, update: bool) -> None:
    """Compare what came out with what the file says; with ``update`` write it down instead."""
    if update:
        head = life.path.read_text("utf-8").partition(MARK)[0].rstrip("\n")
        body = "".join(f"  {line}".rstrip() + "\n" for line in came_out.splitlines())
        life.path.write_text(f"{head}\n\n{MARK}{body}", "utf-8")
        return
    if came_out.strip() == life.golden.strip():
        return
    diff = difflib.unified_diff(
        life.golden.strip().splitlines(),
        came_out.strip().splitlines(),
        "as written",
        "as it came out",
        lineterm="",
        n=4,
    )
    pytest.fail(
        f"{life.path.name} ({life.about}) came out differently. If that is right, write it down with\n"
        f"  pytest tests/scenarios -k {life.path.stem} --update-golden\n\n" + "\n".join(diff),
        pytrace=False,
    )
