"""The kill test: every process, the queue and the database die under load; nothing is sent twice and nothing is lost.

The witness is the carrier's own log: what it took, by our token for a text and by Message-ID for an email.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from outreach import embedded
from tests.e2e.ordeal import Ordeal, an_ordeal
from tests.support.book import Someone, put
from tests.support.touching import plan_touch

WAVES = 8
PEOPLE_A_WAVE = 36
SCRIPT: dict[str, object] = {"patterns": [{"match": "*", "temperament": "deliver"}]}

FAULTS = {
    "latency_ms": 120,
    "reset_after_accept_next": 0.04,
    "reset_before_accept_next": 0.04,
    "http_429_next": 0.04,
    "http_500_after_accept_next": 0.02,
    "smtp_drop_after_data_next": 0.03,
    "duplicate_callbacks": 0.3,
    "shuffle_callbacks": 0.3,
}
STOPPERS = 5
"""Every fifth person of the last waves answers STOP, while the web process is being killed."""


def wave(ordeal: Ordeal, number: int) -> list[Someone]:
    """Make more people due: two texts for every email."""
    people = []
    for each in range(PEOPLE_A_WAVE):
        n = number * PEOPLE_A_WAVE + each
        people.append(Someone(ref=f"K{n}", phone=f"+1212555{n:04}", email=f"k{n}@borrower.test"))
    put(ordeal.found.database_url, *people)
    for each, one in enumerate(people):
        plan_touch(ordeal.found.database_url, one, channel="email" if each % 3 == 2 else "sms")
    return people


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [20270301])
def test_nothing_is_sent_twice_and_nothing_is_lost_whatever_dies(seed: int) -> None:
    # Not under pytest's own directory: every session that starts closes it to other users, of whom Postgres may be one.
    with TemporaryDirectory(prefix="outreach-kill-") as var, an_ordeal(Path(var), seed, SCRIPT) as ordeal:
        ordeal.sandbox.client.faults(**FAULTS)
        stoppers: dict[str, Someone] = {}
        for number in range(WAVES):
            people = wave(ordeal, number)
            ordeal.until("select count(*) from attempt where state = 'started'", f"wave {number} under way")
            if number == 2:
                with redis.Redis.from_url(ordeal.found.redis_url) as valkey:
                    valkey.flushall()
                ordeal.blows.append("valkey.flush")
            elif number == 3:
                assert ordeal.found.valkey is not None
                ordeal.found.valkey.kill()
                assert ordeal.found.revive() == ["valkey"]
                ordeal.blows.append("valkey.kill")
            elif number == 5:
                embedded.restart_postgres(ordeal.found.postgres, "immediate")
                ordeal.blows.append("postgres.restart")
            for name in ordeal.chance.sample(["sms", "email", "scheduler", "web", "intake", "calls"], k=2):
                ordeal.kill(name)
            if number >= WAVES - 3:
                for one in people[::STOPPERS]:
                    assert one.phone is not None
                    stoppers[ordeal.sandbox.client.say(one.phone, "+12025550100", "STOP")] = one
        ordeal.sandbox.client.faults(**dict.fromkeys(FAULTS, 0))
        ordeal.rest()
        assert_nothing_twice(ordeal)
        assert_nothing_lost(ordeal)
        assert_every_receipt_and_stop_is_in(ordeal, stoppers)
        assert {"valkey.flush", "valkey.kill", "postgres.restart", "scheduler", "web", "sms"} <= set(ordeal.blows), (
            ordeal.blows
        )


def assert_nothing_twice(ordeal: Ordeal) -> None:
    counted = ordeal.taken()
    assert counted, "the carrier saw nothing: the test proves nothing"
    assert [key for key, times in counted.items() if times > 1] == []
    by_touch = Counter(
        touch for touch, attempt in ordeal.ask("select touch_id, attempt_id::text from attempt") if counted[attempt]
    )
    assert [touch for touch, times in by_touch.items() if times > 1] == [], "two attempts of one touch left"


def assert_nothing_lost(ordeal: Ordeal) -> None:
    counted = ordeal.taken()
    fates = ordeal.ask(
        """select t.touch_id, t.state, t.reason, t.channel, a.attempt_id::text, a.state, a.lookups
           from touch t left join lateral (
             select * from attempt a where a.touch_id = t.touch_id order by started_real_at desc limit 1) a on true"""
    )
    assert len(fates) >= WAVES * PEOPLE_A_WAVE
    for touch, state, reason, channel, attempt, how, lookups in fates:
        where = (touch, state, reason, channel, how, lookups)
        if state == "sent":
            assert counted[attempt] == 1, where
            assert how == "accepted", where
        elif state == "unknown":
            # Listed for a person; a text was looked up, and the carrier has no trace of it.
            assert how == "unknown", where
            assert channel == "email" or (lookups >= 2 and counted[attempt] == 0), where
        else:
            assert state in {"blocked", "expired", "cancelled", "failed"}, where
            assert reason, where
            assert not counted[attempt], where
    states = Counter(fate[1] for fate in fates)
    assert states["sent"] > states["unknown"], states


def assert_every_receipt_and_stop_is_in(ordeal: Ordeal, stoppers: dict[str, Someone]) -> None:
    """Hold what the house said it had taken against what it knows. What nobody took, the carrier gives up on."""
    assert ordeal.ask("select state, count(*) from inbox group by 1") == [
        ("applied", ordeal.ask("select count(*) from inbox")[0][0])
    ]
    log = list(ordeal.sandbox.client.log())
    delivered = {entry["ref"] for entry in log if entry["kind"] == "text_status" and entry["status"] == "delivered"}
    answered = [
        entry for entry in log if entry["kind"] in {"status_posted", "inbound_posted"} and entry["answer"] < 300
    ]
    taken_in = {entry["ref"] for entry in answered if entry.get("status") == "delivered"}
    heard = {entry["ref"] for entry in answered if entry["kind"] == "inbound_posted"}
    known = {
        row[0] for row in ordeal.ask("select provider_ref from attempt where outcome = 'delivered' and channel = 'sms'")
    }
    assert taken_in, "no receipt arrived: the test proves nothing"
    assert heard, "no stop arrived: the test proves nothing"
    assert taken_in <= known <= delivered
    stopped = ordeal.ask("select distinct borrower_id from suppression where channel = 'sms' and lifted_at is null")
    in_force = {row[0] for row in stopped}
    assert in_force >= {one.borrower_id for ref, one in stoppers.items() if ref in heard}
    # A process that died between committing a stop and answering has it, too, though the carrier never heard so.
    assert in_force <= {one.borrower_id for one in stoppers.values()}
