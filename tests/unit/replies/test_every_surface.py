"""The shipped dialogues under borrowers who say anything, on four surfaces: bounded, silent after a stop, discreet."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from outreach.domain.arrangement import ArrangementPolicy, Offer, schedule
from outreach.domain.arrangement_policy import load_arrangement_policies
from outreach.domain.money import Money
from outreach.replies.dialogue import advance, move, respond, start
from outreach.replies.dialogue_config import CONFIG, load_dialogues
from outreach.replies.dialogue_spec import DialogueFacts, DialogueState, Effect, EffectKind, Step
from outreach.replies.reading import Intent, Reading

DIALOGUES = load_dialogues()
POLICIES = load_arrangement_policies(CONFIG.parent / "arrangements.yaml")
TODAY = date(2027, 3, 1)

NEUTRAL = {None, "identity", "identity_retry", "identity_failed", "wrong_party_ack", "stop_confirmation", "goodbye",
           "hardship_ack", "dispute_ack"}  # fmt: skip
"""What may be said on a call to somebody whom nobody has identified: nothing of an account, an amount or a date."""

AGREES = {EffectKind.PROPOSE_ARRANGEMENT, EffectKind.CONFIRM_ARRANGEMENT, EffectKind.CHANGE_ARRANGEMENT,
          EffectKind.CANCEL_ARRANGEMENT, EffectKind.RECORD_PROMISE, EffectKind.GRANT_EXTENSION}  # fmt: skip
DISCLOSES = AGREES | {EffectKind.SEND_TEXT, EffectKind.CONNECT_AGENT, EffectKind.OPEN_DIALOGUE}

sensible = st.sampled_from([
    Reading(Intent.INSTALLMENTS, 0.9), Reading(Intent.CHOOSE_OPTION, 0.9, choice=1),
    Reading(Intent.CHOOSE_OPTION, 0.9, choice=2), Reading(Intent.CONFIRM_YES, 0.9), Reading(Intent.CONFIRM_YES, 0.9),
    Reading(Intent.PROMISE_TO_PAY, 0.9, on=TODAY + timedelta(days=4)), Reading(Intent.CONFIRM_NO, 0.9),
])  # fmt: skip
"""What somebody says who wants to agree on something: without them few random talks get as far as a yes."""

anything = st.builds(
    lambda intent, also, choice, minor, ahead, count, sure: Reading(
        intent, sure, also, choice, minor, None, None if ahead is None else TODAY + timedelta(days=ahead), count,
        must_stop=Intent.STOP in (intent, *also), stop_channels=("sms",) if Intent.STOP in (intent, *also) else (),
    ),
    st.sampled_from(Intent),
    st.lists(st.sampled_from(Intent), max_size=2).map(tuple),
    st.none() | st.integers(-1, 9),
    st.none() | st.integers(1, 60_000),
    st.none() | st.integers(-40, 90),
    st.none() | st.integers(1, 60),
    st.sampled_from([0.2, 0.5, 0.9]),
)  # fmt: skip


readings = sensible | sensible | anything


class Conversations(RuleBasedStateMachine):
    """One borrower, one open dialogue at most, any words in any order, on a surface that changes meanwhile."""

    @initialize(
        policy=st.sampled_from(POLICIES),
        surface=st.sampled_from(["sms", "email", "portal", "ivr"]),
        part=st.integers(0, 100),
    )
    def begin(self, policy: ArrangementPolicy, surface: str, part: int) -> None:
        self.policy = policy
        minor = policy.min_due_minor + (policy.max_due_minor - policy.min_due_minor) * part // 100
        self.facts = DialogueFacts(
            Money(minor, policy.currency), 10, "loan", TODAY, policy, surface, due_on=TODAY - timedelta(days=10)
        )
        self.state: DialogueState | None = None
        self.turns = 0
        self.read_back: Offer | None = None
        if surface == "ivr":
            self.take(start(DIALOGUES, "call", self.facts))

    def take(self, step: Step) -> None:
        before = self.state
        same = before is not None and before.open and before.kind == step.state.kind
        self.turns = self.turns + 1 if same else 0
        self.state = step.state
        self.check_offer(step)
        if not step.state.identified:
            assert step.say in NEUTRAL
            assert not {each.kind for each in step.effects} & DISCLOSES

    def check_offer(self, step: Step) -> None:
        for effect in step.effects:
            if effect.kind is EffectKind.CONFIRM_ARRANGEMENT:
                assert effect.offer == self.read_back, "only what was read back is ever confirmed"
                self.within_bounds(effect)
            if effect.kind is EffectKind.PROPOSE_ARRANGEMENT:
                self.within_bounds(effect)
                self.read_back = effect.offer

    def within_bounds(self, effect: Effect) -> None:
        assert effect.offer is not None
        parts = schedule(effect.offer)
        assert sum(part.amount.minor for part in parts) == self.facts.amount_due.minor + self.policy.fee_minor
        assert min(part.amount.minor for part in parts) >= self.policy.minimum_minor
        assert [part.due_on for part in parts] == sorted({part.due_on for part in parts})
        assert self.facts.today <= parts[0].due_on
        assert parts[-1].due_on <= self.facts.today + timedelta(days=self.policy.max_length_days)

    @precondition(lambda self: self.facts.surface != "ivr" or (self.state is not None and self.state.open))
    @rule(reading=readings, identity=st.sampled_from([None, False, False, True]))
    def answer(self, reading: Reading, identity: bool | None) -> None:
        money = replace(reading, currency=self.facts.amount_due.currency if reading.amount_minor else None)
        before = self.state if self.state and self.state.open else None
        asked = before is not None and not before.identified
        step = respond(DIALOGUES, before, money, replace(self.facts, identity_ok=identity if asked else None))
        kinds = [each.kind for each in step.effects]
        if money.must_stop:
            assert kinds[0] is EffectKind.SUPPRESS
            assert not set(kinds) & AGREES
        if money.intent is Intent.STOP:
            assert not step.state.open
            assert step.say == "stop_confirmation"
        if EffectKind.VERIFY_IDENTITY in kinds:
            assert identity is True
        self.take(step)

    @precondition(lambda self: self.state is not None and not self.state.open)
    @rule(reading=readings)
    def an_ended_dialogue_says_nothing_more_by_itself(self, reading: Reading) -> None:
        assert self.state is not None
        again = advance(DIALOGUES, self.state, reading, self.facts)
        assert (again.state, again.say, again.effects) == (self.state, None, ())

    @precondition(lambda self: self.state is not None and self.state.open and self.state.identified)
    @rule(surface=st.sampled_from(["sms", "email", "portal"]), kind=st.sampled_from(sorted(DIALOGUES)))
    def go_on_elsewhere(self, surface: str, kind: str) -> None:
        assert self.state is not None
        moved = move(DIALOGUES, self.state, kind, surface)
        assume(moved is not None)
        self.state, self.turns = moved, 0
        self.facts = replace(self.facts, surface=surface)

    @rule(paid=st.integers(1, 99))
    def pay_a_part(self, paid: int) -> None:
        left = self.facts.amount_due.minor * (100 - paid) // 100
        fits = self.policy.min_due_minor <= left
        self.facts = replace(
            self.facts, amount_due=Money(left, self.facts.amount_due.currency), policy=self.policy if fits else None
        )

    @rule(days=st.integers(1, 9))
    def a_day_passes(self, days: int) -> None:
        self.facts = replace(self.facts, today=self.facts.today + timedelta(days=days))

    @invariant()
    def no_dialogue_outlives_its_turns(self) -> None:
        state = getattr(self, "state", None)
        if state is not None and state.open:
            assert state.turns < DIALOGUES[state.kind].max_turns
            assert self.turns <= DIALOGUES[state.kind].max_turns


TestConversations = Conversations.TestCase
TestConversations.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
