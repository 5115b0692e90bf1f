"""Faults on demand: what the other side sees, and what the witness says really happened."""

import http.client
import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from sandbox_listener import Listener

from channels.sandbox.client import Sandbox
from channels.sandbox.errors import ControlError

PERSON, SENDER = "+12025550143", "+12025550100"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    timing = {"sent_seconds": 0, "delivered_seconds": 0}
    with Sandbox(script={"timing": timing, "patterns": [{"match": "*", "temperament": "silent"}]}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    return running


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as web:
        yield web


def post(sandbox: Sandbox, timeout: float = 5.0, **more: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(sandbox.http_url.removeprefix("http://"), timeout=timeout)
    login = b64encode(f"{sandbox.account_sid}:{sandbox.auth_token}".encode()).decode()
    path = f"/2010-04-01/Accounts/{sandbox.account_sid}/Messages.json"
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", path, urlencode({"To": PERSON, "From": SENDER, "Body": "Hi"} | more), headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def taken(sandbox: Sandbox) -> int:
    return sum(entry["kind"] == "text_taken" for entry in sandbox.client.log())


def test_429_says_when_to_come_back_and_takes_nothing(sandbox: Sandbox) -> None:
    sandbox.client.faults(http_429_next=1)
    status, headers, body = post(sandbox)
    assert (status, headers["Retry-After"], json.loads(body)["code"], taken(sandbox)) == (429, "1", 20429, 0)
    assert post(sandbox)[0] == 201


@pytest.mark.parametrize(("fault", "expected"), [("http_500_next", 0), ("http_500_after_accept_next", 1)])
def test_500_may_or_may_not_have_been_taken(sandbox: Sandbox, fault: str, expected: int) -> None:
    sandbox.client.faults(**{fault: 1})
    assert (post(sandbox)[0], taken(sandbox)) == (500, expected)


def test_html_is_an_unreadable_2xx_for_a_text_that_was_taken(sandbox: Sandbox) -> None:
    sandbox.client.faults(html_next=1)
    status, _, body = post(sandbox)
    assert (status, taken(sandbox)) == (200, 1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@pytest.mark.parametrize(("fault", "expected"), [("reset_before_accept_next", 0), ("reset_after_accept_next", 1)])
def test_a_reset_ends_the_connection_without_an_answer(sandbox: Sandbox, fault: str, expected: int) -> None:
    sandbox.client.faults(**{fault: 1})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        post(sandbox)
    assert taken(sandbox) == expected


@pytest.mark.parametrize(("fault", "expected"), [("hang_before_accept_next", 0), ("hang_next", 1)])
def test_a_hang_never_answers(sandbox: Sandbox, fault: str, expected: int) -> None:
    sandbox.client.faults(**{fault: 1})
    with pytest.raises(TimeoutError):
        post(sandbox, timeout=1)
    assert taken(sandbox) == expected
    assert post(sandbox)[0] == 201


def test_a_rate_strikes_the_same_requests_for_the_same_seed(sandbox: Sandbox) -> None:
    def run() -> list[int]:
        sandbox.client.reset()
        sandbox.client.faults(http_429_next=0.5)
        return [post(sandbox)[0] for _ in range(20)]

    first = run()
    assert set(first) == {201, 429}
    assert run() == first


def test_duplicate_callbacks_come_twice_and_shuffled_ones_out_of_order(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.faults(duplicate_callbacks=True)
    post(sandbox, StatusCallback=f"{listener.url}/twice")
    listener.wait_for(4, "/twice")
    sandbox.client.wait_idle()
    assert [f["MessageStatus"] for f in listener.forms("/twice")] == ["sent", "sent", "delivered", "delivered"]
    sandbox.client.faults(duplicate_callbacks=False, shuffle_callbacks=True)
    post(sandbox, StatusCallback=f"{listener.url}/shuffled")
    listener.wait_for(2, "/shuffled")
    assert [f["MessageStatus"] for f in listener.forms("/shuffled")] == ["delivered", "sent"]


def test_callbacks_survive_a_restart_of_the_other_side(sandbox: Sandbox) -> None:
    with Listener() as first:
        port = first.port
        post(sandbox, StatusCallback=f"{first.url}/status")
        first.wait_for(2, "/status")
    post(sandbox, StatusCallback=f"http://127.0.0.1:{port}/status")
    assert sandbox.client.state().pending > 0
    with Listener(port) as second:
        second.wait_for(2, "/status")
        assert [f["MessageStatus"] for f in second.forms("/status")] == ["sent", "delivered"]
        assert sandbox.client.wait_idle().pending == 0


def test_an_error_answer_is_tried_again_a_few_times_then_recorded(sandbox: Sandbox, listener: Listener) -> None:
    answers = iter([500, 503, 204, 204])
    listener.answers = lambda _: (next(answers), b"")
    post(sandbox, StatusCallback=f"{listener.url}/status")
    listener.wait_for(4, "/status")
    sandbox.client.wait_idle()
    assert [f["MessageStatus"] for f in listener.forms("/status")] == ["sent", "sent", "sent", "delivered"]
    tokens = {s.headers["i-twilio-idempotency-token"] for s in listener.seen[:3]}
    assert len(tokens) == 1


@pytest.mark.parametrize(
    ("wanted", "word"),
    [({"hang_nxt": 1}, "no such fault"), ({"hang_next": -1}, "whole number"), ({"latency_ms": -5}, "milliseconds")],
)
def test_a_bad_fault_is_refused_with_what_is_valid(sandbox: Sandbox, wanted: dict[str, float], word: str) -> None:
    with pytest.raises(ControlError, match=word):
        sandbox.client.faults(**wanted)


def test_pipelined_requests_are_answered_in_order(sandbox: Sandbox) -> None:
    host, port = sandbox.http_url.removeprefix("http://").split(":")
    sandbox.client.faults(latency_ms=20)
    login = b64encode(f"{sandbox.account_sid}:{sandbox.auth_token}".encode()).decode()
    wire = b""
    for number in range(5):
        body = urlencode({"To": PERSON, "From": SENDER, "Body": f"text {number}"})
        wire += (
            f"POST /2010-04-01/Accounts/{sandbox.account_sid}/Messages.json HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Basic {login}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(wire)
        got = b""
        while got.count(b'"subresource_uris"') < 5 or not got.endswith(b"}"):
            got += connection.recv(65536)
    places = [got.index(b'"body":"text %d"' % number) for number in range(5)]
    assert places == sorted(places)


def test_garbage_and_an_oversized_body_are_refused_and_the_carrier_goes_on(sandbox: Sandbox) -> None:
    host, port = sandbox.http_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"NOT HTTP AT ALL\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")
    assert post(sandbox, Body="x" * (1 << 21))[0] == 413
    assert post(sandbox)[0] == 201
