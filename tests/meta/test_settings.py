"""Every setting is documented, every documented setting exists, and no secret is in the repository."""

import re

import pytest

from outreach.settings import SettingsError, load_settings
from tests.support.source import ROOT, docs, modules, project_files, shown

NAME = re.compile(r"\bOUTREACH_[A-Z0-9_]+\b")
# What tests and the programs that start others set is read somewhere else, or it is a mistake.
_SECRET = re.compile(
    r"\b(AC[0-9a-f]{32}|SK[0-9a-f]{32}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[bp]-[\w-]{20,}|"
    r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----)"
)


def read_anywhere() -> dict[str, str]:
    """Return every variable that code or configuration names, with one place."""
    files = [*modules("outreach", "channels"), *sorted((ROOT / "config").rglob("*.yaml")), ROOT / "Procfile"]
    return {name: shown(path) for path in files for name in NAME.findall(path.read_text("utf-8"))}


def test_every_setting_is_documented() -> None:
    documented = set(NAME.findall(docs("configuration.md")))
    assert {name: place for name, place in read_anywhere().items() if name not in documented} == {}


def test_every_documented_setting_exists() -> None:
    known = set(read_anywhere())
    pages = [path for path in project_files() if path.suffix == ".md"]
    named = {name: shown(path) for path in pages for name in NAME.findall(path.read_text("utf-8"))}
    assert {name: place for name, place in named.items() if name not in known} == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTREACH_CLOCK", "tomorrow"),
        ("OUTREACH_MODE", "test"),
        ("OUTREACH_LOG_LEVEL", "loud"),
        ("OUTREACH_BATCH", "0"),
        ("OUTREACH_BATCH", "many"),
        ("OUTREACH_DATABASE_POOL", "1000"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_would_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name}: expected"):
        load_settings({name: value})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    secret = "not-to-be-seen"
    names = ("OUTREACH_API_KEYS", "OUTREACH_CALLBACK_SECRET", "OUTREACH_TWILIO_AUTH_TOKEN")
    assert secret not in repr(load_settings(dict.fromkeys(names, secret)))


def test_no_secret_is_in_the_repository() -> None:
    found = [
        f"{shown(path)}: {match[0][:6]}..."
        for path in project_files()
        if path.suffix not in {".gz", ".png"}
        for match in _SECRET.finditer(path.read_text("utf-8", errors="replace"))
        # An example is visibly none: one character over and over, or a run of them.
        if len(set(match[0][2:])) > 4 and "0123456789abcdef" not in match[0]
    ]
    assert found == []


def test_no_environment_file_is_in_the_repository() -> None:
    names = [shown(path) for path in project_files()]
    assert [name for name in names if re.search(r"(^|/)\.env(\.|$)|\.pem$|\.key$|id_rsa", name)] == []
