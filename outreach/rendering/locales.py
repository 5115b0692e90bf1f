"""The locales borrowers are written to in, their fallbacks and shared words: templates/locales.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from babel import Locale as BabelLocale
from babel import UnknownLocaleError
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from outreach.domain.located_yaml import Located, Problem, load_located

Phrase = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Terms(dict[str, str]):
    """Fixed words of one locale that a template reads by name (``keys.stop``, ``words.automated``)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keys(_Strict):
    """The words a borrower answers with."""

    stop: Phrase
    start: Phrase
    help: Phrase
    plan: Phrase
    yes: Phrase
    no: Phrase
    paid: Phrase


class Words(_Strict):
    """Required statements and phrases that several templates share."""

    opt_out: Phrase
    email_opt_out: Phrase
    call_opt_out: Phrase
    automated: Phrase
    installment: Phrase
    installments: Phrase
    hash_key: Phrase
    voicemail_thanks: Phrase


class Frequencies(_Strict):
    """How often installments fall due, in words."""

    weekly: Phrase
    biweekly: Phrase
    semimonthly: Phrase
    monthly: Phrase


class _Speech(_Strict):
    unit: Literal["word", "character"]
    per_minute: int


class _Language(_Strict):
    keys: Keys
    words: Words
    frequencies: Frequencies
    products: dict[str, Phrase]
    notices: dict[str, Phrase] = {}
    spoken_currency: dict[str, Phrase] = {}
    speech: _Speech

    @field_validator("products")
    @classmethod
    def _has_other(cls, products: dict[str, str]) -> dict[str, str]:
        if "other" not in products:
            raise ValueError("must hold the key `other`, the words for a product that is not listed")
        return products


class _Other(_Strict):
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...]
    told: Phrase


class _Locale(_Strict):
    folders: tuple[str, ...]
    babel: str
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    words: dict[str, Phrase] = {}
    other: _Other | None = None

    @field_validator("babel")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            BabelLocale.parse(name)
        except (ValueError, UnknownLocaleError) as error:
            raise ValueError("is not a CLDR locale such as en_US") from error
        return name


class _File(_Strict):
    default: str
    languages: dict[str, str]
    locales: dict[str, _Locale]
    text: dict[str, _Language]


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """What the language key of a call changes to, for whom (countries), and how it is ``told``, in that language."""

    language: str
    countries: tuple[str, ...]
    told: str


@dataclass(frozen=True, slots=True)
class Locale:
    """One locale: where its templates are looked for and its own words.

    ``other`` is what the language key of a call changes to, None where calls offer nothing.
    """

    code: str
    language: str
    folders: tuple[str, ...]
    babel: str
    region: str
    keys: Terms
    words: Terms
    frequencies: Mapping[str, str]
    products: Mapping[str, str]
    notices: Mapping[str, str]
    spoken_currency: tuple[tuple[str, str], ...]
    speech_unit: str
    speech_per_minute: int
    other: OtherLanguage | None = None


@dataclass(frozen=True, slots=True)
class Locales:
    """Every locale, and which one serves a borrower's wish."""

    default: str
    by_code: Mapping[str, Locale]
    languages: Mapping[str, str]
    problems: tuple[Problem, ...] = field(default=())

    def resolve(self, wish: str) -> Locale | None:
        """Return the locale that serves ``wish`` (BCP 47, ``es-AR``): itself, else its language's, else the default."""
        code = wish.replace("_", "-")
        found = self.by_code.get(code)
        if found is None:
            language = code.split("-", 1)[0].lower()
            found = self.by_code.get(self.languages.get(language, self.default))
        return found

    def other_for(self, wish: str, country: str) -> OtherLanguage | None:
        """Return what the language key of a call changes to for somebody in a country; None where it does nothing."""
        spoken = self.resolve(wish)
        return spoken.other if spoken and spoken.other and country in spoken.other.countries else None


def load_locales(path: Path) -> Locales:
    """Read locales.yaml. Never raises for what is in the file: see ``Locales.problems``."""
    located = load_located(path)
    if located.problems:
        return Locales("", {}, {}, located.problems)
    try:
        parsed = _File.model_validate(located.data)
    except ValidationError as error:
        return Locales("", {}, {}, tuple(located.problems_of(error.errors())))
    problems = tuple(_cross_check(located, parsed))
    if problems:
        return Locales("", {}, {}, problems)
    return Locales(
        parsed.default, {code: _build(code, one, parsed) for code, one in parsed.locales.items()}, parsed.languages
    )


def _cross_check(located: Located, parsed: _File) -> list[Problem]:
    """Names that must exist elsewhere in the file."""
    known = ", ".join(parsed.locales)
    found = []
    if parsed.default not in parsed.locales:
        found.append(located.problem(("default",), f"must be one of {known}"))
    for language, code in parsed.languages.items():
        if code not in parsed.locales:
            found.append(located.problem(("languages", language), f"must be one of {known}"))
    for code, one in parsed.locales.items():
        language = code.split("-", 1)[0]
        if language not in parsed.text:
            found.append(located.problem(("locales", code), f"has no words: add text.{language}"))
        if one.other is not None and one.other.language not in parsed.languages:
            languages = ", ".join(parsed.languages)
            found.append(located.problem(("locales", code, "other", "language"), f"must be one of {languages}"))
        found += [
            located.problem(("locales", code, "words", word), f"must be one of {', '.join(Words.model_fields)}")
            for word in one.words
            if word not in Words.model_fields
        ]
    return found


def _build(code: str, one: _Locale, parsed: _File) -> Locale:
    language = code.split("-", 1)[0]
    text = parsed.text[language]
    return Locale(
        code=code,
        language=language,
        folders=one.folders,
        babel=one.babel,
        region=one.region,
        keys=Terms(text.keys.model_dump()),
        words=Terms(text.words.model_dump() | one.words),
        frequencies=text.frequencies.model_dump(),
        products=text.products,
        notices=text.notices,
        spoken_currency=tuple(text.spoken_currency.items()),
        speech_unit=text.speech.unit,
        speech_per_minute=text.speech.per_minute,
        other=OtherLanguage(one.other.language, one.other.countries, one.other.told) if one.other else None,
    )
