"""The labelled replies: the reader meets its aims on them, and the shipped weights were made from them."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from outreach.replies.reading import Intent
from outreach.replies.score import score, table
from outreach.replies.training import examples, fingerprint, learnt_from, stored, train
from outreach.replies.voter import WEIGHTS, load_voter

CORPUS = Path(__file__).parents[2] / "corpus"


def rows(name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (CORPUS / name).read_bytes().splitlines()]


def test_no_held_out_reply_is_among_those_the_rules_are_written_from() -> None:
    asked = [
        {(row["text"].casefold(), orjson.dumps(row.get("context"))) for row in rows(name)}
        for name in ("replies.jsonl", "replies_heldout.jsonl")
    ]
    bare = re.compile(r"\W*\w{0,8}\W*")  # "STOP", "2" and "yes" may stand in both
    assert {text for text, _ in asked[0] & asked[1] if not bare.fullmatch(text)} == set()


def test_every_intent_is_labelled_in_every_language_it_can_be_said_in() -> None:
    seen: dict[str, set[str]] = {}
    for row in rows("replies.jsonl"):
        named = row["expect"]["intent"]
        for intent in [named] if isinstance(named, str) else named:
            seen.setdefault(intent, set()).add(row["lang"].split("-")[0])
    assert {intent: seen.get(intent, set()) for intent in Intent} == {intent: {"en", "es", "zh"} for intent in Intent}


def test_the_reader_meets_its_aims_on_replies_the_rules_were_not_written_from() -> None:
    result = score(rows("replies_heldout.jsonl"))
    assert result.stop.precision >= 0.97, table(result)
    assert result.stop.recall >= 0.995, table(result)
    assert result.safety.recall >= 0.97, table(result)
    assert result.accuracy >= 0.93, table(result)
    assert result.facts.recall >= 0.98, table(result)


def test_the_reader_has_not_forgotten_the_development_set() -> None:
    result = score(rows("replies.jsonl"))
    assert result.stop.precision >= 0.99, table(result)
    assert result.stop.recall >= 0.995, table(result)
    assert result.safety.recall >= 0.99, table(result)
    assert result.accuracy >= 0.985, table(result)
    assert result.facts.recall >= 0.995, table(result)


def test_what_was_misread_once_and_mended_stays_mended() -> None:
    result = score(rows("replies_mended.jsonl"))
    assert result.stop.precision >= 0.99, table(result)
    assert result.stop.recall >= 0.985, table(result)
    assert result.safety.recall >= 0.98, table(result)
    assert result.accuracy >= 0.975, table(result)


def test_replies_written_later_and_mended_from_stay_mended() -> None:
    result = score(
        row for name in ("second", "third", "fourth", "fifth") for row in rows(f"replies_{name}_sight.jsonl")
    )
    assert result.stop.precision >= 0.985, table(result)
    assert result.stop.recall >= 0.99, table(result)
    assert result.safety.recall >= 0.985, table(result)
    assert result.accuracy >= 0.98, table(result)
    assert result.facts.recall >= 0.99, table(result)


def test_the_shipped_weights_were_made_from_the_labelled_replies() -> None:
    made_from = fingerprint(row for path in learnt_from(CORPUS) for row in rows(path.name))
    assert load_voter().trained_on == made_from, "the labelled replies changed: run `outreach replies train`"
    assert not {CORPUS / "replies_heldout.jsonl", CORPUS / "replies_sealed.jsonl"} & set(learnt_from(CORPUS))
    assert WEIGHTS.stat().st_size < 1_500_000


def test_training_twice_gives_the_same_bytes() -> None:
    some = examples(rows("replies.jsonl")[:150])
    assert stored(train(some)) == stored(train(some))


@pytest.mark.parametrize("order", [1, -1])
def test_the_fingerprint_does_not_depend_on_the_order_of_replies(order: int) -> None:
    some = rows("replies_heldout.jsonl")
    assert fingerprint(some[::order]) == fingerprint(some)
    assert fingerprint(some[1:]) != fingerprint(some)
