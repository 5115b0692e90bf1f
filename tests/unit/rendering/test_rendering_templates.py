"""Every shipped template, in every locale: it renders, says what it must, and says nothing that it may not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from outreach.domain.words import SPOKEN, Channel
from outreach.rendering.catalog import PARTS, Catalog
from outreach.rendering.lint import check, printed
from outreach.rendering.locales import load_locales
from outreach.rendering.manifest import load_manifest
from outreach.rendering.render import Refusal, Renderer, RenderRefused
from outreach.rendering.sample import bare_fields, past_due, sample_fields
from outreach.rendering.segments import Encoding, is_gsm

TEMPLATES = Path(__file__).parents[3] / "templates"
LOCALES = sorted(load_locales(TEMPLATES / "locales.yaml").by_code)
ENTRIES = [(entry.name, entry.channel) for entry in load_manifest(TEMPLATES / "catalog.yaml").entries]
PLAN_STEPS = (
    *("pre_due", "due_today", "early_friendly", "early_follow_up", "early_offer_help", "early_final_reminder"),
    *("missed_payment", "broken_promise", "arrangement_reminder"),
)
ANSWERS = (
    *("promise_confirmation", "arrangement_confirmation", "stop_confirmation", "start_confirmation", "help_reply"),
    *("installments_offer", "installments_readback", "installments_done", "installments_none", "already_paid_ack"),
    *("dispute_ack", "wrong_party_ack", "hardship_ack", "unclear_reply"),
)
LIMITED = [
    (name, channel) for name in ("stop_confirmation", "wrong_party_ack") for channel in (Channel.SMS, Channel.EMAIL)
]
every_template = pytest.mark.parametrize(("name", "channel"), ENTRIES)
every_locale = pytest.mark.parametrize("locale", LOCALES)


def test_the_shipped_templates_have_no_problems(catalog: Catalog) -> None:
    assert [str(problem) for problem in check(catalog)] == []


def test_the_five_locales_are_there() -> None:
    assert LOCALES == ["en-GB", "en-US", "es-MX", "es-US", "zh-CN"]


@pytest.mark.parametrize("name", PLAN_STEPS)
def test_every_plan_step_has_all_four_media(catalog: Catalog, name: str) -> None:
    assert all(catalog.has(name, channel) for channel in Channel)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_can_go_by_text_and_by_mail(catalog: Catalog, name: str) -> None:
    assert catalog.has(name, Channel.SMS)
    assert catalog.has(name, Channel.EMAIL)


@every_locale
@every_template
def test_names_its_creditor_and_template_version(renderer: Renderer, name: str, channel: Channel, locale: str) -> None:
    fields = sample_fields(locale)
    rendered = renderer.render(name, channel, locale, fields)
    assert rendered.locale == locale
    assert len(rendered.template_hash) == 16
    assert fields.creditor.name in " ".join(printed(rendered))


@every_locale
@pytest.mark.parametrize("name", sorted({name for name, channel in ENTRIES if channel is Channel.SMS}))
def test_text_is_short_and_can_be_answered_and_stopped(renderer: Renderer, name: str, locale: str) -> None:
    fields = sample_fields(locale)
    rendered = renderer.render(name, Channel.SMS, locale, fields)
    template = renderer.catalog.find(name, Channel.SMS, locale)
    assert template is not None
    assert rendered.segments is not None
    assert rendered.segments <= template.entry.segments
    assert fields.ref in rendered.body
    assert "  " not in rendered.body
    assert not re.search(r"[.!?](?=[A-Z])(?!com)", rendered.body.replace("pay.example.com", ""))
    if "opt_out" not in template.entry.without:
        assert template.locale.words["opt_out"] in rendered.body


@every_locale
@pytest.mark.parametrize("name", PLAN_STEPS)
def test_reminder_text_offers_help_in_one_word(renderer: Renderer, name: str, locale: str) -> None:
    rendered = renderer.render(name, Channel.SMS, locale, sample_fields(locale))
    keys = renderer.catalog.locales.by_code[locale].keys
    assert keys["help"] in rendered.body
    assert keys["stop"] in rendered.body


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "es-US", "es-MX"])
@pytest.mark.parametrize("name", sorted({name for name, channel in ENTRIES if channel is Channel.SMS}))
def test_our_own_words_stay_in_gsm7(renderer: Renderer, name: str, locale: str) -> None:
    fields = replace(sample_fields("en-US"), borrower=sample_fields("en-US").borrower)
    assert renderer.render(name, Channel.SMS, locale, fields).encoding is Encoding.GSM7


def test_chinese_text_starts_with_the_signature(renderer: Renderer) -> None:
    fields = sample_fields("zh-CN")
    for name in renderer.catalog.names(Channel.SMS):
        rendered = renderer.render(name, Channel.SMS, "zh-CN", fields)
        assert rendered.body.startswith(f"【{fields.creditor.name}】")
        assert rendered.segments is not None
        assert rendered.segments <= 3


@every_locale
@pytest.mark.parametrize("name", sorted({name for name, channel in ENTRIES if channel is Channel.EMAIL}))
def test_mail_keeps_the_debt_out_of_subject_and_preview(renderer: Renderer, name: str, locale: str) -> None:
    fields = sample_fields(locale)
    rendered = renderer.render(name, Channel.EMAIL, locale, fields)
    lists = renderer.catalog.lists
    assert rendered.subject
    assert lists.hint(rendered.subject, locale) is None
    assert lists.hint(rendered.preview, locale) is None
    assert not re.search(r"\d", rendered.subject + rendered.preview)
    assert rendered.preview in rendered.html


@every_locale
def test_mail_html_says_what_its_text_says(renderer: Renderer, locale: str) -> None:
    rendered = renderer.render("pre_due", Channel.EMAIL, locale, sample_fields(locale))
    article = rendered.html.split('role="article"', 1)[1].split(">", 1)[1].split("</div>", 1)[0]
    bare = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", article)).strip()
    assert bare == re.sub(r"\s+", " ", rendered.body)
    assert f'<html lang="{locale}"' in rendered.html
    assert '<meta name="color-scheme" content="light dark">' in rendered.html
    assert rendered.html.count("<a ") == 2, "the creditor's page for payments and the borrower's own"
    assert "<style" not in rendered.html


@every_locale
@pytest.mark.parametrize("name", PLAN_STEPS)
def test_nothing_about_the_account_is_said_before_the_person_is_known(
    renderer: Renderer, name: str, locale: str
) -> None:
    fields = past_due(sample_fields(locale), 9)
    lists = renderer.catalog.lists
    open_parts = ("live", "voicemail", "greeting", "identity", "identity_retry", "identity_failed", "wrong_party_ack")
    for channel in SPOKEN:
        spoken = renderer.render(name, channel, locale, fields).spoken
        for part in set(open_parts) & set(spoken):
            assert lists.hint(re.sub(r"<[^>]*>", "", spoken[part]), locale) is None, part
            assert fields.case.reference not in spoken[part]


@every_locale
def test_call_opens_with_who_calls_that_it_is_automated_and_how_to_stop(renderer: Renderer, locale: str) -> None:
    fields = sample_fields(locale)
    automated = renderer.catalog.locales.by_code[locale].words["automated"]
    live = renderer.render("pre_due", Channel.VOICE, locale, fields).spoken["live"]
    menu = renderer.render("pre_due", Channel.IVR, locale, fields).spoken
    for opening in (live, menu["greeting"]):
        assert opening.index(fields.creditor.name) < 30
        assert automated in opening
    assert renderer.catalog.manifest.menu["stop_calls"] in live
    for name, key in renderer.catalog.manifest.menu.items():
        assert key in menu["menu"] or name == "language"
    assert fields.other_language in menu["identity"]


@every_locale
def test_voicemail_is_limited_content(renderer: Renderer, locale: str) -> None:
    fields = sample_fields(locale)
    for channel in SPOKEN:
        rendered = renderer.render("missed_payment", channel, locale, fields)
        voicemail = rendered.spoken["voicemail"]
        assert fields.creditor.agent_name is not None
        assert fields.creditor.agent_name in voicemail
        assert fields.creditor.name in voicemail
        assert '<say-as interpret-as="digits">0143<' in voicemail or ">900123<" in voicemail
        assert fields.borrower.given_name is not None
        assert fields.borrower.given_name not in voicemail
        assert rendered.withheld == ()
        assert rendered.seconds["voicemail"] < 30


def test_no_voicemail_without_a_person_to_ask_for(renderer: Renderer) -> None:
    rendered = renderer.render("pre_due", Channel.VOICE, "en-US", bare_fields("en-US"))
    assert "voicemail" not in rendered.spoken
    assert rendered.withheld == ("voicemail.agent_name_missing",)


def test_no_voicemail_when_the_name_itself_tells(renderer: Renderer) -> None:
    fields = sample_fields("en-US")
    told = replace(fields, creditor=replace(fields.creditor, name="Acme Debt Collection"))
    assert renderer.render("pre_due", Channel.IVR, "en-US", told).withheld == ("voicemail.name_hints_at_debt",)


@every_locale
@pytest.mark.parametrize(("name", "channel"), LIMITED)
def test_limited_answers_tell_a_stranger_nothing(renderer: Renderer, name: str, channel: Channel, locale: str) -> None:
    template = renderer.catalog.find(name, channel, locale)
    assert template is not None
    assert template.entry.limited
    fields = sample_fields(locale)
    words = " ".join(printed(renderer.render(name, channel, locale, fields)))
    assert fields.borrower.given_name is not None
    assert fields.borrower.given_name not in words
    assert "4821" not in words
    assert "450" not in words


@every_locale
@pytest.mark.parametrize("name", ["pre_due", "early_friendly", "missed_payment", "help_reply", "already_paid_ack"])
def test_works_without_a_name_or_a_pay_link(renderer: Renderer, name: str, locale: str) -> None:
    fields = bare_fields(locale)
    for channel in PARTS:
        if renderer.catalog.find(name, channel, locale):
            words = " ".join(printed(renderer.render(name, channel, locale, fields)))
            assert "None" not in words
            assert "https://" not in words


@every_locale
def test_offers_are_numbered_as_they_are_to_be_answered(renderer: Renderer, locale: str) -> None:
    rendered = renderer.render("installments_offer", Channel.SMS, locale, sample_fields(locale))
    assert [line[:2] for line in rendered.body.split("\n")[1:4]] == ["1)", "2)", "3)"]


@every_locale
@pytest.mark.parametrize("code", ["mini_miranda", "debt_collector_disclosure"])
def test_a_notice_asked_for_is_in_every_text_and_after_identity_in_a_call(
    renderer: Renderer, locale: str, code: str
) -> None:
    fields = replace(sample_fields(locale), notices=(code,))
    words = renderer.catalog.locales.by_code[locale].notices[code]
    mail = renderer.render("pre_due", Channel.EMAIL, locale, fields)
    call = renderer.render("pre_due", Channel.IVR, locale, fields).spoken
    assert words in mail.body
    assert words in call["balance"]
    assert words not in call["greeting"]
    text = renderer.render("pre_due", Channel.SMS, locale, fields)
    assert words in text.body or (text.folded and is_gsm(text.body))


def test_an_unknown_notice_is_refused(renderer: Renderer) -> None:
    fields = replace(sample_fields("en-US"), notices=("licence_number",))
    with pytest.raises(RenderRefused) as refused:
        renderer.render("pre_due", Channel.SMS, "en-US", fields)
    assert refused.value.code is Refusal.UNKNOWN_NOTICE
    assert refused.value.missing == ("licence_number",)


@pytest.mark.parametrize(
    ("wish", "locale"),
    [
        ("es-MX", "es-MX"),
        ("es-AR", "es-US"),
        ("es", "es-US"),
        ("zh-HK", "zh-CN"),
        ("en-IN", "en-US"),
        ("fr-CA", "en-US"),
        ("", "en-US"),
        ("en_GB", "en-GB"),
        ("../etc", "en-US"),
    ],
)
def test_locale_falls_back_along_its_language_then_to_the_default(renderer: Renderer, wish: str, locale: str) -> None:
    assert renderer.render("pre_due", Channel.SMS, wish, sample_fields("en-US")).locale == locale


def test_a_regional_wording_replaces_only_its_own_block(renderer: Renderer) -> None:
    british = renderer.render("hardship_ack", Channel.EMAIL, "en-GB", sample_fields("en-GB")).body
    american = renderer.render("hardship_ack", Channel.EMAIL, "en-US", sample_fields("en-US")).body
    assert "independent debt advice" in british
    assert "independent debt advice" not in american
    assert "We have paused reminders." in british


@every_locale
def test_no_forbidden_family_is_found_in_anything_rendered(renderer: Renderer, locale: str) -> None:
    lists = renderer.catalog.lists
    assert len(lists.families) >= 14
    for name, channel in ENTRIES:
        words = " ".join(printed(renderer.render(name, channel, locale, past_due(sample_fields(locale), 20))))
        assert lists.find(words, locale) == ()
