"""The demo's cast: a few borrowers of the book with a fixed part each, so that every use of the product is seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import psycopg

Row = Mapping[str, str]


class Manner(StrEnum):
    """How somebody of the cast pays what was agreed; nobody of the cast pays before."""

    KEEPS = "keeps"
    AHEAD = "ahead"
    """The first installment on its day, and all the rest three days later."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Role:
    """One part: who may play it, how they take what reaches them, and what shows in the store that it came about.

    ``late`` is the span of days past due on the first day, the later bound included. ``happened`` is true or false of
    the case ``%(case)s``. ``by_day`` is the day of the demo at whose end it has come about. A campaign leaves one case
    in twenty alone for comparison, and nobody can know beforehand which; a part that needs one has ``actors`` to spare.
    """

    name: str
    told: str
    country: str
    locales: tuple[str, ...]
    late: tuple[int, int]
    temper: Mapping[str, object]
    happened: str
    by_day: int = 7
    manner: Manner = Manner.KEEPS
    actors: int = 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody of the book in their part. ``addresses`` are all their telephones and mailboxes."""

    role: Role
    borrower: str
    account: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a part: the account of the case to look at, or None when it did not come about."""

    role: Role
    account: str | None


def _arranged(by: str) -> str:
    return f"""select exists (select from arrangement
        where case_id = %(case)s and source = '{by}' and state <> 'proposed')"""  # noqa: S608 - by is one of ours


def _held(kind: str) -> str:
    return f"""select exists (select from hold where case_id = %(case)s and kind = '{kind}')
        and exists (select from task where case_id = %(case)s)"""  # noqa: S608 - kind is one of ours


_ARRANGEMENT_IS = "select exists (select from arrangement where case_id = %(case)s and state = '{}')"

CAST = (
    Role("installments_by_sms", "installments set up by text", "US", ("es-US",), (-2, -2),
         {"sms": "installments", "email": "silent", "voice": "no_answer"}, _arranged("sms")),
    Role("installments_by_ivr", "installments set up in a call, by keypad", "US", ("en-US",), (17, 18),
         {"sms": "silent", "email": "silent", "voice": "installments"}, _arranged("ivr"), actors=3),
    Role("installments_by_email", "installments set up by answering an email", "US", ("en-US",), (-5, -4),
         {"sms": "silent", "email": "installments", "voice": "no_answer"}, _arranged("email")),
    Role("installments_in_portal", "installments set up on the borrower's own page", "US", ("en-US",), (3, 5),
         {"sms": "portal", "email": "silent", "voice": "no_answer"}, _arranged("portal"), by_day=8, actors=3),
    Role("arrangement_kept", "an arrangement paid off, ahead of its dates", "US", ("en-US",), (-2, -1),
         {"sms": "installments", "email": "silent", "voice": "no_answer", "chooses": 1},
         _ARRANGEMENT_IS.format("kept"), by_day=7, manner=Manner.AHEAD),
    Role("arrangement_broken", "an arrangement that was not kept", "US", ("en-US",), (-2, -1),
         {"sms": "installments", "email": "silent", "voice": "no_answer"},
         _ARRANGEMENT_IS.format("broken"), by_day=9, manner=Manner.NEVER),
    Role("promise_kept", "a promise to pay, kept", "GB", ("en-GB",), (-2, -1),
         {"sms": "promise", "email": "silent", "voice": "no_answer", "says": "I will pay on Friday"},
         "select exists (select from promise where case_id = %(case)s and state = 'kept')", by_day=6),
    Role("stop", "a stop", "US", ("en-US",), (-2, -1), {"sms": "stop", "email": "silent", "voice": "no_answer"},
         """select exists (select from suppression s join cases c using (borrower_id)
            where c.case_id = %(case)s and s.lifted_at is null)"""),
    Role("dispute", "a dispute", "US", ("es-US",), (-2, 0),
         {"sms": "dispute", "email": "silent", "voice": "no_answer"}, _held("dispute"), manner=Manner.NEVER),
    Role("hardship", "hardship, handed to a person", "GB", ("en-GB",), (-2, 0),
         {"sms": "hardship", "email": "silent", "voice": "no_answer"}, _held("hardship"), manner=Manner.NEVER),
)  # fmt: skip
"""In the order in which they are cast and told."""

