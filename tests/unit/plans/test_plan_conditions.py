from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.condition import Condition
from outreach.domain.condition_facts import (
    AUDIENCE_FACTS,
    FACTS,
    BorrowerFacts,
    CaseFacts,
    ConditionError,
    ConditionFacts,
    InstallmentFacts,
    TriggerFacts,
    stage_of,
)
from outreach.domain.condition_probe import Bounds, never_holds

CASE = CaseFacts("harbour", "card", "early", "USD", 3, Decimal("50.00"), 1, 2, "help")
FACTS_OF_CASE = ConditionFacts(
    CASE,
    BorrowerFacts("es-US", "US", "US-CA", 2),
    trigger=TriggerFacts("payment.missed", Decimal("12.50"), "returned"),
    installment=InstallmentFacts(2, 3, Decimal(40), paid=False),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("case.days_past_due >= 1 and case.amount_due > 25", True),
        ("case.days_past_due > 3", False),
        ("1 <= case.days_past_due <= 5", True),
        ("case.days_past_due == -3", False),
        ("case.amount_due == 50", True),
        ("case.amount_due > 49.5", True),
        ("case.amount_due * 10 / 100 < 6", True),
        ("case.stage == 'early'", True),
        ("case.stage in ['pre_due', 'late']", False),
        ("case.stage not in ('pre_due', 'late')", True),
        ("borrower.language == 'es' or borrower.country == 'MX'", True),
        ("'US' in borrower.locale", True),
        ("borrower.country|lower == 'us'", True),
        ("(case.days_past_due - 5)|abs == 2", True),
        ("borrower.subdivision in ['US-CA', 'US-NY']", True),
        ("not installment.paid and installment.number < installment.count", True),
        ("trigger.type == 'payment.missed' and trigger.amount >= 12.5", True),
        ("case.last_reply_intent != ''", True),
        ("case.touches_sent % 2 == 1", True),
        ("case.days_past_due // 2 + 1 == 2", True),
        ("true", True),
        ("false", False),
        ("  case.days_past_due > 0  ", True),
    ],
)
def test_a_condition_answers_about_the_case(text: str, expected: bool) -> None:
    assert Condition.compile(text).holds(FACTS_OF_CASE) is expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the condition is empty"),
        ("case.days_past_du > 1", "did you mean case.days_past_due?"),
        ("cas.amount_due > 1", "did you mean case.amount_due?"),
        ("days_past_due > 1", "did you mean case.days_past_due?"),
        ("zzz.q > 1", "(known: borrower.*, case.*, installment.*, plan.*, trigger.*)"),
        ("case", "case alone is not a fact; write one of case.amount_due"),
        ("early == case.stage", "text needs quotes: 'early'"),
        ("case.stage == 'eraly'", "case.stage is never 'eraly'; did you mean early? (one of pre_due, early, late)"),
        ("case.stage in ['early', 'lat']", "case.stage is never 'lat'; did you mean late?"),
        ("case.stage == 5", "case.stage is text, 5 is a whole number: they never compare"),
        ("case.days_past_due == '5'", "case.days_past_due is a whole number, '5' is text"),
        ("case.currency > 'EUR'", "only numbers have an order; case.currency is text"),
        ("case.currency in ['USD', 5]", "case.currency is text, but the list holds 5"),
        ("case.currency in []", "the list is empty"),
        ("case.days_past_due in case.amount_due", "in needs a list such as ['US', 'GB'] or a text"),
        ("case.days_past_due", "must be a yes-or-no question, but this is a whole number"),
        ("case.days_past_due and true", "and, or, not join yes-or-no questions, but one side is a whole number"),
        ("not case.touches_sent", "and, or, not join yes-or-no questions"),
        ("case.currency + 1 > 2", "arithmetic needs numbers, but one side is text"),
        ("-case.currency == 1", "arithmetic needs numbers"),
        ("case.amount_due * 0.1 > 2", "amounts are exact: compute with whole numbers"),
        ("borrower.country == none", "none is no value here"),
        ("borrower.locale.lower() == 'es'", "call is not used in conditions"),
        ("borrower.locale.upper == 'es'", "'upper' cannot be asked of that"),
        ("borrower.locale[0] == 'e'", "getitem is not used in conditions"),
        ("case.__class__ == 1", "case.__class__ is not a fact"),
        ("2 ** 999999999 > 1", "pow is not used in conditions"),
        ("'a' * 999999999 == ''", "arithmetic needs numbers"),
        ("borrower.locale|replace('a', 'b') == 'x'", "the filter replace is not used in conditions"),
        ("case.days_past_due|lower == 'x'", "the filter lower needs text"),
        ("case.days_past_due is odd", "test is not used in conditions"),
        ("case.stage = 'early'", "stray '=' in"),
        ("case.days_past_due >", "cannot be read"),
        ("{{ case.stage }}", "cannot be read"),
        ("true %}{% set x = 1", "cannot be read"),
        ("case.days_past_due < 1e999", "a number is too large"),
        ("(" * 200 + "1" + ")" * 200 + " > 0", "nested too deeply"),
        ("-" * 490 + "1 > 0", "nested too deeply"),
        ("case.days_past_due > 1 or " * 20 + "true", "longer than 500 characters"),
    ],
)
def test_a_condition_that_cannot_work_is_refused_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        Condition.compile(text)
    assert complaint in str(refusal.value)


