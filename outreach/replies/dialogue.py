"""The dialogue machine: where a conversation stands, what the borrower said -> what to do, what to say. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from outreach.domain.arrangement import ArrangementPolicy, Frequency, Offer, compute_offers, counter_offer
from outreach.domain.money import Money
from outreach.domain.promise import Promise, decide_promise
from outreach.replies.reading import ALL_CHANNELS, PAUSING, RANK, Awaiting, Intent, OpenOffer, Reading, ReplyContext

DONE, HANDED_OFF = "done", "handed_off"
"""The two ends every dialogue has."""


class EffectKind(StrEnum):
    """Everything a dialogue can ask for. There is nothing else it can do."""

    SUPPRESS = "suppress"
    RECORD_CONSENT = "record_consent"
    PLACE_HOLD = "place_hold"
    PROPOSE_ARRANGEMENT = "propose_arrangement"
    CONFIRM_ARRANGEMENT = "confirm_arrangement"
    RECORD_PROMISE = "record_promise"
    RECORD_PAYMENT_CLAIM = "record_payment_claim"
    MARK_WRONG_PARTY = "mark_wrong_party"
    OPEN_DIALOGUE = "open_dialogue"
    HAND_OFF = "hand_off"
    VERIFY_IDENTITY = "verify_identity"
    END_CALL = "end_call"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to do. ``detail`` is the hold's kind, the hand-off's reason or the other dialogue's kind."""

    kind: EffectKind
    detail: str | None = None
    channels: tuple[str, ...] = ()
    offer: Offer | None = None
    promise: Promise | None = None


