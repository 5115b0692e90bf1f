"""Commands that run the system or look after it: `run`, `migrate`, `doctor`."""

import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from channels.config import load_channels
from channels.errors import ConfigError as ChannelConfigError
from channels.sandbox.client import Sandbox
from outreach.clock import SystemClock
from outreach.commands.checking import find_problems
from outreach.commands.common import Json, complaints, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, reachable, run
from outreach.commands.portal import in_a_word, standing
from outreach.commands.switches import in_words, told, way_back
from outreach.demo.world import carrier_environ
from outreach.flows.approvals import NEEDED_IN, standings
from outreach.mail_settings import MailIntake, load_mail_intake
from outreach.settings import Settings, SettingsError
from outreach.stack import Stack, child_environ, services
from outreach.store.migrate import migrate as apply_migrations
from outreach.store.migrate import pending

MAX_SKEW_SECONDS = 30
LATELY = timedelta(days=3)
"""How far back attempts without news are counted."""


def run_stack(
    port: Annotated[int, typer.Option(help="Where the web process listens.")] = 8080,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Send to a local carrier instead of real providers.")
    ] = False,
) -> None:
    """Run the Procfile, each process restarted when it dies; embedded services unless the URLs name others."""
    settings = settings_or_fail()
    more = {"PORT": str(port)}
    if "OUTREACH_PUBLIC_URL" not in settings.environ:
        more["OUTREACH_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    carrier: Sandbox | None = None
    with ExitStack() as stack:
        if sandbox:
            carrier = stack.enter_context(
                Sandbox(callback_base=f"http://127.0.0.1:{port}", log=settings.var / "sandbox.jsonl")
            )
            more |= carrier_environ(carrier) | {"OUTREACH_MODE": "sandbox"}
            more.setdefault("OUTREACH_API_KEYS", ",".join(settings.api_keys) or "sandbox-key")
        _configuration_or_fail(settings, more)
        found = stack.enter_context(services(settings.var, settings.environ))
        house = stack.enter_context(Stack(child_environ(found, **more)))
        if carrier is not None:
            complaints.print(f"what borrowers see, and answering for them: {carrier.handsets_url}", soft_wrap=True)
        complaints.print(f"outreach is up at {more.get('OUTREACH_PUBLIC_URL', settings.public_url)}; Ctrl-C ends it")
        while not ended.wait(0.5):
            for revived in (*found.revive(), *house.revive()):
                complaints.print(f"{revived} had died and was started again", style="yellow")


def _configuration_or_fail(settings: Settings, more: dict[str, str]) -> None:
    """Stop before anything starts when the configuration cannot work, and say how to try it without a provider."""
    problems = find_problems(settings, settings.config, settings.templates)
    _mail_intake_or_fail(settings)
    try:
        load_channels(settings.config / "channels.yaml", {**settings.environ, **more})
    except ChannelConfigError as error:
        fail(f"{error}\nTo try it without a provider: outreach run --sandbox")
    if problems:
        fail("\n".join(str(problem) for problem in problems))


def _mail_intake_or_fail(settings: Settings) -> MailIntake:
    try:
        return load_mail_intake(settings.environ)
    except SettingsError as error:
        fail(str(error))


def migrate(as_json: Json = False) -> None:
    """Bring the database's schema up to date."""
    settings = settings_or_fail()
    with reachable(settings) as ready:
        applied = apply_migrations(ready.database_url)
    if as_json:
        print_json({"applied": applied})
    else:
        console.print("applied: " + ", ".join(applied) if applied else "nothing to do: the schema is up to date")


def doctor(as_json: Json = False) -> None:
    """Say how the system is: schema, clocks, waiting work, unknown outcomes, alerts, what is paused."""
    settings = settings_or_fail()
    facts = run(_examine(settings, _mail_intake_or_fail(settings)))
    if as_json:
        print_json(facts)
    else:
        _show(facts)
    raise typer.Exit(0 if facts["healthy"] else 1)


async def _examine(settings: Settings, intake: MailIntake) -> dict[str, Any]:
    with reachable(settings) as ready:
        missing = pending(ready.database_url)
    async with a_house(settings) as house, house.store.transaction() as tx:
        names = ("waiting", "queued", "started", "unknown", "inbox_new", "inbox_parked", "tasks", "active_enrollments")
        counts = dict(zip(names, await tx.health(), strict=True))
        skew = abs((await tx.server_clock() - SystemClock().real()).total_seconds())
        alerts = [{"kind": k, "subject": s, "detail": d, "since": at} for k, s, d, at in await tx.open_alerts()]
        now = house.clock.now()
        switches = [told(row) for row in await tx.list_switches(now)]
        overdue = await tx.overdue_count(house.protection.bands, now - LATELY)
        unknown = [
            {"attempt_id": row[0], "case_id": row[1], "channel": row[2], "started_at": row[3], "lookups": row[4]}
            for row in await tx.unknown_attempts()
        ]
        unapproved = [one for one in await standings(tx, house.renderer.catalog) if one.state != "approved"]
        if house.mode != NEEDED_IN:
            unapproved = []
        looked = {name: at for name, _, at in await tx.mailboxes()}
    portal = standing(house.portal)
    return {
        "healthy": not (
            missing or skew > MAX_SKEW_SECONDS or alerts or switches or unapproved or portal["problem"] is not None
        ),
        "pending_migrations": missing,
        "clock_skew_seconds": round(skew, 3),
        "policy": house.policy.version,
        "portal": portal,
        "plans": {plan.name: plan.version for plan in house.plans.values()},
        "templates": house.renderer.catalog.version,
        "counts": counts,
        "mail_intake": _told_of_intake(intake, looked),
        "unknown_attempts": unknown,
        "no_news": overdue,
        "alerts": alerts,
        "paused": switches,
        "unapproved_templates": [
            {"template": one.name, "channel": one.channel.value, "locale": one.locale.code, "state": state}
            for one, state in ((each.template, each.state) for each in unapproved)
        ],
    }


def _told_of_intake(intake: MailIntake, looked: Mapping[str, datetime | None]) -> dict[str, Any]:
    """Say by which ways mail comes in; configured is not running, but a mailbox says when it was last read."""
    listener, mailbox = intake.listener, intake.mailbox
    return {
        "posted": intake.posted,
        "listener": listener.place if listener else None,
        "mailbox": mailbox.name if mailbox else None,
        "mailbox_read_at": looked.get(mailbox.name) if mailbox else None,
    }


def _intake_words(told: dict[str, Any]) -> str:
    ways = ["posted to /v1/inbound/email"] if told["posted"] else []
    ways += [f"listener {told['listener']}"] if told["listener"] else []
    if told["mailbox"]:
        at = told["mailbox_read_at"]
        ways.append(f"mailbox {told['mailbox']} ({f'read {at:%Y-%m-%d %H:%M:%S} UTC' if at else 'never read yet'})")
    return "; ".join(ways) or "not configured: bounces and answers by email are not taken in"


def _show(facts: dict[str, Any]) -> None:
    console.print(
        "healthy" if facts["healthy"] else "needs attention", style="green" if facts["healthy"] else "bold yellow"
    )
    table = Table.grid(padding=(0, 2))
    for name, value in facts["counts"].items():
        table.add_row(name.replace("_", " "), str(value))
    table.add_row("clock skew", f"{facts['clock_skew_seconds']} s")
    table.add_row("pending migrations", ", ".join(facts["pending_migrations"]) or "none")
    table.add_row("policy", facts["policy"])
    table.add_row("mail intake", _intake_words(facts["mail_intake"]))
    table.add_row("borrower portal", in_a_word(facts["portal"]))
    console.print(table)
    for alert in facts["alerts"]:
        since = f"{alert['since']:%Y-%m-%d %H:%M}"
        console.print(
            f"alert {alert['kind']} ({alert['subject']}) since {since}: {alert['detail']}",
            highlight=False,
            soft_wrap=True,
        )
    for switch in facts["paused"]:
        console.print(f"paused: {in_words(switch)}", highlight=False, soft_wrap=True)
        console.print(f"  to go on: {way_back(switch)}", highlight=False, soft_wrap=True)
    for channel, count in facts["no_news"].items():
        console.print(
            f"no news came of {count} attempts on {channel} in the last three days; outreach hygiene shows more"
        )
    if waiting := facts["unapproved_templates"]:
        names = sorted({one["template"] for one in waiting})
        console.print(
            f"not approved, so not sent: {len(waiting)} templates ({', '.join(names)}); "
            "outreach templates list --unapproved shows each",
            soft_wrap=True,
        )
    for one in facts["unknown_attempts"]:
        console.print(
            f"unknown outcome: attempt {one['attempt_id']} on {one['channel']}, looked up {one['lookups']} times"
        )
