"""Templates are held against the law of each place: what a lender lacks at home, what others would have to add."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outreach.commands.content_lint import Linted, lint_content, lint_names
from outreach.domain.creditor import Creditor, Role, load_creditors
from outreach.policy.load import load_policy
from outreach.policy.policy import Policy
from outreach.rendering.catalog import Catalog
from tests.support.source import ROOT

AT = datetime(2027, 3, 1, tzinfo=UTC)
PLANS = {"pre_due": frozenset({"reminder"})}
KEPT = ("pre_due", "help_reply", "stop_confirmation")

Lint = Callable[..., Linted]


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy(ROOT / "config" / "policies")


@pytest.fixture(scope="session")
def creditors() -> Mapping[str, Creditor]:
    return load_creditors(ROOT / "config" / "creditors.yaml")


@pytest.fixture
def lint(tmp_path: Path, policy: Policy, creditors: Mapping[str, Creditor]) -> Lint:
    """Lint a few of the shipped templates, with pieces of some files replaced."""

    def run(files: Mapping[str, tuple[str, str]] | None = None, role: Role = Role.FIRST_PARTY, *only: str) -> Linted:
        root = tmp_path / "templates"
        for path in (ROOT / "templates").rglob("*.*"):
            if path.suffix == ".yaml" or path.name.split(".")[0] in {*KEPT, "base", "reminder", "limited", "layout"}:
                target = root / path.relative_to(ROOT / "templates")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        head, listed = (root / "catalog.yaml").read_text("utf-8").split("\ntemplates:\n")
        kept = [line for line in listed.splitlines() if line.strip().split(":")[0] in KEPT]
        (root / "catalog.yaml").write_text(f"{head}\ntemplates:\n" + "\n".join(kept), "utf-8")
        for name, (old, new) in (files or {}).items():
            text = (root / name).read_text("utf-8")
            assert old in text
            (root / name).write_text(text.replace(old, new), "utf-8")
        lenders = [replace(creditors[one], role=role) for one in only or creditors]
        return lint_content(Catalog.load(root), policy, PLANS, lenders, AT)

    return run


def texts(problems: list[object]) -> str:
    return "\n".join(map(str, problems))


def test_what_ships_lacks_nothing_for_its_own_lenders_and_says_what_a_collector_would_add(lint: Lint) -> None:
    linted = lint()
    assert linted.problems == []
    told = texts([*linted.warnings])
    assert "lacks licence_number (and 2 more templates); it is not sent for an agency in US-CA: " in told
    assert "(US-CA-LICENCE; Cal. Civ. Code 1788.11)" in told
    # What a notice adds by itself is not missing; what a one-way call cannot say is.
    missing = [one.text for one in linted.warnings if "US-REGF-MINIMIRANDA" in one.text]
    assert {text.split(":")[0] for text in missing if "stop_confirmation" not in text} >= {"voice en-US", "voice es-US"}
    assert "pre_due.sms" not in texts([one for one in linted.warnings if "US-REGF-MINIMIRANDA" in one.text])


def test_a_statement_that_law_asks_of_a_lender_at_home_is_a_problem_with_rule_and_citation(lint: Lint) -> None:
    linted = lint({"zh/reminder.sms.j2": ("，{{ words.opt_out }}", "")}, Role.FIRST_PARTY, "qinghe")
    told = [one.text for one in linted.problems if one.file.endswith("zh/pre_due.sms.j2")]
    assert any("lacks opt_out_line in zh-CN" in text and "CN-SMS-31" in text for text in told)
    assert any("house.statements; house policy" in text for text in told)


def test_what_only_one_channel_lacks_in_a_part_of_a_country_is_a_warning(lint: Lint) -> None:
    linted = lint({}, Role.FIRST_PARTY, "harbour")
    assert linted.problems == []
    (one,) = [one for one in linted.warnings if "voice en-US" in one.text and "for a lender in US-OR" in one.text]
    assert "lacks purpose_of_contact;" in one.text


def test_what_a_configured_collector_lacks_is_a_problem(lint: Lint) -> None:
    told = texts([*lint({}, Role.AGENCY, "jacaranda").problems])
    assert "lacks collector_name in es-MX" in told
    assert "MX-COND-DISCLOSE.collector" in told


def test_a_collector_that_says_who_it_is_in_a_notice_lacks_it_no_more(lint: Lint) -> None:
    said = "collector_name: Example Recovery escribe por encargo del acreedor."
    notice = f"notices:\n      {said}\n      mini_miranda: >-\n        Este"
    linted = lint(
        {"locales.yaml": ("notices:\n      mini_miranda: >-\n        Este", notice)}, Role.AGENCY, "jacaranda"
    )
    lacking = {Path(one.file).name for one in linted.problems if "collector_name" in one.text}
    assert {"pre_due.sms.j2", "pre_due.email.j2", "reminder.ivr.j2"}.isdisjoint(lacking)
    assert "reminder.voice.j2" in lacking


@pytest.mark.parametrize(
    ("file", "old", "new", "family"),
    [
        ("en/base.email.j2", "{% block subject %}", "{% block subject %}{{ words.installments }}: ", "debt_in_subject"),
        ("en/base.email.j2", "{% block preview %}", "{% block preview %}{{ words.installment }}: ", "debt_in_subject"),
        ("en/reminder.ivr.j2", "with an {{", "about your {{ words.installment }}, an {{", "debt_before_identity"),
        ("en/reminder.voice.j2", "{{ words.call_opt_out }}", "{{ words.installment }}", "debt_mention"),
        ("en/limited.sms.j2", "{% block answers %}", "{% block answers %}{{ words.installment }}", "debt_mention"),
    ],
)
def test_debt_where_someone_else_may_see_or_hear_it_through_a_shared_word_is_a_problem(
    lint: Lint, file: str, old: str, new: str, family: str
) -> None:
    told = texts([*lint({file: (old, new)}, Role.FIRST_PARTY, "rowan").problems])
    assert family in told


def test_what_a_creditor_calls_itself_is_read_too(tmp_path: Path) -> None:
    text = (ROOT / "config" / "creditors.yaml").read_text("utf-8")
    for old, new in (
        ("name: Rowan Example Finance", "name: County Court Finance"),
        ("en: Monday to Saturday, 9am to 5pm", "en: Reply within 24 hours"),
        ("es: Harbour Example Crédito", "es: Tribunal de Cobros"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "creditors.yaml"
    path.write_text(text, "utf-8")
    problems = lint_names(Catalog.load(ROOT / "templates"), path, load_creditors(path).values())
    assert {one.field for one in problems} == {
        "creditors[0].names.es",
        "creditors[1].name",
        "creditors[1].help_hours.text.en",
    }


def test_the_shipped_creditors_call_themselves_nothing_that_must_not_be_said(creditors: Mapping[str, Creditor]) -> None:
    path = ROOT / "config" / "creditors.yaml"
    assert list(lint_names(Catalog.load(ROOT / "templates"), path, creditors.values())) == []
