"""What the gate is told about the words of a touch before they are written, and the notices that law adds to them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from outreach.domain.case import Case
from outreach.domain.touch import Touch
from outreach.domain.words import SPOKEN, Channel
from outreach.flows.fields import creditor_fields, touch_fields
from outreach.flows.house import House
from outreach.policy.content import wordings_for
from outreach.policy.dossier import Dossier
from outreach.policy.facts import Content, Facts
from outreach.policy.rules import Wording
from outreach.rendering.catalog import Template
from outreach.rendering.content import VOICEMAIL, Judge, Judged, Question
from outreach.rendering.render import Rendered, Renderer

FIRST_PARTY = "first_party"


@dataclass(frozen=True, slots=True)
class Worded:
    """What the words of a touch say. ``content`` None: there is no such template, and rendering refuses it.

    ``voicemail`` is what a machine would be told, None when nothing may be left. ``notices`` are printed because a rule
    asks for them and the template does not say them itself.
    """

    content: Content | None = None
    voicemail: Content | None = None
    notices: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def judge_of(renderer: Renderer) -> Judge:
    """Return what judges the templates of a renderer; it remembers what it judged."""
    return Judge(renderer)


def worded(house: House, touch: Touch, dossier: Dossier, facts: Facts, now: datetime) -> Worded:
    """Return what the words of a touch say, to the person of ``dossier`` and under the law of ``facts``."""
    return worded_by(house, touch.template, Channel(touch.channel), dossier, facts, now)


def worded_by(house: House, name: str, channel: Channel, dossier: Dossier, facts: Facts, now: datetime) -> Worded:
    """Return what the words of a template say, to the person of ``dossier`` and under the law of ``facts``."""
    borrower = dossier.borrower
    template = house.renderer.catalog.find(name, channel, borrower.locale)
    if template is None:
        return Worded()
    judge = judge_of(house.renderer)
    creditor = creditor_fields(house.creditor(facts.creditor_id), borrower.locale)
    question = Question(name, channel, template.locale.code, creditor, facts.role == FIRST_PARTY)
    plain = judge.of_template(question)
    if not plain:
        return Worded()
    notices: tuple[str, ...] = ()
    if facts.role != FIRST_PARTY:
        notices = notices_of(template, plain[0], wordings_for(facts, house.policy, now, channel.value))
    told = judge.of_template(replace(question, notices=notices)) if notices else plain
    language = template.locale.language
    names = (*judge.of_name(borrower.given_name, language), *judge.of_name(borrower.family_name, language))
    typed = frozenset(found.family for found in names)
    contents = {one.medium: _content(one, typed) for one in told}
    return Worded(contents[channel.value], contents.get(VOICEMAIL), notices)


def notices_of(template: Template, told: Judged, rules: Iterable[Wording]) -> tuple[str, ...]:
    """Return the notices to print for whoever collects for others: asked for, not said by the template, there to print.

    A lender that collects for itself says all it must in its templates. A one-way call and a limited answer may reach
    anyone: neither says more than it was written to say.
    """
    if template.channel is Channel.VOICE or template.entry.limited:
        return ()
    asked = frozenset(name for rule in rules for name in rule.requires)
    return tuple(name for name in sorted(asked - told.statements) if name in template.locale.notices)


@lru_cache(maxsize=4096)
def _content(judged: Judged, typed: frozenset[str]) -> Content:
    return Content(tuple(sorted(judged.statements)), tuple(sorted(judged.families | typed)), judged.medium)


def write(
    house: House, touch: Touch, dossier: Dossier, case: Case, facts: Facts, words: Worded, ref: str, now: datetime
) -> Rendered:
    """Put a touch that the gate permits into words, with the notices that law adds. ``words`` are what the gate saw.

    Raises RenderRefused, or ValueError when a stored value cannot be printed.
    """
    fields = touch_fields(house, touch, dossier, case, ref, now)
    if words.notices:
        fields = replace(fields, notices=words.notices)
    rendered = house.renderer.render(touch.template, Channel(touch.channel), dossier.borrower.locale, fields)
    return _without_barred_voicemail(house, rendered, words, facts, now)


def _without_barred_voicemail(house: House, rendered: Rendered, words: Worded, facts: Facts, now: datetime) -> Rendered:
    """Take the voicemail out of a call where a rule about words objects to it: then nothing is left on a machine."""
    if rendered.channel not in SPOKEN or VOICEMAIL not in rendered.spoken:
        return rendered
    against: tuple[str, ...] = ("unjudged",)
    if words.voicemail is not None:
        reasons = house.decide(replace(facts, content=words.voicemail), now).reasons
        against = tuple(reason.code for reason in reasons if reason.code.startswith("content."))
    if not against:
        return rendered
    spoken = {part: text for part, text in rendered.spoken.items() if part != VOICEMAIL}
    return replace(rendered, spoken=spoken, withheld=(*rendered.withheld, *against))