class Guard(StrEnum):
    """What a transition may ask before it is taken."""

    ALWAYS = "always"
    OFFERS_EXIST = "offers_exist"
    OPTION_OPEN = "option_open"
    COUNTER_FITS = "counter_fits"
    COUNTER_ASKED = "counter_asked"
    PROMISE_FITS = "promise_fits"
    DATE_NAMED = "date_named"
    IDENTITY_OK = "identity_ok"
    TRIES_LEFT = "tries_left"


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """An effect as a file writes it."""

    kind: EffectKind
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """Where to go, what to say and do. ``to`` None stays; ``say`` None says nothing."""

    to: str | None = None
    when: Guard = Guard.ALWAYS
    say: str | None = None
    effects: tuple[EffectSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class StateSpec:
    """One state: what it waits for, the keys it promises, answers by intent, and what happens to any other answer."""

    awaiting: str | None
    on: Mapping[Intent, tuple[Transition, ...]]
    keys: Mapping[str, Intent]
    otherwise: tuple[Transition, ...] = ()
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class DialogueSpec:
    """One dialogue as its file defines it. ``aside`` answers without ending the dialogue that is open."""

    kind: str
    surfaces: frozenset[str]
    begins_on: frozenset[Intent]
    begin: tuple[Transition, ...]
    states: Mapping[str, StateSpec]
    max_turns: int
    max_misses: int
    time_out_hours: int
    identity_tries: int = 0
    aside: bool = False


Dialogues = Mapping[str, DialogueSpec]


@dataclass(frozen=True, slots=True)
class DialogueFacts:
    """What the machine may know. ``today`` is the borrower's local day; ``policy`` None: a person must decide.

    ``identity_ok`` is the outcome of checking this very answer (None: it was no identity answer).
    """

    amount_due: Money
    days_past_due: int
    product: str
    today: date
    policy: ArrangementPolicy | None
    surface: str = "sms"
    identity_ok: bool | None = None


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Where one conversation stands. Everything needed to go on later, on this surface or another."""

    kind: str
    surface: str
    state: str
    awaiting: str | None = None
    turns: int = 0
    misses: int = 0
    tries: int = 0
    identified: bool = True
    offers: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    promise: Promise | None = None
    keys: Mapping[str, Intent] | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state not in (DONE, HANDED_OFF)

    @property
    def context(self) -> ReplyContext:
        """What the reader must know to understand the next reply."""
        waits = Awaiting(self.awaiting) if self.awaiting in set(Awaiting) else None
        on_table = tuple(
            OpenOffer(each.option, each.count, each.regular.minor, each.total.currency) for each in self.offers
        )
        return ReplyContext(waits, on_table if waits is Awaiting.OFFER_CHOICE else (), self.keys or {})


@dataclass(frozen=True, slots=True)
class Step:
    """The machine's answer: the new standing, what to do in order, the template to say, and what is awaited next."""

    state: DialogueState
    effects: tuple[Effect, ...] = ()
    say: str | None = None

    @property
    def awaiting(self) -> str | None:
        """What the next answer is expected to be."""
        return self.state.awaiting


@dataclass(frozen=True, slots=True)
class _Turn:
    """One answer being worked on. ``offer`` and ``promise`` are what a guard found to fit."""

    spec: DialogueSpec
    before: DialogueState
    reading: Reading
    facts: DialogueFacts
    offers: tuple[Offer, ...] = ()
    offer: Offer | None = None
    promise: Promise | None = None


def respond(dialogues: Dialogues, dialogue: DialogueState | None, reading: Reading, facts: DialogueFacts) -> Step:
    """Take one reply: safety first, then the open dialogue, then the dialogue its intent begins.

    ``dialogue`` is the open one, or None. A reply that must stop always ends in suppression.
    """
    going = dialogue if dialogue and dialogue.open else None
    if going and not _expects(dialogues, going, reading) and (reading.must_stop or reading.intent in PAUSING):
        if not going.identified and reading.intent not in (Intent.STOP, Intent.WRONG_PARTY):
            return advance(dialogues, going, reading, facts)
        return start(dialogues, kind_for(dialogues, reading.intent, facts.surface), facts, reading)
    if going:
        aside = None if _expects(dialogues, going, reading) else _aside(dialogues, going, reading, facts)
        return aside or advance(dialogues, going, reading, facts)
    return start(dialogues, kind_for(dialogues, reading.intent, facts.surface), facts, reading)


def _expects(dialogues: Dialogues, going: DialogueState, reading: Reading) -> bool:
    spec = dialogues[going.kind].states[going.state]
    return reading.intent in spec.on


def _aside(dialogues: Dialogues, going: DialogueState, reading: Reading, facts: DialogueFacts) -> Step | None:
    """Answer a question in between without losing the thread."""
    kind = kind_for(dialogues, reading.intent, facts.surface)
    if not dialogues[kind].aside or not going.identified or kind == "unclear":
        return None
    if going.turns >= dialogues[going.kind].max_turns:
        return None
    answer = start(dialogues, kind, facts, reading)
    return Step(replace(going, turns=going.turns + 1), answer.effects, answer.say)


def kind_for(dialogues: Dialogues, intent: Intent, surface: str) -> str:
    """Return the dialogue that ``intent`` begins on ``surface``; ``unclear`` when none does."""
    fitting = (spec.kind for spec in dialogues.values() if intent in spec.begins_on and surface in spec.surfaces)
    return next(fitting, "unclear")


NO_READING = Reading(Intent.UNCLEAR, 0.0)


def start(dialogues: Dialogues, kind: str, facts: DialogueFacts, reading: Reading = NO_READING) -> Step:
    """Begin a dialogue. ``reading`` is the reply that began it, if any. Raises KeyError for an unknown kind."""
    spec = dialogues[kind]
    fresh = DialogueState(kind, facts.surface, "", identified=not spec.identity_tries)
    step = _take(spec.begin, _Turn(spec, fresh, reading, facts)) or _hand_over(fresh, "no_way_to_begin")
    effects = _with_safety(dialogues, step.effects, reading, kind, facts)
    if facts.surface == "ivr" and not step.state.open and not any(each.kind is EffectKind.END_CALL for each in effects):
        effects = (*effects, Effect(EffectKind.END_CALL))
    return replace(step, effects=effects)


def advance(dialogues: Dialogues, dialogue: DialogueState, reading: Reading, facts: DialogueFacts) -> Step:
    """Take one answer inside an open dialogue. An ended one stays as it is: nothing is said or done twice."""
    if not dialogue.open:
        return Step(dialogue)
    spec = dialogues[dialogue.kind]
    state = spec.states[dialogue.state]
    counted = replace(dialogue, turns=dialogue.turns + 1)
    if not dialogue.identified and facts.identity_ok is not True:
        counted = replace(counted, tries=counted.tries + 1)
    turn = _Turn(spec, counted, reading, facts)
    answers = state.on.get(reading.intent)
    step = _take(answers, turn) if answers else None
    if step is None:
        step = _take(state.otherwise, turn) or _miss(state, turn)
    if step.state.open and step.state.turns >= spec.max_turns:
        step = _hand_over(step.state, "too_many_turns", say=None)
    return replace(step, effects=_with_safety(dialogues, step.effects, reading, dialogue.kind, facts))


def _miss(state: StateSpec, turn: _Turn) -> Step:
    """Ask once more; the next miss goes to a person."""
    missed = replace(turn.before, misses=turn.before.misses + 1)
    if missed.misses > turn.spec.max_misses:
        return _hand_over(missed, "not_understood")
    return Step(missed, (), state.prompt)


def _hand_over(before: DialogueState, reason: str, say: str | None = None) -> Step:
    ended = replace(before, state=HANDED_OFF, awaiting=None, keys=None)
    effects = [Effect(EffectKind.HAND_OFF, reason)]
    if before.surface == "ivr":
        effects.append(Effect(EffectKind.END_CALL))
    return Step(ended, tuple(effects), say)


def _take(transitions: tuple[Transition, ...], turn: _Turn) -> Step | None:
    for transition in transitions:
        passed = _GUARDS[transition.when](turn)
        if passed:
            return _step(transition, passed)
    return None


def _step(transition: Transition, turn: _Turn) -> Step:
    to = transition.to or turn.before.state
    state = turn.spec.states.get(to)
    verified = any(spec.kind is EffectKind.VERIFY_IDENTITY for spec in transition.effects)
    after = replace(
        turn.before,
        state=to,
        awaiting=state.awaiting if state else None,
        keys=state.keys if state else None,
        identified=turn.before.identified or verified,
        offers=turn.offers or turn.before.offers,
        chosen=turn.offer or turn.before.chosen,
        promise=turn.promise or turn.before.promise,
    )
    effects = tuple(_effect(spec, after, turn) for spec in transition.effects)
    return Step(after, effects, transition.say)


def _effect(spec: EffectSpec, after: DialogueState, turn: _Turn) -> Effect:
    match spec.kind:
        case EffectKind.SUPPRESS:
            return Effect(spec.kind, spec.detail, channels=turn.reading.stop_channels or ALL_CHANNELS)
        case EffectKind.RECORD_CONSENT:
            return Effect(spec.kind, spec.detail, channels=(turn.facts.surface,))
        case EffectKind.PROPOSE_ARRANGEMENT | EffectKind.CONFIRM_ARRANGEMENT:
            return Effect(spec.kind, spec.detail, offer=after.chosen)
        case EffectKind.RECORD_PROMISE:
            return Effect(spec.kind, spec.detail, promise=after.promise)
        case _:
            return Effect(spec.kind, spec.detail)


def _with_safety(
    dialogues: Dialogues, effects: tuple[Effect, ...], reading: Reading, kind: str, facts: DialogueFacts
) -> tuple[Effect, ...]:
    """Add what the reply's other intents demand for safety, and suppression before anything else."""
    extra: list[Effect] = []
    for intent in sorted(set(reading.intents) & PAUSING, key=lambda each: RANK[each]):
        other = kind_for(dialogues, intent, facts.surface)
        if other in (kind, "unclear"):
            continue
        turn = _Turn(dialogues[other], DialogueState(other, facts.surface, ""), reading, facts)
        step = _take(dialogues[other].begin, turn)
        extra.extend(step.effects if step else ())
    if reading.must_stop and not any(each.kind is EffectKind.SUPPRESS for each in (*effects, *extra)):
        extra.insert(0, Effect(EffectKind.SUPPRESS, channels=reading.stop_channels or ALL_CHANNELS))
    if reading.must_stop and reading.confidence <= _DOUBT:
        extra.append(Effect(EffectKind.HAND_OFF, "possible_stop"))
    ordered = (*effects, *(each for each in extra if each not in effects))
    return tuple(sorted(ordered, key=lambda each: each.kind is not EffectKind.SUPPRESS))


_DOUBT = 0.5  # a reading no surer than this is checked by a person


# Guards: each returns the turn, with what it found, or None.


def _always(turn: _Turn) -> _Turn | None:
    return turn


def _offers_exist(turn: _Turn) -> _Turn | None:
    facts = turn.facts
    if facts.policy is None:
        return None
    offers = compute_offers(facts.policy, facts.amount_due, facts.days_past_due, facts.product, facts.today)
    return replace(turn, offers=offers) if offers else None


def _option_open(turn: _Turn) -> _Turn | None:
    fitting = [offer for offer in turn.before.offers if offer.option == turn.reading.choice]
    return replace(turn, offer=fitting[0]) if fitting else None


def _counter_asked(turn: _Turn) -> _Turn | None:
    return turn if turn.reading.amount_minor or turn.reading.count else None


def _counter_fits(turn: _Turn) -> _Turn | None:
    reading, facts = turn.reading, turn.facts
    if facts.policy is None or not _counter_asked(turn):
        return None
    each = Money(reading.amount_minor, reading.currency) if reading.amount_minor and reading.currency else None
    every = Frequency(reading.every) if reading.every else None
    if each and reading.count and each.minor * reading.count < facts.amount_due.minor:
        return None
    offer = counter_offer(
        facts.policy, facts.amount_due, facts.days_past_due, facts.product, facts.today,
        each=each, count=reading.count, frequency=every,
    )  # fmt: skip
    return replace(turn, offer=offer) if offer else None


def _promise_fits(turn: _Turn) -> _Turn | None:
    reading, facts = turn.reading, turn.facts
    if facts.policy is None:
        return None
    amount = Money(reading.amount_minor, reading.currency) if reading.amount_minor and reading.currency else None
    promise = decide_promise(
        amount, reading.on, amount_due=facts.amount_due, today=facts.today,
        max_days=facts.policy.promise_max_days, grace_days=facts.policy.grace_days,
    )  # fmt: skip
    return replace(turn, promise=promise) if isinstance(promise, Promise) else None


def _date_named(turn: _Turn) -> _Turn | None:
    return turn if turn.reading.on else None


def _identity_ok(turn: _Turn) -> _Turn | None:
    return turn if turn.facts.identity_ok is True else None


def _tries_left(turn: _Turn) -> _Turn | None:
    return turn if turn.before.tries < turn.spec.identity_tries else None


_GUARDS: Mapping[Guard, Callable[[_Turn], _Turn | None]] = {
    Guard.ALWAYS: _always,
    Guard.OFFERS_EXIST: _offers_exist,
    Guard.OPTION_OPEN: _option_open,
    Guard.COUNTER_ASKED: _counter_asked,
    Guard.COUNTER_FITS: _counter_fits,
    Guard.PROMISE_FITS: _promise_fits,
    Guard.DATE_NAMED: _date_named,
    Guard.IDENTITY_OK: _identity_ok,
    Guard.TRIES_LEFT: _tries_left,
}
