"""The fault storm: every fault of every provider at random on all channels; nothing twice, nothing lost, no cap broken.

The witness is the carrier's own log. Its hours and caps are checked by book-keeping that shares no code with the gate.
"""

import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import yaml

from channels.sandbox import defaults
from channels.sandbox.faults import NAMES
from outreach.clock import pause
from outreach.commands.indoors import run
from outreach.commands.records import write_ledger
from outreach.settings import ROOT, load_settings
from tests.e2e.ordeal import Ordeal, an_ordeal
from tests.e2e.witness import TAKEN, written_in_ledger
from tests.ledger_checker import Seen, Written, check
from tests.support.book import START, Someone, put
from tests.support.touching import plan_touch

PEOPLE = 112
MINUTES = 7
"""Minutes of stepped time that the storm lasts, with new touches and other faults in every one."""
SHARE = PEOPLE // MINUTES
IN_CHINA = (4, 14)
"""Who of a minute's people has a number there; they are sent texts, by Aliyun alone."""
STRIDE = timedelta(minutes=14)
"""How far a waiting house is stepped at once: Aliyun refuses whose clock is more than a quarter of an hour off."""
PATIENT = timedelta(hours=4)
"""How long a touch waits for its turn before it is of no use."""
CHANNELS = ("sms", "email", "voice", "ivr", "sms")
ACROSS = {  # how often each strikes at its worst
    "hang_next": 0.05, "hang_before_accept_next": 0.05, "reset_after_accept_next": 0.1, "reset_before_accept_next": 0.1,
    "http_429_next": 0.15, "http_500_next": 0.1, "http_500_after_accept_next": 0.1, "html_next": 0.1,
    "duplicate_callbacks": 0.5, "lose_callbacks": 0.2, "shuffle_callbacks": 0.5, "smtp_421_next": 0.15,
    "smtp_drop_after_data_next": 0.15, "greylist": 0.3,
}  # fmt: skip
SCRIPT: dict[str, object] = {
    "distribution": {
        "sms": {"deliver": 60, "fail:30005": 6, "fail:30007": 3, "reject:21211": 4, "flaky": 8, "sent_only": 6,
                "stop": 6},
        "voice": {"human": 40, "no_answer": 20, "busy": 10, "voicemail": 20, "unreachable": 6},
        "email": {"silent": 40, "junk": 14, "bounce": 12, "refuse": 8, "full": 6, "greylist": 12, "out_of_office": 6},
    },
    "aliyun": {"pushes": f"/v1/callbacks/sms/china/{defaults.ALIYUN_PUSH_SECRET}"},
}  # fmt: skip
QUICK = {"connect_seconds": 1.0, "total_seconds": 2.0}
STATES = {"ENROUTE": "sent", "DELIVRD": "delivered", "UNDELIV": "undelivered", "REJECTD": "failed"}


def second_sender(http_url: str) -> dict[str, Any]:
    """Another provider of texts, described as a user would describe it."""
    url = f"{http_url}/gateway/v1/messages"
    return {
        "adapter": "http_gateway",
        "weight": 1,
        "options": {
            "sender": "+12025550101",
            "secrets": {"key": "${STORM_GATEWAY_KEY}", "signing": "${STORM_GATEWAY_SIGNING}"},
            "auth": {"kind": "bearer", "secret": "key"},
            "request": {
                "url": url,
                "fields": {"to": "{digits}", "from": "{sender}", "text": "{body}", "client_id": "{attempt_id}",
                           "callback": "{callback_url}", "ttl": "{validity_seconds}"},
            },
            "answer": {"success": {"pointer": "/code", "equals": 0}, "reference": "/id", "segments": "/parts",
                       "code": "/code", "codes": {"101": "bad_address", "102": "opted_out", "103": "content_refused"}},
            "callbacks": {
                "signature": {"kind": "hmac", "header": "X-Signature", "prefix": "sha256=", "secrets": ["signing"],
                              "over": "{timestamp}.{url}.{payload}", "timestamp_header": "X-Timestamp"},
                "receipt": {"token": {"query": "t"}, "reference": "/id", "status": "/state", "statuses": STATES,
                            "code": "/error", "codes": {"30005": "bad_address"}},
            },
            "look_up": {"url": url, "fields": {"client_id": "{attempt_id}"}, "items": "/found",
                        "match": {"/client_id": "{attempt_id}"}, "reference": "/id", "status": "/state",
                        "statuses": STATES},
            **QUICK,
        },
    }  # fmt: skip


