"""Creditors: whose debt it is, how a borrower reaches a person there, and the zone the creditor lives by."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import Field, PlainValidator

from outreach.domain.campaign import WEEKDAYS
from outreach.domain.config_edge import Shape, read_shape, read_zone, text_matching, word
from outreach.domain.identity import IdentityMethod
from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located
from outreach.domain.near import did_you_mean, unknown_word
from outreach.domain.plan_config import NAME, TIME


class Role(StrEnum):
    """In which capacity a deployment collects for a creditor; the policy's rules differ by it."""

    FIRST_PARTY = "first_party"
    AGENCY = "agency"
    DEBT_BUYER = "debt_buyer"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class HelpHours:
    """When people answer, on the creditor's clock. ``text`` says it in each language (``en``) or locale (``es-MX``)."""

    days: tuple[str, ...]
    opens: time
    closes: time
    text: Mapping[str, str]

    def told(self, locale: str) -> str | None:
        """Return the words for ``locale``, else for its language, else None."""
        return _for_locale(self.text, locale)


@dataclass(frozen=True, slots=True)
class Creditor:
    """A lender.

    ``phone`` is E.164, ``country`` ISO 3166-1, ``zone`` IANA. ``names`` are forms of the name for a locale or language.
    ``pay_url`` is an https address that holds nothing personal. ``agent_name`` is a person who can be asked for.
    ``identity`` is what a call asks for before it speaks of the account; ``agent_line`` (E.164) is where calls are
    handed on to a person in the help hours, None: a person calls back. ``whatsapp`` are the countries (ISO 3166-1)
    whose borrowers' texts may go by WhatsApp, with their consent.
    """

    id: str
    name: str
    role: Role
    country: str
    zone: str
    phone: str
    email: str
    address: str
    pay_url: str
    help_hours: HelpHours
    names: Mapping[str, str]
    agent_name: str | None = None
    identity: IdentityMethod = IdentityMethod.BIRTH_YEAR
    agent_line: str | None = None
    whatsapp: tuple[str, ...] = ()

    def agent_answers_at(self, at: datetime) -> bool:
        """Tell whether a call can be handed on to a person at ``at``: there is a line, and these are help hours."""
        here = at.astimezone(ZoneInfo(self.zone))
        hours = self.help_hours
        opened = WEEKDAYS[here.weekday()] in hours.days and hours.opens <= here.time() < hours.closes
        return self.agent_line is not None and opened

    def name_for(self, locale: str) -> str:
        """Return the name borrowers of ``locale`` know the creditor by."""
        return _for_locale(self.names, locale) or self.name


def _for_locale(texts: Mapping[str, str], locale: str) -> str | None:
    return texts.get(locale) or texts.get(locale.partition("-")[0])


_PAY_URL = re.compile(r"https://[a-z0-9.-]+(/[A-Za-z0-9._~/-]*)?")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


def _read_phone(value: object) -> str:
    try:
        number = phonenumbers.parse(str(value))
    except phonenumbers.NumberParseException:
        number = None
    if not isinstance(value, str) or number is None or not phonenumbers.is_possible_number(number):
        raise ValueError("is not a telephone number in E.164; write it quoted, with + and country code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _read_email(value: object) -> str:
    try:
        return validate_email(str(value), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("is not an email address; write help@example.com") from None


def _read_country(value: object) -> str:
    known = phonenumbers.SUPPORTED_REGIONS
    if value not in known:
        raise ValueError(f"{value!r} is not an ISO 3166 country such as US{did_you_mean(value, sorted(known))}")
    return str(value)


def _read_weekday(value: object) -> str:
    if value not in WEEKDAYS:
        raise ValueError(unknown_word("day", value, WEEKDAYS))
    return str(value)


def _short(text: str) -> bool:
    return 0 < len(text.strip()) <= 120 and text.isprintable()


_SHORT = Annotated[str, text_matching(_short, "must be one line of 1 to 120 characters")]
_LOCALE_KEY = Annotated[
    str, text_matching(lambda text: bool(_LOCALE.fullmatch(text)), "is no locale; write es or es-MX")
]


class HelpHoursShape(Shape):
    """When people answer."""

    days: Annotated[tuple[Annotated[str, PlainValidator(_read_weekday)], ...], Field(strict=False, min_length=1)]
    opens: TIME
    closes: TIME
    text: Annotated[dict[_LOCALE_KEY, _SHORT], Field(min_length=1)]


class CreditorShape(Shape):
    """One entry of ``creditors``."""

    id: NAME
    name: _SHORT
    names: dict[_LOCALE_KEY, _SHORT] = Field(default_factory=dict)
    role: Annotated[Role, word(Role, "role")]
    country: Annotated[str, PlainValidator(_read_country)]
    zone: Annotated[str, PlainValidator(read_zone)]
    phone: Annotated[str, PlainValidator(_read_phone)]
    email: Annotated[str, PlainValidator(_read_email)]
    address: _SHORT
    pay_url: Annotated[
        str, text_matching(lambda text: bool(_PAY_URL.fullmatch(text)), "is no plain https:// address without a query")
    ]
    agent_name: _SHORT | None = None
    identity: Annotated[IdentityMethod, word(IdentityMethod, "identity")] = IdentityMethod.BIRTH_YEAR
    agent_line: Annotated[str, PlainValidator(_read_phone)] | None = None
    whatsapp: Annotated[tuple[Annotated[str, PlainValidator(_read_country)], ...], Field(strict=False)] = ()
    help_hours: HelpHoursShape


class CreditorsShape(Shape):
    """The file of creditors."""

    creditors: Annotated[tuple[CreditorShape, ...], Field(strict=False, min_length=1)]


def load_creditors(path: Path) -> dict[str, Creditor]:
    """Return the creditors of a file by id. Raises ConfigError with every problem in it."""
    creditors, problems = read_creditors(load_located(path))
    if problems:
        raise ConfigError(problems)
    return {creditor.id: creditor for creditor in creditors}


def read_creditors(located: Located) -> tuple[tuple[Creditor, ...], list[Problem]]:
    """Read creditors from a parsed file, with the problems found."""
    problems = list(located.problems)
    if located.data is None:
        return (), problems
    shape, found = read_shape(CreditorsShape, located)
    problems += found
    if shape is None:
        return (), problems
    problems += _lint(located, shape)
    return tuple(_creditor(each) for each in shape.creditors), problems


def _lint(located: Located, shape: CreditorsShape) -> list[Problem]:
    """Find what each entry alone cannot show: ids given twice, hours that close before they open."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, each in enumerate(shape.creditors):
        if each.id in seen:
            problems.append(located.problem(("creditors", index, "id"), f"there is another creditor {each.id!r}"))
        seen.add(each.id)
        if each.help_hours.closes <= each.help_hours.opens:
            text = "closes before it opens; help hours end on the day they start"
            problems.append(located.problem(("creditors", index, "help_hours", "closes"), text))
    return problems


def _creditor(shape: CreditorShape) -> Creditor:
    hours = shape.help_hours
    plain = shape.model_dump(exclude={"help_hours"})
    return Creditor(**plain, help_hours=HelpHours(hours.days, hours.opens, hours.closes, hours.text))
