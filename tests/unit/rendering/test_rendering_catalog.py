"""The catalog: what it reports about faulty files, where it says they stand, and what its hashes cover."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.domain.words import Channel
from outreach.rendering.catalog import Catalog
from outreach.rendering.lint import check
from outreach.rendering.render import Renderer, RenderRefused
from outreach.rendering.sample import sample_fields

Load = Callable[[str], Catalog]
Change = Callable[[dict[str, str]], Catalog]


def test_an_unknown_field_is_reported_at_its_place(body: Load) -> None:
    catalog = body("Your\npayment of {{ case.amount|money }}")
    (problem,) = set(catalog.problems)
    assert problem.file.endswith("templates/en/pre_due.sms.j2")
    assert (problem.line, problem.column, problem.field) == (3, 20, "case.amount")
    assert "amount_due" in problem.text


def test_an_unknown_name_lists_what_there_is(body: Load) -> None:
    (problem,) = set(body("{{ customer.name }}").problems)
    assert problem.field == "customer"
    assert "borrower" in problem.text


def test_an_amount_without_a_filter_says_which_to_add(body: Load) -> None:
    (problem,) = set(body("{{ case.amount_due }}").problems)
    assert "add |money" in problem.text


def test_a_filter_of_the_wrong_kind_is_reported(body: Load) -> None:
    (problem,) = set(body("{{ case.amount_due|date }}").problems)
    assert problem.text == "|date takes date, not money"


def test_an_unknown_filter_or_a_syntax_error_is_reported_with_its_line(body: Load) -> None:
    assert next((p.line, "upper" in p.text) for p in body("x\n{{ ref|upper }}").problems) == (3, True)
    assert body("x\n{{ ref").problems[0].line in {2, 3}


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("Pay or you will be arrested.", "arrest_threat"),
        ("Our LAWYER will write.", "authority_posing"),
        ("This is urgent.", "pressure"),
        ("We will tell your employer.", "tell_others_threat"),
        ("Why haven't you paid?", "asks_why_unpaid"),
        ("{{ 'legal action' }}", "legal_threat"),
    ],
)
def test_forbidden_words_keep_a_template_out_and_cite_what_bars_them(body: Load, words: str, family: str) -> None:
    catalog = body(words)
    found = [p for p in catalog.problems if family in p.text]
    assert found
    assert "(" in found[0].text
    assert found[0].line == 2
    with pytest.raises(RenderRefused):
        Renderer(catalog).render("pre_due", Channel.SMS, "en-US", sample_fields("en-US"))


def test_forbidden_words_are_found_in_spanish_and_chinese(changed: Change) -> None:
    catalog = changed(
        {
            "es/pre_due.sms.j2": '{% extends "reminder.sms.j2" %}{% block body %}Habrá un embargo.{% endblock %}',
            "zh/pre_due.sms.j2": '{% extends "reminder.sms.j2" %}{% block body %}我们将起诉您。{% endblock %}',
        }
    )
    told = " ".join(p.text for p in catalog.problems)
    assert "embarg" in told
    assert "起诉" in told


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("subject", "Your payment"),
        ("subject", "{{ case.amount_due|money }}"),
        ("preview", "Your account {{ case.reference }}"),
    ],
)
def test_debt_in_a_subject_or_preview_keeps_a_template_out(changed: Change, part: str, words: str) -> None:
    child = f'{{% extends "reminder.email.j2" %}}{{% block {part} %}}{words}{{% endblock %}}'
    catalog = changed({"en/pre_due.email.j2": child})
    assert [p for p in catalog.problems if p.file.endswith("pre_due.email.j2")]


def test_a_condition_may_not_look_at_the_account_where_others_may_see(changed: Change) -> None:
    child = (
        '{% extends "reminder.email.j2" %}'
        "{% block subject %}{% if case.days_past_due > 0 %}Hello{% else %}Hi{% endif %}{% endblock %}"
    )
    assert any("days_past_due" in p.field for p in changed({"en/pre_due.email.j2": child}).problems)


def test_a_limited_answer_may_not_name_the_borrower(changed: Change) -> None:
    child = '{% extends "limited.sms.j2" %}{% block body %}Sorry, {{ borrower.given_name }}.{% endblock %}'
    catalog = changed({"en/wrong_party_ack.sms.j2": child})
    assert {p.field for p in catalog.problems} == {"borrower.given_name"}


def test_a_missing_template_is_reported_for_each_locale_it_fails(changed: Change, tmp_path: Path) -> None:
    changed({})
    (tmp_path / "templates/es/dispute_ack.email.j2").unlink()
    catalog = Catalog.load(tmp_path / "templates")
    assert sorted(p.text for p in catalog.problems) == [
        "dispute_ack.email.j2 does not exist, or cannot be read, for es-MX",
        "dispute_ack.email.j2 does not exist, or cannot be read, for es-US",
    ]


def test_a_missing_parent_and_a_circle_are_reported(changed: Change) -> None:
    lost = changed({"en/pre_due.sms.j2": '{% extends "nowhere.sms.j2" %}'})
    assert any("nowhere.sms.j2" in p.text for p in lost.problems)
    circle = changed({"en/pre_due.sms.j2": '{% extends "pre_due.sms.j2" %}'})
    assert any("extends itself" in p.text for p in circle.problems)


def test_a_missing_block_is_reported(changed: Change) -> None:
    catalog = changed({"en/reminder.voice.j2": "{% block live %}{% endblock %}"})
    assert any(p.field == "voicemail" for p in catalog.problems)


@pytest.mark.parametrize(
    "typo",
    [
        ("locales.yaml", "default: en-US", "default: en-XX", "default"),
        ("locales.yaml", "babel: en_GB", "babel: xx_YY", "locales.en-GB.babel"),
        (
            "locales.yaml",
            "      hash_key: the hash key",
            "      hash_kay: the hash key",
            "locales.en-GB.words.hash_kay",
        ),
        ("locales.yaml", "    keys: {stop: STOP, ", "    keys: {", "text.en.keys.stop"),
        ("catalog.yaml", "pay: 1,", "pay: 2,", "menu"),
        ("catalog.yaml", "limited: true", "limitted: true", "templates.stop_confirmation.limitted"),
        ("forbidden.yaml", "sheriff*", "sh*", "families.authority_posing.en"),
        ("forbidden.yaml", "sheriff*", "... sheriff", "families.authority_posing.en"),
        ("forbidden.yaml", "  es: [deuda*,", "  ex: [deuda*,", "hints.ex"),
        ("statements.yaml", "[creditor.phone]", "[creditor.fax]", "statements.return_number.fields"),
        ("statements.yaml", "[automated]", "[automatic]", "statements.automated_disclosure.words"),
    ],
)
def test_a_typo_in_a_settings_file_is_reported_at_its_field(
    changed: Change, tmp_path: Path, typo: tuple[str, str, str, str]
) -> None:
    name, old, new, field = typo
    changed({})
    path = tmp_path / "templates" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    catalog = changed({name: text.replace(old, new, 1)})
    assert field in {p.field for p in catalog.problems}
    assert all(p.line > 0 for p in catalog.problems)
    assert not catalog.templates


def test_an_empty_folder_is_reported_not_raised(tmp_path: Path) -> None:
    catalog = Catalog.load(tmp_path)
    assert len(catalog.problems) == 5
    with pytest.raises(RenderRefused):
        Renderer(catalog).render("pre_due", Channel.SMS, "en-US", sample_fields("en-US"))


def test_a_file_that_is_no_template_of_ours_is_reported(changed: Change, tmp_path: Path) -> None:
    catalog = changed({"en/pre_due.fax.j2": "x", "fr/pre_due.sms.j2": "x"})
    assert sorted(Path(p.file).name for p in catalog.problems) == ["pre_due.fax.j2", "pre_due.sms.j2"]
    (tmp_path / "templates/en/bad.sms.j2").write_bytes(b"\xff\xfe")
    assert any("UTF-8" in p.text for p in Catalog.load(tmp_path / "templates").problems)


def test_check_finds_what_only_rendering_shows(body: Load) -> None:
    problems = check(body("Please read this. " * 40))
    assert {p.text for p in problems} == {f"cannot be sent in {locale}: too_long" for locale in ("en-US", "en-GB")}


def hashes(one: Catalog, name: str, locale: str) -> str:
    template = one.find(name, Channel.SMS, locale)
    assert template is not None
    return template.hash


def test_hash_follows_the_words_and_every_parent(catalog: Catalog, changed: Change) -> None:
    same = changed({})
    assert hashes(same, "pre_due", "en-US") == hashes(catalog, "pre_due", "en-US")
    other = changed({"en/reminder.sms.j2": '{% extends "base.sms.j2" %}'})
    assert other.version != same.version

    assert hashes(other, "pre_due", "en-US") != hashes(catalog, "pre_due", "en-US")
    assert hashes(other, "dispute_ack", "en-US") == hashes(catalog, "dispute_ack", "en-US")
    assert hashes(other, "pre_due", "zh-CN") == hashes(catalog, "pre_due", "zh-CN")


def test_catalog_knows_what_each_template_uses(catalog: Catalog) -> None:
    template = catalog.find("pre_due", Channel.SMS, "en-US")
    assert template is not None
    assert template.uses == {
        *(
            "creditor.name",
            "borrower.given_name",
            "case.amount_due",
            "case.due_on",
            "creditor.pay_url",
            "notices",
            "ref",
        ),
    }
    assert template.optional == {"borrower.given_name", "creditor.pay_url"}


def test_catalog_lists_names_media_and_locales(catalog: Catalog) -> None:
    assert ("pre_due", Channel.IVR, "es-MX") in catalog.templates
    assert not catalog.has("help_reply", Channel.IVR)
    assert "help_reply" in catalog.names()
    assert "help_reply" not in catalog.names(Channel.VOICE)
