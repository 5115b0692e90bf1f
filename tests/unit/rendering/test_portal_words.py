"""The portal's words: every key in every language, nothing that must not be said, and nothing that no page says."""

import re
from pathlib import Path

import pytest

from outreach.domain.arrangement import Frequency
from outreach.domain.located_yaml import load_located
from outreach.domain.portal import Fact, PortalRules, load_portal_rules, read_portal_rules
from outreach.flows.portal import Kind
from outreach.rendering.forbidden import load_lists
from outreach.rendering.portal_words import load_portal_words, read_portal_words
from outreach.settings import ROOT

WORDS = load_portal_words(ROOT / "templates" / "portal")
PAGES = {path.name: path.read_text("utf-8") for path in (ROOT / "outreach/web/pages/portal").glob("*.html")}

CODE = [path.read_text("utf-8") for path in (ROOT / "outreach/web").glob("portal_*.py")]


def test_every_key_exists_in_every_language_and_says_nothing_barred() -> None:
    read, problems = read_portal_words(ROOT / "templates/portal", load_lists(ROOT / "templates/forbidden.yaml"))
    assert problems == []
    assert read.languages == ("en", "es", "zh")
    assert len({frozenset(words) for words in read.by_language.values()}) == 1
    assert len(read.by_language["en"]) > 100


def test_no_words_are_left_in_another_language() -> None:
    english = WORDS.by_language["en"]
    for language in ("es", "zh"):
        same = {key for key, text in WORDS.by_language[language].items() if text == english[key] and len(text) > 3}
        assert same <= {"table.total"}


def test_every_key_is_said_somewhere_and_every_key_said_exists() -> None:
    """Keys that are put together stand here by family."""
    families = {
        "days": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        "said": (
            "plan", "end", "time", "asked", "promise", "paid", "hardship", "dispute", "call", "stop",
            "times", "language", "rests", "repeated",
        ),
        "plan": (*Frequency, "semimonthly_last"),
        "errors": ("form", "long"),
        "contact": ("sms", "email", "calls", "pick", "bad_time"),
        "call": ("any", "morning", "afternoon", "evening"),
        "promise": ("none",),
        "door": (*Fact, *(f"{fact}_hint" for fact in Fact if fact is not Fact.POSTCODE), "failed", "old"),
        **dict.fromkeys(("paid", "hardship", "dispute"), ("title", "text", "words", "words_hint", "button")),
    }  # fmt: skip
    families["call"] += ("title", "text", "words", "words_hint", "button")
    put_together = {f"{section}.{key}" for section, keys in families.items() for key in keys}
    put_together |= {f"{name}.{key}" for name in ("resting", "paid_up", "closed") for key in ("title", "text")}
    put_together |= {key for name in re.findall(r"way\(\"(\w+)\"", PAGES["home.html"])
                     for key in (f"home.{name}", f"home.{name}_note")}  # fmt: skip
    literal = {key for text in PAGES.values() for key in re.findall(r"[\"']([a-z_]+\.[a-z0-9_]+)[\"']", text)}
    literal |= {key for text in CODE for key in re.findall(r'say\("([a-z_]+\.[a-z0-9_]+)"', text)}
    said = put_together | literal | {"language", "calendar.event"}
    assert set(WORDS.by_language["en"]) == said
    assert {str(kind) for kind in Kind} == {"open", "arranged", "resting", "paid", "closed"}


@pytest.mark.parametrize(
    ("language", "line", "complaint"),
    [
        ("es", "  a: Hola", "must have {name}"),
        ("es", "  b: Hola {name}", "has no words"),
        ("es", "  a: Hola {name}\n  b: x", "is not a key"),
        ("es", "  a: Hola {name}, la policía", "authority_posing"),
        ("en", "  a: Hello {name}, your debt", "hints at money owed"),
    ],
)
def test_what_is_wrong_with_words_is_told_with_its_place(
    tmp_path: Path, language: str, line: str, complaint: str
) -> None:
    for each in ("en", "es"):
        good = "  a: Hello {name}" if each == "en" else "  a: Hola {name}"
        (tmp_path / f"{each}.yaml").write_text("door:\n" + (line if each == language else good) + "\n", "utf-8")
    _, problems = read_portal_words(tmp_path, load_lists(ROOT / "templates/forbidden.yaml"))
    found = [str(problem) for problem in problems if complaint in problem.text]
    assert found
    assert f"{language}.yaml:" in found[0]


def test_words_without_english_are_no_words(tmp_path: Path) -> None:
    (tmp_path / "es.yaml").write_text("language: Español\n", "utf-8")
    assert [problem.text for problem in read_portal_words(tmp_path)[1]] == ["is missing"]


def test_the_rules_that_ship_can_be_read() -> None:
    rules = load_portal_rules(ROOT / "config/portal.yaml")
    assert rules == PortalRules()
    assert load_portal_rules(ROOT / "config/none.yaml") == PortalRules()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("identity: {ask: [birth_year], needed: 2}", "must not be more than the 1 facts"),
        ("identity: {ask: [birth_year, birth_year]}", "names a fact twice"),
        ("identity: {ask: [shoe_size]}", "shoe_size"),
        ("identity: {ask: []}", "at least 1"),
        ("identity: {ask: [postcode], needed: 1, tries: 0}", "at least 1"),
        ("identity: {ask: [postcode], needed: 1}\nlink_days: 0", "at least 1"),
        ("identity: {ask: [postcode], needed: 1}\nlink_day: 1", "unknown key"),
        ("link_days: 3", "is missing"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_their_place(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "portal.yaml").write_text(text, "utf-8")
    _, problems = read_portal_rules(load_located(tmp_path / "portal.yaml"))
    assert any(complaint in problem.text for problem in problems), problems
    assert all(problem.line >= 1 for problem in problems)
