"""The script file: who the borrowers are, what the carrier owns, and how quickly things happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import orjson
import yaml

from channels.sandbox.errors import ScriptError
from channels.sandbox.people import DEFAULT_MIX, MEDIA, Profile, Temper

_FIELDS: Final = (
    "locale", "mute", "numbers", "services", "inbound", "advanced_opt_out", "timing", "distribution",
    "patterns", "profiles", "aliyun", "gateway",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take, in seconds of carrier time. The first three are 0 under a stepped clock unless given."""

    sent_seconds: float = 0.2
    delivered_seconds: float = 1.0
    ring_seconds: float = 0.5
    minute_seconds: float = 60.0
    bounce_minutes: float = 2.0


@dataclass(frozen=True, slots=True)
class AliyunScript:
    """What the Aliyun account has: approved signatures, and templates by code with their ``${name}`` parameters.

    Nothing given approves everything. ``pushes`` is where reports and texts from people go.
    """

    signs: frozenset[str] = frozenset()
    templates: Mapping[str, str] = field(default_factory=dict)
    pushes: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayScript:
    """How the plain gateway speaks: ``fields`` renames what it reads and writes; ``replies`` is where texts go."""

    fields: Mapping[str, str] = field(default_factory=dict)
    replies: str | None = None

    def name(self, ours: str) -> str:
        """Return the gateway's name of a field."""
        return self.fields.get(ours, ours)


GATEWAY_FIELDS: Final = ("to", "from", "text", "client_id", "callback", "ttl", "code", "id", "parts", "state", "error")


