"""The locks: every line has hashes, none names a host, and what runs is part of what is developed with."""

import re
import tomllib

import pytest

from tests.support.source import ROOT

FILES = ("requirements/run.txt", "requirements/dev.txt")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")


def entries(name: str) -> dict[str, list[str]]:
    """Return pinned name -> its lines."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (ROOT / name).read_text("utf-8").splitlines():
        pin = _PIN.match(line)
        if pin:
            current = found.setdefault(pin[1].lower().replace("_", "-"), [])
        if line.strip() and not line.lstrip().startswith("#"):
            current.append(line)
    return found


def pins(name: str) -> dict[str, str]:
    """Return pinned name -> version."""
    return {package: _PIN.match(lines[0])[2] for package, lines in entries(name).items()}  # type: ignore[index]


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_hashes_and_nothing_else(name: str) -> None:
    listed = entries(name)
    assert len(listed) > 30
    for package, lines in listed.items():
        assert len(lines) > 1, package
        assert all(re.fullmatch(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines[1:]), package


@pytest.mark.parametrize("name", FILES)
def test_no_line_names_a_host_or_a_path(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"://|--index|--find|--trusted|/tmp|/home|/root|@ file", text) == []


def test_what_runs_is_part_of_what_is_developed_with() -> None:
    develop = pins("requirements/dev.txt")
    assert {
        name: version for name, version in pins("requirements/run.txt").items() if develop.get(name) != version
    } == {}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def bare(line: str) -> str:
        return re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-")

    assert {bare(line) for line in project["dependencies"]} <= set(pins("requirements/run.txt"))
    assert {bare(line) for line in project["optional-dependencies"]["dev"]} <= set(pins("requirements/dev.txt"))


def test_the_editable_install_needs_nothing_that_is_not_locked() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert {re.split(r"[<>=]", line)[0] for line in build} <= set(pins("requirements/run.txt"))
