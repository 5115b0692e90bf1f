"""Draws the dialogues into docs/dialogues.md: ``python .ci/dialogues.py`` after one was changed."""
# ruff: noqa: INP001 - a script, not part of a package

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from outreach.replies.dialogue_config import load_dialogues  # noqa: E402 - this checkout, whatever else is installed
from outreach.replies.dialogue_drawing import mermaid  # noqa: E402

PAGE = ROOT / "docs" / "dialogues.md"
MARK = "<!-- Drawn by .ci/dialogues.py; change config/dialogues/, then run it again. -->\n"


def page(text: str) -> str:
    """Return the page with everything after the mark drawn anew."""
    head = text.partition(MARK)[0]
    drawn = [f"\n### {spec.kind}\n```mermaid\n{mermaid(spec)}```\n" for spec in load_dialogues().values()]
    return head + MARK + "".join(drawn)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
