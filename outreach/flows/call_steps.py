"""What a call says next: keys and words become a reading, and the dialogue machine answers it. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from outreach.domain.identity import Identity
from outreach.domain.words import SPOKEN, Channel, Outcome
from outreach.flows.languages import only_asks_language
from outreach.replies.dialogue import repeat, respond, start
from outreach.replies.dialogue_spec import DONE, DialogueFacts, Dialogues, DialogueState, Effect, EffectKind, Step
from outreach.replies.reader import read
from outreach.replies.reading import Awaiting, Intent, Reading

CALL = "call"
"""The dialogue that holds calls (config/dialogues/call.yaml)."""
LIVE = "live"
"""The one state of a one-way call: it listens for the stop key only."""
CALLS = tuple(sorted(SPOKEN))
MENU_KEY = "menu."
"""How a dialogue writes a key that templates/catalog.yaml gives and templates print."""

_KEY_SURE = 0.99
_UNSAFE_AT_REST = frozenset(
    {EffectKind.CONFIRM_ARRANGEMENT, EffectKind.RECORD_PROMISE, EffectKind.CHANGE_ARRANGEMENT,
     EffectKind.CANCEL_ARRANGEMENT, EffectKind.GRANT_EXTENSION}
)  # fmt: skip
_CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back to a question: keys, words, or whether the agent a call was handed on to answered."""

    digits: str | None = None
    text: str | None = None
    agent_answered: bool | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing came at all."""
        return not self.digits and not self.text and self.agent_answered is None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a call is held: the keys of its menu by name, the question of identity, and the locale it speaks.

    ``other`` is the language that its language key asks for.
    """

    menu: Mapping[str, str]
    identity: Identity
    locale: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: where the dialogue stands, the spoken parts in order, and what it means for the case.

    ``what`` is the word for the timeline: never what was pressed or said. ``listen`` is how many keys it waits for (0:
    none). ``connect``: the call is handed on to an agent. ``language`` is the one asked
    for: this turn is said in it already.
    """

    state: DialogueState
    say: tuple[str, ...]
    what: str
    effects: tuple[Effect, ...] = ()
    listen: int = 0
    connect: bool = False
    outcome: Outcome | None = None
    language: str | None = None


def open_call(
    dialogues: Dialogues, channel: str, answered_by: str | None, parts: Collection[str], manner: Manner,
    facts: DialogueFacts,
) -> Turn:  # fmt: skip
    """Return the first turn of an answered call, by who (or what) answered it."""
    over = DialogueState(CALL, channel, DONE, identified=False)
    if answered_by in {"fax", "machine"}:
        if answered_by == "fax" or "voicemail" not in parts:
            return Turn(over, (), "machine")
        return Turn(over, ("voicemail",), "voicemail", outcome=Outcome.LIMITED_CONTENT_LEFT)
    if channel == Channel.VOICE:
        return Turn(replace(over, state=LIVE, awaiting="menu"), (LIVE,), "answered", listen=1)
    possible = manner.identity.expected is not None
    step = start(dialogues, CALL, replace(facts, identity_possible=possible))
    turn = _turn(dialogues, step, manner, "answered" if possible else "identity.impossible")
    return replace(turn, say=("greeting", *turn.say))


def next_turn(dialogues: Dialogues, so_far: DialogueState, heard: Heard, manner: Manner, facts: DialogueFacts) -> Turn:
    """Return what follows from what was pressed or said. Opt-out wins: the stop key works in every state."""
    stops = heard.digits == manner.menu["stop_calls"]
    if so_far.state == LIVE:
        return _one_way(so_far, stops=stops)
    if heard.digits == manner.menu["repeat"] and so_far.awaiting in set(Awaiting):
        return _turn(dialogues, repeat(dialogues, so_far), manner, f"{so_far.state}.repeat")
    if heard.digits and heard.digits == manner.menu.get("language") and manner.other:
        return _in_another_language(dialogues, so_far, manner, manner.other)
    known = replace(
        facts,
        silent=heard.silent,
        identity_ok=None if stops else _identity_ok(so_far, heard, manner),
        agent_answered=heard.agent_answered is True,
    )
    reading = STOP_CALLS if stops else _read(so_far, heard, manner, known)
    if only_asks_language(reading):
        return _in_another_language(dialogues, so_far, manner, reading.language)
    step = respond(dialogues, so_far, reading, known)
    return replace(_turn(dialogues, step, manner, _what(so_far, step, reading, known)), language=reading.language)


def _in_another_language(dialogues: Dialogues, so_far: DialogueState, manner: Manner, language: str | None) -> Turn:
    """Say what was said last once more: who calls before identity, what is due before the menu."""
    turn = replace(_turn(dialogues, repeat(dialogues, so_far), manner, "language"), language=language)
    before = {"identity": ("greeting",), "menu": ("balance",)}.get(so_far.state, ()) if turn.state.open else ()
    return replace(turn, say=(*before, *turn.say))


STOP_CALLS = Reading(
    Intent.STOP, _KEY_SURE, must_stop=True, must_pause=True, stop_channels=CALLS, names_channel=True,
    explanation="the key that stops calls",
)  # fmt: skip


def at_rest(turn: Turn) -> Turn:
    """Return what a turn becomes once the case has come to rest: the call ends politely, with no word of the debt.

    What somebody chose for their own safety is still done, and one-way words, which never say what they are about, are
    still said. Money is not talked about any more: who was about to agree to something gets a person.
    """
    if turn.state.state == LIVE:
        return turn
    agreeing = any(effect.kind in _UNSAFE_AT_REST for effect in turn.effects)
    if not (turn.state.open or "voicemail" in turn.say or agreeing):
        return turn
    over = replace(turn.state, state=DONE, awaiting=None, keys=None)
    if "voicemail" in turn.say:
        return Turn(over, (), "at_rest")
    kept = tuple(each for each in turn.effects if each.kind in _SAFE)
    asked = (Effect(EffectKind.HAND_OFF, "interrupted"),) if agreeing else ()
    greeting = tuple(part for part in turn.say if part == "greeting")
    return Turn(over, (*greeting, "goodbye"), "at_rest", (*kept, *asked), outcome=turn.outcome)


_SAFE = frozenset(
    {EffectKind.SUPPRESS, EffectKind.PLACE_HOLD, EffectKind.MARK_WRONG_PARTY, EffectKind.HAND_OFF,
     EffectKind.RECORD_PAYMENT_CLAIM}
)  # fmt: skip


def cannot_say(turn: Turn) -> Turn:
    """Return what a turn becomes whose words cannot be put together: nothing of it is done, a person takes over."""
    kept = tuple(each for each in turn.effects if each.kind in _SAFE)
    over = replace(turn.state, state=DONE, awaiting=None, keys=None)
    effects = (*kept, Effect(EffectKind.HAND_OFF, "call_without_words"))
    return Turn(over, ("goodbye",), "without_words", effects, outcome=turn.outcome)


def _one_way(so_far: DialogueState, *, stops: bool) -> Turn:
    over = replace(so_far, state=DONE, awaiting=None)
    if not stops:
        return Turn(over, (), "goodbye")
    return Turn(over, ("stop_confirmation",), "stop", (Effect(EffectKind.SUPPRESS, channels=CALLS),))


def _turn(dialogues: Dialogues, step: Step, manner: Manner, what: str) -> Turn:
    """Put a step into spoken parts: what it says, then the question of the state it leads to."""
    state, kinds = step.state, {effect.kind for effect in step.effects}
    connect = EffectKind.CONNECT_AGENT in kinds
    outcome = Outcome.WRONG_PARTY if EffectKind.MARK_WRONG_PARTY in kinds else None
    if EffectKind.VERIFY_IDENTITY in kinds:
        outcome = Outcome.CONVERSATION
    if not state.open:
        return Turn(state, (step.say or "goodbye",), what, step.effects, outcome=outcome)
    spec = dialogues[state.kind].states[state.state]
    prompt = () if step.say == spec.prompt or spec.prompt is None else (spec.prompt,)
    say = (step.say, *prompt) if step.say else prompt
    listen = manner.identity.digits if state.awaiting == "identity" else spec.digits
    return Turn(state, say, what, step.effects, 0 if connect else listen, connect, outcome)


def _what(before: DialogueState, step: Step, reading: Reading, facts: DialogueFacts) -> str:
    if facts.silent:
        return "silence"
    if before.awaiting == "agent":
        return "agent.answered" if facts.agent_answered else "agent.missed"
    if before.awaiting == "identity" and facts.identity_ok is not None:
        if facts.identity_ok:
            return "identity.passed"
        return "identity.failed" if step.state.open else "identity.given_up"
    if reading.intent is Intent.UNCLEAR:
        return "unclear"
    return str(reading.intent) if not before.identified else f"{before.state}.{reading.intent}"


def _identity_ok(so_far: DialogueState, heard: Heard, manner: Manner) -> bool | None:
    """Check an answer to the question of identity; None when it was none, such as silence or a wrong number."""
    if so_far.awaiting != "identity":
        return None
    if heard.digits:
        return None if heard.digits in (so_far.keys or {}) else manner.identity.matches(heard.digits)
    spoken = re.sub(r"[^0-9]", "", (heard.text or "").translate(_CHINESE_DIGITS))
    return manner.identity.matches(spoken) if len(spoken) >= manner.identity.digits else None


def _read(so_far: DialogueState, heard: Heard, manner: Manner, facts: DialogueFacts) -> Reading:
    if heard.digits:
        return _read_keys(so_far, heard.digits, manner, facts.today)
    if heard.text and facts.identity_ok is None:
        return read(
            heard.text, lang=manner.locale, channel="ivr", ref_date=facts.today,
            default_currency=facts.amount_due.currency, context=so_far.context,
        )  # fmt: skip
    return Reading(Intent.UNCLEAR, 0.0)


def _read_keys(so_far: DialogueState, digits: str, manner: Manner, today: date) -> Reading:
    for key, intent in (so_far.keys or {}).items():
        pressed = manner.menu.get(key.removeprefix(MENU_KEY)) if key.startswith(MENU_KEY) else key
        if digits == pressed:
            choice = int(digits) if intent is Intent.CHOOSE_OPTION and digits.isdecimal() else None
            return Reading(intent, _KEY_SURE, choice=choice, explanation="the key the prompt promised")
    if so_far.awaiting == Awaiting.OFFER_CHOICE:
        return Reading(Intent.CHOOSE_OPTION, _KEY_SURE, choice=int(digits) if digits.isdecimal() else None)
    on = keyed_date(digits, today) if so_far.awaiting == Awaiting.PROMISE_DATE else None
    return Reading(Intent.PROMISE_TO_PAY, _KEY_SURE, on=on) if on else Reading(Intent.UNCLEAR, 0.0)


def keyed_date(digits: str, today: date) -> date | None:
    """Return the next day (today counts) of a month and a day keyed as ``0315``; None when there is no such day."""
    if not re.fullmatch(r"[0-9]{4}", digits):
        return None
    month, day = int(digits[:2]), int(digits[2:])
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None
