"""`outreach check`: every configuration file and template, every problem with its place."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated

import typer

from channels.config import load_channels
from channels.errors import ConfigError as ChannelConfigError
from outreach.clock import SystemClock
from outreach.commands import policies
from outreach.commands.call_lint import keys_that_are_not_told
from outreach.commands.common import Json, console, print_json, settings_or_fail
from outreach.commands.content_lint import Linted, lint_content, lint_names
from outreach.domain.arrangement_policy import load_arrangement_policies
from outreach.domain.campaign_config import read_campaigns
from outreach.domain.creditor import read_creditors
from outreach.domain.escalation import load_escalations
from outreach.domain.lint import OpenHours, lint_campaigns, lint_plans
from outreach.domain.located_yaml import ConfigError, Problem, load_located
from outreach.domain.plan_config import read_plans
from outreach.domain.portal import load_portal_rules
from outreach.domain.protection_config import load_protection
from outreach.domain.refusal_config import load_refusal_rules
from outreach.domain.tasks import load_task_rules
from outreach.domain.webhook_config import read_webhooks
from outreach.domain.words import Channel, Purpose
from outreach.policy.load import load_policy
from outreach.policy.open_hours import open_minutes
from outreach.policy.policy import Policy
from outreach.rendering.catalog import PARTS, Catalog
from outreach.rendering.lint import check as check_templates
from outreach.rendering.portal_words import read_portal_words
from outreach.replies.dialogue_config import load_dialogues
from outreach.replies.dialogue_drawing import texts_of, words_of
from outreach.replies.dialogue_spec import Dialogues
from outreach.replies.matching import load_lexicon
from outreach.settings import Settings


def check(
    config: Annotated[Path | None, typer.Option(help="The configuration folder.")] = None,
    templates: Annotated[Path | None, typer.Option(help="The templates folder.")] = None,
    warnings: Annotated[
        bool, typer.Option("--warnings", help="Also print what would not be sent elsewhere, or by a collector.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every configuration file and template; print each problem with file, line and column."""
    settings = settings_or_fail()
    found = examine(settings, config or settings.config, templates or settings.templates)
    shown = [*found.problems, *(found.warnings if warnings else ())]
    if as_json:
        print_json(
            [{"file": p.file, "line": p.line, "column": p.column, "field": p.field, "text": p.text} for p in shown]
        )
    else:
        for problem in shown:
            console.print(str(problem), highlight=False, markup=False, soft_wrap=True)
        _print_summary((config or settings.config) / "policies")
        console.print(_counted(found.problems, "problem"), style="red" if found.problems else "green")
        if found.warnings and not warnings:
            console.print(f"{_counted(found.warnings, 'warning')}; outreach check --warnings lists them", style="dim")
    raise typer.Exit(1 if found.problems else 0)


