"""What flows need from the outside, named by them: the store, the queue, the pacer and the clock."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from outreach.domain.book import BookEntry, Conflict
from outreach.domain.case import Case
from outreach.domain.enrollment import AudienceRow, ConditionRow, DueEnrollment, NewEnrollment
from outreach.domain.intake import AnsweredCall, Claimed, InboxRow, KnownAttempt, OpenDialogue
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewAttempt, NewTouch, Settlement, Touch, TouchMove
from outreach.domain.words import Level
from outreach.flows.aftercare_ports import AftercareTx
from outreach.flows.agreement_ports import AgreementTx
from outreach.flows.approval_ports import ApprovalTx
from outreach.flows.audit_ports import AuditTx
from outreach.flows.exchange_ports import ExchangeTx
from outreach.flows.line_ports import LineTx
from outreach.flows.mail_ports import MailTx
from outreach.flows.outgoing_ports import OutgoingTx
from outreach.flows.portal_ports import PortalTx
from outreach.flows.protection_ports import ProtectionTx
from outreach.flows.switch_ports import SwitchTx
from outreach.flows.task_ports import TaskTx
from outreach.policy.dossier import Dossier

Row = tuple[Any, ...]


class Clock(Protocol):
    """Business time and machine time; see outreach.clock."""

    @property
    def stepped(self) -> bool:
        """Whether business time only moves when somebody steps it."""
        ...

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        ...

    def real(self) -> datetime:
        """Return the machine's own instant, aware UTC."""
        ...


class Queue(Protocol):
    """The lanes. Carries ids only; losing an entry costs time, never work."""

    async def dispatch(self, channel: str, touches: Sequence[UUID], *, level: Level = Level.BULK) -> None:
        """Put touches into the lane of a channel, on one of its levels."""
        ...

    async def intake(self, kind: str, inbox: Sequence[UUID]) -> None:
        """Put stored news into the intake lane; ``kind`` is receipt or reply."""
        ...


class Pacer(Protocol):
    """How fast a lane may go."""

    async def take(self, channel: str, wanted: int) -> int:
        """Return how many of ``wanted`` may leave now (may wait a moment first)."""
        ...

    def concurrency(self, channel: str) -> int:
        """Return how many sends may run at once."""
        ...

    def per_second(self, channel: str) -> float | None:
        """Return how many touches a second the channel's sender takes in the long run; None: as many as come."""
        ...

    async def close(self) -> None:
        """Give up what it keeps open."""
        ...


class Store(Protocol):
    """The one store of truth."""

    def transaction(self) -> "AbstractAsyncContextManager[Tx]":
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        ...