def test_an_audience_may_not_ask_about_the_plan_or_the_trigger() -> None:
    with pytest.raises(ConditionError, match=r"trigger\.amount is not known here"):
        Condition.compile("trigger.amount > 5", AUDIENCE_FACTS)
    with pytest.raises(ConditionError, match=r"plan is not known here"):
        Condition.compile("plan == 1", AUDIENCE_FACTS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("case.amount_due / (case.days_past_due - 3) > 1", "DivisionByZero"),
        ("not (case.touches_sent / 0 > 1)", "ZeroDivisionError"),
        ("case.days_past_due > 0 and case.amount_due % 0 == 0", "InvalidOperation"),
    ],
)
def test_a_condition_that_cannot_be_computed_does_not_hold_and_says_why(text: str, why: str) -> None:
    answer = Condition.compile(text).ask(FACTS_OF_CASE)
    assert not answer.holds
    assert answer.error == f"{why} in condition {text!r}"


def test_a_fact_of_the_wrong_kind_closes_the_condition_instead_of_raising() -> None:
    broken = replace(FACTS_OF_CASE, case=replace(CASE, days_past_due=None))  # type: ignore[arg-type]
    answer = Condition.compile("not (case.days_past_due > 3)").ask(broken)
    assert (answer.holds, answer.error) == (False, "TypeError in condition 'not (case.days_past_due > 3)'")


def test_only_a_plain_yes_is_a_yes() -> None:
    odd = replace(FACTS_OF_CASE, installment=replace(FACTS_OF_CASE.installment, paid="no"))  # type: ignore[arg-type]
    assert not Condition.compile("installment.paid").holds(odd)


def test_an_error_does_not_print_values_of_the_case() -> None:
    broken = replace(FACTS_OF_CASE, case=replace(CASE, days_past_due="+12025550143"))  # type: ignore[arg-type]
    error = Condition.compile("case.days_past_due > 3").ask(broken).error
    assert error is not None
    assert "2025550143" not in error


def test_conditions_are_compared_by_text_and_compiled_once() -> None:
    one, other = Condition.compile("case.touches_sent == 0"), Condition.compile(" case.touches_sent == 0 ")
    assert one == other
    assert one.run is other.run
    assert one.uses == {"case.touches_sent"}


def test_every_fact_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs" / "plans.md").read_text(encoding="utf-8")
    assert [name for name in FACTS if f"`{name}`" not in documented] == []


@pytest.mark.parametrize(("locale", "language"), [("es-MX", "es"), ("zh", "zh"), ("", "")])
def test_a_borrowers_language_comes_from_the_locale(locale: str, language: str) -> None:
    assert BorrowerFacts(locale, "MX").language == language


