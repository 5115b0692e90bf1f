"""Collects the dotted words that the source writes down: reasons, timeline kinds, alerts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from channels import errors
from outreach.domain.events import DATA
from outreach.domain.protection import PointNews
from outreach.domain.words import HoldKind, PointState, StopCondition
from outreach.flows import call_sentences, sentences
from outreach.policy.load import load_policy
from outreach.policy.rules import Bar
from outreach.rendering.render import Refusal
from tests.support.source import ROOT, called, modules, text_of, tree

_SENTENCES = {"sentences.py", "call_sentences.py"}
_DOTTED = re.compile(r"[a-z_]+\.[a-z_]+")
_FILES = r".*\.(py|yaml|yml|j2|sql|html|css|json|ics)$"
_NOT_CODES = re.compile(rf"core\.|outreach\.|channels\.|{_FILES}|menu\.|pg_|context\.")


def provider_codes() -> set[str]:
    """Return the code of every way a send can end badly."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.SendError)]
    return {each.code for each in kinds if each is not errors.SendError and each is not errors.NotSent}


def formatted() -> dict[str, set[str]]:
    """Return what each ``f"family.{...}"`` of the source can become."""
    stops = {str(each) for each in StopCondition} | literal_stops()
    return {
        "provider": provider_codes(),
        "render": {code.value for code in Refusal} | {"bad_field"},
        "hold": {str(kind) for kind in HoldKind},
        "point": {str(state) for state in PointState} - {"active"},
        "quiet_hours": {"before_open", "after_close", "between", "closed_day", "no_calendar"},
        "consent": {"missing", "revoked", "expired"},
        "stopped": stops,
        "silent": {str(why) for why in PointNews},
    }


def literal_stops() -> set[str]:
    """Return the reasons that are handed to ``stop`` in so many words."""
    found: set[str] = set()
    for path in modules("outreach/flows"):
        for call in called(path, "stop", "stop_causes", "stop_for", "end_reminders"):
            found |= {text for arg in call.args[2:] if (text := text_of(arg))}
    return found


def prefixes() -> set[str]:
    """Return the families of all f-strings that make a dotted code in policy and flows."""
    found: set[str] = set()
    for path in _sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.JoinedStr) and len(node.values) == 2:
                head = text_of(node.values[0])
                if head and re.fullmatch(r"[a-z_]+\.", head) and isinstance(node.values[1], ast.FormattedValue):
                    found.add(head[:-1])
    return found


def constants() -> Iterator[tuple[Path, str]]:
    """Yield every dotted constant of policy and flows that is not a file, a module or a rule's id."""
    for path in _sources():
        for node in ast.walk(tree(path)):
            text = text_of(node)
            if text and _DOTTED.fullmatch(text) and not _NOT_CODES.match(text):
                yield path, text
    for path in sorted((ROOT / "outreach" / "store" / "sql").glob("*.sql")):
        for text in re.findall(r"reason = '([a-z_]+\.[a-z_]+)'", path.read_text("utf-8")):
            yield path, text


def _sources() -> list[Path]:
    return [path for path in modules("outreach/policy", "outreach/flows") if path.name not in _SENTENCES]


def timeline_kinds() -> set[str]:
    """Return the kinds of entries that are written down in so many words."""
    found = {"receipt", "reply", "event"}
    for path in modules("outreach/flows", "outreach/store"):
        for call in called(path, "Entry"):
            named = [text for arg in call.args[2:3] for node in ast.walk(arg) if (text := text_of(node))]
            found |= {text for text in named if _DOTTED.fullmatch(text)}
        for call in called(path, "_tell"):
            found |= {text for arg in call.args if (text := text_of(arg)) and text.startswith("touch.")}
    return found


def alert_kinds() -> set[str]:
    """Return the kinds of alerts that are opened."""
    found: set[str] = set()
    for path in modules("outreach/flows", "outreach/workers", "outreach/web"):
        for call in called(path, "open_alert"):
            found |= {text for arg in call.args[:1] if (text := text_of(arg))}
        for call in called(path, "append"):
            for arg in call.args:
                if isinstance(arg, ast.Tuple) and "alerts" in ast.dump(call.func):
                    found |= {text for each in arg.elts[:1] if (text := text_of(each))}
    return found


def spoken_reasons() -> set[str]:
    """Return the reasons without a family: those people or events give, named where they are recorded."""
    found: set[str] = set()
    for path in modules("outreach/flows"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "reason" and (text := text_of(node.value)):
                found.add(text)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "reason" and text_of(node.value):
                found.add(str(text_of(node.value)))
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if text_of(key) in {"reason", "reasons"}:
                        listed = value.elts if isinstance(value, ast.List) else [value]
                        found |= {text for each in listed if (text := text_of(each))}
    return {text for text in found if re.fullmatch(r"[a-z_.]+", text)}


def rule_reasons() -> set[str]:
    """Return the codes that rules of the shipped packs give."""
    policy = load_policy(ROOT / "config" / "policies")
    return {rule.code for rule in policy.rules if isinstance(rule, Bar)}


def reasons() -> set[str]:
    """Return every reason code that can be stored."""
    others = timeline_kinds() | alert_kinds() | set(DATA) | set(sentences._KINDS) | set(call_sentences._TURNS)
    plain = {text for _, text in constants() if text not in others - set(sentences._REASONS)}
    return (
        plain
        | spoken_reasons()
        | rule_reasons()
        | {f"{family}.{rest}" for family, all_ in formatted().items() for rest in all_}
    )
