"""Commands on records: `decide`, `event`, `ledger export`, `replies parse`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from outreach.bootstrap import make_clock
from outreach.commands.common import (
    Json,
    complaints,
    console,
    fail,
    lines_of,
    print_json,
    read_instant,
    settings_or_fail,
)
from outreach.commands.indoors import a_house, run
from outreach.domain.events import Event, read_event
from outreach.domain.located_yaml import ConfigError
from outreach.flows.events import Taken, take_events
from outreach.flows.ledger import ledger_lines
from outreach.policy.lines import decide_lines
from outreach.policy.load import load_policy
from outreach.replies.codec import parse_lines
from outreach.replies.training import examples, fingerprint, learnt_from, stored
from outreach.replies.training import train as train_voter
from outreach.replies.voter import WEIGHTS
from outreach.settings import Settings

ledger = typer.Typer(no_args_is_help=True, help="The ledger: one line per attempt and per refusal.")
replies = typer.Typer(no_args_is_help=True, help="Replies: how the reader understands them.")

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
    corpus: Annotated[list[Path] | None, typer.Option(help="Labelled replies, JSON Lines; may be repeated.")] = None,
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = WEIGHTS,
) -> None:
    """Train the statistical reader anew from the labelled replies. Takes a minute; the same input, the same file."""
    rows = [orjson.loads(line) for file in corpus or learnt_from() for line in lines_of(file)]
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
