"""The command line of outreach: what there is to say, and where each command lives."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

COMMANDS: dict[str, tuple[str, str]] = {
    "check": (
        "checking:check",
        "Check every configuration file and template; print each problem with file, line and column.",
    ),
    "import": (
        "book:import_",
        "Import a book or contacts. Good lines go in, bad lines go to a reject file; importing again changes nothing.",
    ),
    "event": ("records:event", "Take events as POST /v1/events does. Good ones are taken, bad ones are explained."),
    "decide": (
        "records:decide",
        "Decide facts without a database: JSON Lines in, decisions as JSON Lines out. docs/decide.md has the fields.",
    ),
    "audit": (
        "audits:audit",
        (
            "Decide every recorded send again, and count hours and caps over from the ledger. "
            "Ends with 1 if anything is off."
        ),
    ),
    "demo": (
        "demo:demo",
        "Live through a month: a book, contact plans, borrowers who answer, installments, and the ledger of it all.",
    ),
    "run": (
        "runtime:run_stack",
        "Run the Procfile, each process restarted when it dies; embedded services unless the URLs name others.",
    ),
    "sandbox": (
        "carrier:sandbox",
        "Run the carrier alone until Ctrl-C: Twilio, Aliyun, a plain gateway, SMTP, and a page with every handset.",
    ),
    "bench": (
        "bench:bench",
        "Measure on services of its own under var/bench: nothing else is touched. Medians of three runs.",
    ),
    "migrate": ("runtime:migrate", "Bring the database's schema up to date."),
    "doctor": (
        "runtime:doctor",
        "Say how the system is: schema, clocks, waiting work, unknown outcomes, alerts, what is paused.",
    ),
    "hygiene": (
        "hygiene:hygiene",
        "Count contact points by state and reason, and what became of attempts by channel, country and sender.",
    ),
    "pause": (
        "switches:pause",
        "Stop contact within a second, everywhere. Answers to borrowers stop, too; stops are recorded all the same.",
    ),
    "resume": (
        "switches:resume",
        "Let contact go on, with a choice for what fell due meanwhile. Closes the alerts about it.",
    ),
    "switches": (
        "switches:list_switches",
        "List what is paused: since when, by whom, why, until when, and how much it holds back.",
    ),
    "acknowledge": ("switches:acknowledge", "Close the alerts about a subject, once somebody has seen to them."),
    "channels": ("channels:app", "What every adapter can do, and what providers' codes mean."),
    "campaign": ("campaign:app", "Campaigns: preview, start, list, show, pause, resume, cancel."),
    "case": ("case:app", "One case: its story, and what the gate says about it."),
    "exchange": ("exchange:app", "What went over the wire, redacted: evidence for an attempt or a case."),
    "arrangement": ("arrangement:app", "Installment plans agreed on a case: show them, or cancel one."),
    "portal": ("portal:app", "The borrowers' pages: one signed link a case."),
    "tasks": ("tasks:app", "What was handed to people: list, show, close."),
    "ledger": ("records:ledger", "The ledger: one line per attempt and per refusal."),
    "policies": ("policies:app", "The policy packs: what they hold, and what another version would change."),
    "replies": ("records:replies", "Replies: how the reader understands them."),
    "templates": ("templates:app", "Templates: list, show, approve, revoke."),
    "dialogues": ("dialogues:app", "Conversations with borrowers: list them, draw them."),
    "bounces": ("bounces:bounces", "Mail that came back: bounces, complaints, automatic and human replies."),
    "webhooks": ("webhooks:app", "What the lender's systems hear: endpoints of config/webhooks.yaml."),
    "mail": ("mail:app", "Mail that comes in: the listener and the poller."),
}
"""By name: module and attribute below outreach.commands, and the first paragraph of its help.

A module is imported when its command is called; listing them all (help, completion) imports none.
"""


class LateGroup(TyperGroup):
    """The commands of ``COMMANDS``: each stands there by name and help until it is called."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - Typer's
        super().__init__(**attrs)
        self.commands = {name: TyperCommand(name, help=text) for name, (_, text) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Typer has no public names for these
        """Put the command that is called in the place of its name."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:  # noqa: ANN401 - a command of Typer's or a group
    """Import a command and return it as Typer would have made it."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(f"outreach.commands.{module}"), attribute)
    around = typer.Typer(pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return get_group(around).commands[name]


app = typer.Typer(
    cls=LateGroup,
    no_args_is_help=True,
    add_completion=False,
    help="Payment reminders a lender can stand behind.",
    pretty_exceptions_enable=False,
)


@app.callback()
def _outreach() -> None:
    """Typer makes a group of commands it cannot see yet only where there is a callback."""


def main() -> None:
    """Run the command line."""
    app()
