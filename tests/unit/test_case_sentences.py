"""What a case tells of reminders and steps: which installment, which plan, and why."""

import pytest

from outreach.flows.sentences import Tongue, sentence

TONGUE = Tongue("America/New_York", "USD")
ID = "019f0000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (
            "enrollment.started",
            {"plan": "arrangement_reminders", "no": 1, "count": 3, "due_on": "2027-03-08"},
            "Reminders of installment 1 of 3, due 8 Mar 2027, were set up.",
        ),
        (
            "enrollment.stopped",
            {"plan": "arrangement_reminders", "cause": f"installment:{ID}:2:again-1", "reason": "paid"},
            "The reminders of installment 2 stopped: it was paid.",
        ),
        ("enrollment.stopped", {"plan": "pre_due", "reason": "paid"}, 'The plan "pre due" stopped: it was paid.'),
        (
            "step.not_needed",
            {"plan": "early_stage", "step": "offer_help"},
            'The step "offer help" of the plan "early stage" was left out: its condition does not hold.',
        ),
        (
            "enrollment.rested",
            {"plan": "missed_payment", "reason": "promise"},
            'The plan "missed payment" was not started: a promise is open.',
        ),
    ],
)
def test_a_sentence_names_what_it_is_about(kind: str, data: dict[str, object], told: str) -> None:
    assert sentence(kind, data, TONGUE) == told
