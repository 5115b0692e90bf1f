"""The dialogue machine: it ends, it stops, it tells nothing before identity."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.arrangement import ArrangementPolicy, Frequency, Shape
from outreach.domain.located_yaml import ConfigError
from outreach.domain.money import Money
from outreach.replies.dialogue import advance, respond, start
from outreach.replies.dialogue_config import CONFIG, load_dialogues
from outreach.replies.dialogue_spec import DialogueFacts, Dialogues, DialogueState, EffectKind, Step
from outreach.replies.reader import read
from outreach.replies.reading import Intent, Reading


def _with_a_call() -> Dialogues:
    """The shipped dialogues and one with an identity check, which the machine can hold as well."""
    with TemporaryDirectory() as folder:
        for path in (*CONFIG.glob("*.yaml"), Path(__file__).parent / "data" / "ivr.yaml"):
            shutil.copy(path, folder)
        return load_dialogues(Path(folder))


DIALOGUES = _with_a_call()
TODAY = date(2026, 3, 11)
POLICY = ArrangementPolicy(
    "test", "USD", 1, 10**6, -5, 60, (Shape(3, Frequency.WEEKLY), Shape(6, Frequency.WEEKLY)), 2000, 3, 120, 12, 3, 14
)
FACTS = DialogueFacts(Money(24000, "USD"), 10, "loan", TODAY, POLICY)
SAFE_BEFORE_IDENTITY = {None, "identity", "identity_retry", "identity_failed", "wrong_person", "stop_calls"}


def say(step: Step | None, text: str, facts: DialogueFacts = FACTS) -> Step:
    state = step.state if step else None
    context = {"context": state.context} if state and state.open else {}
    return respond(DIALOGUES, state, read(text, ref_date=TODAY, default_currency="USD", **context), facts)  # type: ignore[arg-type]


def kinds(step: Step) -> list[EffectKind]:
    return [effect.kind for effect in step.effects]


def test_installments_are_offered_chosen_read_back_and_confirmed() -> None:
    offered = say(None, "can I pay in installments?")
    assert (offered.say, offered.awaiting) == ("installments_offer", "offer_choice")
    chosen = say(offered, "2")
    assert (chosen.say, kinds(chosen)) == ("installments_readback", [EffectKind.PROPOSE_ARRANGEMENT])
    done = say(chosen, "yes")
    assert done.say == "installments_done"
    assert done.effects[0].kind is EffectKind.CONFIRM_ARRANGEMENT
    assert done.effects[0].offer is not None
    assert done.effects[0].offer.count == 6
    again = advance(DIALOGUES, done.state, read("yes"), FACTS)
    assert (again.effects, again.say) == ((), None)


def test_a_counter_within_bounds_is_read_back_and_below_the_floor_goes_to_a_person() -> None:
    fits = say(None, "can I do 40 a week?")
    assert fits.say == "installments_readback"
    assert fits.state.chosen is not None
    assert fits.state.chosen.regular.minor == 4000
    below = say(say(None, "payment plan"), "I can only do $5 a week")
    assert kinds(below) == [EffectKind.HAND_OFF]


def test_a_promise_is_recorded_when_its_day_is_within_bounds() -> None:
    done = say(None, "I'll pay on Friday")
    assert done.effects[0].promise is not None
    assert done.effects[0].promise.on == date(2026, 3, 13)
    assert kinds(say(None, "I'll pay on May 20")) == [EffectKind.HAND_OFF]


def test_stop_inside_a_dialogue_suppresses_first_and_ends_it() -> None:
    stopped = say(say(None, "payment plan"), "stop, wrong number")
    assert kinds(stopped)[0] is EffectKind.SUPPRESS
    assert EffectKind.MARK_WRONG_PARTY in kinds(stopped)
    assert not stopped.state.open


def test_unclear_is_asked_once_and_then_handed_to_a_person() -> None:
    asked = say(None, "purple monkey")
    assert asked.say == "unclear_reply"
    assert kinds(say(asked, "dishwasher")) == [EffectKind.HAND_OFF]


def test_a_question_in_between_keeps_the_thread() -> None:
    aside = say(say(None, "payment plan"), "who is this?")
    assert (aside.say, aside.awaiting) == ("help_reply", "offer_choice")


def test_the_third_wrong_identity_answer_ends_the_call() -> None:
    facts = replace(FACTS, surface="ivr", identity_ok=False)
    step = start(DIALOGUES, "ivr", facts)
    said = [step.say]
    for _ in range(3):
        step = respond(DIALOGUES, step.state, Reading(Intent.UNCLEAR, 0.2), facts)
        said.append(step.say)
    assert said == ["identity", "identity_retry", "identity_retry", "identity_failed"]
    assert EffectKind.END_CALL in kinds(step)


readings = st.builds(
    lambda intent, also, choice, minor, on: Reading(
        intent, 0.9, also, choice, minor, "USD" if minor else None, on,
        must_stop=Intent.STOP in (intent, *also), stop_channels=("sms",) if Intent.STOP in (intent, *also) else (),
    ),
    st.sampled_from(Intent),
    st.lists(st.sampled_from(Intent), max_size=2).map(tuple),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(1, 50000),
    st.none() | st.dates(date(2026, 3, 1), date(2026, 6, 1)),
)  # fmt: skip


@given(st.sampled_from(sorted(DIALOGUES)), st.lists(readings, min_size=1, max_size=30))
def test_no_dialogue_goes_on_for_ever_and_none_answers_after_a_stop(kind: str, answers: list[Reading]) -> None:
    surface = "ivr" if "sms" not in DIALOGUES[kind].surfaces else "sms"
    facts = replace(FACTS, surface=surface, identity_ok=True if surface == "ivr" else None)
    step, turns = start(DIALOGUES, kind, facts), 0
    for answer in answers:
        if not step.state.open:
            ended = advance(DIALOGUES, step.state, answer, facts)
            assert (ended.say, ended.effects) == (None, ())
            return
        before: DialogueState = step.state
        step = respond(DIALOGUES, before, answer, facts)
        turns = turns + 1 if step.state.kind == before.kind else 0
        assert turns <= DIALOGUES[step.state.kind].max_turns + 1
        if answer.must_stop:
            assert kinds(step)[0] is EffectKind.SUPPRESS
        if answer.intent is Intent.STOP:
            assert step.say in ("stop_confirmation", "stop_calls")
            assert not step.state.open


@given(st.lists(st.tuples(readings, st.sampled_from([None, False])), max_size=12))
def test_nothing_is_disclosed_before_identity(answers: list[tuple[Reading, bool | None]]) -> None:
    step = start(DIALOGUES, "ivr", replace(FACTS, surface="ivr"))
    for answer, ok in answers:
        if not step.state.open:
            break
        step = respond(DIALOGUES, step.state, answer, replace(FACTS, surface="ivr", identity_ok=ok))
        assert step.say in SAFE_BEFORE_IDENTITY
        assert EffectKind.VERIFY_IDENTITY not in kinds(step)


def test_a_typo_in_a_dialogue_is_reported_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "unclear.yaml").write_text(
        "dialogue: unclear\nsurfaces: [sms]\nbegins_on: [unclear]\nmax_turns: 2\ntime_out_hours: 1\n"
        "begin:\n  - {to: nowhere, effects: [explode]}\n"
    )
    with pytest.raises(ConfigError) as failure:
        load_dialogues(tmp_path)
    assert [(problem.line, problem.field) for problem in failure.value.problems] == [
        (7, "begin[0].to"),
        (7, "begin[0].effects[0]"),
    ]


LOOSE = """dialogue: unclear
surfaces: [sms]
begins_on: [unclear]
max_turns: 2
time_out_hours: 1
begin:
  - {to: asked, effects: [{open_dialogue: nothing}]}
