"""`outreach policies`: what the packs hold, what counsel must confirm, and what another version would change."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress
from rich.table import Table
from rich.text import Text

from outreach.commands.common import Json, complaints, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.located_yaml import ConfigError
from outreach.domain.near import did_you_mean
from outreach.domain.places import memberships
from outreach.flows.house import House
from outreach.flows.policy_diff import CalendarChange, RuleChange, Shift, diff_calendars, diff_rules, shift
from outreach.flows.rule_shapes import SHAPES, about, asks, shape_of
from outreach.flows.rule_words import effect_words
from outreach.policy.load import load_policy
from outreach.policy.policy import Policy
from outreach.policy.rules import ANYWHERE, UNLISTED, Rule
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The policy packs: what they hold, and what another version would change.")

_SHAPES = ", ".join(SHAPES.values())
_DUTY = "duty"


class Confidence(StrEnum):
    """How sure the source of a rule is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Status(StrEnum):
    """Where a rule stands in its life."""

    DRAFT = "draft"
    FUTURE = "future"
    SUPERSEDED = "superseded"
    IN_FORCE = "in_force"


Folder = Annotated[Path | None, typer.Option(help="A folder of policy packs (default: config/policies).")]
_WHERE = {ANYWHERE: "Everywhere (house rules)", UNLISTED: "Places without a pack of their own"}
_COLOURS = {"low": "red", "medium": "yellow", "high": "green"}
_SHOWN = 30


@app.command("list")
def list_(
    jurisdiction: Annotated[
        str | None, typer.Option(help="A place with all that lies in it, such as US or US-NY; any: house rules.")
    ] = None,
    confidence: Annotated[Confidence | None, typer.Option(help="Only rules whose source is this sure.")] = None,
    shape: Annotated[str | None, typer.Option(help=f"Only rules of this shape: {_SHAPES}.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only rules of this status.")] = None,
    duties: Annotated[bool, typer.Option("--duties", help="Only what no machine decides, and people must do.")] = False,
    policies: Folder = None,
    as_json: Json = False,
) -> None:
    """List rules. With --confidence low: what counsel must confirm."""
    if shape is not None and shape not in SHAPES.values():
        fail(f"--shape {shape!r}: must be one of {_SHAPES}{did_you_mean(shape, list(SHAPES.values()))}")
    policy = _load(settings_or_fail(), policies)
    found = [
        rule
        for rule in _all(policy)
        if (jurisdiction is None or _lies_in(rule.head.select.jurisdiction, jurisdiction))
        and (confidence is None or rule.head.confidence == confidence)
        and (shape is None or shape_of(rule) == shape)
        and (status is None or rule.head.status == status)
        and (not duties or shape_of(rule) == _DUTY)
    ]
    if as_json:
        print_json([_as_json(rule) for rule in found])
    else:
        _print_list(found, notes=confidence is not None or status is not None or duties)


@app.command()
def show(
    rule_id: Annotated[str, typer.Argument(help="The id of a rule, such as US-REGF-7IN7.")],
    policies: Folder = None,
    as_json: Json = False,
) -> None:
    """Show one rule: whom it binds, what it asks, where it stands and how sure that is."""
    policy = _load(settings_or_fail(), policies)
    rule = policy.rule(rule_id)
    if rule is None:
        near = did_you_mean(rule_id, [each.head.id for each in _all(policy)])
        fail(f"no rule {rule_id!r}{near}; outreach policies list names them all", 1)
    if as_json:
        print_json(_as_json(rule))
    else:
        _print_rule(rule)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A folder of policy packs, or a stored policy version.")],
    new: Annotated[str, typer.Argument(help="A folder of policy packs, or a stored policy version.")],
    days: Annotated[int, typer.Option(min=0, help="Decide the last so many days again; 0: compare rules only.")] = 30,
    as_json: Json = False,
) -> None:
    """Show what changes from OLD to NEW: the rules, and what would have been decided otherwise. Sends nothing."""
    found = run(_diff(settings_or_fail(), _folder(old), _folder(new), days))
    if as_json:
        print_json(found)
    else:
        _print_diff(found)


