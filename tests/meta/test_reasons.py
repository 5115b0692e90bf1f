"""Every reason, timeline kind and alert that code can write has words for people and a line in the docs."""

import re

from outreach.flows import sentences
from outreach.flows.sentences import reason_words
from tests.support.codes import alert_kinds, formatted, prefixes, reasons, timeline_kinds
from tests.support.source import docs

_ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \|$", re.MULTILINE)


def test_codes_that_are_put_together_are_all_known_here() -> None:
    """A new family of f-strings must be spelled out in tests/support/codes.py, or its codes would go unseen."""
    assert prefixes() - {"touch", "menu"} == set(formatted())


def test_the_collector_sees_codes_of_every_kind() -> None:
    assert {
        "quiet_hours.before_open",
        "pacing.wait",
        "hold.cease",
        "campaign.cancelled",
        "provider.throttled",
    } <= reasons()


def test_every_reason_has_words() -> None:
    assert sorted(code for code in reasons() if code not in sentences._REASONS) == []


def test_no_words_are_kept_for_a_reason_that_nothing_gives() -> None:
    assert sorted(set(sentences._REASONS) - reasons()) == []


def test_words_are_words() -> None:
    for code, words in sentences._REASONS.items():
        assert reason_words(code) == words
        assert words == words.strip(" .")
        assert words[0].islower()


def test_every_reason_is_documented_with_the_words_people_see() -> None:
    listed = dict(_ROW.findall(docs("reasons.md")))
    assert listed == dict(sentences._REASONS)


def test_every_kind_of_timeline_entry_has_a_sentence() -> None:
    assert sorted(timeline_kinds() - set(sentences._KINDS)) == []


def test_every_alert_is_documented_with_what_to_do() -> None:
    page = docs("operations.md")
    assert sorted(kind for kind in alert_kinds() if f"`{kind}`" not in page) == []
