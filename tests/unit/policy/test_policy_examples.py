"""Every deciding rule of every shipped pack lets something pass and refuses something, by examples made from itself."""

import orjson
import pytest
from policy_examples import deciding, examples
from policy_samples import SHIPPED, facts

from outreach.policy.gate import decide
from outreach.policy.rules import Rule

RULES = deciding(SHIPPED)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.head.id)
def test_each_rule_lets_one_contact_pass_and_refuses_another(rule: Rule) -> None:
    passed, refused = examples(rule, SHIPPED)
    assert passed is not None, f"{rule.head.id} refused every example"
    assert refused is not None, f"{rule.head.id} refused no example"
    reason = next(one for one in refused.decided(SHIPPED).reasons if one.rule_id == rule.head.id)
    assert reason.citation == rule.head.citation
    assert reason.effect == rule.head.effect


def test_only_duties_named_hours_and_drafts_are_left_without_examples() -> None:
    listed = {entry["id"]: entry for entry in orjson.loads(SHIPPED.to_json())["rules"]}
    left = {name: entry for name, entry in listed.items() if name not in {rule.head.id for rule in RULES}}
    silent = {
        name for name, one in left.items() if one["shape"] in {"duty", "personal_times"} or one.get("status") == "draft"
    }
    assert left.keys() - silent == set()
    assert len(RULES) > 100


def test_drafts_and_duties_are_never_asked() -> None:
    silent = {rule.head.id for rule in SHIPPED.drafts} | {rule.head.id for rule in SHIPPED.rules if rule not in RULES}
    for place in sorted(SHIPPED.packs):
        decision = decide(facts(jurisdictions=(place,)), SHIPPED, facts().consents[0].at)
        asked = {*decision.passed, *(reason.rule_id for reason in decision.reasons)}
        assert asked.isdisjoint(silent)