@dataclass(frozen=True, slots=True)
class Diff:
    """Everything that differs between two policies. ``decisions`` None: they were not asked for."""

    old: str
    new: str
    rules: list[RuleChange]
    calendars: list[CalendarChange]
    decisions: Shift | None


def _folder(named: str) -> Path | str:
    """Return a folder as a path; anything else is taken for a stored version."""
    return Path(named) if Path(named).is_dir() else named


async def _diff(settings: Settings, old: Path | str, new: Path | str, days: int) -> Diff:
    if isinstance(old, Path) and isinstance(new, Path) and not days:
        return _compared(load_policy(old), load_policy(new), None)
    async with a_house(settings) as house:
        before, after = await _policy(house, old), await _policy(house, new)
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=complaints, transient=True, disable=not complaints.is_terminal) as bar:
            task = bar.add_task("decided under both", total=None)
            moved = (
                await shift(
                    house, before, after, days, lambda done, total: bar.update(task, completed=done, total=total)
                )
                if days
                else None
            )
    return _compared(before, after, moved)


def _compared(before: Policy, after: Policy, moved: Shift | None) -> Diff:
    return Diff(before.version, after.version, diff_rules(before, after), diff_calendars(before, after), moved)


async def _policy(house: House, named: Path | str) -> Policy:
    """Return the policy of a folder, or a stored version."""
    if isinstance(named, Path):
        return load_policy(named)
    async with house.store.transaction() as tx:
        body = await tx.policy_body(named)
        known = [row[0] for row in await tx.policy_versions()]
    if body is None:
        stored = f"stored are {', '.join(known)}" if known else "none is stored yet"
        fail(f"{named!r} is neither a folder of policy packs nor a stored policy version; {stored}")
    return Policy.from_json(body.encode())


def _load(settings: Settings, policies: Path | None) -> Policy:
    try:
        return load_policy(policies or settings.config / "policies")
    except ConfigError as error:
        fail("\n".join(str(problem) for problem in error.problems))


def _all(policy: Policy) -> list[Rule]:
    """Return every rule, drafts too, by place and id."""
    return sorted((*policy.rules, *policy.drafts), key=lambda rule: (rule.head.select.jurisdiction, rule.head.id))


def _lies_in(place: str, wanted: str) -> bool:
    return place == wanted or (place not in _WHERE and wanted in memberships(place))


def _as_json(rule: Rule) -> dict[str, Any]:
    head = rule.head
    return {
        "id": head.id,
        "jurisdiction": head.select.jurisdiction,
        "shape": shape_of(rule),
        "status": head.status,
        "effect": head.effect,
        "binds": head.select.binds,
        "confidence": head.confidence,
        "in_force_from": head.from_on,
        "in_force_until": head.until_on,
        "summary": head.summary,
        "about": about(rule),
        "asks": asks(rule),
        "citation": head.citation,
        "source": head.source,
        "note": head.note,
    }


def _print_list(rules: list[Rule], *, notes: bool) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Rule", "Shape", "Sure", "In force", "What it asks, and where it stands"):
        table.add_column(name, no_wrap=name != "What it asks, and where it stands", overflow="fold")
    place = ""
    for rule in rules:
        head = rule.head
        if head.select.jurisdiction != place:
            place = head.select.jurisdiction
            table.add_row(Text(_WHERE.get(place, place), "bold cyan"))
        words = Text(head.summary)
        words.append(f"\n{head.citation}", "dim")
        if notes and head.note:
            words.append(f"\nNote: {head.note}", "italic")
        sure = Text(head.confidence, _COLOURS[head.confidence])
        table.add_row(Text(head.id), shape_of(rule).replace("_", " "), sure, _when(rule), words)
    console.print(table)
    console.print(summary_line(rules), style="dim")


def _when(rule: Rule) -> str:
    head = rule.head
    if head.status == "draft":
        return "draft"
    until = f"\nto {head.until_on}" if head.until_on else ""
    return f"from {head.from_on}{until}" if head.from_on > date(1900, 1, 1) else f"not dated{until}"


