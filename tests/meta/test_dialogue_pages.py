"""The pictures in docs/dialogues.md are those of the shipped dialogues."""

import runpy

from tests.support.source import ROOT


def test_the_page_shows_the_dialogues_as_they_are() -> None:
    script = runpy.run_path(str(ROOT / ".ci" / "dialogues.py"))
    written = (ROOT / "docs" / "dialogues.md").read_text("utf-8")
    assert script["MARK"] in written
    assert script["page"](written) == written, "run python .ci/dialogues.py"
