"""`outreach tasks`: what was handed to people, one task with all it needs, and its end."""

import getpass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.flows.task_view import TaskView, load_task
from outreach.flows.tasks import Closed, TaskError, TaskLine, close_task, list_tasks
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What was handed to people: list, show, close.")

Key = Annotated[str, typer.Argument(help="A task id, as `outreach tasks list` prints it.")]


@app.command("list")
def list_open(
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as dispute.")] = None,
    due_within: Annotated[int | None, typer.Option(help="Only what is due within so many hours; 0: overdue.")] = None,
    mine: Annotated[str | None, typer.Option("--of", help="Only those of this person.")] = None,
    closed: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """List open tasks, the most overdue first; exits 1 when one is overdue."""
    found = run(_list(settings_or_fail(), kind, due_within, mine, closed=closed))
    if as_json:
        print_json(found)
    elif not found:
        console.print("No task is open.")
    else:
        _print_list(found)
    raise typer.Exit(1 if any(line.overdue for line in found) else 0)


@app.command()
def show(task: Key, as_json: Json = False) -> None:
    """Show one task: why, what was said (personal), what is on hold, what it can be closed with."""
    view = run(_show(settings_or_fail(), _key(task)))
    if view is None:
        fail("no such task", 1)
    if as_json:
        print_json(view)
    else:
        _print(view)


@app.command()
def close(
    task: Key,
    as_: Annotated[str, typer.Option("--as", help="A disposition that `outreach tasks show` names.")],
    by: Annotated[str | None, typer.Option(help="Who closes it (default: the user of this machine).")] = None,
    note: Annotated[str, typer.Option(help="Kept with the task, not on the timeline.")] = "",
    as_json: Json = False,
) -> None:
    """Close a task. A hold ends with it only where the disposition says so and the rules allow it."""
    try:
        done = run(_close(settings_or_fail(), _key(task), as_, by or getpass.getuser(), note))
    except LookupError:
        fail("no such task", 1)
    except TaskError as error:
        fail(str(error), 1)
    if as_json:
        print_json(done)
        return
    console.print(f"Closed as {done.disposition}.", highlight=False)
    for hold in done.lifted:
        console.print(f"The hold is lifted: {hold}.", highlight=False)
    for hold, why in done.kept:
        console.print(f"The hold stays: {hold}, because {why}.", style="yellow", highlight=False)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        fail("a task is named by its id; `outreach tasks list` prints them")


async def _list(
    settings: Settings, kind: str | None, due_within: int | None, mine: str | None, *, closed: bool
) -> list[TaskLine]:
    async with a_house(settings) as house:
        before = None if due_within is None else house.clock.now() + timedelta(hours=due_within)
        return await list_tasks(house, kind=kind, due_before=before, assigned_to=mine, closed=closed)


async def _show(settings: Settings, key: UUID) -> TaskView | None:
    async with a_house(settings) as house:
        return await load_task(house, key)


async def _close(settings: Settings, key: UUID, disposition: str, by: str, note: str) -> Closed:
    async with a_house(settings) as house:
        return await close_task(house, key, disposition, by, note)


def _print_list(found: list[TaskLine]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("Due (UTC)", "", "Kind", "Account", "Taken by", "Task"):
        table.add_column(column, no_wrap=column == "Task")
    for one in found:
        state = "closed" if one.closed_at else "overdue" if one.overdue else ""
        table.add_row(
            f"{one.due_at:%d %b %H:%M}", state, one.kind, one.account_ref, one.assigned_to or "", str(one.task_id)
        )
    console.print(table)


def _print(view: TaskView) -> None:
    task: Any = view.task
    console.print(f"[bold]{task.kind.replace('_', ' ').capitalize()}[/bold]  {view.account_ref}, {view.borrower}")
    console.print(view.about, highlight=False)
    late = " (overdue)" if view.overdue else ""
    console.print(
        f"Due {view.local_due}{late} on the borrower's clock; taken by {task.assigned_to or 'nobody'}.", highlight=False
    )
    for line in view.summary:
        console.print(f"- {line}", highlight=False, markup=False)
    for hold in view.holds:
        state = f"lifted {hold.lifted_at:%Y-%m-%d}" if hold.lifted_at else "stands"
        cited = "; ".join(citation for _, citation in hold.barred_by)
        console.print(f"Hold {hold.kind} on {hold.reach}, {state}{f' ({cited})' if cited else ''}", highlight=False)
    console.print("\nWhat was said")
    for said in view.transcript:
        console.print(f"{said.local}  {said.sentence}", highlight=False, markup=False)
        for words in (said.words or "").splitlines():
            console.print(f"    | {words}", highlight=False, markup=False)
    if task.closed_at:
        console.print(f"\nClosed by {task.closed_by} as {task.disposition}.", highlight=False)
        return
    console.print("\nClose it with: outreach tasks close ID --as ...")
    for one in view.offered:
        first = "  (suggested)" if view.suggested and one.id == view.suggested.id else ""
        console.print(f"  {one.id}: {one.says}{first}", highlight=False, markup=False)
