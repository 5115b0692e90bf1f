"""`outreach audit`: spreads the audit over the machine's cores and prints what it found."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from multiprocessing import get_context
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from outreach.commands.common import Json, complaints, console, print_json, read_instant, settings_or_fail
from outreach.commands.indoors import reachable, run
from outreach.flows import audit as auditing
from outreach.flows.audit import Audit, Part, count_audited
from outreach.flows.audit import Progress as Told
from outreach.settings import Settings
from outreach.store.pg import PgStore

FEW = 2_000
"""Decisions that one process audits before others would have started."""
PARTS_EACH = 4
"""Parts per process: one that happens to be long does not keep the others waiting."""
_SHOWN = 10
"""How many differences and violations of one kind are printed; --json has more."""


def audit(
    since: Annotated[str | None, typer.Option("--from", help="First instant to look at.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Instant to stop before.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also decide again what was deferred and what was refused.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes to use; 0: one for each core.")] = 0,
    as_json: Json = False,
) -> None:
    """Decide every recorded send again, and count hours and caps over from the ledger. Ends with 1 if anything is off.

    docs/audit.md says what is held against what.
    """
    with reachable(settings_or_fail()) as settings:
        found = audit_all(settings, read_instant(since), read_instant(until), everything=everything, jobs=jobs)
    if as_json:
        print_json({"clean": found.clean} | {one.name: getattr(found, one.name) for one in fields(found)})
    else:
        print_audit(found)
    raise typer.Exit(0 if found.clean else 1)


def audit_all(
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    everything: bool = False,
    jobs: int = 0,
) -> Audit:
    """Audit with as many processes as it is worth; the store must be reachable. Shows a bar on a terminal."""
    span = (settings.database_url, since, until, everything)
    total = run(_count(*span))
    jobs = min(jobs or os.cpu_count() or 1, max(1, total // FEW))
    found = Audit()
    with _bar(total) as advance:
        if jobs == 1:
            return run(_audit(span, auditing.WHOLE, advance))
        parts = [(number, jobs * PARTS_EACH) for number in range(jobs * PARTS_EACH)]
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(audit_part, span, part) for part in parts]):
                found.add(done.result())
                advance(sum(done.result().decided.values()))
    found.differences.sort(key=lambda one: (one.kind, one.touch_id))
    found.violations.sort(key=lambda one: (one.rule_id, one.attempt_id))
    return found


Span = tuple[str, datetime | None, datetime | None, bool]
"""Where, from when, until when, and whether also what did not leave."""


def audit_part(span: Span, part: Part) -> Audit:
    """Audit one part, in a process of its own."""
    return asyncio.run(_audit(span, part, lambda _: None))


async def _audit(span: Span, part: Part, progress: Told) -> Audit:
    url, since, until, everything = span
    store = PgStore(url, 1)
    await store.open()
    try:
        return await auditing.audit(store, since, until, everything=everything, part=part, progress=progress)
    finally:
        await store.close()


async def _count(url: str, since: datetime | None, until: datetime | None, everything: bool) -> int:
    store = PgStore(url, 1)
    await store.open()
    try:
        return await count_audited(store, since, until, everything=everything)
    finally:
        await store.close()


@contextmanager
def _bar(total: int) -> Iterator[Told]:
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=complaints, transient=True, disable=not complaints.is_terminal) as bar:
        task = bar.add_task("audited", total=total)
        yield lambda more: bar.advance(task, more)


def print_audit(found: Audit) -> None:
    """Print what an audit found: the numbers, then everything that is wrong, by name."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.decided.items()))
    rules = ", ".join(f"{count} rules of version {version}" for version, count in sorted(found.policies.items()))
    table.add_row("decisions decided again", str(sum(found.decided.values())), verdicts)
    table.add_row("sends counted again", str(found.recounted), rules and f"against {rules}")
    table.add_row("differences", str(sum(found.differing.values())), "")
    table.add_row("violations", str(sum(found.violated.values())), "")
    console.print(table)
    for kind, count in found.differing.most_common():
        _say(f"\n{count} x {kind}: {auditing.KINDS[kind]}", "red")
        for one in [each for each in found.differences if each.kind == kind][:_SHOWN]:
            _say(f"  touch {one.touch_id} decision {one.decision_id or '-'}  {one.detail}")
    for rule, count in found.violated.most_common():
        _say(f"\n{count} x {rule} was not kept", "red")
        for each in [one for one in found.violations if one.rule_id == rule][:_SHOWN]:
            _say(f"  attempt {each.attempt_id}  {each.kind}: {each.detail}")
    verdict = "Nothing is wrong." if found.clean else "Something is wrong: see docs/audit.md."
    console.print(verdict, style="green" if found.clean else "bold red")


def _say(text: str, style: str | None = None) -> None:
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
