"""How well the reader does on a labelled corpus: precision and recall per intent, as values and as a table. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from outreach.replies.codec import parse_object
from outreach.replies.reading import SAFETY

_LABELS = frozenset({"expect", "split"})
FACTS = ("choice", "amount_minor", "currency", "date", "count", "must_pause")
"""What a label may say beside the intent; what it does not mention is not counted."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Counts for one intent: ``right`` found and meant, ``found`` found at all, ``meant`` meant at all."""

    right: int
    found: int
    meant: int

    @property
    def precision(self) -> float:
        """The share of findings that were meant; 1 when nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what was meant that was found; 1 when nothing was meant."""
        return self.right / self.meant if self.meant else 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """The result over one set of replies. ``wrong`` holds the ids of replies whose acting intent was misread."""

    replies: int
    right: int
    stop: Rate
    safety: Rate
    facts: Rate
    intents: Mapping[str, Rate]
    wrong: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """The share of replies whose acting intent was read as labelled."""
        return self.right / self.replies if self.replies else 1.0


def score(rows: Iterable[Mapping[str, Any]]) -> Score:
    """Read every labelled reply. ``expect.intent`` is one intent or a list of acceptable ones.

    A label without an intent speaks only of stop and of facts.

    Stop counts by ``must_stop`` (a label without it accepts either); safety counts replies labelled with
    a safety intent that was found anywhere.
    """
    meant: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: list[str] = []
    replies = 0
    for row in rows:
        replies += "intent" in row["expect"]
        reading = parse_object({key: value for key, value in row.items() if key not in _LABELS})
        _count(row["expect"], reading, meant=meant, found=found, right=right)
        if reading["intent"] not in _accepted(row["expect"], reading):
            wrong.append(str(row["id"]))
    rates = {
        name: Rate(right[name], found[name], meant[name]) for name in sorted(meant | found) if not name.startswith("*")
    }
    return Score(
        replies,
        replies - len(wrong),
        Rate(right["*stop"], found["*stop"], meant["*stop"]),
        Rate(right["*safety"], found["*safety"], meant["*safety"]),
        Rate(right["*facts"], meant["*facts"], meant["*facts"]),
        rates,
        tuple(wrong),
    )


def _accepted(expect: Mapping[str, Any], reading: Mapping[str, Any]) -> list[str]:
    intent = expect.get("intent", reading["intent"])
    return list(intent) if isinstance(intent, list) else [intent]


def _count(
    expect: Mapping[str, Any],
    reading: Mapping[str, Any],
    *,
    meant: Counter[str],
    found: Counter[str],
    right: Counter[str],
) -> None:
    accepted = _accepted(expect, reading)
    hit = reading["intent"] in accepted
    label = reading["intent"] if hit else accepted[0]
    stop = bool(reading["must_stop"])
    _tally("*stop", bool(expect.get("must_stop", stop)), stop, meant=meant, found=found, right=right)
    labelled = [name for name in FACTS if name in expect]
    meant["*facts"] += len(labelled)
    right["*facts"] += sum(expect[name] == reading[name] for name in labelled)
    safe = {reading["intent"], *reading["also"]} & SAFETY
    _tally(
        "*safety",
        label in SAFETY and "intent" in expect,
        bool(safe) and (label not in SAFETY or label in safe),
        meant=meant,
        found=found,
        right=right,
    )
    if "intent" in expect:
        meant[label] += 1
        found[reading["intent"]] += 1
        right[label] += hit


def _tally(
    name: str, was_meant: bool, was_found: bool, *, meant: Counter[str], found: Counter[str], right: Counter[str]
) -> None:
    meant[name] += was_meant
    found[name] += was_found
    right[name] += was_meant and was_found


def table(result: Score) -> str:
    """Return the score as lines of text for a terminal."""
    lines = [f"{'intent':<22}{'precision':>10}{'recall':>10}{'replies':>10}"]
    rows = {**result.intents, "must_stop": result.stop, "any safety intent": result.safety}
    lines += [f"{name:<22}{rate.precision:>10.3f}{rate.recall:>10.3f}{rate.meant:>10}" for name, rate in rows.items()]
    lines.append(f"{'accuracy':<22}{result.accuracy:>10.3f}{'':>10}{result.replies:>10}")
    return "\n".join(lines)
