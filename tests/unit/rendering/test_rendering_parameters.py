"""The values behind the words: for providers that fill approved templates themselves."""

import pytest

from channels.contract import TEMPLATE_FIELDS
from outreach.domain.words import Channel
from outreach.rendering.parameters import NAMES
from outreach.rendering.render import Renderer
from outreach.rendering.sample import bare_fields, sample_fields


def test_channels_and_rendering_know_the_same_names() -> None:
    assert NAMES == TEMPLATE_FIELDS


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_value_is_written_as_the_words_of_the_locale_show_it(renderer: Renderer, locale: str) -> None:
    fields = sample_fields(locale)
    rendered = renderer.render("pre_due", Channel.SMS, locale, fields)
    values = renderer.parameters(rendered, fields)
    assert set(values) <= NAMES
    assert all(isinstance(value, str) and value for value in values.values())
    assert values["borrower.given_name"] == fields.borrower.given_name
    assert values["creditor.name"] in rendered.body
    assert ("年" in values["case.due_on"]) == (locale == "zh")


def test_what_a_touch_has_no_value_for_is_left_out(renderer: Renderer) -> None:
    fields = bare_fields("en")
    values = renderer.parameters(renderer.render("pre_due", Channel.SMS, "en", fields), fields)
    assert not {name for name in values if name.startswith(("promise.", "arrangement.", "installment."))}
