"""Renders one touch: the words that leave, with every required statement, or a refusal that says what is missing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from jinja2 import TemplateError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

from outreach.domain.words import Channel
from outreach.rendering.catalog import PARTS, SPOKEN_ABOUT, Catalog, Template
from outreach.rendering.disclosures import missing_in_call, missing_in_mail, missing_in_text, withhold_voicemail
from outreach.rendering.fields import TouchFields
from outreach.rendering.formats import spoken_seconds
from outreach.rendering.parameters import parameters_of
from outreach.rendering.segments import Encoding, count_segments, fold_to_gsm, is_gsm

MAX_SUBJECT = 120
MAX_MAIL = 20_000
MAX_SPOKEN = 4096
"""Longest part of a call in characters (the most that Twilio's Say takes)."""


class Refusal(StrEnum):
    """Why a touch could not be put into words."""

    UNKNOWN_TEMPLATE = "unknown_template"
    INVALID_TEMPLATE = "invalid_template"
    MISSING_FIELD = "missing_field"
    MISSING_DISCLOSURE = "missing_disclosure"
    UNKNOWN_NOTICE = "unknown_notice"
    NOTHING_DUE = "nothing_due"
    UNSAFE = "unsafe"
    TOO_LONG = "too_long"


class RenderRefused(Exception):  # noqa: N818 - a refusal with a reason, not a defect
    """Nothing may leave. ``missing`` names fields or statements, never their values."""

    def __init__(self, code: Refusal, *, template: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code.value}: {template}" + (f" ({', '.join(missing)})" if missing else ""))
        self.code = code
        self.template = template
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one touch.

    ``locale`` is the one the words are in, after fallback. SMS: ``body``, ``encoding``, ``segments``, ``folded``
    (accents were dropped to keep it short enough). Email: ``subject``, ``preview``, ``body`` (plain part), ``html``.
    Calls: ``spoken`` (SSML by part), ``seconds`` (how long each part takes to say) and ``withheld`` (why there is no
    voicemail: then nothing may be left on a machine).
    """

    channel: Channel
    locale: str
    template: str
    template_hash: str
    body: str = ""
    encoding: Encoding | None = None
    segments: int | None = None
    folded: bool = False
    subject: str = ""
    preview: str = ""
    html: str = ""
    spoken: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, int] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()


Block = Callable[[Context], Iterator[str]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A template with everything that is the same for each render looked up beforehand."""

    template: Template
    fixed: Mapping[str, Any]
    parts: tuple[tuple[str, Block], ...]
    asks_for_money: bool


class Renderer:
    """Renders from one catalog. Keeps no state but look-ups; safe to share."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._plans: dict[tuple[str, Channel, str], _Plan] = {}

    def render(self, template: str, channel: Channel, locale: str, fields: TouchFields) -> Rendered:
        """Put ``fields`` into the words of ``template`` for ``channel`` in ``locale`` (BCP 47, with fallback).

        Raises RenderRefused when a field or a required statement is missing, nothing is due although the template asks
        for it, or the result is too long.
        """
        plan = self._plans.get((template, channel, locale)) or self._plan(template, channel, locale)
        if plan.asks_for_money and fields.case.amount_due.minor <= 0:
            raise RenderRefused(Refusal.NOTHING_DUE, template=template)
        context = self._context(plan, fields)
        try:
            match channel:
                case Channel.SMS:
                    return _text(plan, context, fields)
                case Channel.EMAIL:
                    return self._mail(plan, context, fields)
                case _:
                    return self._call(plan, context, fields)
        except _FAULTS as fault:
            raise _refusal(fault, plan, fields) from None

    def spell(self, template: str, channel: Channel, locale: str, fields: TouchFields) -> Mapping[str, str]:
        """Return the words of each part as the template puts them, whatever they lack: for judging, never for sending.

        A voicemail that could not be left is not among them. Raises RenderRefused when a field has no value.
        """
        plan = self._legible(template, channel, locale)
        context = self._context(plan, fields)
        withheld = withhold_voicemail(fields, self.catalog.lists, plan.template.locale.language)
        skip = _unsaid(channel, fields, withheld=bool(withheld))
        try:
            return {part: _tidy_mail("".join(block(context))) for part, block in plan.parts if part not in skip}
        except _FAULTS as fault:
            raise _refusal(fault, plan, fields) from None

    def parameters(self, rendered: Rendered, fields: TouchFields) -> dict[str, str]:
        """Return the values behind words that were rendered from ``fields``, by name, for approved templates."""
        plan = self._plans.get((rendered.template, rendered.channel, rendered.locale)) or self._plan(
            rendered.template, rendered.channel, rendered.locale
        )
        return parameters_of(fields, plan.template.locale)

    def _plan(self, name: str, channel: Channel, locale: str) -> _Plan:
        plan = self._legible(name, channel, locale)
        if not plan.template.valid:
            raise RenderRefused(Refusal.INVALID_TEMPLATE, template=name)
        if len(self._plans) > 4096:  # locales come from outside; never let made-up ones fill the memory
            self._plans.clear()
        return self._plans.setdefault((name, channel, locale), plan)

    def _legible(self, name: str, channel: Channel, locale: str) -> _Plan:
        """Return the plan of a template that can be put into words, whether or not it may be used."""
        found = self.catalog.find(name, channel, locale)
        if found is None:
            raise RenderRefused(Refusal.UNKNOWN_TEMPLATE, template=name)
        if not found.legible:
            raise RenderRefused(Refusal.INVALID_TEMPLATE, template=name)
        fixed = {"keys": found.locale.keys, "words": found.locale.words, "menu": self.catalog.manifest.menu}
        parts = tuple((part, found.blocks[part][0]) for part in PARTS[channel])
        return _Plan(found, fixed, parts, "case.amount_due" in found.uses)

    @staticmethod
    def _context(plan: _Plan, fields: TouchFields) -> Context:
        template = plan.template
        values = {
            **plan.fixed,
            "borrower": fields.borrower,
            "creditor": fields.creditor,
            "case": fields.case,
            "ref": fields.ref,
            "today": fields.today,
            "promise": fields.promise,
            "arrangement": fields.arrangement,
            "installment": fields.installment,
            "extension": fields.extension,
            "times": fields.times,
            "other_language": fields.other_language,
            "offers": fields.offers,
            "identity": fields.identity,
            "identity_digits": fields.identity_digits,
            "links": fields.links,
            "notices": _notices(template, fields) if fields.notices else (),
        }
        context = Context(template.environment, values, template.name, {})
        context.blocks = template.blocks  # type: ignore[assignment]  # read only: rendering never adds to it
        return context

    def _mail(self, plan: _Plan, context: Context, fields: TouchFields) -> Rendered:
        subject, preview, text = ("".join(block(context)) for _, block in plan.parts)
        subject, preview, body = " ".join(subject.split()), " ".join(preview.split()), _tidy_mail(text)
        template = plan.template
        if len(subject) > MAX_SUBJECT or len(body) > MAX_MAIL:
            raise RenderRefused(Refusal.TOO_LONG, template=template.name)
        _refuse(template, missing_in_mail(template, fields, subject, body))
        return Rendered(
            channel=template.channel,
            locale=template.locale.code,
            template=template.name,
            template_hash=template.hash,
            body=body,
            subject=subject,
            preview=preview,
            html=self.catalog.layout.render(
                template.locale.code, subject, preview, body, (fields.creditor.pay_url, fields.links.portal)
            ),
        )

    def _call(self, plan: _Plan, context: Context, fields: TouchFields) -> Rendered:
        template = plan.template
        withheld = withhold_voicemail(fields, self.catalog.lists, template.locale.language)
        skip = _unsaid(template.channel, fields, withheld=bool(withheld))
        spoken = {part: " ".join("".join(block(context)).split()) for part, block in plan.parts if part not in skip}
        if max(map(len, spoken.values())) > MAX_SPOKEN:
            raise RenderRefused(Refusal.TOO_LONG, template=template.name)
        _refuse(template, missing_in_call(template, fields, spoken, self.catalog.manifest.menu["stop_calls"]))
        pace, unit = template.locale.speech_per_minute, template.locale.speech_unit
        return Rendered(
            channel=template.channel,
            locale=template.locale.code,
            template=template.name,
            template_hash=template.hash,
            spoken=MappingProxyType(spoken),
            seconds=MappingProxyType({part: spoken_seconds(words, pace, unit) for part, words in spoken.items()}),
            withheld=withheld,
        )


def _unsaid(channel: Channel, fields: TouchFields, *, withheld: bool) -> frozenset[str]:
    """Return the parts that are left out: no voicemail where none may be left, none about what is not there yet."""
    missing = {part for part, about in SPOKEN_ABOUT.items() if not getattr(fields, about)}
    return frozenset({"voicemail"} if withheld else ()) | (missing if channel is Channel.IVR else frozenset())


def _text(plan: _Plan, context: Context, fields: TouchFields) -> Rendered:
    template = plan.template
    body = _tidy_text("".join(plan.parts[0][1](context)))
    _refuse(template, missing_in_text(template, fields, body))
    counted, folded = count_segments(body), False
    if counted.count > template.entry.segments:
        shorter = fold_to_gsm(body)
        folded, body = is_gsm(shorter), shorter if is_gsm(shorter) else body
        counted = count_segments(body)
    if counted.count > template.entry.segments:
        raise RenderRefused(Refusal.TOO_LONG, template=template.name)
    return Rendered(
        channel=template.channel,
        locale=template.locale.code,
        template=template.name,
        template_hash=template.hash,
        body=body,
        encoding=counted.encoding,
        segments=counted.count,
        folded=folded,
    )


# A filter that is given None fails in its own way; a template cannot cause the last two otherwise (see analysis).
_FAULTS = (TemplateError, AttributeError, TypeError)


def _refusal(fault: Exception, plan: _Plan, fields: TouchFields) -> RenderRefused:
    name = plan.template.name
    if isinstance(fault, TemplateError) and (isinstance(fault, SecurityError) or not isinstance(fault, UndefinedError)):
        return RenderRefused(Refusal.UNSAFE, template=name)
    return RenderRefused(Refusal.MISSING_FIELD, template=name, missing=_missing(plan, fields))


def _refuse(template: Template, missing: tuple[str, ...]) -> None:
    if missing:
        raise RenderRefused(Refusal.MISSING_DISCLOSURE, template=template.name, missing=missing)


def _notices(template: Template, fields: TouchFields) -> tuple[str, ...]:
    """Return the words of each notice asked for. A notice without words in this language is a refusal."""
    known = template.locale.notices
    unknown = tuple(code for code in fields.notices if code not in known)
    if unknown:
        raise RenderRefused(Refusal.UNKNOWN_NOTICE, template=template.name, missing=unknown)
    return tuple(known[code] for code in fields.notices)


def _missing(plan: _Plan, fields: TouchFields) -> tuple[str, ...]:
    """Name the fields that the template prints and that have no value."""
    template = plan.template
    asked = template.optional
    wanted = (path for path in template.uses if path not in asked and path.split(".", 1)[0] not in asked)
    return tuple(sorted(path for path in wanted if _value(fields, path) is None))


def _value(fields: TouchFields, path: str) -> object:
    value: object = fields
    for name in path.split("."):
        if isinstance(value, tuple):
            return value  # a field of list items: the list itself is there
        value = getattr(value, name, None)
    return value


_SPACES = re.compile(r"[ \t]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")


def _tidy_text(text: str) -> str:
    """Put a text on as few lines as its template means: no empty lines, no doubled or trailing spaces."""
    text = text.strip()
    if "\n" not in text and "  " not in text:
        return text
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _tidy_mail(text: str) -> str:
    """Keep paragraphs one empty line apart and lines free of stray spaces."""
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", lines)).strip()
