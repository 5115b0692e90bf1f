"""How far a refusal reaches and whose mailboxes are at work: config/refusals.yaml."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from outreach.domain.config_edge import Shape, read_shape, text_matching, word
from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located


class ChannelReach(StrEnum):
    """What a refusal reaches that names no channel."""

    ALL = "all"
    CHANNEL = "channel"


class TopicReach(StrEnum):
    """What programmes a refusal reaches."""

    ALL = "all"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class RefusalRules:
    """How far a refusal reaches; ``employers`` are domains whose mailboxes are at work. Defaults are the strictest."""

    unnamed_channel: ChannelReach = ChannelReach.ALL
    topics: TopicReach = TopicReach.ALL
    employers: frozenset[str] = frozenset()


_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def _is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None


class RefusalShape(Shape):
    """The file as it is written."""

    unnamed_channel: Annotated[ChannelReach, word(ChannelReach, "reach")] = ChannelReach.ALL
    topics: Annotated[TopicReach, word(TopicReach, "reach")] = TopicReach.ALL
    employer_domains: Annotated[
        tuple[Annotated[str, text_matching(_is_domain, "is no domain; write it as employer.example.com")], ...],
        Field(strict=False),
    ] = ()


def load_refusal_rules(path: Path) -> RefusalRules:
    """Return the rules of a file; the strictest ones where there is none. Raises ConfigError with every problem."""
    if not path.exists():
        return RefusalRules()
    rules, problems = read_refusal_rules(load_located(path))
    if problems:
        raise ConfigError(problems)
    return rules


def read_refusal_rules(located: Located) -> tuple[RefusalRules, list[Problem]]:
    """Read the rules from a parsed file, with the problems found."""
    problems = list(located.problems)
    if located.data is None:
        return RefusalRules(), problems
    shape, found = read_shape(RefusalShape, located)
    problems += found
    if shape is None:
        return RefusalRules(), problems
    return RefusalRules(shape.unnamed_channel, shape.topics, frozenset(shape.employer_domains)), problems
