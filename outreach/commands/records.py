"""Commands on records: `decide`, `event`, `ledger export`, `audit`, `replies parse`."""

import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from outreach.bootstrap import make_clock
from outreach.commands.common import (
    Json,
    a_house,
    complaints,
    console,
    fail,
    lines_of,
    print_json,
    read_instant,
    run,
    settings_or_fail,
)
from outreach.domain.events import Event, read_event
from outreach.domain.located_yaml import ConfigError
from outreach.flows import audit as auditing
from outreach.flows.audit import Audit, count_audited
from outreach.flows.events import Taken, take_events
from outreach.flows.ledger import ledger_lines
from outreach.policy.lines import decide_lines
from outreach.policy.load import load_policy
from outreach.replies.codec import parse_lines
from outreach.replies.training import examples, fingerprint, stored
from outreach.replies.training import train as train_voter
from outreach.replies.voter import WEIGHTS
from outreach.settings import Settings

ledger = typer.Typer(no_args_is_help=True, help="The ledger: one line per attempt and per refusal.")
replies = typer.Typer(no_args_is_help=True, help="Replies: how the reader understands them.")

_SHOWN = 10
"""How many differences and violations of one kind are printed; --json has more."""

Source = Annotated[Path | None, typer.Argument(help="A file of JSON Lines (default: standard input).")]


def decide(
    file: Source = None,
    policies: Annotated[Path | None, typer.Option(help="A folder of policy packs (default: config/policies).")] = None,
) -> None:
    """Decide facts without a database: JSON Lines in, decisions as JSON Lines out. docs/decide.md has the fields."""
    settings = settings_or_fail()
    try:
        policy = load_policy(policies or settings.config / "policies")
    except ConfigError as error:
        fail("\n".join(str(problem) for problem in error.problems))
    for line in decide_lines(lines_of(file), policy):
        sys.stdout.buffer.write(line)


@replies.command()
def parse(file: Source = None) -> None:
    """Read replies: JSON Lines in, readings as JSON Lines out. docs/replies.md has the fields."""
    for line in parse_lines(lines_of(file)):
        sys.stdout.buffer.write(line)


@replies.command()
def train(
    corpus: Annotated[Path, typer.Option(help="Labelled replies, JSON Lines.")] = Path("tests/corpus/replies.jsonl"),
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = WEIGHTS,
) -> None:
    """Train the statistical reader anew from the labelled replies. Takes a minute; the same input, the same file."""
    rows = [orjson.loads(line) for line in lines_of(corpus)]
    weights = stored(train_voter(examples(rows), trained_on=fingerprint(rows)))
    out.write_bytes(weights)
    console.print(f"{len(rows)} replies, {len(weights):,} bytes in {out}", highlight=False)


@ledger.command()
def export(
    out: Annotated[Path | None, typer.Option(help="Where to write (default: standard output).")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First instant of decision.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Instant of decision to stop before.")] = None,
) -> None:
    """Write the ledger as JSON Lines, in order of decision. It holds no name, number, address or text."""
    count = run(write_ledger(settings_or_fail(), out, read_instant(since), read_instant(until)))
    complaints.print(f"{count} lines" + (f" in {out}" if out else ""))


async def write_ledger(settings: Settings, out: Path | None, since: datetime | None, until: datetime | None) -> int:
    """Write the ledger; returns the number of lines."""
    count = 0
    async with a_house(settings) as house:
        target = out.open("wb") if out else sys.stdout.buffer
        try:
            async for line in ledger_lines(house, since, until):
                target.write(line)
                count += 1
        finally:
            if out:
                target.close()
    return count


def audit(
    since: Annotated[str | None, typer.Option("--from", help="First instant to look at.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Instant to stop before.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also decide again what was deferred and what was refused.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decide every recorded send again, and count hours and caps over from the ledger. Ends with 1 if anything is off.

    docs/audit.md says what is held against what.
    """
    found = run(_audit(settings_or_fail(), read_instant(since), read_instant(until), everything))
    if as_json:
        print_json({"clean": found.clean} | {one.name: getattr(found, one.name) for one in fields(found)})
    else:
        print_audit(found)
    raise typer.Exit(0 if found.clean else 1)


async def _audit(settings: Settings, since: datetime | None, until: datetime | None, everything: bool) -> Audit:
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with a_house(settings) as house:
        total = await count_audited(house, since, until, everything=everything)
        with Progress(*columns, console=complaints, transient=True, disable=not complaints.is_terminal) as bar:
            task = bar.add_task("audited", total=total)
            return await auditing.audit(
                house, since, until, everything=everything, progress=lambda more: bar.advance(task, more)
            )


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


def event(
    file: Annotated[
        Path | None, typer.Argument(help="CloudEvents in JSON: one object, or an array (default: standard input).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take events as POST /v1/events does. Good ones are taken, bad ones are explained."""
    settings = settings_or_fail()
    try:
        raw = orjson.loads(b"".join(lines_of(file)))
    except orjson.JSONDecodeError as error:
        fail(f"not JSON: {error}")
    listed = raw if isinstance(raw, list) else [raw]
    now = make_clock(settings).now()
    read = [read_event(one, now) for one in listed]
    taken = iter(run(_take(settings, [one for one in read if isinstance(one, Event)])))
    results = []
    for index, one in enumerate(read):
        if isinstance(one, Event):
            results.append({"index": index, "id": one.id, "result": next(taken).result})
        else:
            results.append(
                {"index": index, "result": "invalid", "problems": [{"field": p.field, "detail": p.detail} for p in one]}
            )
    if as_json:
        print_json(results)
    else:
        for result in results:
            console.print(_line(result), highlight=False, markup=False)
    raise typer.Exit(0 if all(result["result"] in {"applied", "known"} for result in results) else 1)


def _line(result: dict[str, object]) -> str:
    found = result.get("problems")
    problems = "".join(f"\n  {one['field']}: {one['detail']}" for one in found) if isinstance(found, list) else ""
    return f"{result['index']}: {result['result']}{problems}"


async def _take(settings: Settings, events: list[Event]) -> list[Taken]:
    async with a_house(settings) as house:
        return await take_events(house, events)
