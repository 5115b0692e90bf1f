"""Scripted borrowers: who they are, what temper they have, and the script file that says so."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from channels.sandbox.chance import draw, weigh
from channels.sandbox.errors import ScriptError

TALKERS: Final = ("stop", "help", "promise", "installments", "paid", "dispute", "hardship", "wrong_person", "chatter")
"""Tempers that answer in words, on every medium."""

_SMS_ONLY: Final = ("deliver", "silent", "fail", "reject", "sent_only", "slow", "flaky")
_VOICE_ONLY: Final = (
    "busy", "no_answer", "voicemail", "unreachable", "human", "fails_identity", "hangs_up", "says_nothing", "agent",
)  # fmt: skip
_EMAIL_ONLY: Final = ("refuse", "full", "greylist", "bounce", "out_of_office", "junk")
_PAGE: Final = "portal"
TEMPERS: Final = frozenset((*TALKERS, _PAGE, *_SMS_ONLY, *_VOICE_ONLY, *_EMAIL_ONLY))
MEDIA: Final = ("sms", "voice", "email")

LINE_TYPES: Final = (
    "mobile", "landline", "fixedVoip", "nonFixedVoip", "personal", "tollFree", "premium", "sharedCost", "uan",
    "voicemail", "pager", "unknown",
)  # fmt: skip
"""What a number look-up can say of a line."""
_PLAIN_FIELDS: Final = (
    "birth_year", "postcode", "account_last4", "locale", "answers_on", "delay_minutes", "says", "line_type", "keys",
    "speech", "chooses",
)  # fmt: skip

DEFAULT_MIX: Final[dict[str, dict[str, float]]] = {
    "sms": {
        "silent": 63, "fail:30005": 2, "fail:30006": 2, "fail:30007": 1, "flaky": 4, "sent_only": 4,
        "promise": 6, "installments": 6, "paid": 4, "dispute": 2, "wrong_person": 1, "help": 1, "stop": 2, "chatter": 2,
    },
    "voice": {
        "no_answer": 30, "voicemail": 27, "busy": 8, "human": 10, "installments": 6, "promise": 6,
        "fails_identity": 3, "hangs_up": 5, "says_nothing": 2, "wrong_person": 2, "unreachable": 1,
    },
    "email": {
        "silent": 76, "refuse": 3, "bounce": 2, "full": 1, "greylist": 4, "out_of_office": 2,
        "promise": 4, "installments": 3, "paid": 2, "dispute": 1, "stop": 2,
    },
}  # fmt: skip

# How a temper given for the whole person shows on a medium it was not written for.
_SHOWS_AS: Final[dict[str, dict[str, str]]] = {
    "sms": {"human": "silent", "agent": "help", "refuse": "fail", "bounce": "fail", "unreachable": "fail"},
    "voice": {"fail": "unreachable", "reject": "unreachable", "bounce": "unreachable", "refuse": "unreachable",
              "deliver": "human", "silent": "no_answer", "help": "agent", "chatter": "hangs_up"},
    "email": {"fail": "bounce", "reject": "refuse", "agent": "help", "unreachable": "bounce"},
}  # fmt: skip
_NATIVE: Final = {
    "sms": {*TALKERS, _PAGE, *_SMS_ONLY},
    "voice": {"stop", "promise", "installments", "paid", "dispute", "wrong_person", "slow", *_VOICE_ONLY},
    "email": {*TALKERS, _PAGE, "deliver", "silent", *_EMAIL_ONLY},
}
_FALLBACK: Final = {"sms": "silent", "voice": "no_answer", "email": "silent"}


@dataclass(frozen=True, slots=True)
class Temper:
    """One temper; ``code`` is the provider error of fail and reject, or the seconds of slow."""

    name: str
    code: int | None = None

    @classmethod
    def parse(cls, text: object, where: str) -> "Temper":
        """Read ``promise`` or ``fail:30005``. Raises ScriptError naming the place and the tempers there are."""
        name, _, code = str(text).partition(":")
        if name not in TEMPERS:
            raise ScriptError(f"{where}: no temper {name!r}; there are {', '.join(sorted(TEMPERS))}")
        if code and not code.isdigit():
            raise ScriptError(f"{where}: the number after {name}: must be whole")
        return cls(name, int(code) if code else None)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the script says about one address. Empty fields are left to the seed.

    ``answers_on`` is the touch (from 1) they first react to; ``delay_minutes`` how long they take; ``keys`` and
    ``speech`` are what they press and say at each question of a call, in order, instead of deciding for themselves.
    ``chooses`` is the installment offer they take (from 1). ``birth_year``, ``postcode`` and ``account_last4`` are what
    they answer when they are asked who they are.
    """

    temperament: Temper | None = None
    by_medium: Mapping[str, Temper] = field(default_factory=dict)
    birth_year: int | None = None
    postcode: str | None = None
    account_last4: str | None = None
    chooses: int | None = None
    locale: str | None = None
    answers_on: int | None = None
    delay_minutes: int | None = None
    says: str | None = None
    line_type: str | None = None
    keys: tuple[str, ...] = ()
    speech: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: object, where: str) -> "Profile":
        """Read one profile: a temper's name or a mapping. Raises ScriptError naming the field."""
        if isinstance(raw, str):
            return cls(temperament=Temper.parse(raw, where))
        if not isinstance(raw, Mapping):
            raise ScriptError(f"{where}: a temper's name or a mapping")
        known = {"temperament", *MEDIA, *_PLAIN_FIELDS}
        for name in raw:
            if name not in known:
                raise ScriptError(f"{where}.{name}: no such field; there are {', '.join(sorted(known))}")
        given = raw.get("temperament")
        return cls(
            temperament=Temper.parse(given, f"{where}.temperament") if given is not None else None,
            by_medium={m: Temper.parse(raw[m], f"{where}.{m}") for m in MEDIA if m in raw},
            birth_year=_whole(raw, "birth_year", where),
            postcode=str(raw["postcode"]) if "postcode" in raw else None,
            account_last4=str(raw["account_last4"]) if "account_last4" in raw else None,
            chooses=_whole(raw, "chooses", where),
            locale=_locale(raw.get("locale"), where),
            answers_on=_whole(raw, "answers_on", where),
            delay_minutes=_whole(raw, "delay_minutes", where),
            says=str(raw["says"]) if "says" in raw else None,
            line_type=_line_type(raw.get("line_type"), where),
            keys=_words(raw.get("keys", ()), f"{where}.keys"),
            speech=_words(raw.get("speech", ()), f"{where}.speech"),
        )


