"""The closed Jinja2 environment: templates may read the listed fields, loop, choose and format, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from typing import Any, NoReturn

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import BlockReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from outreach.domain.words import SPOKEN, Channel
from outreach.rendering import fields as field_types
from outreach.rendering import formats, ssml
from outreach.rendering.locales import Locale, Terms

FIELD_CLASSES: tuple[type, ...] = (
    field_types.TouchFields,
    field_types.Borrower,
    field_types.Creditor,
    field_types.CaseFields,
    field_types.PromiseFields,
    field_types.ArrangementFields,
    field_types.InstallmentFields,
    field_types.ExtensionFields,
    field_types.TimesFields,
    field_types.LinkFields,
    field_types.OfferFields,
)
READABLE: Mapping[type, frozenset[str]] = {
    kind: frozenset(one.name for one in dataclass_fields(kind)) for kind in FIELD_CLASSES
}
"""What may be read from each value. Everything else in Python is out of reach, dunder or not."""

PRINTABLE = (str, int)
TESTS = ("defined", "none", "odd", "even")


class MissingFieldError(UndefinedError):
    """A template printed a field that has no value."""


def _finalize(value: object) -> object:
    """Let only text and whole numbers be printed: None is a missing field, Money and dates need a filter."""
    if type(value) in PRINTABLE or isinstance(value, (Markup, Undefined)):
        return value
    if value is None:
        raise MissingFieldError("a field without a value was printed")
    raise SecurityError(f"a {type(value).__name__} may only be printed through a filter")


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """One environment per locale and medium, so that filters need no look-up of either while rendering."""

    def __init__(self, locale: Locale, channel: Channel) -> None:
        super().__init__(
            undefined=StrictUndefined,
            finalize=_finalize,
            autoescape=channel in SPOKEN,  # calls are markup (SSML); texts and mail bodies are plain text
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=0,
        )
        self.globals.clear()
        self.filters = dict(_filters(locale, channel))
        self.tests = {name: self.tests[name] for name in TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - the signature is Jinja's
        """Read a listed field; anything else is undefined, which cannot be printed."""
        kind = type(obj)
        if kind is Terms:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        allowed = READABLE.get(kind)
        if allowed is not None and attribute in allowed:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401, ARG002 - the signature is Jinja's
        """Refuse: templates read fields by name."""
        raise SecurityError("subscripts are not used in templates")

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401 - the signature is Jinja's
        """Allow ``super()`` and nothing else."""
        return isinstance(obj, BlockReference)


def _filters(locale: Locale, channel: Channel) -> Mapping[str, Callable[..., str]]:
    """Return the only filters there are, bound to one locale."""
    babel, region, plain = locale.babel, locale.region, channel is Channel.SMS and locale.language != "zh"
    choose = _spoken_filters(locale) if channel in SPOKEN else {}
    return {
        "money": lambda amount: formats.money(amount, babel, plain=plain),
        "date": lambda value: formats.day(value, babel),
        "long_date": lambda value: formats.day(value, babel, "long"),
        "number": lambda value: formats.number(value, babel),
        "phone": lambda value: formats.phone(value, region),
        "frequency": lambda value: locale.frequencies.get(value) or _unknown("frequency"),
        "product": lambda value: locale.products.get(value) or locale.products["other"],
        **choose,
    }


def _spoken_filters(locale: Locale) -> Mapping[str, Callable[..., str]]:
    """Return what replaces the written forms in a call."""
    babel, region, names = locale.babel, locale.region, locale.spoken_currency
    return {
        "money": lambda amount: Markup(ssml.money(amount, babel, names)),  # noqa: S704 - made of figures and CLDR names
        "date": lambda value: Markup(ssml.day(value, babel)),  # noqa: S704 - figures only
        "phone": lambda value: Markup(ssml.phone(value, region)),  # noqa: S704 - figures only
        "digits": lambda value: Markup(ssml.digits(value)),  # noqa: S704 - escaped there
    }


def _unknown(what: str) -> NoReturn:
    raise MissingFieldError(f"a value that is not a known {what} was printed")
