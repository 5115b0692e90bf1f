"""The demo's live view: the day, touches by channel and outcome, what was deferred or refused and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from outreach.demo.cast import Seen
from outreach.flows.sentences import reason_words

_OUTCOMES = """select channel, outcome, count(*) from attempt group by 1, 2"""
_REASONS = """
select d.verdict, r.value ->> 'code', count(*) from decision d, json_array_elements(d.reasons) r
where d.verdict <> 'send' group by 1, 2 order by 3 desc"""
_ENDS = """
select state, coalesce(reason, ''), count(*) from touch
where state in ('expired', 'cancelled', 'failed') group by 1, 2"""
_FACTS = """
select (select count(*) from cases where state = 'open'), (select count(*) from enrollment where state = 'active'),
  (select count(*) from reply), (select count(*) from promise), (select count(*) from promise where state = 'kept'),
  (select count(*) from arrangement), (select count(*) from payment),
  (select count(distinct borrower_id) from suppression),
  (select count(*) from hold where lifted_at is null), (select count(*) from task where closed_at is null),
  (select count(*) from attempt where state = 'unknown')"""
_NAMES = (
    "open cases", "cases on a plan", "replies", "promises to pay", "promises kept", "installment plans", "payments",
    "borrowers who said stop", "holds", "tasks for people", "unknown outcomes",
)  # fmt: skip


@dataclass
class Tally:
    """What happened so far."""

    at: datetime
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    ends: list[tuple[str, str, int]] = field(default_factory=list)
    facts: dict[str, int] = field(default_factory=dict)
    intents: list[tuple[str, int]] = field(default_factory=list)


def count(connection: psycopg.Connection[Any], at: datetime) -> Tally:
    """Count everything from the store."""
    tally = Tally(at)
    for channel, outcome, number in connection.execute(_OUTCOMES):
        tally.outcomes.setdefault(channel, Counter())[outcome] = number
    tally.reasons = [(verdict, code, number) for verdict, code, number in connection.execute(_REASONS)]
    tally.ends = [(state, reason, number) for state, reason, number in connection.execute(_ENDS)]
    row = connection.execute(_FACTS).fetchone()
    tally.facts = dict(zip(_NAMES, row or (), strict=True))
    tally.intents = list(connection.execute("select intent, count(*) from reply group by 1 order by 2 desc").fetchall())
    return tally


def show(tally: Tally, start: datetime, days: int) -> RenderableType:
    """Return the live view."""
    done = (tally.at - start).total_seconds() / 86_400
    head = Table.grid(expand=True)
    head.add_row(
        Text(f"Day {min(int(done) + 1, days)} of {days}   {tally.at:%A %d %B %Y, %H:%M} UTC", style="bold"),
        ProgressBar(total=days, completed=done),
    )
    body = Table.grid(expand=True, padding=(0, 2))
    body.add_row(outcome_table(tally), reason_table(tally, limit=12))
    return Panel(Group(head, Text(""), body, fact_line(tally)), title="outreach", border_style="cyan")


def outcome_table(tally: Tally) -> Table:
    """Return touches by channel and outcome."""
    table = Table(title="Touches that left, by outcome", title_justify="left", box=None, pad_edge=False)
    channels = sorted(tally.outcomes, key=("sms", "email", "voice", "ivr").index)
    table.add_column("outcome")
    for channel in channels:
        table.add_column(channel, justify="right")
    totals = Counter[str]()
    for counter in tally.outcomes.values():
        totals.update(counter)
    for outcome, _ in totals.most_common():
        table.add_row(outcome.replace("_", " "), *(str(tally.outcomes[channel][outcome] or "") for channel in channels))
    table.add_row("total", *(str(sum(tally.outcomes[channel].values())) for channel in channels), style="bold")
    return table


def reason_table(tally: Tally, limit: int) -> Table:
    """Return why touches were deferred, refused or ended, most frequent first."""
    table = Table(title="Not sent (yet), by reason", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("reason")
    table.add_column("", justify="right")
    rows = [*tally.reasons, *tally.ends]
    for verdict, code, number in sorted(rows, key=lambda row: -row[2])[:limit]:
        words = reason_words(code) if code else ""
        table.add_row(verdict, f"{words} ({code})" if words else code, str(number))
    if len(rows) > limit:
        table.add_row("", f"and {len(rows) - limit} more reasons", "")
    return table


def fact_line(tally: Tally) -> Text:
    """Return the counts of everything else in one line."""
    return Text("   ".join(f"{name} {number}" for name, number in tally.facts.items()), style="dim")


def fact_table(tally: Tally) -> Table:
    """Return the counts of everything else as a table."""
    table = Table(title="On the cases", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("", justify="right")
    for name, number in tally.facts.items():
        table.add_row(name, str(number))
    return table


def intent_table(tally: Tally) -> Table:
    """Return what borrowers answered."""
    table = Table(title="What borrowers answered", title_justify="left", box=None, pad_edge=False)
    table.add_column("intent")
    table.add_column("", justify="right")
    for intent, number in tally.intents:
        table.add_row(intent.replace("_", " "), str(number))
    return table


def cast_table(seen: Sequence[Seen], command: str, exchange: str | None = None) -> RenderableType:
    """Return what is worth a look, with the command that shows it; what did not come about is said below.

    ``exchange`` is the command that shows what went over the wire for one attempt.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("what happened")
    table.add_column("how to read it", no_wrap=True)
    for one in seen:
        if one.account is not None:
            table.add_row(one.role.told, f"{command} {one.account}")
    below = [Text(f"what went over the wire for one attempt:\n  {exchange}")] if exchange else []
    missing = [f"{one.role.told} (by the end of day {one.role.by_day})" for one in seen if one.account is None]
    if missing:
        below.append(Text(f"Did not come about in this run: {'; '.join(missing)}.", style="yellow"))
    return Group(table, *below)
