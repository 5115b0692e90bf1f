"""Rules and reasons in words: every shipped rule can be read aloud, every reason keeps its numbers."""

import re
from datetime import UTC, datetime

import pytest

from outreach.flows.rule_shapes import SHAPES, about, asks, shape_of
from outreach.flows.rule_words import FLOOR, Told, limit_words, period_words, summary_of, tell_reason
from outreach.flows.sentences import Tongue, length_words, listed, sentence
from outreach.policy import rules
from outreach.policy.decision import Reason, Verdict
from outreach.policy.floor import FLOOR_IDS
from outreach.policy.load import load_policy
from outreach.policy.rules import Rule
from outreach.policy.schema import RULES_BY_SHAPE
from tests.support.source import ROOT

SHIPPED = load_policy(ROOT / "config" / "policies")
EVERY = (*SHIPPED.rules, *SHIPPED.drafts)
TONGUE = Tongue("America/New_York", "USD")
UNTIL = datetime(2027, 3, 2, 5, 0, tzinfo=UTC)


def told(code: str, *facts: tuple[str, str], rule_id: str = "house.touches", used: tuple[str, ...] = ()) -> Told:
    return tell_reason(Reason(rule_id, code, Verdict.DEFER, "house policy", UNTIL, facts=facts), SHIPPED, TONGUE, used)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.head.id)
def test_every_shipped_rule_can_be_read_aloud(rule: Rule) -> None:
    lines = [*asks(rule), *about(rule)]
    assert asks(rule)
    for line in lines:
        assert line[0].isupper()
        assert line.endswith(".")
        assert not re.search(r"_|\{|\}|None|frozenset|  ", line.replace("New_York", "New York")), line


def test_every_shape_of_the_files_has_its_word() -> None:
    assert set(SHAPES.values()) == set(RULES_BY_SHAPE)
    assert {shape_of(rule) for rule in EVERY} <= set(SHAPES.values())


def test_every_part_of_the_floor_says_what_it_asks() -> None:
    assert set(FLOOR) == {*FLOOR_IDS, "core.horizon"}


def test_a_rule_that_is_gone_has_no_summary_rather_than_another_one() -> None:
    assert summary_of("house.touches", None) == summary_of("no.such.rule", SHIPPED) == ""


@pytest.mark.parametrize(
    ("code", "facts", "words"),
    [
        (
            "frequency_cap.reached",
            (("most", "4"), ("period", "rolling 168h"), ("counted", "touches"), ("per", "borrower")),
            "the limit of 4 contacts to this borrower in any 7 days is used up",
        ),
        (
            "frequency_cap.reached",
            (("most", "1"), ("period", "day"), ("counted", "attempts"), ("per", "number")),
            "the limit of 1 attempt a day to this number or mailbox is used up",
        ),
        (
            "frequency_cap.too_many_channels",
            (("most", "2"), ("used", "email,sms")),
            "too many channels would be used: at most 2 may be (used already: email and text)",
        ),
        (
            "cooldown.running",
            (("after", "conversations"), ("latest_at", "2027-03-01T15:00:00Z")),
            "it is too soon after the last conversation, Mon 1 Mar 2027, 10:00",
        ),
        (
            "quiet_hours.closed_day",
            (("zone", "Asia/Shanghai"), ("local", "Sun 12:00"), ("permitted", "none")),
            "there are no contact hours on this day: it is Sun 12:00 in Asia/Shanghai, permitted is none that day",
        ),
        (
            "quiet_hours.between",
            (("zone", "Asia/Shanghai"), ("local", "Mon 13:00"), ("permitted", "08:00-12:00,14:00-20:00")),
            (
                "it is between two stretches of contact hours: it is Mon 13:00 in Asia/Shanghai, "
                "permitted is 08:00 to 12:00 and 14:00 to 20:00"
            ),
        ),
        (
            "prerequisite.missing",
            (("notices", "default_notice,validation_notice"),),
            "something the rules ask for first is missing: default notice or validation notice",
        ),
        ("content.missing", (("missing", "creditor_name"),),
         "its words lack something that must be said (creditor name)"),
        ("paused.switch", (("switch", "channel:sms"),), "it is switched off (channel sms)"),
        ("place.unknown_zone", (("zone", "Mars/Olympus"),),
         "the borrower's time zone is not known (Mars/Olympus)"),
        ("hold.dispute", (("kind", "dispute"),), "the borrower disputes it"),
    ],
)  # fmt: skip
def test_a_reason_keeps_its_numbers(code: str, facts: tuple[tuple[str, str], ...], words: str) -> None:
    assert told(code, *facts).sentence == words


def test_until_is_told_on_the_borrowers_clock() -> None:
    assert told("frequency_cap.reached").until_local == "Tue 2 Mar 2027, 00:00"


def test_what_fills_a_limit_is_told_with_it() -> None:
    full = (("most", "2"), ("period", "day"), ("counted", "touches"), ("per", "case"))
    both = told("frequency_cap.reached", *full, used=("the text of Monday", "the call of Tuesday"))
    assert both.sentence.endswith("is used up (they were the text of Monday and the call of Tuesday)")


def test_every_counted_word_and_scope_has_words() -> None:
    for counted in rules.Counted:
        for scope in rules.Scope:
            for span in rules.Span:
                assert "_" not in limit_words(2, counted, scope, span, "7d")


@pytest.mark.parametrize(
    ("length", "words"),
    [("7d", "7 days"), ("168h", "7 days"), ("1080m", "18 hours"), ("1d", "1 day"), ("90m", "90 minutes")],
)
def test_a_length_is_told_in_its_largest_whole_unit(length: str, words: str) -> None:
    assert length_words(length) == words


def test_business_days_are_called_that() -> None:
    assert period_words("business_days", "5d") == "in 5 business days"


def test_words_are_joined_as_people_do() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == [
        "", "a", "a and b", "a, b or c",
    ]  # fmt: skip


def test_a_reason_that_several_rules_give_is_said_once_in_the_headline() -> None:
    data = {"channel": "sms", "template": "due_today", "reasons": ["frequency_cap.reached", "frequency_cap.reached"]}
    assert sentence("touch.blocked", data, TONGUE) == 'The text "due today" was not sent: the contact limit is used up.'
