"""The dialogue machine: where a conversation stands, what the borrower said -> what to do, what to say. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from outreach.replies.dialogue_spec import (
    HANDED_OFF,
    DialogueFacts,
    Dialogues,
    DialogueSpec,
    DialogueState,
    Effect,
    EffectKind,
    EffectSpec,
    StateSpec,
    Step,
    Transition,
)
from outreach.replies.guards import GUARDS, Turn
from outreach.replies.reading import ALL_CHANNELS, PAUSING, RANK, Intent, Reading


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
    """Return the dialogue a reply begins: words about a plan, and a late yes, speak of the one that stands."""
    kind = kind_for(dialogues, reading.intent, facts.surface)
    late = reading.intent is Intent.CONFIRM_YES and kind == "unclear" and facts.plan is not None
    if (reading.plan_wish is None and not late) or reading.must_stop or reading.intent in PAUSING:
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
    return reading.intent in _answers(dialogues[going.kind], going)


def _answers(spec: DialogueSpec, going: DialogueState) -> Mapping[Intent, tuple[Transition, ...]]:
    """Return the answers a standing takes: its state's own, and the dialogue's once the person is known."""
    own = spec.states[going.state].on
    return {**spec.anywhere, **own} if going.identified else own


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
    return _ended(replace(step, effects=_with_safety(dialogues, step.effects, reading, kind, facts)), facts)


def _ended(step: Step, facts: DialogueFacts) -> Step:
    """Hang up when a dialogue held on a call has ended."""
    if facts.surface != "ivr" or step.state.open or any(each.kind is EffectKind.END_CALL for each in step.effects):
        return step
    return replace(step, effects=(*step.effects, Effect(EffectKind.END_CALL)))


def advance(dialogues: Dialogues, dialogue: DialogueState, reading: Reading, facts: DialogueFacts) -> Step:
    """Take one answer inside an open dialogue. An ended one stays as it is: nothing is said or done twice."""
    if not dialogue.open:
        return Step(dialogue)
    spec = dialogues[dialogue.kind]
    state = spec.states[dialogue.state]
    counted = replace(dialogue, turns=dialogue.turns + 1)
    if not dialogue.identified and facts.identity_ok is False:
        counted = replace(counted, tries=counted.tries + 1)
    turn = Turn(spec, counted, reading, facts)
    answers = _answers(spec, dialogue).get(reading.intent)
    step = _take(answers, turn) if answers else None
    if step is None:
        step = _take(state.otherwise, turn) or _miss(state, turn)
    if step.state.open and step.state.turns >= spec.max_turns:
        step = _hand_over(step.state, "too_many_turns", say=None)
    return _ended(replace(step, effects=_with_safety(dialogues, step.effects, reading, dialogue.kind, facts)), facts)


def repeat(dialogues: Dialogues, dialogue: DialogueState) -> Step:
    """Say the question again because it was asked for: a turn, but no miss."""
    counted = replace(dialogue, turns=dialogue.turns + 1)
    if counted.turns >= dialogues[dialogue.kind].max_turns:
        return _hand_over(counted, "too_many_turns")
    return Step(counted, (), dialogues[dialogue.kind].states[dialogue.state].prompt)


def move(dialogues: Dialogues, dialogue: DialogueState, kind: str, surface: str) -> DialogueState | None:
    """Return an open dialogue as it goes on under another kind or on another surface; None where it cannot.

    The states of both must have the same name: ``offered`` and ``read_back`` do.
    """
    state = dialogues[kind].states.get(dialogue.state)
    if not dialogue.open or not dialogue.identified or state is None or surface not in dialogues[kind].surfaces:
        return None
    return replace(dialogue, kind=kind, surface=surface, turns=0, misses=0, awaiting=state.awaiting, keys=state.keys)


def _miss(state: StateSpec, turn: Turn) -> Step:
    """Ask once more; one miss too many ends as the state says, else with a person."""
    missed = replace(turn.before, misses=turn.before.misses + 1)
    if missed.misses > turn.spec.max_misses:
        return _take(state.exhausted, replace(turn, before=missed)) or _hand_over(missed, "not_understood")
    return Step(missed, (), state.prompt if turn.facts.silent else state.retry or state.prompt)


def _hand_over(before: DialogueState, reason: str, say: str | None = None) -> Step:
    ended = replace(before, state=HANDED_OFF, awaiting=None, keys=None)
    return Step(ended, (Effect(EffectKind.HAND_OFF, reason),), say)


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
        times=turn.reading.times or turn.before.times,
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
        case EffectKind.NAME_TIMES | EffectKind.HAND_OFF:
            return Effect(spec.kind, spec.detail, times=turn.reading.times)
        case _:
            return Effect(spec.kind, spec.detail)


def _with_safety(
    dialogues: Dialogues, effects: tuple[Effect, ...], reading: Reading, kind: str, facts: DialogueFacts
) -> tuple[Effect, ...]:
    """Add what the reply's other intents demand for safety, and suppression before anything else."""
    extra: list[Effect] = []
    for intent in sorted(set(reading.intents) & (PAUSING | _named(reading)), key=lambda each: RANK[each]):
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


def _named(reading: Reading) -> frozenset[Intent]:
    """Keep to times that the borrower names whatever else they say; those of somebody else are not theirs."""
    named = reading.times is not None and reading.times.start is not None
    own = not {Intent.WRONG_PARTY, Intent.DECEASED} & set(reading.intents)
    return frozenset({Intent.INCONVENIENT_TIME}) if named and own else frozenset()


_DOUBT = 0.5  # a reading no surer than this is checked by a person
