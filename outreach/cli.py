"""The command line of outreach."""

import typer

from outreach.commands import (
    arrangement,
    audits,
    bench,
    book,
    bounces,
    campaign,
    carrier,
    case,
    channels,
    checking,
    demo,
    dialogues,
    exchange,
    hygiene,
    mail,
    policies,
    portal,
    records,
    runtime,
    switches,
    tasks,
    templates,
    webhooks,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Payment reminders a lender can stand behind.",
    pretty_exceptions_enable=False,
)

app.command("check")(checking.check)
app.add_typer(channels.app, name="channels")
app.command("import")(book.import_)
app.add_typer(campaign.app, name="campaign")
app.command("event")(records.event)
app.add_typer(case.app, name="case")
app.add_typer(exchange.app, name="exchange")
app.add_typer(arrangement.app, name="arrangement")
app.add_typer(portal.app, name="portal")
app.add_typer(tasks.app, name="tasks")
app.command("decide")(records.decide)
app.add_typer(records.ledger, name="ledger")
app.command("audit")(audits.audit)
app.add_typer(policies.app, name="policies")
app.add_typer(records.replies, name="replies")
app.add_typer(templates.app, name="templates")
app.add_typer(dialogues.app, name="dialogues")
app.add_typer(bounces.bounces, name="bounces")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(mail.app, name="mail")
app.command("demo")(demo.demo)
app.command("run")(runtime.run_stack)
app.command("sandbox")(carrier.sandbox)
app.command("bench")(bench.bench)
app.command("migrate")(runtime.migrate)
app.command("doctor")(runtime.doctor)
app.command("hygiene")(hygiene.hygiene)
app.command("pause")(switches.pause)
app.command("resume")(switches.resume)
app.command("switches")(switches.list_switches)
app.command("acknowledge")(switches.acknowledge)


def main() -> None:
    """Run the command line."""
    app()
