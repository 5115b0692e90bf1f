"""Our counting of segments, and the sandbox's, against what Twilio's own calculator said of the same texts."""

import json
from pathlib import Path
from typing import Any

from channels.sandbox.segments import count_segments as counted_by_the_sandbox
from outreach.rendering.segments import count_segments

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "segments.jsonl").read_text("utf-8").splitlines()
]
ENCODINGS = {"GSM-7": "gsm7", "UCS-2": "ucs2"}


def test_the_texts_reach_every_corner() -> None:
    names = " ".join(row["name"] for row in ROWS)
    assert len(ROWS) > 300
    assert all(each in names for each in ("gsm", "ucs2", "extension", "emoji", "family", "CRLF", "combining", "mixed"))
    assert {row["encoding"] for row in ROWS} == set(ENCODINGS)
    assert {row["segments"] for row in ROWS} >= set(range(1, 8))


def test_ours_counts_as_twilio_does() -> None:
    wrong = [
        (row["name"], row["segments"], ours)
        for row in ROWS
        for ours in [count_segments(row["text"])]
        if (ours.count, str(ours.encoding)) != (row["segments"], ENCODINGS[row["encoding"]])
    ]
    assert wrong == []


def test_the_sandbox_counts_as_twilio_does() -> None:
    assert [row["name"] for row in ROWS if counted_by_the_sandbox(row["text"]) != row["segments"]] == []


def test_more_accents_than_a_segment_holds_are_counted_and_do_not_loop() -> None:
    assert count_segments("e" + "\u0301" * 400).count == 6
    assert counted_by_the_sandbox("e" + "\u0301" * 400) == 6