def _counted(found: list[Problem], what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


@lru_cache(maxsize=2)
def _load_policy(folder: Path) -> Policy:
    return load_policy(folder)


def _print_summary(folder: Path) -> None:
    """Say what of the policy packs people must look at: duties, and rules whose source is not sure. Not a problem."""
    with suppress(ConfigError):
        policy = _load_policy(folder)
        words = policies.summary_line((*policy.rules, *policy.drafts))
        console.print(f"Policy packs hold {words}", style="dim", highlight=False, soft_wrap=True)


def find_problems(settings: Settings, config: Path, templates: Path) -> list[Problem]:
    """Return every problem of a configuration, folder by folder."""
    return examine(settings, config, templates).problems


def examine(settings: Settings, config: Path, templates: Path) -> Linted:
    """Return everything that is wrong with a configuration, and what would not be sent elsewhere."""
    catalog = Catalog.load(templates)
    problems = list(check_templates(catalog))
    policy: Policy | None = None
    try:
        policy = _load_policy(config / "policies")
    except ConfigError as error:
        problems += error.problems
    plans = read_plans(config / "plans")
    campaigns = read_campaigns(config / "campaigns")
    problems += [*plans.problems, *campaigns.problems]
    names = {(one.name, one.channel, one.locale.code) for one in catalog.templates.values() if one.valid}

    @cache
    def permitted(channel: Channel, purpose: Purpose) -> dict[str, list[OpenHours]]:
        assert policy is not None  # noqa: S101 - only passed on when there is one
        weeks = open_minutes(policy, channel, purpose)
        return {place: [OpenHours(a, b, frozenset({day})) for day, a, b in spans] for place, spans in weeks.items()}

    problems += lint_plans(plans.files, names, permitted if policy else None)
    problems += lint_campaigns(campaigns.files, {file.plan.name: file.plan for file in plans.files})
    creditors, found = read_creditors(load_located(config / "creditors.yaml"))
    problems += [*found, *lint_names(catalog, config / "creditors.yaml", creditors)]
    problems += _loading(lambda: load_refusal_rules(config / "refusals.yaml"))
    problems += _loading(lambda: load_escalations(config / "escalations.yaml"))
    problems += _loading(lambda: load_task_rules(config / "tasks.yaml"))
    problems += _webhooks(config / "webhooks.yaml")
    problems += _loading(lambda: load_protection(config / "protection.yaml"))
    problems += _replies(config, catalog)
    problems += _portal(config / "portal.yaml", templates / "portal", catalog)
    problems += _channels(config / "channels.yaml", settings)
    words = Linted()
    if policy is not None:
        purposes: dict[str, frozenset[str]] = {}
        for step in (step for file in plans.files for step in file.plan.steps):
            purposes[step.template] = purposes.get(step.template, frozenset()) | {str(step.purpose)}
        words = lint_content(catalog, policy, purposes, creditors, SystemClock().now())
    return Linted([*problems, *words.problems], words.warnings)


def _replies(config: Path, catalog: Catalog) -> list[Problem]:
    """Check what replies are understood by, what is said back, and what may be offered."""
    problems: list[Problem] = []
    for check_one in (
        lambda: load_lexicon(config / "intents"),
        lambda: load_arrangement_policies(config / "arrangements.yaml"),
    ):
        try:
            check_one()
        except ConfigError as error:
            problems += error.problems
    try:
        problems += _said(load_dialogues(config / "dialogues"), config / "dialogues", catalog)
    except ConfigError as error:
        problems += error.problems
    return problems


def _said(dialogues: Dialogues, folder: Path, catalog: Catalog) -> Iterable[Problem]:
    """Find dialogues that say what no template holds, on a medium or in a language."""
    for spec in dialogues.values():
        file = str(folder / f"{spec.kind}.yaml")
        for name in sorted(words_of(spec)):
            for channel in (Channel.SMS, Channel.EMAIL):
                if channel in spec.surfaces and not catalog.has(name, channel):
                    yield Problem(file, 1, 1, "say", f"no template {name} for {channel}")
            if "ivr" in spec.surfaces and name not in PARTS[Channel.IVR]:
                yield Problem(file, 1, 1, "say", f"no part {name} in the words of a call")
        for name in sorted(texts_of(spec)):
            if not catalog.has(name, Channel.SMS):
                yield Problem(file, 1, 1, "send_text", f"no template {name} for sms")
        yield from (Problem(file, 1, 1, field, text) for field, text in keys_that_are_not_told(spec, catalog))


def _loading(load: Callable[[], object]) -> tuple[Problem, ...]:
    """Return what a loader that reports all problems at once has against its files."""
    try:
        load()
    except ConfigError as error:
        return error.problems
    return ()


def _portal(rules: Path, words: Path, catalog: Catalog) -> Iterable[Problem]:
    """Check the portal's rules, and its words as templates are: complete in every language, and nothing barred."""
    yield from _loading(lambda: load_portal_rules(rules))
    yield from read_portal_words(words, catalog.lists)[1]


def _channels(path: Path, settings: Settings) -> Iterable[Problem]:
    """Check channels.yaml with stand-ins for secrets and senders, which need not be there to check a file."""
    given = {key: value for key, value in settings.environ.items() if value}
    stand_ins = {"OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "OUTREACH_TWILIO_AUTH_TOKEN": "stand-in"}
    if "OUTREACH_TWILIO_MESSAGING_SERVICE_SID" not in given:
        stand_ins["OUTREACH_SMS_SENDER"] = "+12025550143"
    try:
        load_channels(path, stand_ins | given)
    except ChannelConfigError as error:
        return [_placed(path, line) for line in str(error).splitlines()]
    return []


def _webhooks(path: Path) -> Iterable[Problem]:
    """Check webhooks.yaml without its secrets, which need not be there to check a file."""
    return read_webhooks(load_located(path), None)[1] if path.exists() else ()


def _placed(path: Path, line: str) -> Problem:
    """Read ``file:line:column field: text`` back into its parts."""
    found = re.fullmatch(r"(.+?):(\d+):(\d+) (?:([\w.\[\]-]+): )?(.+)", line)
    if found is None:
        return Problem(str(path), 1, 1, "", line.removeprefix(f"{path}: "))
    return Problem(found[1], int(found[2]), int(found[3]), found[4] or "", found[5])
