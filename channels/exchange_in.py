"""What providers brought us, kept as evidence beside what we asked of them: callbacks, the turns of calls, mail."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from channels.contract import Answer, Callback
from channels.email.bounces import open_mail
from channels.exchange import (
    Form,
    Hider,
    Known,
    Told,
    Vocabulary,
    body_told,
    media_type,
    pairs_told,
    path_shape,
)

CALLBACKS: Final = Vocabulary(
    "",
    plain=frozenset({
        "MessageStatus", "SmsStatus", "CallStatus", "ErrorCode", "MessageSid", "SmsSid", "CallSid",
        "SmsMessageSid", "ApiVersion", "NumSegments", "NumMedia", "AnsweredBy", "CallDuration", "Duration",
        "SipResponseCode", "Direction", "SequenceNumber", "MachineDetectionDuration", "RawDlrDoneDate",
        "Timestamp", "CallbackSource", "success", "err_code", "sms_size", "biz_id", "send_time", "report_time",
        "sequence_id", "id", "state", "status", "code", "kind", "parts",
    }),
    classes={
        "t": "token", "out_id": "token", "ref": "token", "token": "token", "From": "number", "To": "number",
        "Caller": "number", "Called": "number", "from": "number", "to": "number", "phone_number": "number",
        "Body": "words", "SpeechResult": "speech", "Digits": "keys", "content": "words", "text": "words",
        "AccountSid": "account",
    },
    path=frozenset({"v1", "callbacks", "inbound", "email"}),
)  # fmt: skip
"""What providers' news may show of itself. A number in a field that should hold a code is still a number."""

TURNS: Final = replace(
    CALLBACKS,
    plain=CALLBACKS.plain | {"n", "DialCallStatus", "DialCallDuration", "DialCallSid", "answered_by"},
    classes={**CALLBACKS.classes, "digits": "keys", "text": "speech"},
    path=frozenset({"v1", "calls", "turn"}),
)
"""What a request for the next words of a call may show; ``n`` is the turn."""

MARKUP: Final = Vocabulary(
    "",
    plain=frozenset({
        "Gather.input", "Gather.method", "Gather.numDigits", "Gather.timeout", "Gather.speechTimeout",
        "Gather.language", "Say.voice", "Say.language", "Redirect.method", "Dial.method", "Dial.timeout", "Hangup",
        "Gather",
    }),
    classes={
        "Say": "words", "Gather.hints": "words", "Gather.action": "token", "Redirect": "token", "Dial.action": "token",
        "Dial": "number",
    },
)  # fmt: skip
"""What the markup of a call may show: its verbs and how they are to be carried out, never what they say."""

MAIL: Final = Vocabulary(
    "",
    plain=frozenset({"kind", "action", "status", "hard", "reason", "auto_submitted", "report"}),
    classes={"recipient": "mailbox", "from": "mailbox", "to": "mailbox", "subject": "words"},
)
"""What a mail that came in may show: what it was read as, not what it says."""

_DIGESTS_OF_TURNS: Final = frozenset({"number", "token", "account"})
"""Nothing else in a turn has a digest: a birth year is guessed from one by whoever has the key."""

_MOST_FINDINGS: Final = 10


def tell_callback(provider: str, channel: str, callback: Callback, key: bytes) -> Told:
    """Return one verified callback, redacted. Behind the channel's name a path may hold a secret, so it is cut."""
    path = path_shape(callback.path, CALLBACKS.path | {channel})
    if media_type(callback.headers.get("content-type")) == "message/rfc822":
        return tell_mail(provider, callback.body, key) | {"over": "http", "path": path}
    asked = _request(CALLBACKS, callback, Hider(key, inbound=True))
    return {"provider": provider, "over": "http", "path": path, "request": asked}


def tell_turn(provider: str, callback: Callback, answer: Answer | None, key: bytes, known: Sequence[Known]) -> Told:
    """Return one turn of a call: the verified request for words, and the words' frame. None: nothing could be said.

    Keys and speech, by which a person may have said who they are, have no digest.
    """
    hider = Hider(key, known, inbound=True, digests=_DIGESTS_OF_TURNS)
    told: Told = {
        "what": "turn",
        "provider": provider,
        "over": "http",
        "path": path_shape(callback.path, TURNS.path),
        "request": _request(TURNS, callback, hider),
    }
    return told if answer is None else told | {"answer": _answer(answer, Hider(key, known))}


def tell_mail(provider: str, raw: bytes, key: bytes) -> Told:
    """Return one mail that came in: what it was read as for each recipient, and what kind of mail it is."""
    read, hider = open_mail(raw), Hider(key, inbound=True)
    mail = read.mail
    head = {"from": mail.get("from"), "to": mail.get("to"), "subject": mail.get("subject"),
            "auto_submitted": mail.get("auto-submitted"), "report": mail.parameters.get("report-type", "")}  # fmt: skip
    pairs = [(name, value) for name, value in head.items() if value]
    for finding in read.findings[:_MOST_FINDINGS]:
        said = {"kind": finding.kind, "recipient": finding.recipient, "action": finding.action,
                "status": finding.status, "reason": finding.reason, "hard": str(finding.hard).lower()}  # fmt: skip
        pairs += [(name, str(value)) for name, value in said.items() if value is not None]
    fields = pairs_told(MAIL, pairs, hider)
    asked = {"type": media_type(mail.content_type), "bytes": len(raw), "fields": fields}
    return {"what": "mail", "provider": provider, "over": "mail", "request": asked}


def _request(words: Vocabulary, callback: Callback, hider: Hider) -> Told:
    body, kind = callback.body, media_type(callback.headers.get("content-type"))
    fields = pairs_told(words, callback.parameters(), hider) if callback.query else {}
    told: Told = {"type": kind, "bytes": len(body)}
    if kind == "application/x-www-form-urlencoded":
        return told | {"fields": fields | pairs_told(words, _form(callback), hider)}
    said = body_told(words, body, hider)
    fields |= said.pop("fields", {})
    return told | {"fields": fields, **said}


def _form(callback: Callback) -> Form:
    """Return the fields of a form that say something; of one that is not UTF-8, as good as can be."""
    try:
        return [pair for pair in callback.form() if pair[1]]
    except ValueError:
        return parse_qsl(callback.body.decode("utf-8", "replace"))


def _answer(answer: Answer, hider: Hider) -> Told:
    told: Told = {"status": 200, "type": media_type(answer.content_type), "bytes": len(answer.body)}
    try:
        root = ET.fromstring(answer.body)  # noqa: S314 - our own words
    except ET.ParseError:
        return told | body_told(MARKUP, answer.body, hider)
    return told | {"fields": pairs_told(MARKUP, _verbs(root), hider)}


def _verbs(root: ET.Element) -> Form:
    """Return the verbs of a call's markup in order, as (verb, what it says) and (verb.attribute, value)."""
    pairs: list[Known] = []
    for verb in root:
        inner = [each for each in verb if each.tag == "Say"]
        pairs.append((verb.tag, "" if inner else "".join(verb.itertext())))
        pairs += [(f"{verb.tag}.{name}", value) for name, value in verb.attrib.items()]
        for say in inner:
            pairs.append((say.tag, "".join(say.itertext())))
            pairs += [(f"{say.tag}.{name}", value) for name, value in say.attrib.items()]
    return pairs
