"""`outreach case`: the story of a case, and what the gate says about it."""

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outreach.commands.common import Json, console, fail, print_json, read_instant, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.words import Channel
from outreach.flows.explain import Explained, Explanation, explain
from outreach.flows.rule_words import Told, channel_words, effect_words
from outreach.flows.story import Story, load_story
from outreach.policy.decision import Verdict
from outreach.policy.finding import HOUSE
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="One case: its story, and what the gate says about it.")

Ref = Annotated[str, typer.Argument(help="A case id, or the lender's account or borrower reference.")]
_ANSWERS = {"send": "yes", "defer": "not yet", "block": "no"}
_ROLES = {
    "first_party": "the creditor itself",
    "agency": "an agency for the creditor",
    "debt_buyer": "a buyer of the debt",
    "platform": "a platform (bound by rules of every kind)",
}
_VERDICTS = {
    Verdict.SEND: "it may be sent.",
    Verdict.DEFER: "not yet.",
    Verdict.BLOCK: "no. It would not be sent.",
}
_BAR = "  │ "
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
    everything: Annotated[
        bool, typer.Option("--all", help="Also name the rules that have nothing against it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask the gate about a case, rule by rule, and when it would next say yes. Sends nothing."""
    found = run(_explain(settings_or_fail(), ref, at, channel))
    if found is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    if as_json:
        print_json(found)
    else:
        print_explanation(found, everything=everything)


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
        f"{story.creditor}, {story.product}: {_due(story)}, balance {story.balance}; the case is {story.state}",
        highlight=False,
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for line in story.lines:
        body: list[RenderableType] = [Text(line.sentence)]
        body += [_told(told, "-") for told in line.told]
        if line.words:
            body.append(_Said(line.words))
        table.add_row(line.local, Group(*body))
    console.print(table)
    state = "intact" if story.intact else "BROKEN: somebody changed it"
    console.print(f"The chain of this timeline is {state}.", style="green" if story.intact else "bold red")


def _due(story: Story) -> str:
    if not story.owes:
        return "nothing is due"
    when = "due on" if story.days_past_due < 0 else "due since"
    days = f" ({story.days_past_due} days)" if story.days_past_due > 0 else ""
    return f"{story.amount_due} {when} {story.due_on}{days}"


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody said, set off by a bar beside every line of it."""

    words: str

    def __rich_console__(self, screen: Console, options: ConsoleOptions) -> RenderResult:
        for line in Text(self.words, style="italic dim").wrap(screen, max(20, options.max_width - len(_BAR))):
            yield Text(_BAR, style="dim") + line


def print_explanation(found: Explanation, *, everything: bool = False) -> None:
    """Print what the gate says: first when each channel may be used, then why not, rule by rule."""
    console.print(f"Case {found.account_ref}: may it be contacted?", style="bold", highlight=False)
    console.print(_about(found), highlight=False, soft_wrap=True)
    console.print(_overview(found))
    for answer in found.answers:
        if answer.decision.reasons or answer.lifted or everything:
            console.print()
            console.print(_headline(answer), soft_wrap=True)
            _print_reasons(answer, everything=everything)
    several = "; told on the first of the candidate clocks" if len(found.zones) > 1 else ""
    console.print(
        f"\nPolicy version {found.policy_version}. Times are {found.zone}{several}. Not legal advice.",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


def _about(found: Explanation) -> str:
    asked = "for now, " if found.at == found.now else "for "
    places = ", ".join(found.jurisdictions) or "not known"
    lines = [
        f"Asked {asked}{found.at_local}: a {found.purpose.replace('_', ' ')} by {_ROLES.get(found.role, found.role)}.",
        f"Law that may apply: {places}. Clocks the borrower may live by: {', '.join(found.zones) or 'not known'}.",
    ]
    if found.switches:
        lines.append(f"Switched off: {', '.join(one.replace(':', ' ') for one in found.switches)}.")
    return "\n".join(lines)


def _overview(found: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("Channel")
    table.add_column("To")
    table.add_column("Now")
    then = found.at != found.now
    if then:
        table.add_column("At that time")
    table.add_column("Next permitted")
    for answer in found.answers:
        verdict = answer.decision.verdict
        row: list[str | Text] = [channel_words(answer.channel), _point(answer)]
        row.append(Text(_ANSWERS[answer.now], _COLOURS[Verdict(answer.now)]))
        if then:
            row.append(Text(_ANSWERS[verdict], _COLOURS[verdict]))
        table.add_row(*row, "at once" if answer.next_at == found.at else answer.next_local or "not in the next 5 weeks")
    return table


def _point(answer: Explained) -> str:
    if answer.point_type is None:
        return "no number or mailbox"
    kind = answer.point_type.replace("_", " ")
    return kind if answer.point_label in {None, kind} else f"{kind} ({answer.point_label})"


def _headline(answer: Explained) -> Text:
    verdict = answer.decision.verdict
    text = Text.assemble(
        (f"{channel_words(answer.channel).capitalize()}, {_point(answer)}: ", "bold"),
        (_VERDICTS[verdict], _COLOURS[verdict]),
    )
    if verdict is Verdict.DEFER and answer.next_local:
        text.append(f" The next permitted moment is {answer.next_local}.")
    return text


def _print_reasons(answer: Explained, *, everything: bool) -> None:
    for number, one in enumerate(answer.reasons, start=1):
        console.print(_told(one, f"{number}."))
    for each in answer.lifted:
        words = f"Lifted, because {each.words}: {each.rule_id}. {each.summary}"
        console.print(Padding(Text(words), (0, 0, 0, 2)))
    count = len(answer.passed)
    if not everything:
        console.print(f"  {count} other rules have nothing against it (--all names them).", style="dim")
        return
    console.print(f"  {count} {'other ' if answer.reasons else ''}rules have nothing against it:", style="dim")
    for rule_id, summary in answer.passed:
        console.print(_hung("-", Text.assemble((rule_id, "bold"), f": {summary}")))


def _told(one: Told, mark: str) -> Table:
    """Say what is wrong and until when; below it, which rule says so and what it asks."""
    until = f" Until {one.until_local}." if one.until_local else ""
    text = Text(f"{one.sentence[:1].upper()}{one.sentence[1:]}.{until}")
    where = one.citation if one.citation == HOUSE else f"{one.citation}; {effect_words(one.effect)}"
    text.append(f"\nRule {one.rule_id} ({where}): {one.summary}", style="dim")
    return _hung(mark, text)


def _hung(mark: str, text: Text) -> Table:
    """Set a mark before a text, which keeps its own margin."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=4, justify="right")
    grid.add_column()
    grid.add_row(mark, text)
    return grid