@dataclass(frozen=True, slots=True)
class Script:
    """Everything a script file can say.

    ``mute`` accepts everything and does nothing else: no callbacks, no replies. An empty ``numbers`` owns every
    number; ``services`` gives the sender of each messaging service.
    """

    locale: str = "en"
    mute: bool = False
    numbers: frozenset[str] = frozenset()
    services: Mapping[str, str] = field(default_factory=dict)
    inbound_sms: str | None = None
    inbound_email: str | None = None
    inbound_call: str | None = None
    advanced_opt_out: bool = False
    timing: Timing = field(default_factory=Timing)
    mix: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: DEFAULT_MIX)
    patterns: tuple[tuple[str, Profile], ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    aliyun: AliyunScript = field(default_factory=AliyunScript)
    gateway: GatewayScript = field(default_factory=GatewayScript)


def load_script(path: Path | None, *, stepped: bool) -> Script:
    """Read a YAML or JSON script. Raises ScriptError naming the file, the field and what would be valid."""
    if path is None:
        return parse_script({}, "script", stepped=stepped)
    try:
        text = path.read_text("utf-8")
        # A script with thousands of profiles is written as JSON, which is read far quicker than YAML.
        raw = orjson.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from error
    except (orjson.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: not YAML or JSON: {error}") from error
    return parse_script(raw or {}, str(path), stepped=stepped)


def parse_script(raw: object, where: str, *, stepped: bool) -> Script:
    """Check a script that is already loaded. Raises ScriptError."""
    top = _mapping(raw, where)
    for name in top:
        if name not in _FIELDS:
            raise ScriptError(f"{where}.{name}: no such field; there are {', '.join(_FIELDS)}")
    inbound = _known(top.get("inbound", {}), f"{where}.inbound", ("sms", "email", "voice"))
    return Script(
        locale=str(top.get("locale", "en"))[:2],
        mute=bool(top.get("mute", False)),
        numbers=frozenset(map(str, _sequence(top.get("numbers", []), f"{where}.numbers"))),
        services={str(k): str(v) for k, v in _mapping(top.get("services", {}), f"{where}.services").items()},
        inbound_sms=_text(inbound.get("sms")),
        inbound_email=_text(inbound.get("email")),
        inbound_call=_text(inbound.get("voice")),
        advanced_opt_out=bool(top.get("advanced_opt_out", False)),
        timing=_timing(top.get("timing", {}), f"{where}.timing", stepped=stepped),
        mix=_mix(top.get("distribution", {}), f"{where}.distribution"),
        patterns=_patterns(top.get("patterns", []), f"{where}.patterns"),
        profiles=parse_profiles(top.get("profiles", {}), f"{where}.profiles"),
        aliyun=_aliyun(top.get("aliyun", {}), f"{where}.aliyun"),
        gateway=_gateway(top.get("gateway", {}), f"{where}.gateway"),
    )


def _aliyun(raw: object, where: str) -> AliyunScript:
    given = _known(raw, where, ("signs", "templates", "pushes"))
    templates = _mapping(given.get("templates", {}), f"{where}.templates")
    return AliyunScript(
        signs=frozenset(map(str, _sequence(given.get("signs", []), f"{where}.signs"))),
        templates={code: str(text) for code, text in templates.items()},
        pushes=_text(given.get("pushes")),
    )


def _gateway(raw: object, where: str) -> GatewayScript:
    given = _known(raw, where, ("fields", "replies"))
    names = _known(given.get("fields", {}), f"{where}.fields", GATEWAY_FIELDS)
    return GatewayScript({ours: str(theirs) for ours, theirs in names.items()}, _text(given.get("replies")))


def _known(raw: object, where: str, names: Sequence[str]) -> dict[str, object]:
    given = _mapping(raw, where)
    for name in given:
        if name not in names:
            raise ScriptError(f"{where}.{name}: no such field; there are {', '.join(names)}")
    return given


def parse_profiles(raw: object, where: str) -> dict[str, Profile]:
    """Read profiles by address. Raises ScriptError naming the entry's position, not the address."""
    entries = _mapping(raw, where).items()
    return {address: Profile.parse(value, f"{where}[{n}]") for n, (address, value) in enumerate(entries, 1)}


def _patterns(raw: object, where: str) -> tuple[tuple[str, Profile], ...]:
    patterns = []
    for n, entry in enumerate(_sequence(raw, where), 1):
        rule = dict(_mapping(entry, f"{where}[{n}]"))
        pattern = rule.pop("match", None)
        if not isinstance(pattern, str):
            raise ScriptError(f"{where}[{n}].match: a pattern such as +1202555* or *@bounce.test")
        patterns.append((pattern, Profile.parse(rule, f"{where}[{n}]")))
    return tuple(patterns)


def _timing(raw: object, where: str, *, stepped: bool) -> Timing:
    given = _mapping(raw, where)
    known = {f.name for f in fields(Timing)}
    values = {"sent_seconds": 0.0, "delivered_seconds": 0.0, "ring_seconds": 0.0} if stepped else {}
    for name, value in given.items():
        if name not in known:
            raise ScriptError(f"{where}.{name}: no such field; there are {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ScriptError(f"{where}.{name}: a number, 0 or more")
        values[name] = float(value)
    return Timing(**values)


def _mix(raw: object, where: str) -> dict[str, Mapping[str, float]]:
    mix: dict[str, Mapping[str, float]] = dict(DEFAULT_MIX)
    for medium, weights in _mapping(raw, where).items():
        if medium not in MEDIA:
            raise ScriptError(f"{where}.{medium}: no such medium; there are {', '.join(MEDIA)}")
        mix[medium] = _weights(weights, f"{where}.{medium}")
    return mix


def _weights(raw: object, where: str) -> dict[str, float]:
    weights = {}
    for name, weight in _mapping(raw, where).items():
        Temper.parse(name, where)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            raise ScriptError(f"{where}.{name}: a weight, 0 or more")
        weights[name] = float(weight)
    if sum(weights.values()) <= 0:
        raise ScriptError(f"{where}: at least one weight above 0")
    return weights


def _mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise ScriptError(f"{where}: a mapping")
    return {str(name): entry for name, entry in value.items()}


def _sequence(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ScriptError(f"{where}: a list")
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)
