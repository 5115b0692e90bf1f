"""Reading config/dialogues/*.yaml; everything wrong with them is reported with file, line, column and field."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from outreach.domain.located_yaml import ConfigError, Located, Problem, Where, load_located
from outreach.domain.words import HoldKind
from outreach.replies.dialogue_spec import (
    DONE,
    HANDED_OFF,
    Dialogues,
    DialogueSpec,
    EffectKind,
    EffectSpec,
    Guard,
    StateSpec,
    Transition,
)
from outreach.replies.reading import READING_CHANNELS, Awaiting, Intent

CONFIG = Path(__file__).resolve().parents[2] / "config" / "dialogues"
AWAITING = frozenset({*Awaiting, "identity", "menu", "agent"})
"""What a state may wait for."""

MOST_DIGITS = 8

_TOP = frozenset(
    [
        "dialogue",
        "surfaces",
        "begins_on",
        "begin",
        "states",
        "max_turns",
        "max_misses",
        "time_out_hours",
        "identity_tries",
        "aside",
        "with_plan",
        "anywhere",
    ]
)
_STATE = frozenset({"awaiting", "prompt", "retry", "keys", "digits", "on", "otherwise", "exhausted"})
_NEEDED = frozenset({"dialogue", "surfaces", "begin", "max_turns", "time_out_hours"})
_DETAILED = frozenset({EffectKind.PLACE_HOLD, EffectKind.HAND_OFF, EffectKind.OPEN_DIALOGUE, EffectKind.SEND_TEXT})


@lru_cache(maxsize=4)
def load_dialogues(directory: Path = CONFIG) -> Dialogues:
    """Read every dialogue of a directory. Raises ConfigError with the problems of all files together."""
    problems: list[Problem] = []
    dialogues: dict[str, DialogueSpec] = {}
    for path in sorted(directory.glob("*.yaml")):
        reader = _DialogueReader(load_located(path))
        spec = reader.dialogue()
        problems.extend(reader.problems)
        if spec and spec.kind in dialogues:
            problems.append(Problem(str(path), 1, 1, "dialogue", f"{spec.kind} is defined in another file already"))
        elif spec:
            dialogues[spec.kind] = spec
    if not problems:
        problems.extend(_cross_check(directory, dialogues))
    if not problems and "unclear" not in dialogues:
        problems.append(Problem(str(directory), 1, 1, "dialogue", "there must be one called unclear"))
    if problems:
        raise ConfigError(problems)
    return dialogues


class _DialogueReader:
    """Turns one file into a dialogue and gathers what is wrong on the way."""

    def __init__(self, located: Located) -> None:
        self._located = located
        self.problems: list[Problem] = list(located.problems)
        self._states: frozenset[str] = frozenset()

    def dialogue(self) -> DialogueSpec | None:
        data = self._located.data
        if data is None:
            return None
        if not isinstance(data, dict):
            self._complain((), "must be a mapping")
            return None
        self._keys((), data, _TOP)
        for key in sorted(_NEEDED - data.keys()):
            self._complain((key,), "is missing")
        states = data.get("states", {})
        if not isinstance(states, dict):
            self._complain(("states",), "must be a mapping from name to state")
            states = {}
        self._states = frozenset(states)
        spec = DialogueSpec(
            kind=str(data.get("dialogue")),
            surfaces=frozenset(self._words(("surfaces",), data.get("surfaces"), READING_CHANNELS)),
            begins_on=frozenset(
                Intent(word) for word in self._words(("begins_on",), data.get("begins_on", []), Intent)
            ),
            begin=self._transitions(("begin",), data.get("begin")),
            states={name: self._state(("states", name), body) for name, body in states.items()},
            max_turns=self._number(data, "max_turns", 1, 20),
            max_misses=self._number(data, "max_misses", 0, 5, 1),
            time_out_hours=self._number(data, "time_out_hours", 1, 720),
            identity_tries=self._number(data, "identity_tries", 0, 5, 0),
            aside=data.get("aside", False) is True,
            with_plan=data.get("with_plan", False) is True,
            anywhere=self._answers(("anywhere",), data.get("anywhere", {})),
        )
        self._reachable(spec)
        self._ending(spec)
        return None if self.problems else spec

    def _complain(self, where: Where, text: str) -> None:
        self.problems.append(self._located.problem(where, text))

    def _keys(self, where: Where, data: dict[str, Any], allowed: Iterable[str]) -> None:
        for key in data.keys() - set(allowed):
            self._complain((*where, key), f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def _number(self, data: dict[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
        value = data.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if name in data:
            self._complain((name,), f"must be a whole number from {low} to {high}")
        return low

    def _words(self, where: Where, value: Any, allowed: Iterable[str]) -> list[str]:  # noqa: ANN401 - plain YAML
        if not isinstance(value, list):
            self._complain(where, "must be a list")
            return []
        known = [str(word) for word in allowed]
        for place, word in enumerate(value):
            if word not in known:
                self._complain((*where, place), f"must be one of {', '.join(known)}")
        return [word for word in value if word in known]

    def _state(self, where: Where, body: Any) -> StateSpec:  # noqa: ANN401
        if not isinstance(body, dict):
            self._complain(where, "must be a mapping")
            return StateSpec(None, {}, {})
        self._keys(where, body, _STATE)
        awaiting = body.get("awaiting")
        if awaiting not in AWAITING:
            self._complain((*where, "awaiting"), f"must be one of {', '.join(sorted(AWAITING))}")
        keys = body.get("keys", {})
        for key, intent in keys.items():
            if intent not in set(Intent):
                self._complain((*where, "keys", key), f"must be one of {', '.join(Intent)}")
        return StateSpec(
            awaiting=str(awaiting),
            on=self._answers((*where, "on"), body.get("on", {})),
            keys={str(key): Intent(intent) for key, intent in keys.items() if intent in set(Intent)},
            otherwise=self._transitions((*where, "otherwise"), body["otherwise"]) if "otherwise" in body else (),
            prompt=body.get("prompt"),
            retry=body.get("retry"),
            exhausted=self._transitions((*where, "exhausted"), body["exhausted"]) if "exhausted" in body else (),
            digits=self._digits((*where, "digits"), body.get("digits", 1)),
        )

    def _answers(self, where: Where, answers: Any) -> dict[Intent, tuple[Transition, ...]]:  # noqa: ANN401
        if not isinstance(answers, dict):
            self._complain(where, "must be a mapping from intent to transitions")
            return {}
        for intent in answers.keys() - set(Intent):
            self._complain((*where, intent), f"must be one of {', '.join(Intent)}")
        return {
            Intent(intent): self._transitions((*where, intent), each)
            for intent, each in answers.items()
            if intent in set(Intent)
        }

    def _digits(self, where: Where, value: Any) -> int:  # noqa: ANN401
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DIGITS:
            return value
        self._complain(where, f"must be a whole number from 1 to {MOST_DIGITS}")
        return 1

    def _transitions(self, where: Where, value: Any) -> tuple[Transition, ...]:  # noqa: ANN401
        if not isinstance(value, list) or not value:
            self._complain(where, "must be a list of at least one transition")
            return ()
        return tuple(self._transition((*where, place), item) for place, item in enumerate(value))

    def _transition(self, where: Where, item: Any) -> Transition:  # noqa: ANN401
        if not isinstance(item, dict):
            self._complain(where, "must be a mapping with to, when, say, effects")
            return Transition()
        self._keys(where, item, {"to", "when", "say", "effects"})
        to, when = item.get("to"), item.get("when", "always")
        if to is not None and to not in self._states | {DONE, HANDED_OFF}:
            names = ", ".join(sorted(self._states | {DONE, HANDED_OFF}))
            self._complain((*where, "to"), f"there is no such state; the states are {names}")
        if when not in set(Guard):
            self._complain((*where, "when"), f"must be one of {', '.join(Guard)}")
            when = "always"
        effects = item.get("effects", [])
        if not isinstance(effects, list):
            self._complain((*where, "effects"), "must be a list")
            effects = []
        specs = tuple(self._effect((*where, "effects", place), each) for place, each in enumerate(effects))
        if to == HANDED_OFF and not any(spec.kind is EffectKind.HAND_OFF for spec in specs):
            self._complain((*where, "effects"), "a transition to handed_off must have the effect hand_off: <reason>")
        return Transition(to, Guard(when), item.get("say"), specs)

    def _effect(self, where: Where, item: Any) -> EffectSpec:  # noqa: ANN401
        name, detail = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, None)
        if not isinstance(name, str) or name not in set(EffectKind):
            self._complain(where, f"must be one of {', '.join(EffectKind)}")
            return EffectSpec(EffectKind.HAND_OFF, "misconfigured")
        kind = EffectKind(name)
        if (kind in _DETAILED) != (detail is not None):
            need = "needs a detail, written as" if kind in _DETAILED else "has no detail; write"
            self._complain(where, f"{kind} {need} {kind}{': ...' if kind in _DETAILED else ''}")
        if kind is EffectKind.PLACE_HOLD and detail not in set(HoldKind):
            self._complain(where, f"the hold must be one of {', '.join(HoldKind)}")
        return EffectSpec(kind, str(detail) if detail is not None else None)

    def _reachable(self, spec: DialogueSpec) -> None:
        """Complain about states that nothing leads to."""
        anywhere = {each.to for group in spec.anywhere.values() for each in group if each.to}
        reached: set[str] = set()
        waiting = [each.to for each in spec.begin if each.to]
        while waiting:
            name = waiting.pop()
            if name in reached or name not in spec.states:
                continue
            reached.add(name)
            waiting.extend(exits(spec.states[name]) | anywhere)
        for name in sorted(self._states - reached):
            self._complain(("states", name), "cannot be reached from begin")

    def _ending(self, spec: DialogueSpec) -> None:
        """Complain about states from which no answer leads to an end: only giving up would."""
        anywhere = {each.to for group in spec.anywhere.values() for each in group if each.to}
        ending = {DONE, HANDED_OFF}
        grown = True
        while grown:
            more = {name for name, state in spec.states.items() if (exits(state) | anywhere) & ending} - ending
            ending |= more
            grown = bool(more)
        for name in sorted(self._states - ending):
            self._complain(("states", name), "is a dead end: no answer leads from it to done or handed_off")


def exits(state: StateSpec) -> set[str]:
    """Return where the answers of a state lead, its giving up left aside."""
    groups = [*state.on.values(), state.otherwise]
    return {each.to for group in groups for each in group if each.to}


def _cross_check(directory: Path, dialogues: Dialogues) -> Iterable[Problem]:
    """Find dialogues that open one that does not exist, or each other for ever before anybody can answer."""
    opens = {spec.kind: {_opened(each) for each in spec.transitions()} - {None} for spec in dialogues.values()}
    at_once = {spec.kind: {_opened(each) for each in spec.begin} - {None} for spec in dialogues.values()}
    for kind, others in opens.items():
        file = str(directory / f"{kind}.yaml")
        for other in sorted(each for each in others if each and each not in dialogues):
            yield Problem(file, 1, 1, "open_dialogue", f"there is no dialogue {other}")
        seen: set[str | None] = set()
        waiting = list(at_once[kind])
        while waiting:
            name = waiting.pop()
            if name == kind:
                yield Problem(file, 1, 1, "begin", "opens itself again before anybody can answer: a loop without bound")
                break
            if name not in seen:
                seen.add(name)
                waiting.extend(at_once.get(name or "", ()))


def _opened(transition: Transition) -> str | None:
    kinds = (spec.detail for spec in transition.effects if spec.kind is EffectKind.OPEN_DIALOGUE)
    return next(kinds, None)
