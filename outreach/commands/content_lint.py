"""Holds every template against the rules about words: what law asks of them, place by place, and who must add it.

A problem is what a lender of creditors.yaml could not send at home; a warning what would not be sent somewhere else, on
one of several channels, or by somebody who collects for others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from babel.languages import get_official_languages

from outreach.domain.creditor import Creditor
from outreach.domain.located_yaml import Problem, load_located
from outreach.domain.places import memberships
from outreach.domain.words import SPOKEN, Channel
from outreach.flows.fields import creditor_fields
from outreach.flows.wording import FIRST_PARTY, notices_of
from outreach.policy.content import wordings_for
from outreach.policy.facts import Facts
from outreach.policy.policy import Policy
from outreach.policy.rules import ANYWHERE, UNLISTED, Wording
from outreach.rendering import fields as written
from outreach.rendering.catalog import Catalog, Template
from outreach.rendering.content import VOICEMAIL, Judge, Judged, Question
from outreach.rendering.render import Renderer
from outreach.rendering.sample import sample_fields

ANSWERS = frozenset({"reply", "confirmation"})
"""What a template is for that no plan names: it answers somebody."""

_UNION, _UNION_LANGUAGES = "EU", ("en", "es")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes. ``creditor`` None: somebody who could, in that role."""

    role: str
    creditor: Creditor | None = None

    def fields(self, locale: str) -> written.Creditor:
        """Return the sender as templates print it."""
        return creditor_fields(self.creditor, locale) if self.creditor else sample_fields(locale).creditor


@dataclass(frozen=True, slots=True)
class Lack:
    """What a rule asks for and a template does not say on a medium."""

    rule: Wording
    medium: str
    missing: tuple[str, ...]


@dataclass(slots=True)
class Linted:
    """Problems and warnings, each with the file it is about."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def lint_content(
    catalog: Catalog,
    policy: Policy,
    purposes: Mapping[str, frozenset[str]],
    creditors: Iterable[Creditor],
    at: datetime,
) -> Linted:
    """Hold every template against every rule about words that is in force at ``at``.

    ``purposes`` are what templates are used for; one that is not there answers somebody.
    """
    return _Lint(catalog, policy, purposes, tuple(creditors), at).run()


def lint_names(catalog: Catalog, path: Path, creditors: Iterable[Creditor]) -> Iterator[Problem]:
    """Find what a creditor's own names, help hours and agent must not say: they stand in every text."""
    located = load_located(path)
    for index, one in enumerate(creditors):
        told: dict[tuple[str, ...], str] = {("name",): one.name, ("agent_name",): one.agent_name or ""}
        told |= {("names", locale): text for locale, text in one.names.items()}
        told |= {("help_hours", "text", locale): text for locale, text in one.help_hours.text.items()}
        for where, text in told.items():
            for found in catalog.lists.find(text, where[-1] if len(where) > 1 else ""):
                yield located.problem(
                    ("creditors", index, *where), f"“{found.words}” {catalog.lists.why(found.family)}"
                )