def sender_in_china(http_url: str) -> dict[str, Any]:
    """Mainland China's provider, whose templates are approved."""
    approved = {"en-US": {"code": "SMS_1000001", "parameters": {"name": "borrower.given_name"}}}
    return {
        "adapter": "aliyun_sms",
        "prefixes": ["+86"],
        "options": {
            "access_key_id": defaults.ALIYUN_KEY_ID, "access_key_secret": "${STORM_ALIYUN_KEY}",
            "push_secret": "${STORM_ALIYUN_PUSHES}", "sign_name": "示例银行", "templates": {"missed_payment": approved},
            "base_url": http_url, **QUICK,
        },
    }  # fmt: skip


def storm_config(folder: Path, http_url: str) -> None:
    """Write the shipped configuration with three senders of texts, short waits, and lanes that no surge pauses."""
    shutil.copytree(ROOT / "config", folder, dirs_exist_ok=True)
    content = yaml.safe_load((folder / "channels.yaml").read_text("utf-8"))
    channels = content["channels"]
    for name in ("sms", "voice", "ivr"):
        channels[name]["options"] |= QUICK
    sms = channels["sms"]
    main = {"adapter": sms.pop("adapter"), "weight": 2, "options": sms.pop("options")}
    sms["senders"] = {"main": main, "second": second_sender(http_url), "china": sender_in_china(http_url)}
    sms["routing"] = {"open_seconds": 1, "longest_seconds": 2, "hold_seconds": 1, "drift_seconds": 1}
    channels["email"]["options"] |= {"command_seconds": 5, "final_reply_seconds": 5}
    (folder / "channels.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    protection = yaml.safe_load((folder / "protection.yaml").read_text("utf-8"))
    protection["surge"]["at_least"] = protection["outage"]["at_least"] = 100_000
    (folder / "protection.yaml").write_text(yaml.safe_dump(protection), "utf-8")


def rain(ordeal: Ordeal, minute: int) -> set[str]:
    """Set the faults of one minute; each strikes for certain in some, by chance in others. Returns their names."""
    chance = ordeal.chance
    names = [name for number, name in enumerate(NAMES) if (number + minute) % 2]
    wanted: dict[str, float] = dict.fromkeys(NAMES, 0)
    wanted |= {name: round(worst * chance.random(), 3) for name, worst in ACROSS.items()}
    wanted |= {name: 1 if name.endswith("_next") else ACROSS[name] for name in names}
    ordeal.sandbox.client.faults(latency_ms=chance.choice([0, 40, 150]), **wanted)
    return set(names)


def crowd() -> list[Someone]:
    people = [
        Someone(
            ref=f"F{n}",
            phone=f"+861290555{n:04}" if n % SHARE in IN_CHINA else f"+1{(212, 646, 917)[n % 3]}55501{n // 3:02}",
            email=f"f{n}@borrower.test",
        )
        for n in range(PEOPLE)
    ]
    assert len({one.phone for one in people}) == PEOPLE
    return people


def seen_by_attempt(ordeal: Ordeal) -> list[Seen]:
    """What the carrier took, under the name of the attempt it was."""
    attempts = dict(ordeal.ask("select token, attempt_id::text from attempt"))
    return [
        Seen(
            datetime.fromisoformat(one["at"]),
            one["channel"],
            one["to"],
            one["message_id"].strip("<>").split("@")[0] if one["kind"] == "mail_taken" else attempts[one["token"]],
            one.get("body") or "",
        )
        for one in ordeal.sandbox.client.log()
        if one["kind"] in TAKEN
    ]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [20270304])
