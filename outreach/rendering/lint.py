"""Everything wrong with the templates before any is used: what loading found, and what rendering samples shows."""

from collections.abc import Iterator
from dataclasses import replace

from outreach.domain.located_yaml import Problem
from outreach.rendering.catalog import Catalog, Template
from outreach.rendering.fields import TouchFields
from outreach.rendering.render import Rendered, Renderer, RenderRefused
from outreach.rendering.sample import past_due, sample_fields


def check(catalog: Catalog) -> list[Problem]:
    """Return every problem, with file, line and column; an empty list means every template can be sent as it is."""
    problems = list(catalog.problems)
    renderer = Renderer(catalog)
    for template in catalog.templates.values():
        if template.valid:
            problems += _check_rendered(renderer, template)
    return list(dict.fromkeys(problems))


def _check_rendered(renderer: Renderer, template: Template) -> Iterator[Problem]:
    file = str(renderer.catalog.root / template.file)
    for fields in _samples(template):
        try:
            rendered = renderer.render(template.name, template.channel, template.locale.code, fields)
        except RenderRefused as refusal:
            named = f": {', '.join(refusal.missing)}" if refusal.missing else ""
            yield Problem(file, 1, 1, "", f"cannot be sent in {template.locale.code}: {refusal.code.value}{named}")
            continue
        words = " ".join(printed(rendered))
        lists = renderer.catalog.lists
        for found in lists.find(words, template.locale.language):
            yield Problem(file, 1, 1, "", f"“{found.words}” {lists.why(found.family)}")


def _samples(template: Template) -> Iterator[TouchFields]:
    """Yield complete fields before and after the due date, with each notice the language has."""
    full = sample_fields(template.locale.code)
    yield full
    yield past_due(full, 12)
    for code in template.locale.notices:
        if not template.entry.limited:
            yield replace(full, notices=(code,))


def printed(rendered: Rendered) -> tuple[str, ...]:
    """Return all words that a person would see or hear."""
    return (rendered.subject, rendered.preview, rendered.body, *rendered.spoken.values())
