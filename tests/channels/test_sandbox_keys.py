"""Two auth tokens while they are rotated, and number look-up, against Twilio's own SDK and the real adapter."""

from collections.abc import Iterator

import httpx
import pytest
from sandbox_listener import Listener, Seen, read_by_adapter, twilio_client
from twilio.base.exceptions import TwilioRestException

from channels.errors import BadSignature
from channels.sandbox.client import ControlError, Sandbox
from channels.sandbox.people import LINE_TYPES

PERSON, SENDER = "+12025550143", "+12025550100"
NEW, OTHER = "the-new-token", "a-token-of-nobody"
FAST = {"sent_seconds": 0, "delivered_seconds": 0}


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    script = {"timing": FAST, "patterns": [{"match": "*", "temperament": "silent"}]}
    with Sandbox(callback_base=listener.url, script=script) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


def signs_in(sandbox: Sandbox, token: str) -> bool:
    url = f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.account_sid}/Messages.json"
    status = httpx.get(url, auth=(sandbox.account_sid, token)).status_code
    assert status in {200, 401}
    return status == 200


def spoken(sandbox: Sandbox, listener: Listener) -> Seen:
    """Have somebody text in; return what arrives."""
    before = len(listener.seen)
    sandbox.client.say(PERSON, SENDER, "hello")
    return listener.wait_for(before + 1)[-1]


def accepted(seen: Seen, listener: Listener, sandbox: Sandbox, **tokens: str) -> bool:
    try:
        return len(read_by_adapter(seen, listener, sandbox, **tokens)) == 1
    except BadSignature:
        return False


def test_one_token_signs_in_and_no_other(sandbox: Sandbox) -> None:
    assert signs_in(sandbox, sandbox.auth_token)
    assert not signs_in(sandbox, NEW)
    assert sandbox.client.keys() == {"tokens": 1, "sign_with": "primary"}


def test_both_tokens_sign_in_until_the_second_is_promoted(sandbox: Sandbox) -> None:
    assert sandbox.client.keys(secondary=NEW) == {"tokens": 2, "sign_with": "primary"}
    assert [signs_in(sandbox, token) for token in (sandbox.auth_token, NEW, OTHER)] == [True, True, False]
    sandbox.client.keys(promote=True)
    assert [signs_in(sandbox, token) for token in (sandbox.auth_token, NEW, OTHER)] == [False, True, False]


def test_a_rotation_loses_no_callback_and_lets_nobody_else_in(sandbox: Sandbox, listener: Listener) -> None:
    """Each step as an operator does it: the installation knows both tokens before the provider changes anything."""
    old = sandbox.auth_token
    ready = {"auth_token": old, "auth_token_secondary": NEW}
    after = {"auth_token": NEW, "auth_token_secondary": old}
    done = {"auth_token": NEW, "auth_token_secondary": ""}
    sandbox.client.keys(secondary=NEW)
    before_promotion = spoken(sandbox, listener)
    sandbox.client.keys(sign_with="secondary")
    early = spoken(sandbox, listener)
    sandbox.client.keys(promote=True)
    after_promotion = spoken(sandbox, listener)
    for seen in (before_promotion, early, after_promotion):
        assert accepted(seen, listener, sandbox, **ready)
        assert accepted(seen, listener, sandbox, **after)
        assert not accepted(seen, listener, sandbox, auth_token=OTHER)
    assert not accepted(before_promotion, listener, sandbox, **done)
    assert accepted(after_promotion, listener, sandbox, **done)
    assert not accepted(after_promotion, listener, sandbox, auth_token=old)


def test_a_token_withdrawn_signs_nothing_any_more(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.keys(secondary=NEW, sign_with="secondary")
    assert sandbox.client.keys(secondary=None) == {"tokens": 1, "sign_with": "primary"}
    assert not signs_in(sandbox, NEW)
    assert accepted(spoken(sandbox, listener), listener, sandbox)


@pytest.mark.parametrize("wanted", [{"promote": True}, {"sign_with": "secondary"}, {"secondary": ""}, {"token": "x"}])
def test_a_change_of_keys_that_makes_no_sense_is_refused(sandbox: Sandbox, wanted: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        sandbox.client.keys(**wanted)
    assert signs_in(sandbox, sandbox.auth_token)


def test_the_state_of_the_keys_never_says_a_key(sandbox: Sandbox) -> None:
    sandbox.client.keys(secondary=NEW)
    assert NEW not in str(list(sandbox.client.log())) + str(sandbox.client.keys())


def look_up(sandbox: Sandbox, number: str, **more: str) -> object:
    return twilio_client(sandbox).lookups.v2.phone_numbers(number).fetch(**more)


@pytest.mark.parametrize(
    ("profile", "kind"),
    [({"temperament": "silent"}, "mobile"), ({"temperament": "reject:21614"}, "landline"),
     ({"temperament": "fail:30006"}, "landline"),
     ({"temperament": "silent", "line_type": "nonFixedVoip"}, "nonFixedVoip")],
)  # fmt: skip
def test_a_line_has_the_type_its_script_gives_it(sandbox: Sandbox, profile: dict[str, str], kind: str) -> None:
    sandbox.client.profile({PERSON: profile})
    found = look_up(sandbox, PERSON, fields="line_type_intelligence")
    assert found.line_type_intelligence["type"] == kind
    assert found.line_type_intelligence["error_code"] is None
    assert (found.valid, found.phone_number, found.national_format) == (True, PERSON, "(202) 555-0143")
    assert (found.country_code, found.calling_country_code, found.validation_errors) == ("US", "1", [])
    assert kind in LINE_TYPES


def test_only_what_is_asked_for_is_looked_up(sandbox: Sandbox) -> None:
    assert look_up(sandbox, PERSON).line_type_intelligence is None
    found = look_up(sandbox, PERSON, fields="line_status,caller_name")
    assert (found.line_status, found.line_type_intelligence) == ({"status": "active", "error_code": None}, None)


@pytest.mark.parametrize(
    ("number", "reason"), [("+1202", "TOO_SHORT"), ("+12025550143999", "TOO_LONG"), ("nonsense", "NOT_A_NUMBER"),
                           ("+9995550143", "INVALID_COUNTRY_CODE")],
)  # fmt: skip
def test_a_number_that_cannot_be_is_not_valid(sandbox: Sandbox, number: str, reason: str) -> None:
    found = look_up(sandbox, number, fields="line_type_intelligence")
    assert (found.valid, found.validation_errors, found.line_type_intelligence) == (False, [reason], None)


def test_a_number_may_be_national_with_its_country(sandbox: Sandbox) -> None:
    assert look_up(sandbox, "(202) 555-0143", country_code="US").phone_number == PERSON


def test_a_stranger_looks_nothing_up(sandbox: Sandbox) -> None:
    with pytest.raises(TwilioRestException) as caught:
        twilio_client(sandbox, OTHER).lookups.v2.phone_numbers(PERSON).fetch()
    assert caught.value.status == 401


def test_faults_strike_look_ups_too(sandbox: Sandbox) -> None:
    sandbox.client.faults(http_429_next=1)
    with pytest.raises(TwilioRestException) as caught:
        look_up(sandbox, PERSON)
    assert caught.value.status == 429