_NEEDED = {"sms", "email", "voice", "ivr"}


def choose_cast(book: Sequence[Row], start_on: date, sender: str) -> tuple[Actor, ...]:
    """Choose who plays what: for each part the first in the book who fit it, nobody twice. The same book, same cast.

    Only people with one account, one telephone and one mailbox, shared with nobody (nor with our ``sender``), and
    consent for every channel.
    """
    numbers: dict[str, int] = {sender: 1}
    accounts: dict[str, int] = {}
    for row in book:
        accounts[row["borrower_id"]] = accounts.get(row["borrower_id"], 0) + 1
        numbers[row["phone_1"]] = numbers.get(row["phone_1"], 0) + 1
    free = [row for row in book if accounts[row["borrower_id"]] == numbers[row["phone_1"]] == 1 and _is_plain(row)]
    chosen: list[Actor] = []
    for role in CAST:
        for row in [row for row in free if _fits(role, row, start_on)][: role.actors]:
            free.remove(row)
            chosen.append(Actor(role, row["borrower_id"], row["account_id"], (row["phone_1"], row["email_1"])))
    return tuple(chosen)


def _is_plain(row: Row) -> bool:
    given = {one.split(":")[0] for one in row["consents"].split(";") if one.count(":") == 2 and ":given:" in one}
    agreed = given == _NEEDED and "revoked" not in row["consents"] and row["consents"].count(";") == len(_NEEDED) - 1
    return bool(agreed and row["phone_1"] and row["email_1"] and not row["phone_2"] and row["birth_year"])


def _fits(role: Role, row: Row, start_on: date) -> bool:
    first, last = role.late
    late = (start_on - date.fromisoformat(row["due_on"])).days
    affordable = 100 <= float(row["amount_due"]) <= 450
    return row["country"] == role.country and row["locale"] in role.locales and first <= late <= last and affordable


def tempers(cast: Iterable[Actor], profiles: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Tell the carrier how the cast takes what reaches it, over what it knows of everyone."""
    told: dict[str, object] = dict(profiles)
    for actor in cast:
        for address in actor.addresses:
            told[address] = {**profiles.get(address, {}), "answers_on": 1, **actor.role.temper}
    return told


def manners(cast: Iterable[Actor]) -> dict[str, Manner]:
    """Return how each account of the cast is paid."""
    return {actor.account: actor.role.manner for actor in cast}


def look(line: psycopg.Connection[Any], cast: Sequence[Actor]) -> list[Seen]:
    """Ask the store which parts came about, and on whose case."""
    cases = dict(line.execute(
        "select a.external_id, c.case_id from account a join cases c using (account_id) where a.external_id = any(%s)",
        ([actor.account for actor in cast],),
    ).fetchall())  # fmt: skip
    seen = []
    for role in CAST:
        of = [actor.account for actor in cast if actor.role is role and actor.account in cases]
        met = (one for one in of if line.execute(role.happened, {"case": cases[one]}).fetchone() == (True,))
        seen.append(Seen(role, next(met, None)))
    return seen


def find_exchange(line: psycopg.Connection[Any], seen: Sequence[Seen]) -> str | None:
    """Return the attempt whose exchange is worth a look: a call of the cast that was a talk, else whatever there is."""
    row = line.execute(
        """select t.attempt_id::text from attempt t join exchange e on e.exchange_id = t.attempt_id
             join cases c using (case_id) join account a using (account_id)
           order by (a.external_id = any(%s)) desc, (t.outcome = 'conversation') desc, t.started_at, t.attempt_id
           limit 1""",
        ([one.account for one in seen if one.account],),
    ).fetchone()
    return row[0] if row else None
