"""`outreach case`: the story of a case, and what the gate says about it."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from outreach.commands.common import Json, a_house, console, fail, print_json, read_instant, run, settings_or_fail
from outreach.domain.words import Channel
from outreach.flows.explain import Explained, Explanation, explain
from outreach.flows.sentences import reason_words
from outreach.flows.story import Story, load_story
from outreach.policy.decision import Reason, Verdict
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="One case: its story, and what the gate says about it.")

Ref = Annotated[str, typer.Argument(help="A case id, or the lender's account or borrower reference.")]
_COLOURS = {Verdict.SEND: "green", Verdict.DEFER: "yellow", Verdict.BLOCK: "red"}


@app.command()
def show(ref: Ref, as_json: Json = False) -> None:
    """Tell the story of a case in the borrower's local time."""
    story = run(_story(settings_or_fail(), ref))
    if story is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    if as_json:
        print_json(story)
    else:
        print_story(story)


@app.command("explain")
def explain_(
    ref: Ref,
    at: Annotated[str | None, typer.Option(help="An instant such as 2027-03-01T21:30:00-05:00 (default: now).")] = None,
    channel: Annotated[Channel | None, typer.Option(help="Only this channel.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the gate about a case, rule by rule, and when it would next say yes. Sends nothing."""
    found = run(_explain(settings_or_fail(), ref, at, channel))
    if found is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    if as_json:
        print_json(found)
    else:
        print_explanation(found)


async def _story(settings: Settings, ref: str) -> Story | None:
    async with a_house(settings) as house:
        return await load_story(house, ref)


async def _explain(settings: Settings, ref: str, at: str | None, channel: Channel | None) -> Explanation | None:
    instant = read_instant(at)
    async with a_house(settings) as house:
        return await explain(house, ref, instant, (channel,) if channel else ())


def print_story(story: Story) -> None:
    """Print a story for reading."""
    console.print(
        Text.assemble(
            (f"Case {story.account_ref}", "bold"),
            f"  {story.borrower}, {story.place}, {story.locale}, clock {story.zone}",
        )
    )
    console.print(
        f"{story.creditor}, {story.product}: {story.amount_due} due since {story.due_on}"
        f" ({story.days_past_due} days), balance {story.balance}; the case is {story.state}",
        highlight=False,
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for line in story.lines:
        body = Text(line.sentence)
        for reason in line.reasons:
            body.append(f"\n  because {reason}", style="dim")
        if line.words:
            body.append("\n" + "\n".join("  │ " + each for each in line.words.splitlines()), style="italic dim")
        table.add_row(line.local, body)
    console.print(table)
    state = "intact" if story.intact else "BROKEN: somebody changed it"
    console.print(f"The chain of this timeline is {state}.", style="green" if story.intact else "bold red")


def print_explanation(found: Explanation) -> None:
    """Print what the gate says, channel by channel."""
    where = ", ".join(found.zones) or "unknown"
    console.print(f"Case {found.account_ref} at {found.at:%Y-%m-%d %H:%M:%S} UTC", style="bold")
    console.print(
        f"candidate places {', '.join(found.jurisdictions) or 'unknown'}; candidate clocks {where}", highlight=False
    )
    for answer in found.answers:
        console.print(_headline(answer))
        for reason in answer.decision.reasons:
            console.print(Text("    " + _reason_line(reason)), highlight=False)
        passed = len(answer.decision.passed)
        console.print(f"    {passed} rules asked had nothing against it", style="dim")
    console.print(
        f"Policy {found.answers[0].decision.policy_version}. Not legal advice." if found.answers else "", style="dim"
    )


def _headline(answer: Explained) -> Text:
    verdict = answer.decision.verdict
    text = Text.assemble((f"{answer.channel:<6}", "bold"), (verdict.upper(), _COLOURS[verdict]))
    text.append(f"  to {answer.point_type}" if answer.point_type else "  no contact point")
    if verdict is not Verdict.SEND:
        text.append(
            f"; next permitted {answer.next_at:%Y-%m-%d %H:%M} UTC"
            if answer.next_at
            else "; no permitted instant ahead"
        )
    return text


def _reason_line(reason: Reason) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in reason.facts)
    until = f", until {reason.until:%Y-%m-%d %H:%M} UTC" if reason.until else ""
    cited = f" [{reason.citation}]" if reason.citation else ""
    return f"{reason.verdict} {reason.code}: {reason_words(reason.code)}{until} ({reason.rule_id}){cited}" + (
        f" {facts}" if facts else ""
    )
