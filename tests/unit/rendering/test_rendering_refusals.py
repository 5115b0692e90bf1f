"""What must not get through: missing fields, escapes from the sandbox, markup and header lines in a name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from outreach.domain.money import Money
from outreach.domain.words import Channel
from outreach.rendering.catalog import Catalog
from outreach.rendering.fields import Borrower, Creditor, TouchFields, clean
from outreach.rendering.render import Refusal, Renderer, RenderRefused
from outreach.rendering.sample import sample_fields
from outreach.rendering.sandbox import TemplateEnvironment

Load = Callable[[str], Catalog]


def named(name: str) -> TouchFields:
    return replace(sample_fields("en-US"), borrower=Borrower(given_name=name))


def refusal(renderer: Renderer, template: str, channel: Channel, fields: TouchFields) -> RenderRefused:
    with pytest.raises(RenderRefused) as caught:
        renderer.render(template, channel, "en-US", fields)
    return caught.value


def test_a_missing_promise_is_named(renderer: Renderer) -> None:
    fields = replace(sample_fields("en-US"), promise=None)
    refused = refusal(renderer, "promise_confirmation", Channel.SMS, fields)
    assert refused.code is Refusal.MISSING_FIELD
    assert refused.missing == ("promise.amount", "promise.due_on")


def test_a_refusal_never_holds_a_name_or_an_amount(renderer: Renderer) -> None:
    fields = replace(sample_fields("en-US"), arrangement=None)
    refused = refusal(renderer, "installments_readback", Channel.SMS, fields)
    assert str(refused) == (
        "missing_field: installments_readback "
        "(arrangement.count, arrangement.first_on, arrangement.frequency, arrangement.last_on, arrangement.total)"
    )


def test_an_empty_required_field_is_missing(renderer: Renderer) -> None:
    fields = sample_fields("en-US")
    empty = replace(fields, case=replace(fields.case, reference="\u200b"))
    refused = refusal(renderer, "early_follow_up", Channel.SMS, empty)
    assert (refused.code, refused.missing) == (Refusal.MISSING_FIELD, ("case.reference",))


def test_an_unknown_frequency_is_refused(renderer: Renderer) -> None:
    fields = sample_fields("en-US")
    assert fields.arrangement is not None
    odd = replace(fields, arrangement=replace(fields.arrangement, frequency="daily"))
    assert refusal(renderer, "installments_readback", Channel.SMS, odd).code is Refusal.MISSING_FIELD


@pytest.mark.parametrize("minor", [0, -100])
def test_nobody_is_asked_for_nothing(renderer: Renderer, minor: int) -> None:
    fields = sample_fields("en-US")
    nothing = replace(fields, case=replace(fields.case, amount_due=Money(minor, "USD")))
    assert refusal(renderer, "missed_payment", Channel.EMAIL, nothing).code is Refusal.NOTHING_DUE


def test_an_unknown_template_is_refused(renderer: Renderer) -> None:
    refused = refusal(renderer, "../secrets", Channel.SMS, sample_fields("en-US"))
    assert refused.code is Refusal.UNKNOWN_TEMPLATE


def test_an_answer_has_no_spoken_form(renderer: Renderer) -> None:
    refused = refusal(renderer, "help_reply", Channel.VOICE, sample_fields("en-US"))
    assert refused.code is Refusal.UNKNOWN_TEMPLATE


ATTEMPTS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ borrower.__class__ }}",
    "{{ borrower['given_name'] }}",
    "{{ case.amount_due.__add__ }}",
    "{{ case.amount_due.decimal }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ range(10) }}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% set x = 1 %}",
    "{% macro m() %}{% endmacro %}",
    "{% include 'base.sms.j2' %}",
    "{% import 'base.sms.j2' as base %}",
    "{{ borrower.given_name|attr('upper') }}",
    "{{ borrower.given_name.upper() }}",
    "{{ '%s'|format(borrower) }}",
    "{{ {'a': 1} }}",
    "{{ [1] }}",
    "{{ super(1) }}",
    "{% filter upper %}x{% endfilter %}",
    "{{ borrower }}",
    "{{ case.amount_due }}",
    "{{ case.due_on }}",
    "{{ keys }}",
    "{{ offers|money }}",
    "{{ ref|money }}",
    "{{ request }}",
    "{{ creditor.owner }}",
    "{{ keys.quit }}",
]


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory, copy_some: Callable[[Path], None]) -> Catalog:
    """A catalog in which every attempt is the body of a template of its own, so that one load serves them all."""
    root = tmp_path_factory.mktemp("reaching") / "templates"
    copy_some(root)
    entries = "".join(f"\n  attempt_{no}: {{sms: {{}}}}" for no in range(len(ATTEMPTS)))
    with (root / "catalog.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write(entries)
    for no, attempt in enumerate(ATTEMPTS):
        words = '{% extends "reminder.sms.j2" %}\n{% block body %}' + attempt + "{% endblock %}"
        (root / f"en/attempt_{no}.sms.j2").write_text(words, encoding="utf-8")
    return Catalog.load(root)


@pytest.mark.parametrize("no", range(len(ATTEMPTS)), ids=ATTEMPTS)
def test_a_template_that_reaches_for_more_is_kept_out(reaching: Catalog, no: int) -> None:
    assert [problem for problem in reaching.problems if problem.file.endswith(f"en/attempt_{no}.sms.j2")]
    with pytest.raises(RenderRefused) as refused:
        Renderer(reaching).render(f"attempt_{no}", Channel.SMS, "en-US", sample_fields("en-US"))
    assert refused.value.code in {Refusal.INVALID_TEMPLATE, Refusal.UNKNOWN_TEMPLATE}


def test_the_catalog_of_attempts_is_otherwise_sound(reaching: Catalog) -> None:
    fields = sample_fields("en-US")
    assert Renderer(reaching).render("pre_due", Channel.SMS, "en-US", fields).segments == 2


@pytest.mark.parametrize(
    "attempt",
    [
        "{{ borrower.__class__.__mro__ }}",
        "{{ borrower.__init__.__globals__ }}",
        "{{ ''.join }}",
        "{{ borrower['given_name'] }}",
        "{{ borrower.__post_init__() }}",
        "{{ creditor }}",
        "{{ amount.decimal }}",
    ],
)
def test_the_sandbox_itself_gives_nothing_away(catalog: Catalog, attempt: str) -> None:
    """The second wall: were lint blind, rendering would still refuse."""
    environment = TemplateEnvironment(catalog.locales.by_code["en-US"], Channel.SMS)
    fields = sample_fields("en-US")
    values = {"borrower": fields.borrower, "creditor": fields.creditor, "amount": fields.case.amount_due}
    template = environment.from_string(attempt)
    with pytest.raises(
        (SecurityError, UndefinedError), match=r"undefined|Undefined|unsafe|no attribute|not used|filter|has no"
    ):
        template.render(values)


@pytest.mark.parametrize("name", ["{{7*7}}", "{% if true %}x{% endif %}", "{{ ref }}", "%(x)s", "{0}"])
def test_a_name_is_never_read_as_a_template(renderer: Renderer, name: str) -> None:
    for channel in (Channel.SMS, Channel.EMAIL):
        assert name in renderer.render("pre_due", channel, "en-US", named(name)).body


@pytest.mark.parametrize("name", ["<script>alert(1)<b>", '"><img src=x onerror=x>', "<!--", "Tom & Jerry's"])
def test_a_name_is_never_markup(renderer: Renderer, name: str) -> None:
    html = renderer.render("pre_due", Channel.EMAIL, "en-US", named(name)).html
    assert name not in html
    assert "<script" not in html
    assert "<img" not in html
    live = renderer.render("pre_due", Channel.VOICE, "en-US", named(name)).spoken["live"]
    assert name not in live
    figures = live.count('<say-as interpret-as="digits">')
    assert live.count("<") == live.count('<break time="500ms"/>') + 2 * figures


def test_a_creditor_with_an_ampersand_passes_its_own_checks(renderer: Renderer) -> None:
    fields = sample_fields("en-US")
    fields = replace(fields, creditor=replace(fields.creditor, name="Smith & Sons"))
    assert "Smith & Sons" in renderer.render("pre_due", Channel.EMAIL, "en-US", fields).subject
    assert "Smith &amp; Sons" in renderer.render("pre_due", Channel.IVR, "en-US", fields).spoken["greeting"]


@pytest.mark.parametrize("name", ["Ann\r\nBcc: x", "Ann\nBcc", "Ann\x0bB", "Ann\u2028B", "Ann\u0085B", "\x1bAnn"])
def test_a_line_break_cannot_enter_through_a_name(renderer: Renderer, name: str) -> None:
    fields = named(name)
    fields = replace(fields, creditor=replace(fields.creditor, name=name))
    rendered = renderer.render("pre_due", Channel.EMAIL, "en-US", fields)
    assert rendered.subject.isprintable()
    assert rendered.preview.isprintable()
    assert all(line.isprintable() for line in rendered.body.split("\n"))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Ann\r\nLee", "Ann Lee"),
        ("A\u202enn", "Ann"),
        ("\u200bAnn\ufeff", "Ann"),
        ("Ann  Lee", "Ann Lee"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("José", "José"),
        ("  Ann ", "Ann"),
        ("\x00\x07", ""),
        ("伟", "伟"),
    ],
)
def test_text_is_cleaned_to_one_visible_line(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize("name", ["Win at www.bad.test", "http://bad.test", "a@b.test", "bad.com", "x/y"])
def test_a_link_is_not_a_name(renderer: Renderer, name: str) -> None:
    assert "Hi" not in renderer.render("pre_due", Channel.SMS, "en-US", named(name)).body


@pytest.mark.parametrize(
    "url", ["http://pay.example.com", "javascript:alert(1)", 'https://pay.example.com/"x', "https://a b"]
)
def test_only_a_plain_https_pay_link_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="pay_url"):
        Creditor(name="Northwind Credit", phone="+12025550143", pay_url=url)


def test_an_absurdly_long_name_is_an_error_that_does_not_repeat_it() -> None:
    with pytest.raises(ValueError, match="given_name is longer than 120") as caught:
        Borrower(given_name="x" * 121)
    assert "xxx" not in str(caught.value)


def test_a_text_without_its_opt_out_line_does_not_leave(changed: Callable[[dict[str, str]], Catalog]) -> None:
    child = '{% extends "base.sms.j2" %}{% block body %}Hello.{% endblock %}{% block answers %}{% endblock %}'
    renderer = Renderer(changed({"en/pre_due.sms.j2": child}))
    refused = refusal(renderer, "pre_due", Channel.SMS, sample_fields("en-US"))
    assert (refused.code, refused.missing) == (Refusal.MISSING_DISCLOSURE, ("opt_out",))


def test_a_text_that_hides_its_sender_does_not_leave(changed: Callable[[dict[str, str]], Catalog]) -> None:
    renderer = Renderer(changed({"en/pre_due.sms.j2": "{% block text %}Hello, {{ words.opt_out }}.{% endblock %}"}))
    refused = refusal(renderer, "pre_due", Channel.SMS, sample_fields("en-US"))
    assert refused.missing == ("creditor", "ref")


def test_a_call_that_hides_that_it_is_automated_does_not_leave(changed: Callable[[dict[str, str]], Catalog]) -> None:
    child = '{% extends "en/base.voice.j2" %}{% block live %}Hello, {{ creditor.name }} calls.{% endblock %}'
    base = "{% block live %}{% endblock %}{% block voicemail %}{{ creditor.name }}{% endblock %}"
    renderer = Renderer(changed({"en/base.voice.j2": base, "en/reminder.voice.j2": child}))
    refused = refusal(renderer, "pre_due", Channel.VOICE, sample_fields("en-US"))
    assert refused.missing == ("live.automated", "live.stop_calls")


def test_a_text_that_is_too_long_does_not_leave(body: Load) -> None:
    renderer = Renderer(body("Please read this. " * 40))
    assert refusal(renderer, "pre_due", Channel.SMS, sample_fields("en-US")).code is Refusal.TOO_LONG


def test_accents_are_dropped_only_when_a_text_would_be_too_long(renderer: Renderer) -> None:
    fields = sample_fields("es-US")
    long = renderer.render("early_friendly", Channel.SMS, "es-US", fields)
    short = renderer.render("start_confirmation", Channel.SMS, "es-US", fields)
    assert long.folded
    assert "Hola, Maria." in long.body
    assert not short.folded
    assert "Hola, María." in short.body


def test_dates_and_money_reach_the_text(renderer: Renderer) -> None:
    fields = sample_fields("en-GB")
    fields = replace(fields, case=replace(fields.case, due_on=date(2027, 2, 3)))
    assert "£450.00 is due on 3 Feb 2027" in renderer.render("pre_due", Channel.SMS, "en-GB", fields).body
