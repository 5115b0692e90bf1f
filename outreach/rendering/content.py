"""What words say and what they must not say: of a template before it is used, and of any finished words.

A template is judged once for each creditor by rendering it with made-up borrowers, with and without what is optional,
before, on and after the due date: it says what it says in *every* case, and is barred for what it says in *any*.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from outreach.domain.words import SPOKEN, Channel
from outreach.rendering.analysis import PUBLIC_PARTS
from outreach.rendering.catalog import Template
from outreach.rendering.fields import Borrower, Creditor, TouchFields
from outreach.rendering.forbidden import DEBT_BEFORE_IDENTITY, DEBT_IN_SUBJECT, DEBT_MENTION
from outreach.rendering.phrases import Found
from outreach.rendering.render import Renderer, RenderRefused
from outreach.rendering.sample import DUE_ON, bare_fields, sample_fields
from outreach.rendering.statements import COLLECTOR, CREDITOR, NEUTRAL_NAME, plain

VOICEMAIL = "voicemail"
_HEARD_BY_ALL: Mapping[Channel, tuple[str, ...]] = {
    Channel.VOICE: ("live",),
    Channel.IVR: ("greeting", "identity", "balance", "menu"),
}
"""What everyone hears who answers and is the borrower: a statement that only a pressed key leads to is not made."""

_ONE_NAME = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:['’.-][^\W\d_\u3400-\u9fff]+)*[.]?\Z|[\u3400-\u9fff]{1,4}\Z")
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Judged:
    """What the words on one medium say. ``medium`` is sms, email, voice, ivr or voicemail.

    ``statements`` are names of templates/statements.yaml, ``found`` the forbidden phrases (for families that go by
    place, with the words that hint at money owed).
    """

    medium: str
    statements: frozenset[str] = frozenset()
    found: tuple[Found, ...] = ()

    @property
    def families(self) -> frozenset[str]:
        """The families of what was found."""
        return frozenset(one.family for one in self.found)


@dataclass(frozen=True, slots=True)
class Question:
    """Which words are meant: a template for a creditor. ``own``: the creditor collects for itself.

    ``notices`` are the statements of the locale that are printed with it.
    """

    template: str
    channel: Channel
    locale: str
    creditor: Creditor
    own: bool
    notices: tuple[str, ...] = ()


class Judge:
    """Judges templates and words by one catalog. Remembers what it judged; safe to share."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._catalog = renderer.catalog
        self._judged: dict[Question, tuple[Judged, ...]] = {}

    def of_template(self, question: Question) -> tuple[Judged, ...]:
        """Return what a template says: the medium itself first, then a voicemail when one may be left.

        Empty when there is no such template, or none that can be put into words: rendering then says why.
        """
        judged = self._judged.get(question)
        if judged is None:
            if len(self._judged) >= _MOST_KEPT:  # locales come from outside; never let made-up ones fill the memory
                self._judged.clear()
            judged = self._judged[question] = self._judge(question)
        return judged

    def of_words(self, text: str, language: str, medium: str) -> tuple[Found, ...]:
        """Return everything forbidden in finished words on a medium, whoever or whatever wrote them."""
        found = self._catalog.lists.find(plain(text), language)
        hint = self._catalog.lists.hint(plain(text), language) if medium == VOICEMAIL else None
        return (*found, Found(DEBT_MENTION, hint, hint)) if hint else found

    def of_name(self, name: str | None, language: str) -> tuple[Found, ...]:
        """Return everything forbidden in a name that somebody typed in.

        One word, or up to four Chinese characters, is taken to be a name whatever it means (a person may be called
        Judge); more than that is read like any other words.
        """
        if not name or _ONE_NAME.match(name):
            return ()
        return self._catalog.lists.find(name, language)

    def _judge(self, question: Question) -> tuple[Judged, ...]:
        template = self._catalog.find(question.template, question.channel, question.locale)
        if template is None or not template.legible:
            return ()
        # Templates that share a file say the same, and whoever collects changes nothing but one name.
        same = replace(question, template=template.hash, locale=template.locale.code, own=False)
        if same not in self._judged:
            self._judged[same] = self._look(question, template)
        found = self._judged[same]
        return tuple(map(_own, found)) if question.own else found

    def _look(self, question: Question, template: Template) -> tuple[Judged, ...]:
        known: dict[str, Judged] = {}
        seen: set[tuple[str, ...]] = set()
        for fields in _cases(question, template):
            try:
                parts = self._renderer.spell(template.name, template.channel, template.locale.code, fields)
            except RenderRefused:
                continue  # a touch of this template always has what this made-up one lacks, or is refused
            words = tuple(parts.values())
            if words in seen:
                continue
            seen.add(words)
            for one in self._media(template, fields, parts):
                known[one.medium] = _both(known[one.medium], one) if one.medium in known else one
        return tuple(known.values())

    def _media(self, template: Template, fields: TouchFields, parts: Mapping[str, str]) -> Iterator[Judged]:
        main = {part: plain(text) for part, text in parts.items() if part != VOICEMAIL}
        yield self._one(template, fields, template.channel.value, main)
        if VOICEMAIL in parts:
            yield self._one(template, fields, VOICEMAIL, {VOICEMAIL: plain(parts[VOICEMAIL])})

    def _one(self, template: Template, fields: TouchFields, medium: str, parts: Mapping[str, str]) -> Judged:
        heard = _HEARD_BY_ALL.get(template.channel, tuple(parts)) if medium != VOICEMAIL else (VOICEMAIL,)
        said = self._catalog.statements.said(template, fields, "\n".join(parts[part] for part in heard))
        name, lists = fields.creditor.name, self._catalog.lists
        if lists.hint(name, template.locale.language) or lists.hint(name, "en"):
            said -= {NEUTRAL_NAME}
        found = lists.find("\n".join(parts.values()), template.locale.language)
        return Judged(medium, said, (*found, *self._hints(template, name, parts)))

    def _hints(self, template: Template, name: str, parts: Mapping[str, str]) -> Iterator[Found]:
        """Find hints at money owed where someone else may see or hear them. A creditor's own name is none."""
        for part, text in parts.items():
            family = _family_of_place(template, part)
            if family and (hint := self._catalog.lists.hint(text.replace(name, " "), template.locale.language)):
                yield Found(family, hint, hint)


