"""The demo in small, before an independent witness: what the carrier saw is the ledger, in hours and under caps."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from outreach.commands.book import bring_in
from outreach.commands.demo import CAMPAIGNS, live_through, start_campaign
from outreach.commands.indoors import run
from outreach.commands.records import write_ledger
from outreach.demo.book import cut_book, people_of, read_book
from outreach.demo.cast import CAST, choose_cast, find_exchange, look, tempers
from outreach.demo.world import SENDER, START, world
from outreach.settings import ROOT, load_settings
from tests.e2e.witness import seen_by_carrier, written_in_ledger
from tests.ledger_checker import check

BORROWERS, DAYS = 200, 10


@pytest.mark.timeout(600)
def test_what_the_carrier_saw_is_what_the_ledger_says(tmp_path: Path) -> None:
    lines, book = read_book(ROOT / "examples" / "portfolio.csv"), tmp_path / "book.csv"
    cast = choose_cast(lines, START.date(), SENDER)
    people = people_of(cut_book(lines, book, BORROWERS, [actor.borrower for actor in cast]))
    environ = {"OUTREACH_DATABASE_URL": "", "OUTREACH_REDIS_URL": ""}
    with world(tmp_path, script={"profiles": tempers(cast, people)}, seed=11, environ=environ) as made:
        settings = load_settings(made.stack.environ)
        summary = run(bring_in(settings, book, tmp_path / "rejects.jsonl", quiet=True))
        assert summary.rejected == 0
        for name in CAMPAIGNS:
            run(start_campaign(settings, name))
        live_through(made, settings, DAYS, seed=11, cast=cast)
        ledger = tmp_path / "ledger.jsonl"
        run(write_ledger(settings, ledger, None, None))
        made.sandbox.client.state()  # flushes the carrier's log
        seen, written = seen_by_carrier(made.sandbox.log_path), written_in_ledger(ledger)
        with psycopg.connect(settings.database_url, autocommit=True) as line:
            unresolved = line.execute("select count(*) from attempt where state in ('started', 'unknown')").fetchone()
            waiting = line.execute("select count(*) from inbox where state <> 'applied'").fetchone()
            parts = look(line, cast)
            shown = find_exchange(line, parts)
            told = line.execute("select count(*) from exchange where trips->0->>'what' = 'turn'").fetchone()
            kinds = dict(line.execute("select kind, count(*) from timeline group by 1").fetchall())
            names = [
                value for row in line.execute("select given_name, family_name from borrower") for value in row if value
            ]
        assert made.clock.now() == START + timedelta(days=DAYS)
        logs = "".join(path.read_text("utf-8") for path in (tmp_path / "log").iterdir())

    assert check(seen, written) == []
    assert len(seen) == sum(one.state == "accepted" for one in written) > BORROWERS
    assert {one.channel for one in seen} >= {"sms", "email", "voice"}
    assert unresolved == (0,)
    assert waiting == (0,)
    assert [one.role.name for one in parts] == [role.name for role in CAST]
    assert [one.role.name for one in parts if one.account is None] == [], "what the demo promises to show"
    assert shown in {one.attempt_id for one in written if one.channel == "voice"}, "the talk whose exchange is shown"
    assert told is not None
    assert told[0] > 3
    assert Counter(kinds)["reply"] > 0
    assert Counter(kinds)["touch.deferred"] > 0
    text = ledger.read_text("utf-8")
    assert "@example" not in text
    assert not re.search(r"\+\d{8,}", text)
    assert not re.search(r"\+\d{8,}|[^\s\"]+@(example\.com|[a-z]+\.test)", logs), "personal data in the logs"
    assert not [name for name in names if len(name) > 4 and f'"{name}"' in logs]
