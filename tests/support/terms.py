"""A house with other terms than the shipped ones."""

from dataclasses import replace
from typing import Any

from outreach.flows.house import House
from outreach.flows.reply_rules import ReplyRules


def with_terms(house: House, **terms: Any) -> House:
    """Return the house with these fields of every arrangement policy changed."""
    policies = tuple(replace(policy, **terms) for policy in house.replies.policies)
    return replace(house, replies=ReplyRules(house.replies.dialogues, policies))