_NOBODY: Final = Profile()


class People:
    """Everyone the carrier can reach, and how often each was touched.

    Whoever is in ``by_hand`` is answered for by a person at the page and by nobody else.
    """

    def __init__(
        self,
        seed: int,
        *,
        mix: Mapping[str, Mapping[str, float]],
        patterns: tuple[tuple[str, Profile], ...],
        profiles: Mapping[str, Profile],
        locale: str,
    ) -> None:
        self.seed = seed
        self.default_locale = locale
        self._mix = mix
        self._patterns = patterns
        self._scripted = dict(profiles)
        self.forget()

    def forget(self) -> None:
        """Back to the script: run-time profiles and touch counts are dropped."""
        self.profiles = dict(self._scripted)
        self._touches: Counter[tuple[str, str]] = Counter()
        self.by_hand: set[str] = set()  # addresses whose owner sits at the page
        self.switched: dict[str, Mapping[str, Temper]] = {}  # what somebody switched at the page, over the script

    def touched(self, medium: str, address: str) -> int:
        """Count one more touch and return which it is, from 1."""
        self._touches[medium, address] += 1
        return self._touches[medium, address]

    def touches(self, medium: str, address: str) -> int:
        """Return how many touches there were."""
        return self._touches[medium, address]

    def profile(self, address: str) -> Profile:
        """Return what is scripted for an address, by name or else by the first pattern that fits."""
        address = address.removeprefix("whatsapp:")  # one person, however a text reaches them
        found = self.profiles.get(address)
        if found is not None:
            return found
        return next((p for pattern, p in self._patterns if fnmatchcase(address, pattern)), _NOBODY)

    def temper(self, medium: str, address: str, touch: int) -> Temper:
        """Decide how this person takes this touch. Calls find them differently each time."""
        switched = self.switched.get(address)
        if switched is not None and medium in switched:
            return switched[medium]
        profile = self.profile(address)
        if medium in profile.by_medium:
            return profile.by_medium[medium]
        if profile.temperament is not None:
            return _shown(profile.temperament, medium)
        nth = touch if medium == "voice" else 0
        return Temper.parse(weigh(self._mix[medium], self.seed, "temper", medium, address, nth), "distribution")

    def answers_on(self, medium: str, address: str) -> int:
        """Return the touch (from 1) this person first reacts to."""
        profile = self.profile(address)
        if profile.answers_on is not None:
            return profile.answers_on
        if profile.temperament is not None or profile.by_medium:
            return 1
        return 1 + int(draw(self.seed, "answers_on", medium, address) * 3)

    def delay_minutes(self, medium: str, address: str, touch: int, *, dialogue: bool) -> int:
        """Return the whole minutes until they answer: a few within a dialogue, up to three hours to open one."""
        given = self.profile(address).delay_minutes
        if given is not None:
            return given
        share = draw(self.seed, "delay", medium, address, touch)
        return 1 + int(share * 4) if dialogue else 2 + int(share * share * 180)


def _shown(temper: Temper, medium: str) -> Temper:
    if temper.name in _NATIVE[medium]:
        return temper
    return Temper(_SHOWS_AS[medium].get(temper.name, _FALLBACK[medium]))


def _whole(raw: Mapping[str, object], name: str, where: str) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScriptError(f"{where}.{name}: a whole number, 0 or more")
    return value


def _locale(value: object, where: str) -> str | None:
    if value is None:
        return None
    language = str(value)[:2].lower()
    if language not in {"en", "es", "zh"}:
        raise ScriptError(f"{where}.locale: en, es or zh (a region may follow)")
    return language


def _line_type(value: object, where: str) -> str | None:
    if value is not None and value not in LINE_TYPES:
        raise ScriptError(f"{where}.line_type: one of {', '.join(LINE_TYPES)}")
    return None if value is None else str(value)


def _words(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ScriptError(f"{where}: a list")
    return tuple(map(str, value))
