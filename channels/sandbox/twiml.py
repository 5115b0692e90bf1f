"""TwiML read into verbs, and how long its words take to say."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

MAX_DOCUMENT: Final = 64 * 1024
_VERBS: Final = frozenset({"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Record", "Reject", "Dial"})
_INSIDE_GATHER: Final = frozenset({"Say", "Play", "Pause"})


class TwimlError(ValueError):
    """A document Twilio would refuse; ``code`` is Twilio's (12100 not well-formed, 12200 not its schema)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    """One instruction. ``text`` is what is inside it, tags removed; ``inside`` are a Gather's prompts."""

    name: str
    text: str
    attributes: dict[str, str]
    inside: tuple["Verb", ...] = ()

    def seconds(self) -> float:
        """Return how long it takes to say, play or pause."""
        if self.name == "Pause":
            return float(self.attributes.get("length", "1"))
        if self.name == "Say":
            return sum(0.25 if letter > "⺀" else 0.065 for letter in self.text)
        return 3.0 if self.name == "Play" else 0.0


def read_twiml(document: bytes) -> list[Verb]:
    """Parse a call's instructions. Raises TwimlError."""
    if len(document) > MAX_DOCUMENT:
        raise TwimlError(11750, "longer than 64 kB")
    try:
        root = ET.fromstring(document)  # noqa: S314 - as at the import
    except ET.ParseError as error:
        raise TwimlError(12100, f"not well-formed: line {error.position[0]}, column {error.position[1]}") from error
    if root.tag != "Response":
        raise TwimlError(12200, f"the root must be Response, not {root.tag}")
    return [_verb(element, _VERBS) for element in root]


def _verb(element: ET.Element, allowed: frozenset[str]) -> Verb:
    if element.tag not in allowed:
        raise TwimlError(12200, f"{element.tag} is not allowed here; there are {', '.join(sorted(allowed))}")
    for name in ("length", "timeout"):
        if not element.get(name, "0").isdigit():
            raise TwimlError(12200, f"{element.tag} {name} must be whole seconds")
    inside = tuple(_verb(child, _INSIDE_GATHER) for child in element) if element.tag == "Gather" else ()
    text = "" if inside else " ".join("".join(element.itertext()).split())
    return Verb(element.tag, text, dict(element.attrib), inside)
