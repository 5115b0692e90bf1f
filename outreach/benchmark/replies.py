"""Replies: how well and how quickly one core reads the labelled replies under tests/corpus."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import process_time
from typing import Any

import orjson

from outreach.benchmark.machine import middle
from outreach.replies.codec import parse_object
from outreach.replies.reader import warm
from outreach.replies.score import Rate, Score, score

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "corpus"
SETS = {"development": "replies.jsonl", "held_out": "replies_heldout.jsonl", "sealed": "replies_sealed.jsonl"}
_LABELS = frozenset({"expect", "split"})


def measure(*, replies: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Score the sets, then read ``replies`` of the held-out set on one core, ``runs`` times.

    Speed includes reading and checking the input objects, not the JSON around them.
    """
    sets = {name: _rows(CORPUS / file) for name, file in SETS.items()}
    scores = {name: _scored(score(rows)) for name, rows in sets.items()}
    texts = [{key: value for key, value in row.items() if key not in _LABELS} for row in sets["held_out"]]
    warm()
    rates = [_rate(texts, replies) for _ in range(runs)]
    found = {"replies": replies, "runs": runs, "per_second": middle(rates, 0), "sets": scores}
    unseen = f"{scores['held_out']['accuracy']:.3f} (held out), {scores['sealed']['accuracy']:.3f} (sealed, hard)"
    say(f"replies: {found['per_second']:,.0f}/s, accuracy on unseen replies {unseen}")
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def _rate(texts: list[dict[str, Any]], replies: int) -> float:
    began = process_time()
    for number in range(replies):
        parse_object(texts[number % len(texts)])
    return replies / (process_time() - began)


def _scored(found: Score) -> dict[str, Any]:
    return {
        "replies": found.replies,
        "accuracy": round(found.accuracy, 4),
        "facts": round(found.facts.recall, 4),
        "must_stop": _rated(found.stop),
        "safety": _rated(found.safety),
        "intents": {name: _rated(rate) for name, rate in found.intents.items()},
    }


def _rated(rate: Rate) -> dict[str, float | int]:
    return {"precision": round(rate.precision, 4), "recall": round(rate.recall, 4), "replies": rate.meant}


def rows(found: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    """Return lines for the table of `outreach bench`: speed, the aims, then each intent of two sets."""
    yield ("replies", f"{found['per_second']:,.0f}/s", "2,000/s", "on one core, processor time")
    for name, one in found["sets"].items():
        shown = name.replace("_", " ")
        aims = ("0.93", "0.970", "0.995", "0.97") if name != "development" else ("", "", "", "")
        yield (f"{shown}: accuracy", f"{one['accuracy']:.3f}", aims[0], f"acting intent, {one['replies']:,} replies")
        yield (f"{shown}: facts", f"{one['facts']:.3f}", "", "choice, amount, currency, date, count as labelled")
        yield (f"{shown}: stop precision", f"{one['must_stop']['precision']:.3f}", aims[1], "")
        yield (f"{shown}: stop recall", f"{one['must_stop']['recall']:.3f}", aims[2], "")
        yield (f"{shown}: safety recall", f"{one['safety']['recall']:.3f}", aims[3], "wrong person to hardship")
    held_out, sealed = (found["sets"][name]["intents"] for name in ("held_out", "sealed"))
    for intent in sorted(sealed.keys() | held_out.keys()):
        yield (f"  {intent}", _brief(held_out.get(intent)), "", f"held out; sealed {_brief(sealed.get(intent))}")


def _brief(rate: Mapping[str, Any] | None) -> str:
    return f"{rate['precision']:.2f} / {rate['recall']:.2f} of {rate['replies']}" if rate else ""
