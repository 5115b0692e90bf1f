"""The dialogues and arrangement policies a house works with."""

from dataclasses import dataclass
from pathlib import Path

from outreach.domain.arrangement import ArrangementPolicy
from outreach.domain.arrangement_policy import load_arrangement_policies
from outreach.replies.dialogue_config import load_dialogues
from outreach.replies.dialogue_spec import Dialogues


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """What may be said back, and which installment plans may be offered."""

    dialogues: Dialogues
    policies: tuple[ArrangementPolicy, ...]


def load_reply_rules(config: Path) -> ReplyRules:
    """Read config/dialogues and config/arrangements.yaml. Raises ConfigError with every problem."""
    return ReplyRules(load_dialogues(config / "dialogues"), load_arrangement_policies(config / "arrangements.yaml"))