def test_nothing_is_sent_twice_lost_or_sent_against_the_rules_in_a_storm_of_faults(seed: int) -> None:
    with TemporaryDirectory(prefix="outreach-storm-") as folder:
        var = Path(folder)
        more = {
            "OUTREACH_CONFIG": str(var / "config"),
            "STORM_GATEWAY_KEY": defaults.GATEWAY_KEY,
            "STORM_GATEWAY_SIGNING": defaults.GATEWAY_SECRET,
            "STORM_ALIYUN_KEY": defaults.ALIYUN_KEY_SECRET,
            "STORM_ALIYUN_PUSHES": defaults.ALIYUN_PUSH_SECRET,
            "OUTREACH_BATCH": "12",
        }
        with an_ordeal(var, seed, SCRIPT, prepare=lambda url: storm_config(var / "config", url), **more) as ordeal:
            struck = weather(ordeal)
            ordeal.sandbox.client.faults(**dict.fromkeys(NAMES, 0), latency_ms=0)
            come_to_rest(ordeal)
            assert struck == set(NAMES), "not every fault was set"
            assert_every_fault_struck(ordeal)
            written = ledger_of(ordeal, var)
            assert check(seen_by_attempt(ordeal), written) == []
            assert_settled_or_listed(ordeal)
            assert_answered_receipts_are_in(ordeal)


def weather(ordeal: Ordeal) -> set[str]:
    """Let touches fall due minute by minute under changing faults; many ask for more than the caps permit."""
    people, struck = crowd(), set[str]()
    put(ordeal.found.database_url, *people)
    for minute in range(MINUTES):
        struck |= rain(ordeal, minute)
        mine = people[minute * SHARE : (minute + 1) * SHARE]
        for number, one in enumerate(mine):
            channel = CHANNELS[number % len(CHANNELS)]
            fallback = ("email",) if channel in {"sms", "voice"} else ("sms",)
            dsn, at = ordeal.found.database_url, ordeal.clock.now()
            until = START + PATIENT
            plan_touch(dsn, one, channel=channel, fallback=fallback, at=at, expires_at=until)
            if number % 3 == 0:
                other = "email" if channel == "sms" else "sms"
                plan_touch(dsn, one, channel=other, at=at, expires_at=until)
        with psycopg.connect(ordeal.found.database_url, autocommit=True) as line:
            line.execute("select pg_notify('outreach_due', '')")
        ordeal.until("select count(*) from attempt where state <> 'started'", "the first attempts")
        ordeal.sandbox.client.state(wait_seconds=0.5)
        ordeal.step(timedelta(minutes=1))
    return struck


def come_to_rest(ordeal: Ordeal) -> None:
    """Wait until all is settled; what may be looked up is looked up now, not when its real minute has come."""
    for _ in range(3):
        ordeal.rest(0, STRIDE)
        asked = ordeal.ask(
            """update attempt set lookup_real_at = lookup_real_at - interval '1 hour'
               where state = 'unknown' and channel <> 'email' and lookups < 2 returning 1"""
        )
        if not asked:
            return
        for _ in range(200):
            if not ordeal.ask(
                "select 1 from attempt where state = 'unknown' and lookup_real_at < now() - interval '1 minute' limit 1"
            ):
                break
            ordeal.stack.revive()
            pause(0.05)


