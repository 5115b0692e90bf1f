"""The house as a flow sees it: its clock, its store, its rules, its words and its channels, wired by bootstrap."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any

import tenacity

from channels.contract import Channel
from outreach.domain.creditor import Creditor
from outreach.domain.escalation import EscalationRule
from outreach.domain.plan import Plan, plan_content
from outreach.domain.portal import Portal
from outreach.domain.protection import Protection
from outreach.domain.refusal_config import RefusalRules
from outreach.domain.tasks import TaskRules
from outreach.flows.approvals import Approvals
from outreach.flows.pacing import Line
from outreach.flows.ports import Clock, Pacer, Queue, Store
from outreach.flows.reply_rules import ReplyRules
from outreach.policy.decision import Decision
from outreach.policy.facts import Facts
from outreach.policy.gate import decide
from outreach.policy.policy import Policy
from outreach.rendering.render import Renderer


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the exchange log is kept: for how long (None: not at all), and the key of its digests.

    Without a key of its own a process makes one up: its digests then compare with nothing but each other.
    """

    keep: timedelta | None = timedelta(days=90)
    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)


@dataclass(frozen=True, slots=True)
class House:
    """Everything a use case may reach. One per process.

    ``lease`` is how long a queued touch may wait for its lane before it is queued again. An attempt that was started
    ``stranded_after`` ago and is not settled has lost its process; more than any send takes. Both are real time.
    ``portal`` None: borrowers have no page of their own. ``lines``: by channel, how many calls may be in progress.
    """

    clock: Clock
    store: Store
    queue: Queue
    pacer: Pacer
    policy: Policy
    renderer: Renderer
    channels: Mapping[str, Channel]
    plans: Mapping[str, Plan]
    creditors: Mapping[str, Creditor]
    replies: ReplyRules
    close: Callable[[], Awaitable[None]]
    public_url: str
    mode: str
    is_store_away: Callable[[BaseException], bool]
    lease: timedelta = timedelta(seconds=60)
    stranded_after: timedelta = timedelta(seconds=120)
    refusals: RefusalRules = field(default_factory=RefusalRules)
    escalations: tuple[EscalationRule, ...] = ()
    approvals: Approvals = field(default_factory=Approvals)
    protection: Protection = field(default_factory=Protection)
    portal: Portal | None = None
    tasks: TaskRules = field(default_factory=TaskRules)
    lines: Mapping[str, Line] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)

    def decide(self, facts: Facts, at: datetime) -> Decision:
        """Ask the gate (promise 1: nothing leaves any other way)."""
        return decide(facts, self.policy, at)

    def creditor(self, creditor_id: str) -> Creditor:
        """Return whose debt it is. Raises KeyError for a creditor that no configuration names."""
        return self.creditors[creditor_id]

    def plan_body(self, plan: Plan) -> dict[str, Any]:
        """Return a plan as it is stored, so that an enrollment can stay on it."""
        return plan_content(plan)

    def retry_store(self) -> AsyncIterator[Any]:
        """Iterate attempts at a write that is safe to repeat, while the store is away (restart, fail-over)."""
        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(self.is_store_away),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=3),
            stop=tenacity.stop_after_delay(60),
            reraise=True,
        ).__aiter__()
