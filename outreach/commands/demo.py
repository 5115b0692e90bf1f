"""`outreach demo`: thirty days of the real system in about two minutes, with a book of fictional borrowers."""

import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.live import Live

from outreach.bootstrap import open_house
from outreach.clock import monotonic
from outreach.commands.audits import audit_all, print_audit
from outreach.commands.book import bring_in
from outreach.commands.book import show as show_import
from outreach.commands.case import print_story
from outreach.commands.common import Json, console, fail, print_json
from outreach.commands.indoors import NoQueue, run
from outreach.commands.records import write_ledger
from outreach.demo.book import cut_book, people_of, read_book
from outreach.demo.cast import Actor, Row, Seen, choose_cast, find_exchange, look, manners, tempers
from outreach.demo.lender import Lender
from outreach.demo.view import Tally, cast_table, count, fact_table, intent_table, outcome_table, reason_table, show
from outreach.demo.world import SENDER, START, StuckError, World, world
from outreach.domain.campaign_config import load_campaigns
from outreach.flows import campaigns
from outreach.flows.audit import Audit
from outreach.flows.pacing import NoPacing
from outreach.flows.story import load_story
from outreach.settings import ROOT, Settings, load_settings

CAMPAIGNS = ("pre_due_daily", "early_stage_daily")
REFRESH = 0.7
"""Seconds between two views, at least."""
SHARE = 0.03
"""How much of the time counting for the view may take: the counts grow with the month."""
SHOW = "outreach case show"
EXCHANGE = "outreach exchange show"


def demo(
    days: Annotated[int, typer.Option(min=1, max=90, help="Days to live through.")] = 30,
    borrowers: Annotated[int | None, typer.Option(help="Only the first so many borrowers of the book.")] = None,
    book: Annotated[Path, typer.Option(help="The book to import.")] = ROOT / "examples" / "portfolio.csv",
    seed: Annotated[int, typer.Option(help="Another seed, other borrowers' tempers.")] = 7,
    var: Annotated[Path, typer.Option(help="Where the demo keeps its files; wiped first.")] = ROOT / "var" / "demo",
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running and print the address to open.")] = False,
    as_json: Json = False,
) -> None:
    """Live through a month: a book, contact plans, borrowers who answer, installments, and the ledger of it all."""
    began = monotonic()
    console.stderr = as_json  # what people read makes room for what machines read
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what runs is taken down
    _fresh(var)
    lines: Sequence[Row] = read_book(book)
    cast = choose_cast(lines, START.date(), SENDER)
    source = book
    if borrowers is not None:
        source = var / "book.csv"
        lines = cut_book(lines, source, borrowers, [actor.borrower for actor in cast])
    script: dict[str, object] = {"profiles": tempers(cast, people_of(lines))}
    environ = {"OUTREACH_DATABASE_URL": "", "OUTREACH_REDIS_URL": ""}
    try:
        with world(var, script=script, seed=seed, environ=environ) as made:
            settings = load_settings(made.stack.environ)
            _prepare(settings, source, var)
            live_through(made, settings, days, seed, cast)
            end = finish(made, settings, var, cast)
            end.seconds = monotonic() - began
            print_json(end.as_json()) if as_json else console.print(f"{end.seconds:.0f} seconds")
            if keep:
                _stay(made)
            if not end.audit.clean:
                fail("The audit found something wrong; see docs/audit.md.", 1)
    except StuckError as error:
        fail(f"The demo did not come to rest: {error}. Logs are in {var / 'log'}.", 1)


def _fresh(var: Path) -> None:
    """Wipe what an earlier demo left, but keep the embedded Postgres: creating one takes longer than a database."""
    for name in ("log", "clock", "sandbox.jsonl", "ledger.jsonl", "book.csv", "rejects.jsonl"):
        path = var / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    var.mkdir(parents=True, exist_ok=True)


def _prepare(settings: Settings, book: Path, var: Path) -> None:
    console.rule("Importing the book")
    show_import(run(bring_in(settings, book, var / "rejects.jsonl")), var / "rejects.jsonl")
    console.rule("Starting the campaigns")
    for name in CAMPAIGNS:
        run(start_campaign(settings, name))
        console.print(f"{name} runs daily")


async def start_campaign(settings: Settings, name: str) -> None:
    """Start one of the shipped campaigns."""
    house = await open_house(settings, NoQueue(), channels={}, pacer=NoPacing())
    try:
        await campaigns.start(house, load_campaigns(settings.config / "campaigns")[name])
    finally:
        await house.close()


