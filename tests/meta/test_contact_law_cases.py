"""Every case of contact law has its tests, and every test of contact law its case, its rules and their citations."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from outreach.policy.load import load_policy
from tests.support.source import ROOT

CASES = range(1, 48)
FILES = sorted((ROOT / "tests" / "unit" / "policy").glob("test_contact_law_*.py"))
FLOWS = ROOT / "tests" / "flows" / "test_contact_law_flows.py"
FLOOR = {"house policy", "47 CFR 64.1200(a)(12)"}
_HEADING = re.compile(r"(\d+)\. (\S.*)\Z")


class Case(NamedTuple):
    """One line of a table: its number, what it is about, and the tests that prove it, each as path::name."""

    number: int
    title: str
    tests: tuple[str, ...]


@cache
def found_in(path: Path) -> dict[str, str]:
    """Return the tests of a file by name, with what they say of themselves."""
    nodes = ast.parse(path.read_text("utf-8")).body
    return {
        node.name: ast.get_docstring(node) or ""
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def table(path: Path) -> Iterator[Case]:
    """Read the table in a file's docstring."""
    found: list[tuple[int, str, list[str]]] = []
    for line in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines():
        if heading := _HEADING.match(line):
            found.append((int(heading[1]), heading[2], []))
        elif line.startswith("    ") and found:
            name = line.strip()
            found[-1][2].append(name if "::" in name else f"{path.relative_to(ROOT)}::{name}")
    return (Case(number, title, tuple(tests)) for number, title, tests in found)


EVERY_CASE = [case for path in FILES for case in table(path)]


def test_every_case_stands_in_the_tables_once() -> None:
    assert sorted(case.number for case in EVERY_CASE) == list(CASES)


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: str(case.number))
def test_a_case_is_proved_by_tests_that_are_there(case: Case) -> None:
    assert case.tests
    assert len(set(case.tests)) == len(case.tests)
    for node in case.tests:
        path, _, name = node.partition("::")
        assert name in found_in(ROOT / path), node


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: str(case.number))
def test_a_case_is_decided_by_the_shipped_packs(case: Case) -> None:
    assert any(Path(node.partition("::")[0]).name.startswith("test_contact_law_") for node in case.tests)


@pytest.mark.parametrize("path", [*FILES, FLOWS], ids=lambda path: path.stem)
def test_a_test_of_contact_law_belongs_to_one_case(path: Path) -> None:
    listed = [node for case in EVERY_CASE for node in case.tests if node.startswith(f"{path.relative_to(ROOT)}::")]
    assert sorted(listed) == sorted(f"{path.relative_to(ROOT)}::{name}" for name in found_in(path))


def cited() -> Iterator[tuple[str, str, str]]:
    """Yield (test, rule, citation) of everything that the tests say they stand on."""
    for path in FILES:
        for name, said in found_in(path).items():
            for line in said.splitlines():
                rule_id, colon, citation = line.strip().partition(": ")
                assert colon, (name, line)
                yield name, rule_id, citation


def test_a_test_of_contact_law_cites_the_rules_it_stands_on() -> None:
    rules = {rule.head.id: rule.head for each in [load_policy(ROOT / "config" / "policies")]
             for rule in (*each.rules, *each.drafts)}  # fmt: skip
    wrong = [
        (name, rule_id, citation)
        for name, rule_id, citation in cited()
        if citation not in (rules[rule_id].citation if rule_id in rules else FLOOR if rule_id[:5] == "core." else ())
    ]
    assert wrong == []
    assert {name for name, _, _ in cited()} == {name for path in FILES for name in found_in(path)}
