"""What calls came to: one row a disposition, the same whatever came before in the same call."""

import pytest

from outreach.domain.disposition import CallDisposition, disposition_of_call
from outreach.domain.touch import RANK, merge_call
from outreach.domain.words import Outcome
from outreach.policy.counting import CALL_COUNTS
from outreach.policy.rules import Counted

ROWS = [
    # outcome learned on the call, receipt, answered by, error -> disposition, placed call counts, attempt rang
    (Outcome.CONVERSATION, "completed", "human", None, "right_party", True),
    (Outcome.WRONG_PARTY, "completed", "human", None, "wrong_number", True),
    (None, "completed", "human", None, "unverified", True),
    (Outcome.VOICEMAIL_LEFT, "completed", "machine", None, "voicemail_left", True),
    (Outcome.LIMITED_CONTENT_LEFT, "completed", "machine", None, "voicemail_left", True),
    (None, "completed", "machine", None, "machine_no_message", True),
    (None, "completed", "unknown", None, "answered_unknown", True),
    (None, "completed", None, None, "answered_unknown", True),
    (None, "completed", "fax", None, "fax", True),
    (None, "busy", None, None, "busy", True),
    (None, "no_answer", None, None, "no_answer", True),
    (None, "failed", None, "bad_address", "invalid_number", False),
    (None, "failed", None, "unavailable", "network_failure", False),
    (None, "cancelled", None, None, "cancelled", False),
]


@pytest.mark.parametrize(("learned", "status", "answered_by", "error", "wanted", "rang"), ROWS)
def test_a_call_is_filed_as_what_it_came_to(
    learned: Outcome | None, status: str, answered_by: str | None, error: str | None, wanted: str, rang: bool
) -> None:
    outcome, _ = merge_call(learned or Outcome.ACCEPTED, status, answered_by)
    assert disposition_of_call(outcome, answered_by, error, status) == wanted
    counted = CALL_COUNTS[Outcome(outcome)]
    assert Counted.TOUCHES in counted, "a call that was placed is always a touch"
    if outcome != Outcome.BUSY:
        assert (Counted.ATTEMPTS in counted) is rang


def test_every_disposition_has_a_row() -> None:
    assert {row[4] for row in ROWS} == set(CallDisposition)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.PENDING, Outcome.UNKNOWN, Outcome.SENT])
def test_what_is_not_over_has_none(outcome: Outcome) -> None:
    assert disposition_of_call(outcome, None, None, "ringing") is None
    assert RANK[outcome] < RANK[Outcome.BUSY]