def live_through(made: World, settings: Settings, days: int, seed: int, cast: Sequence[Actor] = ()) -> None:
    """Move time to the end, moment by moment, showing what happens."""
    console.rule(f"Living through {days} days")
    end = START + timedelta(days=days)
    with (
        psycopg.connect(settings.database_url, autocommit=True) as line,
        Live(console=console, refresh_per_second=4) as live,
    ):
        lender = Lender(made.url, made.api_key, line, seed, START.date(), manners(cast))
        moments = [at for at in lender.moments(days) if START < at < end]
        due = 0.0
        while True:
            made.rest()
            now = made.clock.now()
            if moments and moments[0] <= now:
                lender.speak(moments.pop(0))
                continue
            if console.is_terminal and (began := monotonic()) >= due:
                live.update(show(count(line, now), START, days))
                due = monotonic() + max(REFRESH, (monotonic() - began) / SHARE)
            if now >= end:
                break
            made.step_to(made.next_instant(end, moments[0] if moments else None))
        live.update(show(count(line, end), START, days))


@dataclass
class End:
    """What a demo came to."""

    cast: list[Seen]
    audit: Audit
    ledger: Path
    ledger_lines: int
    log: Path
    exchange: str | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        shown = [
            {"part": one.role.name, "told": one.role.told, "account": one.account,
             "command": one.account and f"{SHOW} {one.account}"} for one in self.cast
        ]  # fmt: skip
        audit = {"clean": self.audit.clean, "differences": sum(self.audit.differing.values()),
                 "violations": sum(self.audit.violated.values()), "recounted": self.audit.recounted}  # fmt: skip
        return {"look_at": shown, "audit": audit, "ledger": self.ledger, "ledger_lines": self.ledger_lines,
                "exchange": self.exchange, "carrier_log": self.log, "seconds": round(self.seconds)}  # fmt: skip


def finish(made: World, settings: Settings, var: Path, cast: Sequence[Actor]) -> End:
    """Print what happened, tell one case, audit every send, export the ledger, name the cases to look at."""
    with psycopg.connect(settings.database_url, autocommit=True) as line:
        tally = count(line, made.clock.now())
        seen = look(line, cast)
        attempt = find_exchange(line, seen)
        told = seen[0].account if seen and seen[0].account else _case_to_tell(line)
    _summary(tally)
    if told:
        console.rule("One case, told")
        run(_tell(settings, told))
    console.rule("The audit: every send decided again and counted over")
    found = audit_all(settings)
    print_audit(found)
    ledger = var / "ledger.jsonl"
    lines = run(write_ledger(settings, ledger, None, None))
    console.rule("Look at these")
    exchange = attempt and f"{EXCHANGE} {attempt}"
    console.print(cast_table(seen, SHOW, exchange))
    console.print("\nThey can be read when the demo is over, too. First:")
    for name, value in (("OUTREACH_VAR", var), ("OUTREACH_CLOCK", f"stepped:{var / 'clock'}")):
        console.print(f"  export {name}='{value}'", highlight=False, markup=False, soft_wrap=True)
    console.rule("Done")
    console.print(f"The ledger ({lines} lines) is {ledger}")
    console.print(f"What the carrier saw is {made.sandbox.log_path}")
    return End(seen, found, ledger, lines, made.sandbox.log_path, exchange)


def _summary(tally: Tally) -> None:
    console.rule("What happened")
    for table in (outcome_table(tally), reason_table(tally, limit=100), fact_table(tally), intent_table(tally)):
        console.print(table)
        console.print()


def _case_to_tell(line: psycopg.Connection[Any]) -> str | None:
    """Pick a case with an arrangement set up by replying, reminders before it and payments after it."""
    row = line.execute(
        """select c.case_id::text from arrangement g join cases c using (case_id)
           order by (g.source = 'sms') desc, (select count(*) from attempt t where t.case_id = c.case_id) desc,
             c.case_id limit 1"""
    ).fetchone()
    return row[0] if row else None


async def _tell(settings: Settings, case: str) -> None:
    house = await open_house(settings, NoQueue(), channels={}, pacer=NoPacing())
    try:
        story = await load_story(house, case)
    finally:
        await house.close()
    if story is not None:
        print_story(story)


def _stay(made: World) -> None:
    """Stay up for a person to look around, with time standing still."""
    console.rule("It stays up; Ctrl-C ends it")
    console.print(f"Open {made.url} and log in with the API key [bold]{made.api_key}[/bold]", highlight=False)
    console.print(f"What borrowers saw, and answering for them: {made.sandbox.handsets_url}", highlight=False)
    console.print("Or, in another terminal:", highlight=False)
    settings = {"OUTREACH_DATABASE_URL": made.services.database_url, **clock_environ(made)}
    for name, value in settings.items():
        console.print(f"  export {name}='{value}'", highlight=False, markup=False, soft_wrap=True)
    console.print("  .venv/bin/outreach case show US-00001-1", highlight=False)
    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    while not ended.wait(0.5):
        made.stack.revive()


def clock_environ(made: World) -> dict[str, str]:
    """Return the settings that let a command see the demo's time and channels."""
    names = ("OUTREACH_CLOCK", "OUTREACH_TWILIO_ACCOUNT_SID", "OUTREACH_TWILIO_AUTH_TOKEN", "OUTREACH_SMS_SENDER")
    return {name: made.stack.environ[name] for name in names}
