"""The policy pages: examples work, and every reason code and rule field is described."""

import re
from pathlib import Path

import orjson
import pytest
from policy_samples import SHIPPED

from outreach.domain.words import HoldKind
from outreach.policy.facts import Facts
from outreach.policy.lines import DEFAULTS, decide_lines
from outreach.policy.rules import Bar
from outreach.policy.schema import RULES_BY_SHAPE

ROOT = Path(__file__).parents[3]
DECIDE = (ROOT / "docs" / "decide.md").read_text()
POLICIES = (ROOT / "docs" / "policies.md").read_text()
FAMILIES = [
    "quiet_hours",
    "personal_window",
    "frequency_cap",
    "cooldown",
    "prerequisite",
    "consent",
    "suppression",
    "content",
    "hold",
    "place",
    "point",
    "recipient",
    "channel",
    "purpose",
    "case",
    "expiry",
    "horizon",
    "paused",
]
CODE = re.compile(rf'"((?:{"|".join(FAMILIES)})\.[a-z_]+)"')


def documented() -> set[str]:
    """Codes of the table; a cell that goes on with .after_close means the same family."""
    codes: set[str] = set()
    for row in re.findall(r"^\| (`.+?) \|", DECIDE.split("## Reason codes")[1], re.MULTILINE):
        family = ""
        for code in re.findall(r"`([a-z_]*\.[a-z_]+)`", row):
            family = code.split(".")[0] or family
            codes.add(f"{family}.{code.split('.')[1]}")
    return codes


def test_every_reason_code_in_the_source_is_described() -> None:
    modules = (ROOT / "outreach" / "policy").glob("*.py")
    source = "".join(
        path.read_text() for path in modules if path.name != "dossier.py"
    )  # that one reads, and decides nothing
    used = set(CODE.findall(source)) | {rule.code for rule in SHIPPED.rules if isinstance(rule, Bar)}
    assert len(used) > 20
    assert used - documented() == set()
    assert all(f"`{kind}`" in DECIDE + POLICIES or "`hold.<kind>`" in DECIDE for kind in HoldKind)


def test_the_example_line_is_sent() -> None:
    block = DECIDE.split("```json")[1].split("```")[0]
    (answer,) = decide_lines([block.replace("\n", " ").encode()], SHIPPED)
    assert orjson.loads(answer)["decision"]["verdict"] == "send"


@pytest.mark.parametrize("name", list(Facts.__dataclass_fields__))
def test_every_field_of_the_facts_is_described(name: str) -> None:
    assert f"`{name}`" in DECIDE


def test_only_what_is_no_permission_has_a_default() -> None:
    assert set(DEFAULTS).isdisjoint({"channel", "amount_due_minor", "jurisdictions", "zones", "point", "consents"})


@pytest.mark.parametrize("shape", sorted(RULES_BY_SHAPE))
def test_every_field_of_every_shape_is_described(shape: str) -> None:
    fields = set(RULES_BY_SHAPE[shape].model_fields)
    assert {name for name in fields if f"`{name}`" not in POLICIES} == set()
