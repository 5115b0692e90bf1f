"""One task with everything a person needs: why, what was said, what is suggested, what is on hold, by when."""

from dataclasses import dataclass
from uuid import UUID

from outreach.domain.tasks import Disposition, Task
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.sentences import Tongue, listed, reason_words
from outreach.flows.story import Story, StoryLine, load_story
from outreach.flows.task_words import task_sentence
from outreach.flows.tasks import TaskHold, holds_of

_TALK = frozenset({"touch.sent", "touch.unknown", "reply", "call.turn", "arrangement.proposed"})
"""Kinds of entries that are part of what was said."""
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task ready to show. ``transcript`` is personal: what was said to and by the borrower, up to now, oldest first.

    ``suggested`` None: nothing is. ``local_due`` is the due time on the borrower's clock.
    """

    task: Task
    about: str
    account_ref: str
    creditor: str
    borrower: str
    locale: str
    overdue: bool
    local_due: str
    summary: tuple[str, ...]
    transcript: tuple[StoryLine, ...]
    holds: tuple[TaskHold, ...]
    suggested: Disposition | None
    offered: tuple[Disposition, ...]


async def load_task(house: House, task_id: UUID) -> TaskView | None:
    """Return a task with everything about it; None when there is none of this id."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        task = await tx.task(task_id)
        if task is None:
            return None
        holds = tuple(await holds_of(house, tx, task, now))
        read = await _read_as(tx, task)
        agreed = await _agreed(tx, task.case_id)
    story = await load_story(house, str(task.case_id))
    if story is None:
        return None
    talk = [line for line in story.lines if line.kind in _TALK or line.kind.startswith("portal.")]
    return TaskView(
        task=task,
        about=task_sentence(task.kind),
        account_ref=story.account_ref,
        creditor=story.creditor,
        borrower=story.borrower,
        locale=story.locale,
        overdue=task.closed_at is None and task.due_at < now,
        local_due=Tongue(story.zone, "").moment(task.due_at),
        summary=(_owed(story), *read, *_noted(task), *agreed),
        transcript=tuple(talk[-_MOST_LINES:]),
        holds=holds,
        suggested=house.tasks.suggested(task.kind),
        offered=house.tasks.offered(task.kind),
    )


def _owed(story: Story) -> str:
    days = story.days_past_due
    when = f"{days} days past due" if days > 0 else f"due on {story.due_on:%d %b %Y}"
    state = "" if story.state == "open" else f" The case is {story.state}."
    return f"{story.amount_due} is due to {story.creditor} ({story.product}), {when}.{state}"


def _noted(task: Task) -> tuple[str, ...]:
    """Return what was noted when the task was opened."""
    said: list[str] = []
    if hour := task.detail.get("call_at"):
        said.append(f"They asked to be called at {hour} on their own clock.")
    if template := task.detail.get("template"):
        why = listed([reason_words(str(code)) for code in task.detail.get("reasons") or () if code])
        said.append(f'"{str(template).replace("_", " ")}" never left{": " + why if why else ""}.')
    return tuple(said)


async def _read_as(tx: Tx, task: Task) -> tuple[str, ...]:
    """Return how the answer behind a task was read."""
    source, _, key = task.evidence.partition(":")
    if source == "call":
        return ("It came up on a call.",)
    row = await tx.reply_behind(UUID(key)) if source == "inbox" and _is_uuid(key) else None
    if row is None:
        return ()
    intent, also, confidence, channel, _ = row
    more = f", also {', '.join(each.replace('_', ' ') for each in also)}" if also else ""
    surely = f"{round(confidence * 100)} % sure"
    return (f"The answer by {channel} was read as {intent.replace('_', ' ')} ({surely}){more}.",)


async def _agreed(tx: Tx, case_id: UUID) -> tuple[str, ...]:
    """Return what stands on the case."""
    said: list[str] = []
    if plan := (await tx.live_arrangements([case_id])).get(case_id):
        said.append(f"An arrangement is {plan[2]}, {plan[3]}.")
    if promise := (await tx.live_promises([case_id])).get(case_id):
        said.append(f"A promise is open for {promise[4]:%d %b %Y}.")
    return tuple(said)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
