"""A call as pure steps: it tells nothing before identity, it ends, it does nothing after a stop."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.arrangement import ArrangementPolicy, Frequency, Shape
from outreach.domain.identity import Identity, IdentityMethod, identity_of
from outreach.domain.money import Money
from outreach.domain.words import Outcome
from outreach.flows.call_steps import CALLS, Heard, Manner, Turn, at_rest, keyed_date, next_turn, open_call
from outreach.replies.dialogue_config import load_dialogues
from outreach.replies.dialogue_spec import DialogueFacts, EffectKind

DIALOGUES = load_dialogues()
TODAY = date(2026, 3, 11)
POLICY = ArrangementPolicy(
    "test", "USD", 1, 10**6, -5, 60, (Shape(3, Frequency.WEEKLY), Shape(6, Frequency.WEEKLY)), 2000, 3, 120, 12, 3, 14
)
FACTS = DialogueFacts(Money(24000, "USD"), 10, "loan", TODAY, POLICY, surface="ivr", takes_texts=True)
MENU = {"pay": "1", "installments": "2", "paid": "3", "dispute": "4", "promise": "5", "callback": "6", "repeat": "8",
        "person": "0", "stop_calls": "9"}  # fmt: skip
MANNER = Manner(MENU, Identity(IdentityMethod.BIRTH_YEAR, "1980"), "en-US")
SAFE = {"greeting", "identity", "identity_retry", "identity_failed", "wrong_party_ack", "stop_confirmation", "goodbye"}
MONEY = {EffectKind.CONFIRM_ARRANGEMENT, EffectKind.RECORD_PROMISE, EffectKind.PROPOSE_ARRANGEMENT,
         EffectKind.SEND_TEXT, EffectKind.CONNECT_AGENT, EffectKind.VERIFY_IDENTITY}  # fmt: skip


def picked_up(facts: DialogueFacts = FACTS, manner: Manner = MANNER) -> Turn:
    return open_call(DIALOGUES, "ivr", "human", ("greeting",), manner, facts)


def walk(*given_: str | None, facts: DialogueFacts = FACTS, manner: Manner = MANNER) -> Turn:
    """Press keys, or say what is no number, one after the other."""
    turn = picked_up(facts, manner)
    for each in given_:
        keys = each is not None and each.isdecimal()
        turn = next_turn(DIALOGUES, turn.state, Heard(each if keys else None, None if keys else each), manner, facts)
    return turn


def kinds(turn: Turn) -> list[EffectKind]:
    return [effect.kind for effect in turn.effects]


heard = st.builds(Heard, st.none() | st.text("0123456789", min_size=1, max_size=4)) | st.builds(
    Heard,
    st.none(),
    st.sampled_from(
        ["stop calling me", "wrong number", "I have a lawyer", "payment plan", "yes", "no", "the second one",
         "I'll pay on Friday", "how much do I owe", "1 9 8 1", "I dispute this", "he died", "not now", "mmh", "agent"]
    ),
)  # fmt: skip
answers = st.sampled_from(["1980", "1", "2", "5", "8", "0315"]).map(Heard) | heard


@settings(max_examples=120, deadline=None)
@given(st.lists(heard, max_size=25))
def test_nothing_is_disclosed_or_done_about_money_before_identity(given_: list[Heard]) -> None:
    turn = picked_up()
    for each in given_:
        if not turn.state.open or each.digits == "1980":
            break
        turn = next_turn(DIALOGUES, turn.state, each, MANNER, FACTS)
        assert set(turn.say) <= SAFE | {"hardship_ack", "dispute_ack"}
        assert not set(kinds(turn)) & MONEY
        assert turn.outcome is not Outcome.CONVERSATION


@settings(max_examples=120, deadline=None)
@given(st.lists(answers, min_size=30, max_size=30))
def test_every_call_ends_within_its_turns_and_at_once_after_a_stop(given_: list[Heard]) -> None:
    turn = picked_up()
    for number, each in enumerate(given_, start=1):
        turn = next_turn(DIALOGUES, turn.state, each, MANNER, FACTS)
        if EffectKind.SUPPRESS in kinds(turn):
            assert not turn.state.open
            assert turn.say == ("stop_confirmation",)
            assert kinds(turn)[0] is EffectKind.SUPPRESS
            assert not set(kinds(turn)) & MONEY
        if not turn.state.open:
            assert number <= DIALOGUES["call"].max_turns
            return
        assert turn.listen > 0 or turn.connect
    pytest.fail("the call went on for ever")


@settings(max_examples=60, deadline=None)
@given(st.lists(answers, max_size=20))
def test_a_case_at_rest_hears_nothing_more_of_the_debt(given_: list[Heard]) -> None:
    turn = picked_up()
    for each in given_:
        if not turn.state.open:
            break
        turn = next_turn(DIALOGUES, turn.state, each, MANNER, FACTS)
    resting = at_rest(turn)
    assert not resting.state.open
    assert EffectKind.CONFIRM_ARRANGEMENT not in kinds(resting)
    assert EffectKind.RECORD_PROMISE not in kinds(resting)


def test_installments_are_read_out_chosen_read_back_and_confirmed_by_keys() -> None:
    assert walk("1980", "2").say == ("installments_offer",)
    assert walk("1980", "2", "2").say == ("installments_readback",)
    done = walk("1980", "2", "2", "1")
    assert done.say == ("installments_done",)
    assert kinds(done)[:2] == [EffectKind.CONFIRM_ARRANGEMENT, EffectKind.SEND_TEXT]
    assert done.effects[0].offer is not None
    assert done.effects[0].offer.count == 6
    assert walk("1980", "2", "2", "2").say == ("installments_offer",)


def test_a_wish_within_bounds_is_read_back_and_one_outside_goes_to_a_person() -> None:
    fits = walk("1980", "can I do 40 dollars a week")
    assert fits.say == ("installments_readback",)
    assert kinds(walk("1980", "2", "I can only do 5 dollars a week"))[0] is EffectKind.HAND_OFF


def test_a_day_is_promised_by_keys_or_words_only_after_it_was_read_back() -> None:
    for named in ("0315", "on Friday"):
        check = walk("1980", "5", named)
        assert (check.say, kinds(check)) == (("promise_check",), [])
        promised = walk("1980", "5", named, "1").effects[0].promise
        assert promised is not None
        assert promised.on == (date(2026, 3, 15) if named == "0315" else date(2026, 3, 13))
    far = walk("1980", "5", "0520")
    assert (far.say, kinds(far)[0]) == (("person",), EffectKind.HAND_OFF)
    assert walk("1980", "5", "0231").say == ("menu_retry", "promise_ask")


@pytest.mark.parametrize(
    ("keyed", "found"),
    [("0311", date(2026, 3, 11)), ("0310", date(2027, 3, 10)), ("0229", None), ("1301", None), ("11", None)],
)
def test_a_keyed_day_is_the_next_one_of_that_name(keyed: str, found: date | None) -> None:
    assert keyed_date(keyed, TODAY) == found


def test_the_repeat_key_says_the_question_again_and_is_no_miss() -> None:
    turn = walk("1980", "2", "8", "8", "8", "8")
    assert (turn.say, turn.state.misses) == (("installments_offer",), 0)
    assert walk("1980", "8").say == ("balance", "menu")


def test_words_nobody_understands_go_to_a_person_and_silence_ends_politely() -> None:
    lost = walk("1980", "mmh", "mmh", "mmh")
    assert (lost.say, kinds(lost)[0]) == (("person",), EffectKind.HAND_OFF)
    quiet = walk("1980", None, None, None)
    assert (quiet.say, kinds(quiet)) == (("goodbye",), [EffectKind.END_CALL])


def test_an_agent_is_dialled_when_one_is_there_and_calls_back_when_nobody_answered() -> None:
    there = replace(FACTS, agent_reachable=True)
    calling = walk("1980", "0", facts=there)
    assert (calling.connect, calling.listen, calling.say) == (True, 0, ("agent_connect",))
    missed = next_turn(DIALOGUES, calling.state, Heard(agent_answered=False), MANNER, there)
    assert (missed.say, kinds(missed)[0]) == (("person",), EffectKind.HAND_OFF)
    talked = next_turn(DIALOGUES, calling.state, Heard(agent_answered=True), MANNER, there)
    assert kinds(talked) == [EffectKind.END_CALL]
    assert kinds(walk("1980", "0"))[0] is EffectKind.HAND_OFF


def test_stop_by_words_reaches_as_far_as_the_words_do_and_the_key_reaches_calls() -> None:
    assert set(walk("stop calling me").effects[0].channels) == set(CALLS)
    assert walk("9").effects[0].channels == CALLS


def test_a_link_to_pay_is_texted_only_where_texts_arrive() -> None:
    assert EffectKind.SEND_TEXT in kinds(walk("1980", "1"))
    fixed = walk("1980", "1", facts=replace(FACTS, takes_texts=False))
    assert (fixed.say, kinds(fixed)) == (("pay",), [EffectKind.END_CALL])


def test_identity_can_be_spoken() -> None:
    assert walk("1 9 8 0").say == ("balance", "menu")
    assert walk("一九八零").say == ("balance", "menu")
    assert walk("nineteen eighty one 1981").what == "identity.failed"


@pytest.mark.parametrize(
    ("method", "postcode", "reference", "expected"),
    [
        ("birth_year", None, "A-1", "1980"), ("postcode", "10001-1234", "A-1", "10001"),
        ("postcode", "EC1A 1AA", "A-1", None), ("postcode", None, "A-1", None),
        ("reference_digits", None, "CC-00481-92", "8192"), ("reference_digits", None, "A-1", None),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_what_cannot_be(
    method: str, postcode: str | None, reference: str, expected: str | None
) -> None:
    identity = identity_of(IdentityMethod(method), birth_year=1980, postcode=postcode, reference=reference)
    assert identity.expected == expected
    if expected is not None:
        assert (identity.digits, identity.matches(expected)) == (len(expected), True)
    assert not identity.matches("0000")
    assert not expected or expected not in repr(identity)


def test_a_person_who_cannot_be_known_hears_nothing() -> None:
    turn = picked_up(manner=replace(MANNER, identity=Identity(IdentityMethod.POSTCODE)))
    assert (turn.say, turn.state.open) == (("greeting", "identity_failed"), False)
