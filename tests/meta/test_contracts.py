"""The layers of the house hold, in the linter's eyes and in plain sight."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.source import ROOT, modules, shown, tree

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import linter as `make check` does."""
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([tool, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_import_contracts_hold() -> None:
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in answer.stdout


def test_channels_import_nothing_of_the_house() -> None:
    found = [shown(path) for path in modules("channels") if "outreach" in _imported(path)]
    assert found == []


@pytest.mark.parametrize("folder", ["outreach/domain", "outreach/policy", "outreach/replies", "outreach/rendering"])
def test_pure_layers_import_no_io(folder: str) -> None:
    io = {"psycopg", "redis", "dramatiq", "aiohttp", "httpx", "aiosmtplib", "twilio", "fastapi", "socket", "requests"}
    assert [shown(path) for path in modules(folder) if io & _imported(path)] == []


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
