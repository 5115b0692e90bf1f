"""The statements each medium must hold, looked for in the finished words: a text without one does not leave.

A line that says how to opt out: 12 CFR 1006.6(e). Who calls, and a key that stops such calls: 47 CFR 64.1200(b). That a
voice is synthetic: 人工智能生成合成内容标识办法. Limited-content voicemail: 12 CFR 1006.2(j). Notices: what the
caller's policy asks for.
"""

from collections.abc import Mapping

from markupsafe import escape

from outreach.domain.words import Channel
from outreach.rendering.catalog import Template
from outreach.rendering.fields import TouchFields
from outreach.rendering.forbidden import Lists


def missing_in_text(template: Template, fields: TouchFields, body: str) -> tuple[str, ...]:
    """Name what an SMS lacks: creditor, ref, opt_out or a notice."""
    without = template.entry.without
    missing = [] if fields.creditor.name in body else ["creditor"]
    if fields.ref not in body and "ref" not in without:
        missing.append("ref")
    if template.locale.words["opt_out"] not in body and "opt_out" not in without:
        missing.append("opt_out")
    return (*missing, *_lost_notices(template, fields, body))


def missing_in_mail(template: Template, fields: TouchFields, subject: str, body: str) -> tuple[str, ...]:
    """Name what a mail lacks: subject, creditor, ref, opt_out or a notice. The HTML part is made from the plain one."""
    without = template.entry.without
    missing = [] if subject else ["subject"]
    if fields.creditor.name not in body:
        missing.append("creditor")
    if fields.ref not in body and "ref" not in without:
        missing.append("ref")
    if template.locale.words["email_opt_out"] not in body and "opt_out" not in without:
        missing.append("opt_out")
    return (*missing, *_lost_notices(template, fields, body))


def missing_in_call(
    template: Template, fields: TouchFields, spoken: Mapping[str, str], stop_key: str
) -> tuple[str, ...]:
    """Name what a call lacks, as ``part.statement``: who calls, that it is automated, a key to stop such calls."""
    opening, keys = ("live", "live") if template.channel is Channel.VOICE else ("greeting", "menu")
    name = str(escape(fields.creditor.name))
    missing = [f"{part}.creditor" for part in (opening, "voicemail") if part in spoken and name not in spoken[part]]
    if template.locale.words["automated"] not in spoken[opening]:
        missing.append(f"{opening}.automated")
    if stop_key not in spoken[keys]:
        missing.append(f"{keys}.stop_calls")
    if template.channel is Channel.IVR and fields.notices:
        missing += [f"balance.{code}" for code in _lost_notices(template, fields, spoken["balance"])]
    return tuple(missing)


def withhold_voicemail(fields: TouchFields, lists: Lists, language: str) -> tuple[str, ...]:
    """Say why no voicemail may be left: it must name a person, and a name that does not hint at collecting debts."""
    reasons = [] if fields.creditor.agent_name else ["voicemail.agent_name_missing"]
    name = fields.creditor.name
    if lists.hint(name, language) or lists.hint(name, "en"):
        reasons.append("voicemail.name_hints_at_debt")
    return tuple(reasons)


def _lost_notices(template: Template, fields: TouchFields, body: str) -> tuple[str, ...]:
    """Name the notices asked for that are not there. A limited text says nothing of the kind to anyone."""
    if not fields.notices or template.entry.limited:
        return ()
    known = template.locale.notices
    return tuple(code for code in fields.notices if known[code] not in body and str(escape(known[code])) not in body)
