"""Every queue has a process that empties it, and every process empties a queue that exists."""

import re
import shlex
from itertools import pairwise

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from outreach.stack import read_procfile
from outreach.workers import app, lanes

PROCESSES = read_procfile()


def consumed() -> list[str]:
    """Return the queues of all lines, as often as they are named."""
    found: list[str] = []
    for command in PROCESSES.values():
        words = shlex.split(command)
        if "--queues" in words:
            found += [word for word in words[words.index("--queues") + 1 :] if not word.startswith("--")]
    return found


def test_every_queue_is_emptied_by_exactly_one_line() -> None:
    assert sorted(consumed()) == sorted(lanes.queues())


def test_every_worker_line_says_which_queues_it_empties() -> None:
    workers = [command for command in PROCESSES.values() if command.startswith("dramatiq")]
    assert workers
    assert all("--queues" in command for command in workers)


def test_urgent_queues_share_a_line_with_their_bulk() -> None:
    for command in PROCESSES.values():
        names = set(re.findall(r"[a-z]+\.urgent", command))
        assert all(re.search(rf"\b{name.removesuffix('.urgent')} ", command) for name in names)


def test_the_worker_declares_an_actor_for_every_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dramatiq.broker.global_broker
    broker = StubBroker(middleware=[])
    monkeypatch.setattr(app, "make_broker", lambda _url: broker)
    monkeypatch.setattr(app, "configure_logging", lambda _level: None)
    try:
        app.build()
    finally:
        dramatiq.set_broker(before)
    assert {actor.queue_name for actor in broker.actors.values()} == set(lanes.queues())


def test_workers_outlive_the_longest_send() -> None:
    """A worker that is asked to end waits for its batch: an interrupted send would be of unknown outcome."""
    for command in PROCESSES.values():
        words = shlex.split(command)
        waits = [int(value) for name, value in pairwise(words) if name == "--worker-shutdown-timeout"]
        assert not command.startswith("dramatiq") or waits[0] >= 90_000
