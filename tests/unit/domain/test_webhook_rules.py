"""Signatures by the published scheme, patience between tries, and what webhooks.yaml may say."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.addresses import is_loopback, is_public
from outreach.domain.escalation import load_escalations
from outreach.domain.located_yaml import ConfigError
from outreach.domain.outbound_types import Type
from outreach.domain.webhook import FIRST_WAIT, LONGEST_WAIT, Answer, read_secret, sign, wait_after
from outreach.domain.webhook_config import load_webhooks
from tests.support.receiver import OLD_SECRET, SECRET, is_genuine

# The example that libraries of the Standard Webhooks scheme are tested with.
EXAMPLE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
EXAMPLE_AT = datetime.fromtimestamp(1614265330, UTC)
EXAMPLE_BODY = b'{"test": 2432232314}'
EXAMPLE_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_is_signed_as_published() -> None:
    headers = sign([read_secret(EXAMPLE_SECRET)], EXAMPLE_ID, EXAMPLE_AT, EXAMPLE_BODY)
    assert headers == {
        "webhook-id": EXAMPLE_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": EXAMPLE_SIGNATURE,
    }


@given(body=st.binary(max_size=200), key=st.binary(min_size=24, max_size=64))
def test_whatever_is_signed_verifies_elsewhere_and_nothing_else_does(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = sign([read_secret(secret)], "case-1", EXAMPLE_AT, body)
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(secret, headers | {"webhook-id": "case-2"}, body)
    assert not is_genuine(secret, headers | {"webhook-timestamp": "1614265331"}, body)


def test_two_secrets_make_two_signatures_and_each_verifies() -> None:
    headers = sign([read_secret(SECRET), read_secret(OLD_SECRET)], "case-1", EXAMPLE_AT, b"{}")
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert is_genuine(SECRET, headers, b"{}")
    assert is_genuine(OLD_SECRET, headers, b"{}")
    assert not is_genuine(EXAMPLE_SECRET, headers, b"{}")


@pytest.mark.parametrize("text", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "whsec_" + "A" * 200])
def test_what_is_no_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_ and the base64") as told:
        read_secret(text)
    assert not text.removeprefix("whsec_") or text not in str(told.value)


@given(tries=st.integers(1, 40_000), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
def test_patience_stays_within_bounds(tries: int, jitter: float, asked: float | None) -> None:
    wait = wait_after(tries, jitter, asked)
    assert FIRST_WAIT / 2 <= wait <= LONGEST_WAIT


def test_patience_doubles() -> None:
    waits = [wait_after(tries, 0.0) for tries in range(1, 6)]
    assert waits == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 80)]


@pytest.mark.parametrize("status", [100, 199, 300, 301, 400, 410, 500, None])
def test_only_2xx_says_that_an_event_was_taken(status: int | None) -> None:
    assert not Answer(status, "").taken
    assert Answer(200, "").taken
    assert Answer(299, "").taken


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "255.255.255.255", "localhost", "", "example.com"],
)  # fmt: skip
def test_addresses_inside_the_house_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_loopback_is_never_public(address: object) -> None:
    assert not (is_public(str(address)) and is_loopback(str(address)))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "webhooks.yaml"
    path.write_text(text, "utf-8")
    return path


ONE = """
endpoints:
  - name: ledger
    url: {url}
    secrets: [LEDGER_SECRET, LEDGER_SECRET_OLD]
    types: [arrangement.confirmed]
"""


def test_an_endpoint_is_read_with_one_secret_or_two(tmp_path: Path) -> None:
    path = written(tmp_path, ONE.format(url="https://lender.example.com/hear"))
    (one,) = load_webhooks(path, {"LEDGER_SECRET": SECRET}).endpoints
    assert (one.name, one.types, len(one.secrets)) == ("ledger", frozenset({Type.ARRANGEMENT_CONFIRMED}), 1)
    both = load_webhooks(path, {"LEDGER_SECRET": SECRET, "LEDGER_SECRET_OLD": OLD_SECRET}).endpoints[0]
    assert both.secrets == (read_secret(SECRET), read_secret(OLD_SECRET))
    assert repr(both.secrets[0]) not in repr(both)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://lender.example.com/hear", "must be https"),
        ("ftp://lender.example.com", "is no address"),
        ("lender", "is no address"),
        ("https://me:secret@lender.example.com", "must not hold a login"),
        ("https://lender.example.com/#part", "must not hold a login or a fragment"),
        ("https://10.0.0.1/hear", "public internet; private: true"),
        ("http://127.0.0.1:9/hear", "public internet; private: true"),
        ("https://lender.example.com:99999/", "is no address"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        load_webhooks(written(tmp_path, ONE.format(url=url)), None)
    (problem,) = told.value.problems
    assert (problem.line, problem.field) == (4, "endpoints[0].url")
    assert said in problem.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("arrangement.confirmed", "arrangement.confirmd"), "arrangement.confirmed"),
        (("LEDGER_SECRET,", "whsec_abc,"), "secrets stand in the environment"),
        (("name: ledger", "nam: ledger"), "unknown key"),
        (("types:", "timeout_seconds: 90\n    types:"), "timeout_seconds"),
    ],
)
def test_what_webhooks_yaml_may_not_say_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = ONE.format(url="https://lender.example.com/hear").replace(*change)
    with pytest.raises(ConfigError) as told:
        load_webhooks(written(tmp_path, text), None)
    assert said in str(told.value)
    assert "whsec_abc" not in str(told.value), "what may be a secret is not repeated"


def test_a_secret_that_is_missing_is_named_and_never_shown(tmp_path: Path) -> None:
    path = written(tmp_path, ONE.format(url="https://lender.example.com/hear"))
    with pytest.raises(ConfigError, match="LEDGER_SECRET is not set"):
        load_webhooks(path, {})
    with pytest.raises(ConfigError) as told:
        load_webhooks(path, {"LEDGER_SECRET": "hunter2hunter2"})
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    "change", [("when: silent", "when: tired"), ("id: broken", "id: silent"), ("after_days: 30", "after_days: 0")]
)
def test_an_escalation_that_means_nothing_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    shipped = (Path(__file__).parents[3] / "config" / "escalations.yaml").read_text("utf-8")
    path = tmp_path / "escalations.yaml"
    path.write_text(shipped, "utf-8")
    assert [rule.id for rule in load_escalations(path)] == ["silent", "broken"]
    path.write_text(shipped.replace(*change), "utf-8")
    with pytest.raises(ConfigError):
        load_escalations(path)
