"""Dialogues as pictures and lists: Mermaid state diagrams, and the names of everything they say. Pure."""

from collections.abc import Iterator

from outreach.replies.dialogue_spec import DONE, HANDED_OFF, DialogueSpec, EffectKind, Guard, StateSpec, Transition

_END = "[*]"


def words_of(spec: DialogueSpec) -> set[str]:
    """Return the names of everything a dialogue says: templates of texts and mails, parts of a call."""
    said = {each.say for each in spec.transitions() if each.say}
    for state in spec.states.values():
        said |= {each for each in (state.prompt, state.retry) if each}
    return said


def texts_of(spec: DialogueSpec) -> set[str]:
    """Return the templates that a dialogue sends as texts beside what it says."""
    effects = (effect for each in spec.transitions() for effect in each.effects)
    return {effect.detail for effect in effects if effect.kind is EffectKind.SEND_TEXT and effect.detail}


def mermaid(spec: DialogueSpec) -> str:
    """Return a dialogue as a Mermaid state diagram; transitions that differ only in their answer share a line."""
    lines = ["stateDiagram-v2"]
    lines += _lines(_END, ((None, each) for each in spec.begin))
    for name, state in spec.states.items():
        lines += _lines(name, _answers(state))
        lines += _lines(name, (("too many misses", each) for each in state.exhausted))
        if not state.exhausted and all(each.when is not Guard.ALWAYS for each in state.otherwise):
            lines.append(f"  {name} --> {HANDED_OFF}: too many misses")
    if spec.anywhere:
        lines += ['  state "in every state, once the person is known" as anywhere']
        lines += _lines("anywhere", ((intent, each) for intent, group in spec.anywhere.items() for each in group))
    for end in (DONE, HANDED_OFF):
        if any(line.split(":")[0].endswith(f"--> {end}") for line in lines):
            lines.append(f"  {end} --> {_END}")
    return "\n".join(lines) + "\n"


def _answers(state: StateSpec) -> Iterator[tuple[str | None, Transition]]:
    for intent, group in state.on.items():
        yield from ((str(intent), each) for each in group)
    yield from (("otherwise" if each.when is Guard.ALWAYS else None, each) for each in state.otherwise)


def _lines(source: str, found: Iterator[tuple[str | None, Transition]]) -> list[str]:
    """Return one arrow for each place and condition, with the answers that lead there."""
    arrows: dict[tuple[str, str, str], list[str]] = {}
    for answer, each in found:
        key = (each.to or source, "" if each.when is Guard.ALWAYS else str(each.when), _done(each))
        arrows.setdefault(key, [])
        if answer and answer not in arrows[key]:
            arrows[key].append(answer)
    return [f"  {source} --> {to}" + _label(answers, when, done) for (to, when, done), answers in arrows.items()]


def _label(answers: list[str], when: str, done: str) -> str:
    asked = " or ".join(answers)
    told = " if ".join(part for part in (asked, when) if part) if asked else f"if {when}" if when else ""
    parts = [part for part in (told, done) if part]
    return f": {', then '.join(parts)}".replace("_", " ") if parts else ""


def _done(transition: Transition) -> str:
    """Name what a transition does, as its file does; hanging up goes without saying."""
    effects = [each for each in transition.effects if each.kind is not EffectKind.END_CALL]
    return " + ".join(f"{each.kind} ({each.detail})" if each.detail else str(each.kind) for each in effects)
