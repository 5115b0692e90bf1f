"""Writes docs/jurisdictions.md from the policy packs: ``python .ci/jurisdictions.py`` after a pack was changed."""
# ruff: noqa: INP001 - a script, not part of a package

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from outreach.domain.located_yaml import load_located  # noqa: E402 - this checkout, whatever else is installed
from outreach.policy.rules import ANYWHERE, UNLISTED  # noqa: E402

HEAD = """# Jurisdictions

Written by `.ci/jurisdictions.py` from `config/policies/`; change the packs, then run it again. What the columns mean
and how a pack is read stands in [policies.md](policies.md). None of this is legal advice.

- **Rules decided**: what the gate asks of every contact in this place from the day each rule is in force. Where places
  are nested or several may apply, the rules of all of them are asked.
- **Duties**: what no machine can decide at the moment of sending; a person sees to it. Each says why.
- **Not applied**: drafts, rules not yet in force, and rules kept only to replay past decisions.
- **Lowest confidence**: the least sure source in the pack. Anything below `high` is for counsel to confirm.

| jurisdiction | place | rules decided | duties | not applied | lowest confidence |
|---|---|---|---|---|---|
"""
SURENESS = ("low", "medium", "high")


def place_name(pack: Path) -> str:
    """Return how the first comment of a pack names its place: its words up to the first stop or colon."""
    return re.split(r"[.:]", pack.read_text("utf-8").removeprefix("# "), maxsplit=1)[0]


def row(name: str, place: str, rules: list[dict[str, Any]]) -> str:
    """Return one line of the table."""
    live = [rule for rule in rules if rule.get("status", "in_force") == "in_force"]
    duties = sum(rule["shape"] == "duty" for rule in live)
    lowest = min((rule["confidence"] for rule in rules), key=SURENESS.index)
    return f"| `{name}` | {place} | {len(live) - duties} | {duties} | {len(rules) - len(live)} | {lowest} |\n"


def main() -> None:
    """Write the page."""
    packs = {path: load_located(path).data for path in sorted((ROOT / "config" / "policies").glob("*.yaml"))}
    lines = [
        row(pack["pack"], place_name(path), pack["rules"])
        for path, pack in packs.items()
        if pack["pack"] not in {ANYWHERE, UNLISTED}
    ]
    (ROOT / "docs" / "jurisdictions.md").write_text(HEAD + "".join(sorted(lines)), "utf-8")


if __name__ == "__main__":
    main()
