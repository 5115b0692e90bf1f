"""One table for all: what proves a callback, what does not, and that a repeated one is told as such."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import LANES, SECRETS, Lane, forgeries

from channels.contract import Callback, Channel
from channels.errors import BadSignature, MalformedCallback

CHANNELS: dict[str, Channel] = {name: lane.at("http://127.0.0.1:9" if lane.adapter != "smtp" else "9")
                                for name, lane in LANES.items()}  # fmt: skip
every_lane = pytest.mark.parametrize("name", LANES)


def lane_of(name: str) -> tuple[Lane, Any]:
    return LANES[name], CHANNELS[name]


@every_lane
def test_a_genuine_callback_is_believed_and_read(name: str) -> None:
    lane, channel = lane_of(name)
    channel.verify(lane.genuine())
    assert list(channel.parse(lane.genuine()))


@every_lane
def test_a_replay_is_told_by_its_key(name: str) -> None:
    lane, channel = lane_of(name)
    first, again = (list(channel.parse(lane.genuine())) for _ in range(2))
    assert [each.dedupe_key for each in first] == [each.dedupe_key for each in again]
    assert len({each.dedupe_key for each in first}) == len(first)


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        pytest.param(name, forged, id=f"{name}: {kind}")
        for name, lane in LANES.items()
        for kind, forged in forgeries(lane).items()
    ],
)
def test_a_forged_callback_is_refused_without_saying_why(name: str, forged: Callback) -> None:
    _, channel = lane_of(name)
    said = set()
    for one in (forged, Callback("/v1/callbacks/lane", "", {}, b"")):
        with pytest.raises(BadSignature) as caught:
            channel.verify(one)
        said.add(str(caught.value))
        assert caught.value.__cause__ is None
        assert [secret for secret in SECRETS if secret in repr(caught.value)] == []
    assert len(said) == 1


@every_lane
@given(body=st.binary(max_size=200), query=st.text(max_size=40), header=st.text(max_size=60), path=st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_random_requests_raise_nothing_else(name: str, body: bytes, query: str, header: str, path: str) -> None:
    lane, channel = lane_of(name)
    kind = lane.genuine().headers.get("content-type", "")
    one = Callback(f"/v1/callbacks/lane/{path}", query, {lane.proof: header, "content-type": kind}, body)
    with pytest.raises(BadSignature):
        channel.verify(one)
    try:
        list(channel.parse(one))
    except MalformedCallback as error:
        assert error.__cause__ is None  # noqa: PT017 - that nothing else is raised is the point
