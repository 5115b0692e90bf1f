"""A call that goes on in another language: its words are put anew, by the same rules as when it was placed."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from outreach.domain.intake import AnsweredCall
from outreach.domain.words import Channel, Purpose
from outreach.flows.approvals import may_be_said
from outreach.flows.conversation import answer_context
from outreach.flows.fields import fields_of
from outreach.flows.house import House
from outreach.flows.languages import locale_for
from outreach.flows.speaker import Speaker
from outreach.flows.wording import worded_by
from outreach.policy.dossier import facts_for
from outreach.rendering.render import RenderRefused
from outreach.replies.dialogue_spec import DialogueState


def in_locale(speaker: Speaker, locale: str) -> Speaker:
    """Return somebody as whoever is spoken to in a locale, whatever they are written to in."""
    if speaker.dossier.borrower.locale == locale:
        return speaker
    borrower = replace(speaker.dossier.borrower, locale=locale)
    return replace(speaker, dossier=replace(speaker.dossier, borrower=borrower))


def spoken_in(
    house: House, call: AnsweredCall, speaker: Speaker, state: DialogueState, language: str, now: datetime
) -> AnsweredCall | None:
    """Return a call as it goes on in a language; None where its words are not approved, barred or missing."""
    locale = locale_for(house.renderer.catalog.locales, language, in_locale(speaker, call.locale).dossier.borrower)
    channel = Channel(call.channel)
    if locale == call.locale:
        return call
    heard, case = in_locale(speaker, locale), speaker.case
    if not may_be_said(house, call.template, channel, locale):
        return None
    facts = facts_for(
        heard.dossier, case, touch_id=call.attempt_id, channel=channel, purpose=Purpose.REMINDER,
        role=house.creditor(case.creditor_id).role, actor="automated", at=now, expires_at=None, point=None,
    )  # fmt: skip
    words = worded_by(house, call.template, channel, heard.dossier, facts, now)
    reasons = house.decide(replace(facts, content=words.content), now).reasons if words.content else ()
    if words.content is None or any(reason.code.startswith("content.") for reason in reasons):
        return None
    try:
        context = answer_context(house, replace(heard, contact_point_id=None), state, "menu")
        fields = replace(fields_of(house, heard.dossier, case, context, "", now), notices=words.notices)
        rendered = house.renderer.render(call.template, channel, locale, fields)
    except (RenderRefused, ValueError):
        return None
    body = orjson.dumps(dict(rendered.spoken)).decode()
    return replace(call, locale=rendered.locale, body=body, template_hash=rendered.template_hash)


def kept(call: AnsweredCall) -> dict[str, Any]:
    """Return the words of a call whose language was changed, to be stored with its dialogue."""
    return {"locale": call.locale, "body": call.body, "template_hash": call.template_hash}


def resumed(call: AnsweredCall, stored: dict[str, Any] | None) -> AnsweredCall:
    """Return a call as it was left: in the language that was asked for, if one was."""
    return replace(call, **stored) if stored else call