def summary_line(rules: Iterable[Rule]) -> str:
    """Return one line that counts rules: how many, and what of them people must look at."""
    listed = list(rules)
    sure = Counter(rule.head.confidence for rule in listed)
    status = Counter(rule.head.status for rule in listed)
    duties = sum(1 for rule in listed if shape_of(rule) == _DUTY)
    drafts, superseded = status["draft"], status["superseded"]
    parts = [
        f"{duties} {'duty' if duties == 1 else 'duties'} that no machine decides",
        f"{sure['low']} of low confidence",
        f"{drafts} {'draft that is' if drafts == 1 else 'drafts that are'} not applied",
        f"{superseded} superseded",
    ]
    return f"{len(listed)} {'rule' if len(listed) == 1 else 'rules'}: {', '.join(parts)}."


def _print_rule(rule: Rule) -> None:
    head = rule.head
    until = f" until {head.until_on}" if head.until_on else ""
    status = "" if head.status == "in_force" else f", {head.status}"
    place = _WHERE.get(head.select.jurisdiction, head.select.jurisdiction)
    console.print(Text.assemble((head.id, "bold"), f"  {place}, {shape_of(rule).replace('_', ' ')}{status}"))
    console.print(head.summary, highlight=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("Asks", "\n".join(asks(rule)))
    grid.add_row("About", "\n".join(about(rule)))
    grid.add_row("Strength", effect_words(head.effect))
    grid.add_row("In force", f"from {head.from_on}{until} (local dates)")
    grid.add_row("Stands in", head.citation)
    grid.add_row("Source", Text(head.source))
    grid.add_row("Confidence", Text(head.confidence, _COLOURS[head.confidence]))
    if head.note:
        grid.add_row("Note", head.note)
    console.print(grid, highlight=False)


def _print_diff(found: Diff) -> None:
    console.print(f"From version {found.old} to {found.new}", style="bold", highlight=False)
    kinds = Counter(one.kind for one in found.rules)
    console.print(f"Rules: {kinds['added']} added, {kinds['removed']} removed, {kinds['changed']} changed.")
    for one in found.rules:
        mark = {"added": "+", "removed": "-", "changed": "~"}[one.kind]
        _say(f"  {mark} {one.rule_id}: {one.summary}")
        for name, was, now in one.fields:
            _say(f"      {name}: {_value(was)} became {_value(now)}")
    for each in found.calendars:
        _say(f"  Public holidays of {each.jurisdiction}: {len(each.added)} added, {len(each.removed)} removed")
    if found.decisions is not None:
        _print_shift(found.decisions)


def _print_shift(found: Shift) -> None:
    if found.until is None or found.since is None:
        _say("\nNothing has been decided yet.")
        return
    changed = sum(found.changes.values())
    span = f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC"
    _say(f"\n{found.decided} decisions from {span} were decided under both:")
    _say(f"{changed} would have come out otherwise." if changed else "none would have come out otherwise.")
    if found.unreadable:
        _say(f"{found.unreadable} could not be read.")
    for change, count in found.changes.most_common():
        _say(f"  {count:>6}  {change:<16}  such as touch {', '.join(found.samples[change][:3])}")
    if changed:
        _tally("By rule", found.by_rule)
        _tally("By jurisdiction", found.by_jurisdiction)
        _say("\nEach was taken by itself: what would not have left still counts for those after it.")


def _tally(title: str, counts: Mapping[str, Counter[str]]) -> None:
    ranked = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    _say(f"\n{title}")
    for name, changes in ranked[:_SHOWN]:
        parts = ", ".join(f"{count} {change}" for change, count in changes.most_common())
        _say(f"  {changes.total():>6}  {name}  ({parts})")
    if len(ranked) > _SHOWN:
        _say(f"          and {len(ranked) - _SHOWN} more (--json has all)")


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, list):
        return (
            "; ".join(_value(each) for each in value)
            if value and isinstance(value[0], Mapping)
            else ", ".join(map(str, value))
        )
    return str(value)


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
