"""One catalog of the shipped templates for all tests here, and a way to build small ones."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.rendering.catalog import Catalog
from outreach.rendering.render import Renderer

KEPT = ("pre_due", "dispute_ack", "help_reply", "wrong_party_ack", "stop_confirmation")
TEMPLATES = Path(__file__).parents[3] / "templates"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The shipped templates."""
    return Catalog.load(TEMPLATES)


@pytest.fixture(scope="session")
def renderer(catalog: Catalog) -> Renderer:
    """A renderer of the shipped templates."""
    return Renderer(catalog)


def _copy_some(root: Path) -> None:
    """Copy a few shipped templates with all that they stand on, so that loading them again and again stays quick."""

    def unwanted(folder: str, names: list[str]) -> set[str]:
        stems = (*KEPT, "base", "reminder", "limited", "layout")
        return {n for n in names if n.endswith(".j2") and n.split(".")[0] not in stems}

    shutil.copytree(TEMPLATES, root, ignore=unwanted)
    manifest = (TEMPLATES / "catalog.yaml").read_text(encoding="utf-8")
    head, listed = manifest.split("\ntemplates:\n")
    kept = [line for line in listed.splitlines() if line.strip().split(":")[0] in KEPT]
    (root / "catalog.yaml").write_text(f"{head}\ntemplates:\n" + "\n".join(kept), encoding="utf-8")


@pytest.fixture(scope="session")
def copy_some() -> Callable[[Path], None]:
    """What copies a few shipped templates to a folder."""
    return _copy_some


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[dict[str, str]], Catalog]:
    """Load a copy of some shipped templates with files replaced."""

    def load(files: dict[str, str]) -> Catalog:
        root = tmp_path / "templates"
        if not root.exists():
            _copy_some(root)
        for name, text in files.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return Catalog.load(root)

    return load


@pytest.fixture
def body(changed: Callable[[dict[str, str]], Catalog]) -> Callable[[str], Catalog]:
    """Load the shipped templates with another body for the English ``pre_due`` text."""

    def load(words: str) -> Catalog:
        child = '{% extends "reminder.sms.j2" %}\n{% block body %}' + words + "{% endblock %}"
        return changed({"en/pre_due.sms.j2": child})

    return load
