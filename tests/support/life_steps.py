"""What a step of a scenario can say, and what it does on the stack: borrower, carrier, lender and operator."""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from channels.contract import Prompt
from outreach.domain.campaign import Campaign
from outreach.domain.campaign_config import load_campaigns
from outreach.flows import campaigns, switches
from outreach.flows.arrangement_desk import cancel_on
from outreach.flows.switches import CatchUp
from outreach.settings import ROOT

from .calls import Caller
from .house import clock_of
from .living import ENDINGS, Living
from .portal import Visitor
from .web import signed

Told = Any


async def live(life: Living) -> None:
    """Go through every step."""
    for step in life.life.steps:
        if "at" in step:
            await life.move_to(life.life.instant(step["at"]))
        await take(life, step)


async def take(life: Living, step: dict[str, Told]) -> None:
    """Do what one step says; what is said together is under way at once, and worked off side by side."""
    if "together" in step:
        await asyncio.gather(*(_do(life, each) for each in step["together"]))
        await life.settle(at_once=True)
        return
    await _do(life, step)
    await life.settle()


async def _do(life: Living, step: dict[str, Told]) -> None:
    for verb, act in _VERBS.items():
        if verb in step:
            await act(life, step[verb], step)


async def _event(life: Living, kind: Told, step: dict[str, Told]) -> None:
    key = life.key("event")
    for _ in range(2 if step.get("twice") else 1):
        await life.event(kind, step.get("data", {}), key=key)


async def _missed(life: Living, amount: Told, step: dict[str, Told]) -> None:
    due_on = str(life.life.account["due_on"])
    kind = "payment.due" if "due" in step else "payment.missed"
    await life.event(kind, {"amount_due_minor": life.life.minor(amount), "due_on": due_on})


async def _pays(life: Living, amount: Told, step: dict[str, Told]) -> None:
    paid = {"payment_id": life.key("payment"), "amount_minor": life.life.minor(amount), "currency": life.life.currency}
    for number in range(2 if step.get("twice") else 1):
        await life.event("payment.received", paid, key=f"{paid['payment_id']}-{number}")


async def _takes_back(life: Living, payment: Told, _: dict[str, Told]) -> None:
    await life.event("payment.reversed", {"payment_id": payment})


async def _hold(life: Living, kind: Told, _: dict[str, Told]) -> None:
    data = kind if isinstance(kind, dict) else {"kind": kind}
    await life.event("hold.placed", data)


async def _lift(life: Living, kind: Told, _: dict[str, Told]) -> None:
    await life.event("hold.lifted", {"kind": kind})


def _writes(channel: str) -> Callable[[Living, Told, dict[str, Told]], Awaitable[None]]:
    async def write(life: Living, words: Told, step: dict[str, Told]) -> None:
        kind = "email" if channel == "email" else "phone"
        known = "select value from contact_point where kind = %s order by priority limit 1"
        address = step.get("from") or life.rows(known, kind)[0][0]
        fields = {"dedupe_key": life.key(channel), "text": words, "address": address, "medium": channel}
        for _ in range(2 if step.get("twice") else 1):
            await life.tell(channel, **fields)

    return write


class HttpCaller(Caller):
    """The provider's side of a call over HTTP."""

    life: Living

    async def _ask(self, turn: int | None, **fields: Any) -> Prompt:
        way = f"/v1/calls/{self.token}" + (f"/turn?n={turn}" if turn is not None else "")
        answer = await self.life.client.post(way, **signed(self.house, self.channel, **fields))
        assert answer.is_success, answer.text
        prompt = self.fake.prompts[-1]
        self.life.spoken.append(f"outreach: {_plain(prompt.say) or '(nothing)'}")
        if not prompt.gather and not prompt.dial:
            self.life.spoken.append("(outreach hangs up)")
        return prompt


async def _call(life: Living, acts: Told, _: dict[str, Told]) -> None:
    """Pick up the call that rings, and do what the list says: press, say, silence, agent, or a reply meanwhile."""
    found = life.rows("""
        select token, channel from attempt where channel in ('voice', 'ivr') and state = 'accepted'
        order by started_at""")
    assert found, f"{life.life.path.name}: no call was placed by {clock_of(life.house).instant}"
    token, channel = found[-1]
    life.picked_up(token)
    caller = HttpCaller(life.house, token, channel)
    caller.channel, caller.life = channel, life
    life.spoken.append(f"-- a call is picked up, {_local(life)}")
    acts = list(acts)
    by = acts.pop(0)["answered_by"] if acts and "answered_by" in acts[0] else "human"
    await caller.pick_up(by)
    for act in acts:
        await _act(life, caller, act)
    await life.tell(channel, status="completed", dedupe_key=f"{token}-completed", token=token, answered_by=by)


async def _act(life: Living, caller: Caller, act: dict[str, Told]) -> None:
    ((verb, told),) = act.items()
    match verb:
        case "press":
            life.spoken.append(f"borrower presses {told}")
            await caller.press(str(told))
        case "say":
            life.spoken.append(f"borrower says: {told}")
            await caller.speak(told)
        case "silence":
            life.spoken.append("(silence)")
            await caller.say_nothing()
        case "agent":
            life.spoken.append(f"(an agent {'answers' if told else 'does not answer'})")
            await caller.come_back(answered=told)
        case "meanwhile":
            life.spoken.append("(meanwhile, elsewhere: " + ", ".join(f"{k} {v}" for k, v in told.items()) + ")")
            await take(life, told)
        case _:
            raise AssertionError(f"{life.life.path.name}: a call knows no {verb}")


