"""What templates say and must not say is known before they are used, for each creditor."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from outreach.domain.words import Channel
from outreach.rendering.catalog import Catalog
from outreach.rendering.content import VOICEMAIL, Judge, Judged, Question
from outreach.rendering.fields import Creditor
from outreach.rendering.render import Renderer
from outreach.rendering.sample import sample_fields

Change = Callable[[dict[str, str]], Catalog]


def creditor(locale: str = "en-US", **fields: str | None) -> Creditor:
    return replace(sample_fields(locale).creditor, **fields)  # type: ignore[arg-type]


def judged(
    catalog: Catalog,
    name: str = "pre_due",
    channel: Channel = Channel.SMS,
    locale: str = "en-US",
    *,
    own: bool = True,
    notices: tuple[str, ...] = (),
    whose: Creditor | None = None,
) -> dict[str, Judged]:
    question = Question(name, channel, locale, whose or creditor(locale), own, notices)
    return {one.medium: one for one in Judge(Renderer(catalog)).of_template(question)}


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "es-US", "es-MX", "zh-CN"])
def test_reminders_say_who_writes_what_about_and_how_to_refuse(catalog: Catalog, locale: str) -> None:
    wanted = {"creditor_name", "collector_name", "opt_out_line", "purpose_of_contact", "amount_due"}
    for channel in (Channel.SMS, Channel.EMAIL, Channel.IVR):
        said = judged(catalog, channel=channel, locale=locale)[channel.value]
        assert wanted <= said.statements
        assert said.found == ()


@pytest.mark.parametrize("locale", ["en-US", "es-MX", "zh-CN"])
@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.IVR])
def test_a_call_says_who_calls_where_to_call_back_and_a_person_to_ask_for(
    catalog: Catalog, channel: Channel, locale: str
) -> None:
    found = judged(catalog, channel=channel, locale=locale)
    assert {"creditor_name", "return_number", "agent_name", "opt_out_line"} <= found[channel.value].statements
    assert {"creditor_name", "return_number", "agent_name", "opt_out_line", "reply_request"} <= found[
        VOICEMAIL
    ].statements


def test_a_one_way_call_never_says_what_it_is_about(catalog: Catalog) -> None:
    said = judged(catalog, channel=Channel.VOICE)["voice"].statements
    assert said.isdisjoint({"purpose_of_contact", "amount_due", "debt_type"})


def test_without_an_agent_nobody_is_named_and_no_voicemail_is_left(catalog: Catalog) -> None:
    found = judged(catalog, channel=Channel.VOICE, whose=creditor(agent_name=None))
    assert "agent_name" not in found["voice"].statements
    assert VOICEMAIL not in found


def test_only_a_lender_that_collects_for_itself_is_named_by_its_own_name(catalog: Catalog) -> None:
    assert "collector_name" in judged(catalog)["sms"].statements
    assert "collector_name" not in judged(catalog, own=False)["sms"].statements


def test_whoever_collects_for_a_lender_can_say_so_in_a_template(changed: Change) -> None:
    words = "We are Example Recovery, writing on behalf of {{ creditor.name }}."
    body = '{% extends "reminder.sms.j2" %}{% block body %}' + words + "{% endblock %}"
    catalog = changed({"en/pre_due.sms.j2": body})
    assert "collector_name" in judged(catalog, own=False)["sms"].statements


def test_a_notice_that_is_printed_counts_as_said(catalog: Catalog) -> None:
    notices = ("mini_miranda", "debt_collector_disclosure")
    for channel in (Channel.SMS, Channel.EMAIL, Channel.IVR):
        assert set(notices) <= judged(catalog, channel=channel, notices=notices)[channel.value].statements
        assert set(notices).isdisjoint(judged(catalog, channel=channel)[channel.value].statements)


def test_a_statement_that_only_some_borrowers_would_get_is_not_made(changed: Change) -> None:
    body = (
        '{% extends "base.sms.j2" %}{% block body %}'
        "{% if borrower.given_name %}Your payment of {{ case.amount_due|money }} is due.{% endif %}{% endblock %}"
    )
    assert "amount_due" not in judged(changed({"en/pre_due.sms.j2": body}))["sms"].statements


def test_a_missing_way_out_is_seen(changed: Change) -> None:
    body = '{% extends "base.sms.j2" %}{% block body %}Hello.{% endblock %}{% block answers %}{% endblock %}'
    assert "opt_out_line" not in judged(changed({"en/pre_due.sms.j2": body}))["sms"].statements


def test_forbidden_words_are_named_with_their_family_and_phrase(changed: Change) -> None:
    body = '{% extends "reminder.sms.j2" %}{% block body %}You will be ARRESTED.{% endblock %}'
    (found,) = judged(changed({"en/pre_due.sms.j2": body}))["sms"].found
    assert (found.family, found.phrase, found.words) == ("arrest_threat", "en: arrest*", "arrested")


def test_a_threat_in_one_branch_only_is_found(changed: Change) -> None:
    body = (
        '{% extends "reminder.sms.j2" %}{% block body %}'
        "{% if case.days_past_due > 5 %}We will sue.{% else %}Hello.{% endif %}{% endblock %}"
    )
    assert judged(changed({"en/pre_due.sms.j2": body}))["sms"].families == {"legal_threat"}


@pytest.mark.parametrize(
    ("file", "text", "channel", "medium", "family"),
    [
        ("en/pre_due.email.j2", '{% extends "reminder.email.j2" %}{% block subject %}Your debt{% endblock %}',
         Channel.EMAIL, "email", "debt_in_subject"),
        ("en/pre_due.email.j2", '{% extends "base.email.j2" %}{% block preview %}{{ words.installment }}{% endblock %}',
         Channel.EMAIL, "email", "debt_in_subject"),
        ("en/reminder.ivr.j2", '{% extends "en/limited.ivr.j2" %}{% block greeting %}About your loan.{% endblock %}',
         Channel.IVR, "ivr", "debt_before_identity"),
    ],
)  # fmt: skip
def test_nothing_about_the_debt_stands_where_someone_else_may_see_or_hear_it(
    changed: Change, catalog: Catalog, file: str, text: str, channel: Channel, medium: str, family: str
) -> None:
    spoken = (catalog.root / "en/reminder.ivr.j2").read_text("utf-8")
    assert family in judged(changed({"en/limited.ivr.j2": spoken, file: text}), channel=channel)[medium].families


def test_a_voicemail_that_speaks_of_money_is_found(changed: Change, catalog: Catalog) -> None:
    spoken = (catalog.root / "en/reminder.voice.j2").read_text("utf-8")
    told = changed({"en/reminder.voice.j2": spoken.replace("Please call", "About your balance, please call")})
    assert judged(told, channel=Channel.VOICE)[VOICEMAIL].families == {"debt_mention"}


def test_the_creditors_own_name_is_no_hint_but_no_neutral_name_either(catalog: Catalog) -> None:
    found = judged(catalog, channel=Channel.EMAIL, whose=creditor(name="Neem Example Loans"))["email"]
    assert found.found == ()
    assert "neutral_business_name" not in found.statements


def test_a_creditors_name_that_poses_as_a_court_is_found(catalog: Catalog) -> None:
    assert judged(catalog, whose=creditor(name="District Court Services"))["sms"].families == {"authority_posing"}


def test_a_street_may_be_called_court(catalog: Catalog) -> None:
    assert judged(catalog, channel=Channel.EMAIL, whose=creditor(address="1 Court Street"))["email"].found == ()


@pytest.mark.parametrize("name", ["Judge", "Sue", "O'Brien", "Jean-Luc", "St.", "张伟明", "María", None, ""])
def test_one_word_is_a_name_whatever_it_means(catalog: Catalog, name: str | None) -> None:
    assert Judge(Renderer(catalog)).of_name(name, "en") == ()


@pytest.mark.parametrize(
    ("name", "language"), [("you will be arrested", "en"), ("Ann, pay within 2 hours", "en"), ("不还款就起诉", "zh")]
)
def test_more_than_a_name_is_read_like_any_words(catalog: Catalog, name: str, language: str) -> None:
    assert Judge(Renderer(catalog)).of_name(name, language)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
@pytest.mark.parametrize(
    ("locale", "ahead", "today", "past"),
    [
        ("en-US", "is due on Dec", "is due today", "was due on Dec"),
        ("es-MX", "vence el 15", "vence hoy", "era para el 15"),
        ("zh-CN", "将于2026年", "今天（2026年", "已于2026年"),
    ],
)
def test_an_installment_reminder_speaks_of_a_past_date_in_the_past(
    renderer: Renderer, channel: Channel, locale: str, ahead: str, today: str, past: str
) -> None:
    fields = sample_fields(locale)
    assert fields.installment is not None
    due_on = fields.installment.due_on
    for day, said in ((fields.today, ahead), (due_on, today), (due_on.replace(day=17), past)):
        body = renderer.render("arrangement_reminder", channel, locale, replace(fields, today=day)).body
        assert [words for words in (ahead, today, past) if words in body] == [said]


def test_words_of_a_person_or_a_model_are_read_like_a_templates(catalog: Catalog) -> None:
    judge = Judge(Renderer(catalog))
    assert [one.family for one in judge.of_words("Pay now or go to jail", "en", "sms")] == ["arrest_threat"]
    assert [one.family for one in judge.of_words("About your debt", "en", "voicemail")] == ["debt_mention"]
    assert judge.of_words("Please call us back.", "en", "voicemail") == ()
