"""`outreach bench`: measures the house on this machine, part by part."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from outreach.benchmark import (
    answers,
    batch,
    callbacks,
    calls,
    decide,
    delivery,
    machine,
    portal,
    replies,
    scan,
    stalled,
    trigger,
)
from outreach.benchmark.report import table
from outreach.benchmark.stage import StuckError
from outreach.commands.common import complaints, console, fail, print_json, settings_or_fail

CHANNELS = ("sms", "email", "email_dkim")


class What(StrEnum):
    """What can be measured."""

    DELIVERY = "delivery"
    STALLED = "stalled"
    CALLBACKS = "callbacks"
    SCAN = "scan"
    DECIDE = "decide"
    TRIGGER = "trigger"
    ANSWERS = "answers"
    REPLIES = "replies"
    CALLS = "calls"
    PORTAL = "portal"
    ALL = "all"


def bench(
    what: Annotated[What, typer.Argument(help="What to measure.")] = What.ALL,
    json: Annotated[
        Path | None, typer.Option("--json", help="Where the JSON goes (- prints it); var/bench.json otherwise.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller and less exact: a few minutes.")] = False,
) -> None:
    """Measure on services of its own under var/bench: nothing else is touched. Medians of three runs."""
    settings = settings_or_fail()
    var = settings.var / "bench"
    var.mkdir(parents=True, exist_ok=True)
    command = " ".join(("outreach", "bench", what.value, *(["--quick"] if quick else [])))
    found: dict[str, Any] = {"command": command, "quick": quick, "machine": machine.describe()}
    wanted = [each for each in What if what in {each, What.ALL} and each is not What.ALL]
    try:
        for each in wanted:
            found[each.value] = _measure(each, var, quick=quick)
    except StuckError as error:
        fail(str(error), 1)
    if str(json) == "-":
        print_json(found)
        return
    path = json or settings.var / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    facts = found["machine"]
    console.print(table(found))
    console.print(
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory_gib']} GiB, {facts['system']}, "
        f"Python {facts['python']}, Postgres {facts['postgres']}; load before: {facts['load_before']}, "
        f"ten million turns of a loop: {facts['pace_seconds']} s",
        highlight=False,
    )
    console.print(f"again: {command}    JSON: {path}", highlight=False)


def _measure(what: What, var: Path, *, quick: bool) -> dict[str, Any]:
    match what:
        case What.DELIVERY:
            touches = 3_000 if quick else 20_000
            return delivery.measure(var, touches=touches, runs=3, channels=CHANNELS, say=_say)
        case What.STALLED:
            touches, in_flight = (1_000, 2_000) if quick else (5_000, 3 * stalled.IN_FLIGHT)
            return stalled.measure(var, touches=touches, runs=1 if quick else 3, in_flight=in_flight, say=_say)
        case What.CALLBACKS:
            return callbacks.measure(var, callbacks=1_000 if quick else 5_000, runs=1 if quick else 3, say=_say)
        case What.SCAN:
            sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
            return scan.measure(var, sizes=sizes, runs=5, say=_say)
        case What.DECIDE:
            found = decide.measure(decisions=5_000 if quick else 20_000, runs=3, say=_say)
            return found | {"batch": batch.measure(var, runs=5 if quick else 15, say=_say)}
        case What.REPLIES:
            return replies.measure(replies=5_000 if quick else 20_000, runs=3, say=_say)
        case What.CALLS:
            return calls.measure(var, calls=20 if quick else 100, runs=3, say=_say)
        case What.ANSWERS:
            return answers.measure(var, texts=40 if quick else 100, runs=3, say=_say)
        case What.PORTAL:
            return portal.measure(var, visits=20 if quick else 100, runs=3, say=_say)
        case _:
            return trigger.measure(var, events=40 if quick else 100, runs=3, say=_say)


def _say(text: str) -> None:
    complaints.print(text, style="dim", highlight=False)