async def _page(life: Living, acts: Told, _: dict[str, Told]) -> None:
    """Visit the page behind the link: enter, open a way, send a form, choose a language."""
    ((case_id,),) = life.rows("select case_id from cases where state = 'open' order by opened_at limit 1")
    visitor = life.visitor = life.visitor or Visitor(life.app, life.house, case_id)
    life.spoken.append(f"-- a visit to the page, {_local(life)}")
    for act in acts:
        ((verb, told),) = act.items()
        match verb:
            case "open":
                await visitor.open(**told) if isinstance(told, dict) else await visitor.open(told or "")
            case "enter":
                await _enter(life, visitor, told or {})
            case "send":
                await visitor.send(told.pop("form", 0), **told)
            case _:
                raise AssertionError(f"{life.life.path.name}: a page knows no {verb}")
        life.spoken.append(f"[{verb} {told if told not in (None, '') else ''}]".replace(" ]", "]"))
        life.spoken += _main_of(visitor.page.text)


async def _enter(life: Living, visitor: Visitor, answers: dict[str, str]) -> None:
    row = life.life.row()
    right = {"birth_year": str(row["birth_year"]), "postcode": row["postcode"] or "", "account_last4": "4821"}
    await visitor.open()
    asked = {name: right[name] for name in re.findall(r'<input id="(\w+)" name', visitor.page.text)}
    await visitor.send(**(asked | {name: str(value) for name, value in answers.items()}))


_BLOCK = re.compile(
    r"</?(?:p|li|h\d|tr|dt|dd|button|label|legend|option|ul|table|div|section|main|form|details)\b[^>]*>"
)


def _main_of(page: str) -> list[str]:
    """Return what a page says, a line a block."""
    inner = page.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    inner = re.sub(r"<select.*?</select>", "", inner, flags=re.DOTALL)
    lines = (html.unescape(re.sub(r"<[^>]+>", " ", each)) for each in _BLOCK.split(inner))
    return [f"  {' '.join(line.split())}" for line in lines if line.strip()]


def _plain(words: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", words)).split())


def _local(life: Living) -> str:
    at = clock_of(life.house).instant.astimezone(life.life.begins.tzinfo)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


async def _unsubscribe(life: Living, _: Told, __: dict[str, Told]) -> None:
    token = life.rows("select token from attempt where channel = 'email' order by started_at desc limit 1")[0][0]
    answer = await life.client.post(f"/v1/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.is_success


async def _receipt(life: Living, told: Told, step: dict[str, Told]) -> None:
    """Post news about the latest attempt of a channel, as often and in whatever order the scenario says."""
    told = dict(told)
    channel = told.pop("of")
    query = "select token, provider_ref from attempt where channel = %s order by started_at desc limit 1"
    token, reference = life.rows(query, channel)[0]
    for _ in range(2 if step.get("twice") else 1):
        key = f"{token}-{told['status']}"
        await life.tell(channel, dedupe_key=key, provider_ref=reference or f"late-{token[:6]}", token=token, **told)


async def _carrier(life: Living, told: Told, _: dict[str, Told]) -> None:
    for channel, manner in told.items():
        life.carrier(channel).manner = manner
        assert manner in ENDINGS or manner in {"fine", "found"}, f"{life.life.path.name}: no carrier is {manner}"


async def _delivers(life: Living, told: Told, _: dict[str, Told]) -> None:
    life.news |= told


async def _campaign(life: Living, told: Told, _: dict[str, Told]) -> None:
    ((verb, name),) = told.items()
    match verb:
        case "start":
            await campaigns.start(life.house, _configured(life, name))
        case "pause":
            await campaigns.pause(life.house, name)
        case "resume":
            await campaigns.resume(life.house, name)
        case "cancel":
            await campaigns.cancel(life.house, name)
        case _:
            raise AssertionError(f"{life.life.path.name}: a campaign knows no {verb}")


def _configured(life: Living, name: str) -> Campaign:
    campaign = load_campaigns(ROOT / "config" / "campaigns")[name]
    holdout = life.life.campaigns.get(name, {}).get("holdout", 0)
    return replace(campaign, holdout=Decimal(holdout))


async def _operator(life: Living, told: Told, _: dict[str, Told]) -> None:
    match told:
        case {"cancels_plan": reason}:
            assert await cancel_on(life.house, "A-4821", "kim", reason)
        case {"pauses": scope, "because": reason}:
            await switches.pause(life.house, _scope(scope), reason, "kim")
        case {"resumes": scope, "catch_up": how}:
            await switches.resume(life.house, _scope(scope), CatchUp(how), "kim")
        case _:
            raise AssertionError(f"{life.life.path.name}: an operator does no such thing: {told}")


def _scope(text: str) -> tuple[str, str]:
    scope, _, key = text.partition(":")
    return scope, key


_VERBS: dict[str, Callable[[Living, Told, dict[str, Told]], Awaitable[None]]] = {
    "carrier": _carrier, "delivers": _delivers, "event": _event, "missed": _missed, "due": _missed, "pays": _pays,
    "takes_back": _takes_back, "hold": _hold, "lift": _lift, "sms": _writes("sms"), "email": _writes("email"),
    "call": _call, "page": _page, "unsubscribe": _unsubscribe, "receipt": _receipt, "campaign": _campaign,
    "operator": _operator,
}  # fmt: skip
