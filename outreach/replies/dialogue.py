"""The dialogue machine: where a conversation stands, what the borrower said -> what to do, what to say. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from outreach.domain.arrangement import NO_BACKGROUND, ArrangementPolicy, Background, Offer
from outreach.domain.arrangement_life import Standing
from outreach.domain.extension import Extension
from outreach.domain.money import Money
from outreach.domain.promise import Promise
from outreach.replies.guards import GUARDS
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
    CANCEL_ARRANGEMENT = "cancel_arrangement"
    CHANGE_ARRANGEMENT = "change_arrangement"
    GRANT_EXTENSION = "grant_extension"
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
    extension: Extension | None = None


class Guard(StrEnum):
    """What a transition may ask before it is taken."""

    ALWAYS = "always"
    OFFERS_EXIST = "offers_exist"
    OPTION_OPEN = "option_open"
    COUNTER_FITS = "counter_fits"
    COUNTER_ASKED = "counter_asked"
    PROMISE_FITS = "promise_fits"
    DATE_NAMED = "date_named"
    CHOICE_STANDS = "choice_stands"
    CHOICE_RENEWED = "choice_renewed"
    PAYDAY_NAMED = "payday_named"
    PLAN_STANDS = "plan_stands"
    CHANGE_ASKED = "change_asked"
    CHANGE_FITS = "change_fits"
    CANCEL_ASKED = "cancel_asked"
    EXTENSION_FITS = "extension_fits"
    EXTENSION_OPEN = "extension_open"
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
    """One dialogue as its file defines it. ``aside`` answers without ending the dialogue that is open.

    ``with_plan`` is about the arrangement that stands: it begins in place of others, and only while there is one.
    """

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
    with_plan: bool = False


Dialogues = Mapping[str, DialogueSpec]


@dataclass(frozen=True, slots=True)
class DialogueFacts:
    """What the machine may know. ``today`` is the borrower's local day; ``policy`` None: a person must decide.

    ``identity_ok`` is the outcome of checking this very answer (None: it was no identity answer). ``plan`` is the
    arrangement that stands on the case; ``due_on`` the date the amount fell due.
    """

    amount_due: Money
    days_past_due: int
    product: str
    today: date
    policy: ArrangementPolicy | None
    surface: str = "sms"
    identity_ok: bool | None = None
    due_on: date | None = None
    plan: Standing | None = None
    background: Background = NO_BACKGROUND


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
    extension: Extension | None = None
    first_on: date | None = None  # the day the borrower wants to begin on
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
class Turn:
    """One answer being worked on. ``offer``, ``promise`` and ``extension`` are what a guard found to fit."""

    spec: DialogueSpec
    before: DialogueState
    reading: Reading
    facts: DialogueFacts
    offers: tuple[Offer, ...] = ()
    offer: Offer | None = None
    promise: Promise | None = None
    extension: Extension | None = None


def respond(dialogues: Dialogues, dialogue: DialogueState | None, reading: Reading, facts: DialogueFacts) -> Step:
    """Take one reply: safety first, then the open dialogue, then the dialogue its intent begins.

    ``dialogue`` is the open one, or None. A reply that must stop always ends in suppression.
    """
    going = dialogue if dialogue and dialogue.open else None
    if going and not _expects(dialogues, going, reading) and (reading.must_stop or reading.intent in PAUSING):
        if not going.identified and reading.intent not in (Intent.STOP, Intent.WRONG_PARTY):
            return advance(dialogues, going, reading, facts)
        return start(dialogues, _kind(dialogues, reading, facts), facts, reading)
    if going:
        aside = None if _expects(dialogues, going, reading) else _aside(dialogues, going, reading, facts)
        return aside or advance(dialogues, going, reading, facts)
    return start(dialogues, _kind(dialogues, reading, facts), facts, reading)


def _kind(dialogues: Dialogues, reading: Reading, facts: DialogueFacts) -> str:
    """Return the dialogue a reply begins: words about a plan speak of the one that stands."""
    kind = kind_for(dialogues, reading.intent, facts.surface)
    if reading.plan_wish is None or reading.must_stop or reading.intent in PAUSING:
        return kind
    about = [spec.kind for spec in dialogues.values() if spec.with_plan and facts.surface in spec.surfaces]
    if facts.plan is None:
        return "unclear" if reading.plan_wish == "cancel" else kind
    return about[0] if about else kind


def _about_plan(dialogues: Dialogues, kind: str, facts: DialogueFacts) -> str:
    """Return the dialogue that takes the place of ``kind`` while an arrangement stands."""
    spec = dialogues[kind]
    if facts.plan is None or spec.with_plan:
        return kind
    instead = (
        each.kind
        for each in dialogues.values()
        if each.with_plan and facts.surface in each.surfaces and each.begins_on & spec.begins_on
    )
    return next(instead, kind)


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
    fitting = (
        spec.kind
        for spec in dialogues.values()
        if intent in spec.begins_on and surface in spec.surfaces and not spec.with_plan
    )
    return next(fitting, "unclear")


NO_READING = Reading(Intent.UNCLEAR, 0.0)


def start(dialogues: Dialogues, kind: str, facts: DialogueFacts, reading: Reading = NO_READING) -> Step:
    """Begin a dialogue. ``reading`` is the reply that began it, if any. Raises KeyError for an unknown kind."""
    kind = _about_plan(dialogues, kind, facts)
    spec = dialogues[kind]
    fresh = DialogueState(kind, facts.surface, "", identified=not spec.identity_tries)
    step = _take(spec.begin, Turn(spec, fresh, reading, facts)) or _hand_over(fresh, "no_way_to_begin")
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
    turn = Turn(spec, counted, reading, facts)
    answers = state.on.get(reading.intent)
    step = _take(answers, turn) if answers else None
    if step is None:
        step = _take(state.otherwise, turn) or _miss(state, turn)
    if step.state.open and step.state.turns >= spec.max_turns:
        step = _hand_over(step.state, "too_many_turns", say=None)
    return replace(step, effects=_with_safety(dialogues, step.effects, reading, dialogue.kind, facts))


def _miss(state: StateSpec, turn: Turn) -> Step:
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


def _take(transitions: tuple[Transition, ...], turn: Turn) -> Step | None:
    for transition in transitions:
        passed = GUARDS[transition.when](turn)
        if passed:
            return _step(transition, passed)
    return None


def _step(transition: Transition, turn: Turn) -> Step:
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
        extension=turn.extension or turn.before.extension,
    )
    effects = tuple(_effect(spec, after, turn) for spec in transition.effects)
    return Step(after, effects, transition.say)


def _effect(spec: EffectSpec, after: DialogueState, turn: Turn) -> Effect:
    match spec.kind:
        case EffectKind.SUPPRESS:
            return Effect(spec.kind, spec.detail, channels=turn.reading.stop_channels or ALL_CHANNELS)
        case EffectKind.RECORD_CONSENT:
            return Effect(spec.kind, spec.detail, channels=(turn.facts.surface,))
        case EffectKind.PROPOSE_ARRANGEMENT | EffectKind.CONFIRM_ARRANGEMENT | EffectKind.CHANGE_ARRANGEMENT:
            return Effect(spec.kind, spec.detail, offer=after.chosen)
        case EffectKind.RECORD_PROMISE:
            return Effect(spec.kind, spec.detail, promise=after.promise)
        case EffectKind.GRANT_EXTENSION:
            return Effect(spec.kind, spec.detail, extension=after.extension)
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
        turn = Turn(dialogues[other], DialogueState(other, facts.surface, ""), reading, facts)
        step = _take(dialogues[other].begin, turn)
        extra.extend(step.effects if step else ())
    if reading.must_stop and not any(each.kind is EffectKind.SUPPRESS for each in (*effects, *extra)):
        extra.insert(0, Effect(EffectKind.SUPPRESS, channels=reading.stop_channels or ALL_CHANNELS))
    if reading.must_stop and reading.confidence <= _DOUBT:
        extra.append(Effect(EffectKind.HAND_OFF, "possible_stop"))
    ordered = (*effects, *(each for each in extra if each not in effects))
    return tuple(sorted(ordered, key=lambda each: each.kind is not EffectKind.SUPPRESS))


_DOUBT = 0.5  # a reading no surer than this is checked by a person
