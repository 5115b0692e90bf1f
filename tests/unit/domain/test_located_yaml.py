"""Settings files: every value knows its line, and everything wrong is reported at once."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from outreach.domain.located_yaml import ConfigError, Problem, load_located, parse_located

TEXT = """\
name: early
steps:
  - send: sms
    at: 21:00
  - send: email
    country: NO
    after: 08:30
"""


def test_every_value_knows_line_and_column() -> None:
    located = parse_located(TEXT, "plan.yaml")
    assert located.mark(("name",)) == (1, 7)
    assert located.mark(("steps", 0, "at")) == (4, 9)
    assert located.mark(("steps", 1)) == (5, 5)


def test_a_missing_field_is_marked_at_its_parent() -> None:
    located = parse_located(TEXT, "plan.yaml")
    assert located.mark(("steps", 1, "template")) == (5, 5)
    assert located.mark(("steps", 1, "tagged-union", "country")) == (6, 14)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21:00", "21:00"), ("08:30", "08:30"), ("NO", "NO"), ("no", "no"), ("on", "on"), ("yes", "yes"),
        ("2026-11-22", "2026-11-22"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("12", 12), ("-3", -3), ("2.5", 2.5),
        ("true", True), ("false", False), ("~", None), ("", None), ("'12'", "12"), ('"true"', "true"), ("08", 8),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert parse_located(f"a: {text}", "x").data == {"a": value}


def test_keys_are_always_text() -> None:
    assert parse_located("1: pay\n2: callback", "x").data == {"1": "pay", "2": "callback"}


def test_duplicate_keys_are_all_reported_with_both_lines() -> None:
    located = parse_located("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", "x.yaml")
    assert [str(p) for p in located.problems] == [
        "x.yaml:4:3 b.c: is given twice; the first is on line 3",
        "x.yaml:5:1 a: is given twice; the first is on line 1",
    ]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1, 2\nb: 3", "x.yaml:2:"),
        ("a: &n 1\nb: *n", "x.yaml:2:4"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1"),
        ("", "x.yaml:1:1 is empty"),
        ("a: \x07", "x.yaml:1:1"),
        ("a: !python/object:x 1", "x.yaml:1:4 a: tags"),
        ("? [1]\n: 2", "x.yaml:1:3 a key must"),
    ],
)
def test_what_cannot_be_read_is_a_problem_not_a_traceback(text: str, start: str) -> None:
    problems = parse_located(text, "x.yaml").problems
    assert len(problems) == 1
    assert str(problems[0]).startswith(start)


def test_a_missing_file_and_a_binary_file_are_problems(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in str(load_located(tmp_path / "none.yaml").problems[0])
    assert "UTF-8" in str(load_located(tmp_path / "b.yaml").problems[0])


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    send: str
    template: str


def test_pydantic_errors_become_problems_at_the_right_line() -> None:
    located = parse_located(TEXT, "plan.yaml")
    with pytest.raises(ValidationError) as caught:
        _Step.model_validate(located.data["steps"][0])
    assert [str(p) for p in located.problems_of(caught.value.errors(), ("steps", 0))] == [
        "plan.yaml:3:5 steps[0].template: is missing",
        "plan.yaml:4:9 steps[0].at: unknown key; remove it or correct its spelling",
    ]


def test_config_error_lists_every_problem() -> None:
    error = ConfigError([Problem("f", 1, 2, "a", "x"), Problem("f", 3, 4, "", "y")])
    assert str(error) == "f:1:2 a: x\nf:3:4 y"