@pytest.mark.parametrize(("dpd", "stage"), [(-5, "pre_due"), (0, "pre_due"), (1, "early"), (30, "early"), (31, "late")])
def test_stage_follows_days_past_due(dpd: int, stage: str) -> None:
    assert stage_of(dpd) == stage


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("false", {}),
        ("1 > 2", {}),
        ("case.days_past_due > 3 and case.days_past_due < 3", {}),
        ("case.days_past_due > 3 and case.days_past_due < 4", {}),
        ("case.amount_due < 0", {}),
        ("case.amount_due <= 0", {"case.amount_due": Bounds(least=Decimal("0.001"))}),
        ("case.touches_sent == -1", {}),
        ("case.stage == 'early' and case.stage == 'late'", {}),
        ("case.stage not in ['pre_due', 'early', 'late']", {}),
        ("borrower.country == 'US' and borrower.country in ['GB', 'IN']", {}),
        ("installment.paid and not installment.paid", {}),
        ("case.days_past_due > 10", {"case.days_past_due": Bounds(3, 5)}),
        ("plan.step == 'other'", {"plan.step": "first"}),
    ],
)
def test_conditions_that_can_never_hold_are_found(text: str, bounds: dict[str, Bounds | str]) -> None:
    assert never_holds(Condition.compile(text), bounds)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "case.days_past_due > 3 and case.days_past_due < 5",
        "case.amount_due > 0 and case.amount_due < 0.01",
        "case.currency != 'USD'",
        "case.amount_due % 7 == 3",
        "case.days_past_due == case.touches_sent",
        "'xyz' in borrower.locale",
        "borrower.locale|lower == 'es-us'",
        "case.days_past_due > 2.5 and case.days_past_due < 3.5",
        "case.days_past_due > -2.5 and case.days_past_due < -1.5",
    ],
)
def test_conditions_that_can_hold_are_left_alone(text: str) -> None:
    assert not never_holds(Condition.compile(text), {})


numbers = st.integers(-40, 40)
facts_drawn = st.builds(
    lambda dpd, amount, country, sent: ConditionFacts(
        replace(CASE, days_past_due=dpd, amount_due=amount, touches_sent=sent, stage=stage_of(dpd)),
        BorrowerFacts("en-US", country),
    ),
    numbers,
    st.decimals(0, 1000, places=2),
    st.sampled_from(["US", "GB", ""]),
    st.integers(0, 50),
)
clause = st.one_of(
    st.builds(lambda op, n: f"case.days_past_due {op} {n}", st.sampled_from(["<", ">", "==", ">=", "!="]), numbers),
    st.builds(lambda op, n: f"case.amount_due {op} {n}", st.sampled_from(["<", ">", "<="]), st.integers(0, 900)),
    st.builds(lambda c: f"borrower.country == '{c}'", st.sampled_from(["US", "GB"])),
    st.builds(lambda n: f"not (case.touches_sent in [{n}, {n + 2}])", st.integers(0, 50)),
)
expression = st.recursive(clause, lambda inner: st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["and", "or"]), inner), max_leaves=4)  # fmt: skip # noqa: E501


@given(expression, facts_drawn)
def test_the_compiled_condition_agrees_with_plain_python(text: str, facts: ConditionFacts) -> None:
    plain = eval(text, {}, {"case": facts.case, "borrower": facts.borrower})  # noqa: S307 - the drawn text is ours
    assert Condition.compile(text).holds(facts) is plain


@given(expression, facts_drawn)
def test_a_condition_that_holds_for_any_case_is_never_called_unreachable(text: str, facts: ConditionFacts) -> None:
    condition = Condition.compile(text)
    if condition.holds(facts):
        assert not never_holds(condition, {})


@given(st.text(max_size=60))
def test_any_text_is_either_compiled_or_refused_in_words(text: str) -> None:
    try:
        Condition.compile(text)
    except ConditionError as refusal:
        assert str(refusal)  # noqa: PT017 - any other exception fails the test