class _Lint:
    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        purposes: Mapping[str, frozenset[str]],
        creditors: tuple[Creditor, ...],
        at: datetime,
    ) -> None:
        self.catalog, self.policy, self.purposes, self.creditors, self.at = catalog, policy, purposes, creditors, at
        self.judge = Judge(Renderer(catalog))
        self.rules = cache(self._rules)
        self.linted = Linted()
        self.grouped: dict[tuple[str, str, str, str, tuple[str, ...]], list[Template]] = {}

    def run(self) -> Linted:
        """Return everything that was found."""
        self._forbidden()
        for place in sorted({rule.head.select.jurisdiction for rule in self.policy.rules if isinstance(rule, Wording)}):
            if place == UNLISTED:
                continue
            at_home = [Sender(one.role, one) for one in self.creditors if _is_home(place, one.country)]
            known = {sender.role for sender in at_home}
            others = [Sender(role) for role in (FIRST_PARTY, "agency") if role not in known]
            for sender in (*at_home, *others):
                self._place(place, sender)
        self._tell_groups()
        return self.linted

    def _forbidden(self) -> None:
        """Report what only shows once a template's parts and its locale's words are put together."""
        for template in self._templates():
            for judged in self._judged(template, Sender(FIRST_PARTY), ()):
                for found in judged.found:
                    text = f"“{found.words}” in {judged.medium}, {template.locale.code}: "
                    self._problem(template, text + self.catalog.lists.why(found.family))

    def _place(self, place: str, sender: Sender) -> None:
        spoken = _locales(self.catalog, place)
        names = {(one.name, one.locale.code) for one in self._templates() if one.locale.code in spoken}
        for name, locale in sorted(names):
            lacks = {}
            for channel in Channel:
                template = self.catalog.find(name, channel, locale)
                if template is not None and template.valid:
                    lacks[template.channel] = (template, self._lacks(template, place, sender))
            sendable = any(all(lack.medium == VOICEMAIL for lack in found) for _, found in lacks.values())
            for template, found in lacks.values():
                for lack in found:
                    self._report(place, sender, template, lack, sendable=sendable)

    def _lacks(self, template: Template, place: str, sender: Sender) -> list[Lack]:
        """Return what the rules of one place ask for and a template does not say."""
        found: dict[tuple[str, str], Lack] = {}
        for purpose in sorted(self.purposes.get(template.name, ANSWERS)):
            plain = self._judged(template, sender, ())
            if not plain:
                continue
            rules = self.rules(template.channel, place, purpose, sender.role)
            main = [rule for rule in rules if not rule.media or template.channel.value in rule.media]
            notices = () if sender.role == FIRST_PARTY else notices_of(template, plain[0], main)
            for judged in self._judged(template, sender, notices):
                for rule in rules:
                    missing = tuple(sorted(rule.requires - judged.statements))
                    spoken_of = not rule.media or judged.medium in rule.media
                    if missing and spoken_of and rule.head.select.jurisdiction == place:
                        found[rule.head.id, judged.medium] = Lack(rule, judged.medium, missing)
        return list(found.values())

    def _rules(self, channel: Channel, place: str, purpose: str, role: str) -> tuple[Wording, ...]:
        return wordings_for(_facts(channel, place, purpose, role), self.policy, self.at)

    def _judged(self, template: Template, sender: Sender, notices: tuple[str, ...]) -> tuple[Judged, ...]:
        code = template.locale.code
        return self.judge.of_template(
            Question(template.name, template.channel, code, sender.fields(code), sender.role == FIRST_PARTY, notices)
        )

    def _report(self, place: str, sender: Sender, template: Template, lack: Lack, *, sendable: bool) -> None:
        at_home = sender.creditor is not None and lack.medium != VOICEMAIL
        if at_home and ("-" not in place or not sendable):
            self._problem(template, f"lacks {', '.join(lack.missing)} in {template.locale.code}: {_why(lack.rule)}")
            return
        key = (lack.rule.head.id, sender.role, lack.medium, template.locale.code, lack.missing)
        self.grouped.setdefault(key, []).append(template)

    def _tell_groups(self) -> None:
        for (rule_id, role, medium, locale, missing), templates in self.grouped.items():
            rule = self.policy.rule(rule_id)
            assert isinstance(rule, Wording)  # noqa: S101 - it was found among them
            first = min(templates, key=lambda one: one.file)
            more = len({one.name for one in templates}) - 1
            what = f"{medium} {locale}: lacks {', '.join(missing)}"
            who = (
                "a lender" if role == FIRST_PARTY else f"{'an' if role[0] in 'aeiou' else 'a'} {role.replace('_', ' ')}"
            )
            left = "no voicemail is left" if medium == VOICEMAIL else "it is not sent"
            others = f" (and {more} more template{'s' if more > 1 else ''})" if more else ""
            text = f"{what}{others}; {left} for {who} in {rule.head.select.jurisdiction}: {_why(rule)}"
            self.linted.warnings.append(Problem(str(self.catalog.root / first.file), 1, 1, "", text))

    def _templates(self) -> Iterator[Template]:
        return (one for one in self.catalog.templates.values() if one.valid)

    def _problem(self, template: Template, text: str) -> None:
        problem = Problem(str(self.catalog.root / template.file), 1, 1, "", text)
        if problem not in self.linted.problems:
            self.linted.problems.append(problem)


def _why(rule: Wording) -> str:
    return f"{rule.head.summary} ({rule.head.id}; {rule.head.citation})"


def _is_home(place: str, country: str) -> bool:
    """Tell whether the law of a place may be the law of a lender's own borrowers."""
    return place == ANYWHERE or place.partition("-")[0] == country or place in memberships(country)


def _locales(catalog: Catalog, place: str) -> frozenset[str]:
    """Return the locales that people of a place are written to in."""
    if place == ANYWHERE:
        return frozenset(catalog.locales.by_code)
    country = place.partition("-")[0]
    own = {code for code, locale in catalog.locales.by_code.items() if locale.region == country}
    official = _UNION_LANGUAGES if country == _UNION else get_official_languages(country, regional=True, de_facto=True)
    served = (catalog.locales.resolve(f"{language}-{country}") for language in official)
    return frozenset(own | {locale.code for locale in served if locale is not None})


def _facts(channel: Channel, place: str, purpose: str, role: str) -> Facts:
    """Return a contact of which only this much is known: what is not known excuses from nothing."""
    return Facts(
        touch_id="",
        channel=channel.value,
        purpose=purpose,
        role=role,
        actor="prerecorded" if channel in SPOKEN else "automated",
        borrower_id="",
        case_id="",
        creditor_id="",
        product="",
        case_state="open",
        amount_due_minor=1,
        currency="",
        days_past_due=1,
        due_on=None,
        jurisdictions=() if place == ANYWHERE else (place,),
    )