def _family_of_place(template: Template, part: str) -> str | None:
    if part == VOICEMAIL or template.entry.limited:
        return DEBT_MENTION
    if (template.channel, part) not in PUBLIC_PARTS:
        return None
    return DEBT_BEFORE_IDENTITY if template.channel in SPOKEN else DEBT_IN_SUBJECT


def _own(judged: Judged) -> Judged:
    """Count who collects as said where a lender that collects for itself says its name."""
    return replace(judged, statements=judged.statements | {COLLECTOR}) if CREDITOR in judged.statements else judged


def _both(one: Judged, other: Judged) -> Judged:
    found = {each.phrase: each for each in (*one.found, *other.found)}
    return Judged(one.medium, one.statements & other.statements, tuple(found.values()))


def _cases(question: Question, template: Template) -> Iterator[TouchFields]:
    """Yield made-up touches of a real creditor, with what is printed with them."""
    for fields in _touches(question.creditor, template.locale.code):
        yield replace(fields, notices=question.notices) if question.notices else fields


@lru_cache(maxsize=64)
def _touches(creditor: Creditor, code: str) -> tuple[TouchFields, ...]:
    """Make touches of a creditor. Its address is left as the sample's: a street may be called Court."""
    full = sample_fields(code)
    creditor = replace(creditor, address=full.creditor.address if creditor.address else None)
    nameless, bare = replace(full, borrower=Borrower()), bare_fields(code)
    made = []
    for fields, days in ((full, -3), (full, 0), (full, 12), (nameless, -3), (bare, 12)):
        case = replace(fields.case, days_past_due=days, due_on=DUE_ON)
        today = DUE_ON + timedelta(days=days)
        made.append(replace(fields, case=case, today=today, creditor=creditor, notices=()))
    return tuple(made)
