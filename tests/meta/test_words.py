"""Adapter names and hosts stand where the house says and nowhere else; every module and public name says what it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from channels.registry import ADAPTERS
from tests.support.source import ROOT, modules, project_files, shown, tree

# docs/adding-a-channel.md: the adapter's file and registry, channels.yaml, its tests, the page itself.
_MAY_NAME_ADAPTERS = ("channels/", "config/channels.yaml", "tests/", "docs/", "README.md", "CHANGELOG.md")
_TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".in", ".sql", ".j2", ".html", ".css", ".jsonl", ".csv", ""}
# Where this checkout lies, and where people's files lie: true on one machine only.
_ELSEWHERE = re.compile(rf"(?<![\w./-])({re.escape(str(ROOT))}|/home/\w|/root\b|/Users/\w)")
_PACKAGE_HOST = re.compile(r"https?://[^\s\"'>)]*(pypi|pythonhosted|npmjs|registry|mirror)[^\s\"'>)]*")


def texts() -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every text file of the project, these tests apart."""
    for path in project_files():
        if path.suffix in _TEXT and not path.is_relative_to(ROOT / "tests" / "meta"):
            yield shown(path), path.read_text("utf-8", errors="replace")


def test_adapters_are_named_only_where_adding_one_touches() -> None:
    names = re.compile(r"\b(" + "|".join(map(re.escape, ADAPTERS)) + r")\b(?!lib|d\b|://)")
    quoted = re.compile(r"[\"'](" + "|".join(map(re.escape, ADAPTERS)) + r")[\"']")
    found = []
    for name, text in texts():
        if name.startswith(_MAY_NAME_ADAPTERS):
            continue
        # "smtp" is also a protocol that documentation and settings speak of: in code only the quoted name counts.
        if (quoted if name.endswith(".py") else names).search(text) and not name.endswith((".txt", ".toml")):
            found.append(name)
    assert found == []


def test_only_the_registry_imports_adapters() -> None:
    adapters = {
        "channels.sms.twilio", "channels.sms.http_gateway", "channels.sms.aliyun", "channels.voice.twilio",
        "channels.ivr.twilio", "channels.email.smtp", "channels.sms.whatsapp",
    }  # fmt: skip
    may = {"channels/registry.py", "channels/sms/whatsapp.py"}  # WhatsApp is Twilio's texts with other addresses
    found = [
        shown(path)
        for path in modules("outreach", "channels")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module in adapters and shown(path) not in may
    ]
    assert found == []


def test_nothing_but_the_clock_reads_the_time() -> None:
    allowed = {"outreach/clock.py", "channels/sandbox/clock.py"}
    reading = {"now", "utcnow", "today", "time", "time_ns", "fromtimestamp_now", "localtime", "gmtime"}
    found = []
    for path in modules("outreach", "channels"):
        if shown(path) in allowed:
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name in {"datetime", "date", "time"} and node.func.attr in reading:
                found.append(f"{shown(path)}:{node.lineno} {name}.{node.func.attr}")
    assert found == []


def test_the_ban_on_reading_the_time_is_switched_off_nowhere_else() -> None:
    allowed = {"outreach/clock.py", "channels/sandbox/clock.py"}
    named = [shown(path) for path in modules("outreach", "channels") if "TID251" in path.read_text("utf-8")]
    assert set(named) <= allowed


def test_no_file_names_a_place_outside_the_project() -> None:
    assert [name for name, text in texts() if _ELSEWHERE.search(text)] == []


def test_no_file_names_a_package_host() -> None:
    assert [name for name, text in texts() if _PACKAGE_HOST.search(text)] == []


def test_every_module_says_in_one_line_what_it_owns() -> None:
    assert [shown(path) for path in modules("outreach", "channels") if not _first_line(path)] == []


def _first_line(path: Path) -> str:
    return (ast.get_docstring(tree(path)) or "").partition("\n")[0].strip()


def test_every_public_class_and_function_has_a_docstring() -> None:
    found = []
    for path in modules("outreach", "channels"):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found += [f"{shown(path)}:{name}" for name in _undocumented(node)]
    assert found == []


def _undocumented(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    if node.name.startswith("_"):
        return
    if not ast.get_docstring(node):
        yield node.name
    for inner in node.body if isinstance(node, ast.ClassDef) else ():
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) or inner.name.startswith("_"):
            continue
        if not ast.get_docstring(inner) and not any("overload" in ast.dump(each) for each in inner.decorator_list):
            yield f"{node.name}.{inner.name}"


def test_files_stay_readable() -> None:
    """Much over 400 lines is two files; the store's port is one list and may be longer."""
    allowed = {"outreach/flows/ports.py": 700}
    long = {
        shown(path): lines
        for path in modules("outreach", "channels")
        if (lines := len(path.read_text("utf-8").splitlines())) > allowed.get(shown(path), 460)
    }
    assert long == {}
