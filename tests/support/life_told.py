"""What came out of a life, as text that is the same on every run: the story, what was said, what stands, the feed."""

import re
from io import StringIO
from typing import Any
from unittest.mock import patch

from rich.console import Console

from outreach.commands import case
from outreach.commands.case import print_story
from outreach.flows.fields import short_ref
from outreach.flows.sentences import Tongue
from outreach.flows.story import load_story

from .living import _MACHINE, Living

WIDTH = 116

_LINK = re.compile(r"/(p|v1/unsubscribe)/[\w-]{20,}")
_REFERENCES = "select distinct attempt_id from attempt"


async def tell(life: Living) -> str:
    """Return the golden part of a life."""
    parts = [await _story(life)]
    if life.spoken:
        parts.append("== What was said on calls and pages\n" + "\n".join(life.spoken))
    parts.append("== What stands\n" + "\n".join(_standing(life) or ["nothing beyond the case itself"]))
    parts.append("== What the lender's systems heard\n" + "\n".join(await _feed(life)))
    told = _LINK.sub(r"/\1/(link)", "\n\n".join(parts))
    for (attempt,) in life.rows(_REFERENCES):
        told = told.replace(short_ref(attempt), "######")
    return told


async def _story(life: Living) -> str:
    story = await load_story(life.house, "A-4821")
    assert story is not None
    # A width that is set on the house's own console stays with it: every later command would be told in it.
    wide = Console(width=WIDTH, file=StringIO())
    with patch.object(case, "console", wide), wide.capture() as captured:
        print_story(story)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _standing(life: Living) -> list[str]:
    tongue = Tongue(str(life.life.begins.tzinfo), life.life.currency)
    found = []
    for state, frequency, total, source, key in life.rows("""
        select state, frequency, total_minor, source, arrangement_id from arrangement order by proposed_at, state"""):
        found.append(f"arrangement {state}: {tongue.amount(total)} {frequency}, agreed by {source}")
        for no, due_on, minor, paid in life.rows(
            """
            select no, due_on, amount_minor, paid_minor from installment where arrangement_id = %s order by no""",
            key,
        ):
            found.append(
                f"  {no}. {due_on:%a} {tongue.day(due_on)}  {tongue.amount(minor)}, paid {tongue.amount(paid)}"
            )
    for state, minor, due_on, paid, source in life.rows("""
        select state, amount_minor, due_on, paid_minor, source from promise order by made_at"""):
        told = f"{tongue.amount(minor)} on {tongue.day(due_on)}, paid {tongue.amount(paid)}, made by {source}"
        found.append(f"promise {state}: {told}")
    for from_on, to_on, source in life.rows("select from_on, to_on, source from extension order by granted_at"):
        found.append(f"extension: from {tongue.day(from_on)} to {tongue.day(to_on)}, granted by {source}")
    found += _refusals(life)
    for kind, whole, lifted in life.rows("""
        select kind, case_id is null, lifted_at is not null from hold order by since_at, kind"""):
        found.append(f"hold {kind}, {'the whole borrower' if whole else 'this case'}{', lifted' if lifted else ''}")
    for kind, opened, due in life.rows("select kind, opened_at, due_at from task order by opened_at, kind"):
        found.append(f"task {kind}: opened {tongue.moment(opened)}, due {tongue.moment(due)}")
    for plan, state, reason in life.rows("""
        select plan, state, stop_reason from enrollment order by created_at, plan, anchor_on"""):
        found.append(f"plan {plan}: {state}{f' ({reason})' if reason else ''}")
    for kind, subject in life.rows("select kind, subject from alert order by opened_at, kind"):
        found.append(f"alert {kind}: {subject}")
    return found


def _refusals(life: Living) -> list[str]:
    found = []
    for channel, reason, about, lifted in life.rows("""
        select s.channel, s.reason, p.kind, s.lifted_at is not null from suppression s
        left join contact_point p using (contact_point_id) order by s.since_at, s.channel, p.kind"""):
        where = f" (one {about})" if about else ""
        found.append(f"refused {channel}{where}: {reason}{', lifted' if lifted else ''}")
    for kind, type_, state, why in life.rows("""
        select kind, type, state, state_reason from contact_point where state <> 'active' order by kind, priority"""):
        found.append(f"{kind} ({type_}) is {state}{f': {why}' if why else ''}")
    for effect, opens, closes, days in life.rows("""
        select effect, opens, closes, days from personal_window order by since_at, opens"""):
        found.append(f"the borrower's own hours: {effect} {opens} to {closes} on {', '.join(days) or 'every day'}")
    return found


_SILENT = re.compile(r"(_id|_ref|_at|evidence|version|hash)$")
"""Fields of an event that are ids or instants, or differ from run to run."""


async def _feed(life: Living) -> list[str]:
    answer = await life.client.get("/v1/events", params={"limit": "1000"}, headers=_MACHINE)
    assert answer.is_success
    return [_line(each) for each in answer.json()["events"]]


def _line(event: dict[str, Any]) -> str:
    told = [f"{name}={_short(value)}" for name, value in event["data"].items() if not _SILENT.search(name)]
    return " ".join([event["type"], *told])


def _short(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_short(each)}" for name, each in value.items()) + "}"
    return str(value)