class Tx(
    SwitchTx,
    AftercareTx,
    AuditTx,
    ApprovalTx,
    AgreementTx,
    ExchangeTx,
    LineTx,
    MailTx,
    OutgoingTx,
    PortalTx,
    ProtectionTx,
    TaskTx,
    Protocol,
):
    """What one transaction can read and write. Meanings: outreach.store."""

    # dispatching
    async def lock_borrowers_of(self, touches: Sequence[UUID]) -> list[UUID]:
        """Lock the borrowers of queued touches, and whoever shares a number with them, in id order."""
        ...

    async def lock_borrowers(self, borrowers: Sequence[UUID]) -> list[UUID]:
        """Lock borrowers (and sharers of their numbers) in id order; returns the borrowers that were asked for."""
        ...

    async def queued_touches(self, touches: Sequence[UUID], channel: str) -> list[Touch]:
        """Read the touches that are still ours to send on ``channel``, most important first, and lock them."""
        ...

    async def dossiers(
        self, borrowers: Sequence[UUID], *, at: datetime, since: datetime, until: datetime | None = None
    ) -> dict[UUID, Dossier]:
        """Read everything the gate may use about ``borrowers`` that was known ``until`` then, else at ``at``."""
        ...

    async def has_consents(self, borrower_id: UUID, channel: str) -> bool:
        """Tell whether the ledger says anything of a borrower and ``channel``."""
        ...

    async def last_texts(self, borrowers: Sequence[UUID], since: datetime) -> list[Row]:
        """Return (borrower, point, last by WhatsApp or None, last at all) of those who wrote a text after ``since``."""
        ...

    async def cases(self, cases: Iterable[UUID]) -> dict[UUID, Case]:
        """Read cases with their accounts."""
        ...

    async def server_clock(self) -> datetime:
        """Read the database's own time, to compare clocks."""
        ...

    async def insert_decisions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store decisions with the facts they were made from."""
        ...

    async def insert_attempts(self, rows: Sequence[NewAttempt]) -> None:
        """Store attempts as started: from here on they count toward caps."""
        ...

    async def insert_touches(self, rows: Sequence[NewTouch]) -> None:
        """Store planned touches."""
        ...

    async def move_touches(self, rows: Sequence[TouchMove]) -> None:
        """Change the state of touches that are locked by this transaction."""
        ...

    async def release_queued(self, touches: Sequence[UUID], not_before: datetime, reason: str) -> None:
        """Put queued touches back to planned."""
        ...

    async def settle_attempts(self, rows: Sequence[Settlement]) -> dict[UUID, str]:
        """Record how attempts ended; never moves one backwards. Returns the state each now has."""
        ...

    async def withdraw_returned(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Call off touches that came back while what planned them was paused or stopped.

        Returns (touch, case, step, channel, state, reason) of those it called off.
        """
        ...

    async def mark_points(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Demote contact points (invalid, wrong party ...)."""
        ...

    async def points_at(self, value: str) -> list[Row]:
        """Return (contact point, borrower, kind, state, created at) of everyone who has a number or mailbox."""
        ...

    async def update_points(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Change what is known of contact points: label, state with its reason, confirmed; None keeps it."""
        ...

    async def confirm_points(self, borrower_id: UUID, value: str, at: datetime) -> list[UUID]:
        """Note that a borrower has used a number or mailbox; returns those that were not confirmed before."""
        ...

    async def insert_suppressions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Record refusals."""
        ...

    async def use_permissions(self, borrowers: Sequence[UUID], kind: str, at: datetime) -> None:
        """Mark one-time permissions as used."""
        ...

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append to the timelines of the entries' cases: locks the heads, chains, writes."""
        ...

    # scheduling
    async def claim_enrollments(self, now: datetime, limit: int) -> list[DueEnrollment]:
        """Lock up to ``limit`` enrollments whose next step is due: the prompt ones if there are any, earliest first."""
        ...

    async def advance_enrollments(self, rows: Sequence[dict[str, Any]]) -> None:
        """Move claimed enrollments to their next step, or end them."""
        ...

    async def condition_rows(self, cases: Iterable[UUID]) -> dict[UUID, ConditionRow]:
        """Read what conditions may ask about ``cases``."""
        ...

    async def audience_page(self, after: UUID, limit: int, now: datetime) -> list[AudienceRow]:
        """Read one page of open cases behind ``after`` in id order."""
        ...

    async def claim_ready(self, now: datetime, lease_until: datetime, rooms: Sequence[dict[str, Any]]) -> list[Claimed]:
        """Lease touches whose time has come: as many of each channel and level as ``rooms`` says there is room for."""
        ...

    async def claim_lost(self, real: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
        """Lease again what was queued and never picked up."""
        ...

    async def claim_stranded(self, before: datetime, limit: int) -> list[Row]:
        """Lock attempts that were started before ``before`` (real time) and never settled."""
        ...

    async def claim_lookups(self, real: datetime, limit: int) -> list[Row]:
        """Lock attempts of unknown outcome, then those without news, that are due to be looked up."""
        ...

    async def postpone_lookups(self, rows: Sequence[dict[str, Any]]) -> None:
        """Set when an unknown attempt is looked up next (None: no more)."""
        ...

    async def addresses(self, points: Iterable[UUID]) -> dict[UUID, str]:
        """Read the numbers and mailboxes behind contact points."""
        ...

    async def touch_states(self, touches: Iterable[UUID]) -> dict[UUID, Row]:
        """Lock touches and read (touch_id, state, fallback, tries, expires_at)."""
        ...

    async def expire_touches(self, now: datetime, limit: int) -> list[Row]:
        """Close touches whose time has passed; returns (touch, case, step, template)."""
        ...

    async def next_instant(self) -> datetime | None:
        """Return the next moment at which anything falls due, or None."""
        ...

    async def unfinished(self, now: datetime) -> int:
        """Count work that is under way or due right now; 0 means the system is idle."""
        ...

    async def insert_enrollments(self, rows: Sequence[NewEnrollment]) -> set[UUID]:
        """Enrol cases; returns the cases that were not already enrolled for the same cause."""
        ...

    async def latest_enrollments(self, cases: Iterable[UUID], plan: str) -> dict[UUID, Row]:
        """Return per case its newest enrollment on ``plan``: (case, enrollment, state, trigger key, created at)."""
        ...

    async def stop_enrollments(
        self, cases: Iterable[UUID], plans: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Stop live enrollments of ``cases`` on ``plans``; returns (enrollment, case, plan, cause)."""
        ...

    async def stop_enrollments_of_causes(
        self, case_id: UUID, causes: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Stop what a case was enrolled for by these causes; returns (enrollment, case, plan, cause)."""
        ...

    async def cancel_touches_of_enrollments(
        self, borrowers: Iterable[UUID], enrollments: Iterable[UUID], reason: str, at: datetime
    ) -> list[Row]:
        """Cancel what has not started of ``enrollments``; returns (touch, case, step, channel)."""
        ...

    async def cancel_touches(
        self, cases: Iterable[UUID], purposes: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Cancel what has not started of ``cases`` for ``purposes``; returns (touch, case, step, channel)."""
        ...

    async def keep_plan_version(self, version: str, name: str, body: dict[str, Any], at: datetime) -> None:
        """Store a plan version once, so that running enrollments can stay on it."""
        ...

    async def plan_bodies(self, versions: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Read stored plan versions: version -> (name, body)."""
        ...

    async def keep_policy_version(self, version: str, body: str, at: datetime) -> None:
        """Store a policy version once, so that its decisions can be replayed. ``body`` is its canonical JSON."""
        ...

    async def policy_body(self, version: str) -> str | None:
        """Read a stored policy version."""
        ...

    async def due_campaigns(self, now: datetime) -> list[Row]:
        """Lock campaigns whose run is due: (id, name, plan, spec, next_run_at, when its state changed)."""
        ...

    async def campaign_ran(self, campaign_id: UUID, now: datetime, next_run_at: datetime | None, state: str) -> None:
        """Record a campaign's run and when it runs next."""
        ...

    async def campaign_slots(
        self, campaigns: Iterable[UUID]
    ) -> dict[UUID, tuple[datetime | None, date | None, int, dict[str, Any]]]:
        """Lock campaigns and read their throughput state: next free slot, day, touches on that day, spec."""
        ...

    async def move_campaign_slots(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write back the throughput state of locked campaigns."""
        ...

    # receiving
    async def insert_inbox(self, rows: Sequence[dict[str, Any]]) -> dict[str, UUID]:
        """Store what is new; returns dedupe key -> id of the rows that were not known yet."""
        ...

    async def claim_inbox(self, inbox: Sequence[UUID]) -> list[InboxRow]:
        """Lock the rows that are still to be applied."""
        ...

    async def due_inbox(self, real: datetime, limit: int) -> list[Row]:
        """Return (id, kind) of rows whose wake-up is due or was lost."""
        ...

    async def lease_inbox(self, inbox: Sequence[UUID], until: datetime) -> None:
        """Do not look at these rows again before ``until`` (real time)."""
        ...

    async def close_inbox(self, rows: Sequence[dict[str, Any]]) -> None:
        """Move inbox rows to applied or parked, or keep them new with a retry time."""
        ...

    async def attempts_by_news(self, tokens: Iterable[str], refs: Iterable[str]) -> list[KnownAttempt]:
        """Lock the attempts that receipts speak of."""
        ...

    async def apply_news(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Write merged outcomes."""
        ...

    async def touches_of_attempts(self, touches: Iterable[UUID]) -> dict[UUID, str]:
        """Lock touches and return their states."""
        ...

    async def owners_of_address(self, value: str) -> list[Row]:
        """Return (borrower, contact point, last attempt at, state) of everyone who has or had a number or mailbox."""
        ...

    async def attempt_by_token(self, token: str) -> Row | None:
        """Return the attempt a callback's token names: (attempt, touch, case, borrower, point, ...)."""
        ...

    async def attempt_by_reference(self, reference: str, attempt_id: UUID | None) -> Row | None:
        """Return what ``attempt_by_token`` does, of the attempt with this provider's reference or this id."""
        ...

    async def last_attempt(self, borrower_id: UUID, channel: str, since: datetime) -> Row | None:
        """Return (case, creditor, point) of what we last wrote to this borrower about."""
        ...

    async def open_case_of(self, borrower_id: UUID) -> UUID | None:
        """Return the borrower's oldest open case."""
        ...

    async def insert_reply(self, row: dict[str, Any]) -> None:
        """Store a reply with its reading."""
        ...

    async def open_dialogue(self, borrower_id: UUID, surface: str) -> OpenDialogue | None:
        """Lock the borrower's open dialogue on a surface."""
        ...

    async def unfinished_call(self, borrower_id: UUID, since: datetime) -> OpenDialogue | None:
        """Lock the borrower's last call that broke off after ``since`` while an offer or a question was open."""
        ...

    async def save_dialogue(self, values: dict[str, Any]) -> None:
        """Insert or update a dialogue."""
        ...

    async def close_dialogues(self, borrower_id: UUID, outcome: str, at: datetime) -> list[Row]:
        """Close every open dialogue of a borrower; returns (dialogue, case, kind)."""
        ...

    async def expire_dialogues(self, now: datetime, limit: int) -> list[Row]:
        """Close dialogues that waited too long; returns (dialogue, case, kind, state)."""
        ...

    async def insert_holds(self, rows: Sequence[dict[str, Any]]) -> None:
        """Place holds."""
        ...

    async def lift_holds(self, borrower_id: UUID, case_id: UUID | None, kind: str, at: datetime) -> int:
        """Lift holds of one kind; returns how many."""
        ...

    async def insert_consents(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append to the consent ledger."""
        ...

    async def lift_suppressions(
        self, borrower_id: UUID, channels: Sequence[str], reason: str, before: datetime, at: datetime
    ) -> int:
        """Lift suppressions on ``channels`` for one reason that began at or before ``before``; returns how many."""
        ...

    async def lift_refusals(
        self,
        borrower_id: UUID,
        channels: Sequence[str],
        point: UUID | None,
        creditor_id: str | None,
        before: datetime,
        at: datetime,
    ) -> list[Row]:
        """Lift what a person refused on ``channels`` up to ``before``, as far as it bears on a point and a programme.

        Returns (channel, reason, since, contact point, creditor) of each refusal that was lifted.
        """
        ...

    async def lift_broad_refusals(self, borrower_id: UUID, at: datetime) -> list[Row]:
        """Lift what a person refused about every programme; returns what ``lift_refusals`` does."""
        ...

    async def creditors_of(self, borrower_id: UUID) -> list[str]:
        """Return the creditors a borrower owes."""
        ...

    async def locate_borrower(
        self, borrower_id: UUID, jurisdictions: Sequence[str], zones: Sequence[str], at: datetime
    ) -> bool:
        """Record where a borrower says to be; False when something newer is known."""
        ...

    async def accounts_of(self, refs: Iterable[str]) -> dict[str, Row]:
        """Return per account reference (reference, account, borrower, creditor)."""
        ...

    async def insert_recorded(self, rows: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
        """Store contacts that others made; returns (maker, identifier) of those that are new or moved forward."""
        ...

    async def insert_permission(self, values: dict[str, Any]) -> None:
        """Record evidence that lifts one named rule for a while."""
        ...

    async def insert_personal_window(self, values: dict[str, Any]) -> None:
        """Record times the borrower named."""
        ...

    async def cancel_open_touches(
        self,
        borrowers: Sequence[UUID],
        *,
        channels: Sequence[str] | None,
        case_id: UUID | None,
        keep: Sequence[str],
        reason: str,
        at: datetime,
    ) -> list[Row]:
        """Cancel what has not started; returns (touch, case, step, channel). ``keep`` are purposes left alone."""
        ...

    async def insert_task(self, values: dict[str, Any]) -> None:
        """Hand something to a person."""
        ...

    async def live_arrangements(self, cases: Iterable[UUID]) -> dict[UUID, Row]:
        """Return per case its live arrangement: (case, arrangement, state, frequency, total_minor, currency)."""
        ...

    async def installments(self, arrangements: Iterable[UUID]) -> dict[UUID, list[tuple[int, date, int, int]]]:
        """Return per arrangement its installments: (no, due_on, amount_minor, paid_minor)."""
        ...

    async def live_promises(self, cases: Iterable[UUID]) -> dict[UUID, Row]:
        """Return per case its open promise: (case, promise, amount_minor, currency, due_on, paid_minor)."""
        ...

    async def move_arrangement(self, arrangement_id: UUID, state: str, ended_at: datetime | None) -> None:
        """Change an arrangement's state."""
        ...

    async def pay_installments(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write what has been paid of installments."""
        ...

    async def move_promise(self, promise_id: UUID, state: str, paid_minor: int, ended_at: datetime | None) -> None:
        """Change a promise's state."""
        ...

    async def borrowers_of_cases(self, cases: Iterable[UUID]) -> list[UUID]:
        """Return the borrowers of cases."""
        ...

    async def insert_events(self, rows: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
        """Store events; returns (source, id) of those that were not known yet."""
        ...

    async def cases_by_account(self, accounts: Iterable[str]) -> dict[str, tuple[UUID, UUID]]:
        """Return per account reference (case, borrower)."""
        ...

    async def borrowers_by_ref(self, refs: Iterable[str]) -> dict[str, UUID]:
        """Return per borrower reference its id."""
        ...

    async def save_cases(self, cases: Sequence[Case], at: datetime) -> None:
        """Write back what is owed on cases and whether they are open."""
        ...

    async def put_book_entries(self, entries: Sequence[BookEntry], at: datetime) -> list[Conflict]:
        """Take in borrowers with their accounts, as an import does; returns what contradicts the store."""
        ...

    async def open_case(self, case_id: UUID, account: str, at: datetime) -> tuple[UUID, UUID] | None:
        """Open a case on a known account; None when one is open or the account is unknown."""
        ...

    async def insert_payment(self, values: dict[str, Any]) -> bool:
        """Store a payment once; False when it is known."""
        ...

    async def reverse_payment(self, source: str, external_id: str, at: datetime) -> Row | None:
        """Mark a payment as reversed; returns (case, amount_minor), None when unknown or already reversed."""
        ...

    async def notify_due(self) -> None:
        """Wake the schedulers when this transaction commits."""
        ...

    async def open_cases_of(self, borrower_id: UUID) -> list[UUID]:
        """Return the borrower's open cases."""
        ...

    async def answered_call(self, token: str, since: datetime) -> AnsweredCall | None:
        """Return the call a token names, unless it was placed before ``since``."""
        ...

    async def caller(
        self, call: AnsweredCall, *, at: datetime, since: datetime, broken_since: datetime
    ) -> tuple[Dossier, Case, Row | None, Row | None, OpenDialogue | None, list[OpenDialogue]]:
        """Lock the borrower of a call, then read what its turn is decided by.

        Returns their dossier, the case, its live arrangement and background, the call's dialogue (ended or not), and
        what they have begun by text and by email.
        """
        ...

    async def close_surface(self, borrower_id: UUID, surface: str, outcome: str, at: datetime) -> None:
        """Close what is still open of a borrower on one surface."""
        ...

    async def raise_outcome(self, attempt_id: UUID, outcome: str, rank: int, at: datetime) -> None:
        """Record what a call itself learned, unless something of a higher rank is known already."""
        ...

    async def tasks_of_case(self, case_id: UUID) -> list[Row]:
        """Return what was handed to people: (task, kind, opened_at, due_at, closed_at, detail)."""
        ...

    # operating
    async def open_alert(self, kind: str, subject: str, detail: str, at: datetime) -> None:
        """Tell an operator, once per kind and subject until it is closed."""
        ...

    async def open_alerts(self) -> list[Row]:
        """Return open alerts: (kind, subject, detail, opened_at)."""
        ...

    async def close_alerts(self, subject: str, at: datetime) -> int:
        """Close the alerts about ``subject``."""
        ...

    async def lock_attempts(self, attempts: Sequence[UUID]) -> None:
        """Lock attempts in id order, so that settlement and receipts never wait for each other in a circle."""
        ...

    async def insert_campaign(
        self, campaign_id: UUID, name: str, plan: str, spec: dict[str, Any], next_run_at: datetime, at: datetime
    ) -> UUID | None:
        """Store a running campaign; None when one of that name is live."""
        ...

    async def campaigns(self, name: str | None = None) -> list[Row]:
        """List campaigns with counts; ``name`` (or id) narrows to one."""
        ...

    async def campaign_outcomes(self, campaign_id: UUID) -> list[Row]:
        """Return (channel, state, reason, touches) of one campaign."""
        ...

    async def move_campaign(self, name: str, to: str, allowed: Iterable[str], at: datetime) -> UUID | None:
        """Change a campaign's state; None when there is none in an allowed state."""
        ...

    async def pause_enrollments(self, campaign_id: UUID) -> int:
        """Pause the active enrollments of a campaign."""
        ...

    async def resume_enrollments(self, campaign_id: UUID) -> int:
        """Make the paused enrollments of a campaign active again."""
        ...

    async def cancel_enrollments(self, campaign_id: UUID, at: datetime) -> int:
        """Stop the live enrollments of a campaign."""
        ...

    async def pause_touches(self, campaign_id: UUID) -> int:
        """Take the campaign's waiting touches out of their lanes."""
        ...

    async def resume_touches(self, campaign_id: UUID, at: datetime) -> int:
        """Put the campaign's paused touches back to planned."""
        ...

    async def cancel_campaign_touches(self, campaign_id: UUID, at: datetime) -> list[Row]:
        """Cancel what has not started; returns (touch, case, step, channel)."""
        ...

    async def health(self) -> Row:
        """Return counts: waiting, queued, started, unknown, inbox new, inbox parked, tasks, active enrollments."""
        ...

    async def unknown_attempts(self) -> list[Row]:
        """Return (attempt, case, channel, started_at, lookups, next look-up) of attempts of unknown outcome."""
        ...

    async def tallies(self) -> list[Row]:
        """Return (channel, state, reason, touches) over everything."""
        ...

    async def attempt_tallies(self) -> list[Row]:
        """Return (channel, outcome, attempts) over everything."""
        ...

    # casebook
    async def find_case(self, ref: str) -> UUID | None:
        """Return the case that a case id, account reference or borrower reference names."""
        ...

    async def story(self, case_id: UUID) -> list[Row]:
        """Return the timeline: (seq, at, kind, data as the exact text that was hashed, prev_hash, hash)."""
        ...

    async def attempt_texts(self, case_id: UUID) -> dict[UUID, Row]:
        """Return what left, by attempt: (id, channel, subject, body, outcome, anomaly, segments, ref, locale)."""
        ...

    async def reply_texts(self, case_id: UUID) -> dict[UUID, Row]:
        """Return what the borrower answered, by reply: (id, channel, body, intent, confidence, received_at)."""
        ...

    async def decisions_of_case(self, case_id: UUID) -> list[Row]:
        """Return (decision, at, verdict, until, policy version, channel, reasons)."""
        ...

    async def decision(self, decision_id: UUID) -> Row | None:
        """Return one decision with the facts it was made from, as stored text."""
        ...

    async def touches_of_case(self, case_id: UUID) -> list[Row]:
        """Return (touch, state, channel, template, due_at, not_before, reason)."""
        ...

    async def counts(self) -> Row:
        """Return counts of the whole book; see the query for their order."""
        ...

    def ledger(self, since: datetime | None, until: datetime | None) -> AsyncIterator[Row]:
        """Stream the ledger through a server-side cursor: constant memory, whatever its length."""
        ...

    def chains(self) -> AsyncIterator[Row]:
        """Stream every timeline entry in case and sequence order."""
        ...