def assert_every_fault_struck(ordeal: Ordeal) -> None:
    log = list(ordeal.sandbox.client.log())
    kinds = Counter(entry["kind"] for entry in log)
    faults = Counter(entry["fault"] for entry in log if entry["kind"] == "fault")
    wanted = {name for name in NAMES if name.endswith("_next")}
    assert wanted - set(faults) == set(), faults
    assert {"status_posted", "status_posted_lost", "mail_greylisted", "call_taken", "text_taken", "mail_taken"} <= set(
        kinds
    ), kinds
    bounced = ordeal.ask("select count(*) from inbox where channel = 'email' and kind = 'receipt'")
    assert bounced[0][0] > 0, "no bounce came"
    senders = ordeal.ask("select distinct split_part(provider_ref, ':', 1) from attempt where channel = 'sms'")
    assert {"main", "second", "china"} <= {row[0] for row in senders}, senders


def ledger_of(ordeal: Ordeal, var: Path) -> list[Written]:
    """Return the exported ledger, in which an attempt answers to its own name."""
    path = var / "ledger.jsonl"
    run(write_ledger(load_settings(ordeal.stack.environ), path, None, None))
    assert path.read_text("utf-8").count("\n") >= PEOPLE, json.dumps(ordeal.standing())
    return [replace(one, provider_ref=one.attempt_id) for one in written_in_ledger(path)]


def assert_settled_or_listed(ordeal: Ordeal) -> None:
    counted = ordeal.taken()
    rows = ordeal.ask("select attempt_id::text, state, channel, lookups, error_code from attempt")
    states = Counter(row[1] for row in rows)
    assert states["started"] == 0, ordeal.standing()
    assert states["accepted"] > states["unknown"] > 0, states
    for attempt, state, channel, lookups, code in rows:
        where = (attempt, state, channel, lookups, code)
        if state == "accepted":
            assert counted[attempt] == 1, where
        elif state == "unknown":  # listed for a person: never asked, or the carrier has no trace
            assert channel == "email" or (lookups >= 1 and counted[attempt] == 0), where
        else:
            assert not counted[attempt], where
    open_touches = ordeal.ask(
        "select state, reason, count(*) from touch where state in ('queued', 'started', 'planned') group by 1, 2"
    )
    assert open_touches == []
    kept = ordeal.ask(
        """select count(*) from attempt a where state in ('accepted', 'unknown') and error_code is distinct from
           'process_died' and not exists (select from exchange e where e.exchange_id = a.attempt_id)"""
    )
    assert kept == [(0,)], "an attempt without its exchange"


def assert_answered_receipts_are_in(ordeal: Ordeal) -> None:
    """What the house answered is what counts: the carrier gives up on a callback after a while."""
    waiting = ordeal.ask("select state, note, count(*) from inbox where state <> 'applied' group by 1, 2")
    assert waiting == []
    log = list(ordeal.sandbox.client.log())
    taken = {entry["ref"]: entry for entry in log if entry["kind"] == "text_taken"}
    answered = {
        taken[entry["ref"]]["token"]
        for entry in log
        if entry["kind"] == "status_posted" and entry["answer"] < 300 and entry.get("status") == "delivered"
    }
    known = ordeal.ask("select token, provider_ref from attempt where outcome = 'delivered' and channel = 'sms'")
    assert {"main", "china"} <= {ref.partition(":")[0] for _, ref in known}, "a provider whose receipts did not arrive"
    assert answered <= {token for token, _ in known}
    assert_complaints_are_heeded(ordeal, log)


def assert_complaints_are_heeded(ordeal: Ordeal, log: list[dict[str, Any]]) -> None:
    """Who called a mail junk, and was heard, gets no more."""
    heard = {entry["ref"] for entry in log if entry["kind"] == "inbound_posted" and entry["answer"] < 300}
    who = {entry["recipient"] for entry in log if entry["kind"] == "mail_complaint" and entry["ref"] in heard}
    refused = ordeal.ask(
        """select c.value from suppression s join contact_point c using (borrower_id)
           where s.channel = 'email' and s.lifted_at is null and c.kind = 'email'"""
    )
    assert who, "no complaint arrived: the test proves nothing"
    assert who <= {row[0] for row in refused}