states:
  asked:
    awaiting: menu
    on:
      help: [{to: lost}]
  lost:
    awaiting: menu
    digits: 0
    on:
      help: [{to: asked}]
  island:
    awaiting: menu
    on:
      help: [{to: done}]
"""


def test_states_without_a_way_in_or_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / "unclear.yaml").write_text(LOOSE)
    with pytest.raises(ConfigError) as failure:
        load_dialogues(tmp_path)
    found = {(problem.field, problem.text.partition(":")[0]) for problem in failure.value.problems}
    assert found == {
        ("states.asked", "is a dead end"), ("states.lost", "is a dead end"),
        ("states.island", "cannot be reached from begin"),
        ("states.lost.digits", "must be a whole number from 1 to 8"),
    }  # fmt: skip


def test_dialogues_that_open_each_other_for_ever_or_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    text = "dialogue: {0}\nsurfaces: [sms]\nbegins_on: [{0}]\nmax_turns: 2\ntime_out_hours: 1\n"
    text += "begin:\n  - {{to: done, effects: [{{open_dialogue: {1}}}]}}\n"
    for one, other in (("unclear", "help"), ("help", "unclear"), ("start", "nothing")):
        (tmp_path / f"{one}.yaml").write_text(text.format(one, other))
    with pytest.raises(ConfigError) as failure:
        load_dialogues(tmp_path)
    found = sorted((Path(problem.file).name, problem.text.partition(":")[0]) for problem in failure.value.problems)
    assert found == [
        ("help.yaml", "opens itself again before anybody can answer"),
        ("start.yaml", "there is no dialogue nothing"),
        ("unclear.yaml", "opens itself again before anybody can answer"),
    ]
