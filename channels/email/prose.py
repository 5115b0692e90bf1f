"""Bounces in free text: what of a mail is the report, which mailboxes it says failed, and the words about each."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from collections.abc import Iterable
from dataclasses import dataclass

from channels.email.addresses import ADDRESS, spelled
from channels.email.mail_parts import CARRIED, MAX_TEXT, MailPart, split_head
from channels.email.phrases import fold

_MAX_LINES = 1_500
_MAX_LINE = 2_000
_MAX_CONTEXT = 4_000

_COPY = re.compile(
    r"^[\W_]*+(?:below (?:this line )?is a copy|this is a copy of|a copy of (?:the|your) (?:original )?message|here is a copy|"
    r"(?:the )?(?:original|returned|unsent|rejected|undelivered) (?:message|mail|e-?mail)(?: text| header| headers| body| \w{1,10})? ?(?:follows|below|is (?:below|attached|included)|-{2,}|\*{2,}|$)|"
    r"(?:the )?(?:original|returned|unsent) (?:message|mail)\W*$|message headers?(?: follows?)?\W*$|text of (?:the )?message follows|"
    r"included is a copy|the (?:header|first|text|full)[^.]{0,40} (?:of the (?:original )?message|lines)|start of (?:the )?(?:original|returned) message|(?:returned|original) mail follows|"
    r"(?:original|full) (?:message )?headers?\W*$|original message|mensaje original|nachricht im original|message d'origine|ursprungliche nachricht|originalnachricht|"
    r"dies ist eine kopie|esta es una copia|ceci est une copie|原始邮件|原始郵件|原邮件|以下是(?:原|您)|下面(?:是|为)原|原文如下|原信|元のメッセージ|以下は元|копия)",
    re.IGNORECASE,
)  # fmt: skip
_RULED = re.compile(r"\s*[-=*_]{2,}.*[A-Za-z\u3040-\u9fff]", re.DOTALL)
_HEADER = re.compile(r"(?:received|return-path|message-id|from|to|date|subject|mime-version|x-[a-z-]+|content-type|delivered-to|dkim-signature|reply-to|sender|cc|content-transfer-encoding|user-agent|list-[a-z-]+|in-reply-to|references|importance|arc-[a-z-]+|authentication-results):", re.IGNORECASE)  # fmt: skip
_STRONG_HEAD = re.compile(
    r"(?:[>|]\s*)?(?:received: |return-path: |message-id: |dkim-signature: |x-\S+: )", re.IGNORECASE
)
_BLOCK = re.compile(r"\s*[>|]?\s*(?:to|cc|from|subject|sent|date|message-id|an|von|de|a|betreff|objet|asunto|para|aan|van|onderwerp|gesendet|envoye|enviado|message id|reply-to|sender|收件人|发件人|主题|主旨|寄件者|日期|件名|差出人|宛先)\s*[:：]", re.IGNORECASE)  # fmt: skip

_ALONE_BEFORE = re.compile(r"^[\s\"'<(\[>*•·.:|-]*(?:mailto:|smtp:|\d{1,3}[.)]\s+)?[<\"'(]*$", re.IGNORECASE)
_ALONE_AFTER = re.compile(r"^[>\"')\].,;:：。\s]*(?:\(?mailto:.*)?(?:<.{0,200}>)?[\s>.,;:)]*$", re.IGNORECASE)
_SAID_AFTER = re.compile(
    r"^[>\"')]*\s*(?:[:：]|\.\.\.|;|\[|,? (?:on (?:mon|tue|wed|thu|fri|sat|sun|\d)|-)|\s{2,}|\()", re.IGNORECASE
)
_LABELLED = re.compile(
    r"(?:recipients?(?:\(s\))?(?: address(?:es)?)?|userid|addressed to|address(?:es)?(?:\(es\))?|unknown(?: user| address| recipient| mailbox)?|user|usuario|destinatario|destinataire|empfanger|mailbox|account|"
    r"(?:mail|message|e-?mail|delivery|deliver|delivered|delivering|send|sent|rcpt|reach|relay(?:ed)?|nachricht|mensaje|correo|mensagem|messaggio|messages?|it) (?:\S+ ){0,4}?(?:to|for|an|a|al|para|aux?|per|naar|till|til)|failed|rejected|rcpt to|original-rcpt-to|"
    r"收件人|收信人|收件者|邮箱|郵箱|地址|用户|发往|發往|发送到|发给|到|至|给|宛先|あて先|受信者|адрес\w*|получател\w*|ящик\w*|для|на)"
    r"(?: (?:is|was|named|address|addresses|following|the|of|e-?mail|user|recipient|mailbox|account|адрес\w*))*\s*[:：=(]?\s*[<\"'“«(\[]*$",
    re.IGNORECASE,
)  # fmt: skip
_FAILED_AFTER = re.compile(
    r"^[>\"'”»)\],]*\s*(?:\([^)]{0,80}\)\s*)?(?:could|couldn't|cannot|can't|can not|was|wasn't|is|isn't|has|does|did|didn't|do|not|failed|bounced|unknown|user unknown|rejected|refused|undeliverable|delivery|"
    r"konnte|kann|wurde|ist|existiert|no |n'a|n'existe|non|nao|nie|niet|не |失败|被|不存在|的|无|無|は|が|に|へ)",
    re.IGNORECASE,
)  # fmt: skip
_ANSWER_LINE = re.compile(
    r"(?:^|[\s:(<>\"'\[])[45]\d\d[ \]-]|\b[45]\.\d\.\d{1,3}\b|<<<|>>> ?rcpt|rcpt to", re.IGNORECASE
)
_ANSWERED_FIRST = re.compile(r"^\s*(?:<<< ?)?5\d\d[ -](?:5\.\d\.\d{1,3} )?<?$")
"""``550 <ana@example.org>... User unknown``: what sendmail writes of each mailbox."""
_HEADLESS = re.compile(r"5\d\d [^@]*$")
"""An answer that names no mailbox, over the line that does."""
_NOT_FAILED = re.compile(
    r"(?:from|sender|sent by|contact|postmaster|administrator|reply(?:ing)? to|write to|e-?mail us|help ?desk|assistance|questions?|support|report|please (?:contact|forward|e-?mail|send)|mailto|on behalf of|via|von|remitente|absender|expediteur|mittente|发件人|寄件者|联系|聯絡|管理员|差出人|новыи адрес|new address|moved to|now|instead|(?:message|envelope)[- ]id|\bid)"
    r"(?: \S+){0,3}?\s*[:：=(]?\s*[<\"'“(\[]*$",
    re.IGNORECASE,
)  # fmt: skip
_SERVICE = re.compile(r"^(?:mailer-daemon|postmaster|mailerdaemon|mail-daemon|abuse|hostmaster|noreply|no-reply|nobody|daemon|helpdesk|webmaster|root)(?:[+@.-]|$)")  # fmt: skip
_RUN_TOGETHER = re.compile(r"(?<![\S])[^\s_@]{1,40}(?:_[^\s_@]{1,60}){4,200}_?(?![\S])")
_EXPANDED = re.compile(r"\(?\s*(?:expanded|generated) from:?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """A mailbox the report names, how plainly it is the one that failed (3 most), and the words about it."""

    address: str
    weight: int
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report a person would read, and the head of the mail that came back with it."""

    text: str
    returned: tuple[tuple[str, str], ...]


def read_report(mail: MailPart) -> Report:
    """Part the report from the mail that is returned, attached or in the same text."""
    texts: list[str] = []
    returned: list[tuple[str, str]] = []
    fallback: list[str] = []
    for part in mail.walk():
        if part.content_type in CARRIED:
            returned += part.parts[0].headers if part.parts else ()
        elif part is not mail and part.get("received") and (part.get("from") or part.get("message-id")):
            returned += part.headers  # the mail that came back, put in as if it were a part
        elif part.parts or not part.content_type.startswith("text/"):
            continue
        elif part.content_type == "text/html" and texts:
            fallback.append(part.text())
        else:
            text, head = _parted(part.text())
            texts.append(text)
            returned += head
    joined = "\n\n".join(text for text in texts if text.strip())
    if len(joined.strip()) < 40 or "@" not in joined:
        joined = "\n\n".join([joined, *fallback])
    return Report(parted_words(joined[:MAX_TEXT]), tuple(returned))


def parted_words(text: str) -> str:
    """Put the spaces back where a system wrote ``User_unknown,_giving_up_on_192.0.2.7.``."""
    if not _RUN_TOGETHER.search(text):
        return text
    return _RUN_TOGETHER.sub(lambda run: run[0].replace("_", " "), text)


def _parted(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Cut a text where the returned mail begins: at a divider, or where lines are those of a mail's head."""
    lines = text.split("\n")
    for place, line in enumerate(lines[:_MAX_LINES]):
        divides = bool(_COPY.match(fold(line[:200])))
        ruled = divides and _RULED.match(line)
        if (divides and place > 0 and (ruled or _head_follows(lines, place + 1))) or (
            place > 0 and _is_head(lines, place)
        ):
            start = place + 1 if divides else place
            while start < len(lines) and not _HEADER.match(lines[start].lstrip("> \t|")):
                start += 1
            head = "\n".join(
                part.lstrip("> |") if _HEADER.match(part.lstrip("> \t|")) else part for part in lines[start:]
            )
            return "\n".join(lines[:place]), split_head(head.encode("utf-8", "replace")[:40_000])[0]
    return text, []


def _is_head(lines: list[str], place: int) -> bool:
    """Tell the head of a mail: a line only mail systems write, and another header within the next lines."""
    if not _STRONG_HEAD.match(lines[place]):
        return False
    near = [part.lstrip("> \t|") for part in lines[place + 1 : place + 12]]
    return sum(bool(_HEADER.match(part)) for part in near) >= 2


def _head_follows(lines: list[str], place: int) -> bool:
    near = [part.strip("> \t|") for part in lines[place : place + 10]]
    near = [part for part in near if part]
    if not near:
        return True
    return any(_HEADER.match(part) for part in near[:4]) or not ADDRESS.search(" ".join(near[:6]))


def find_named(text: str, own: frozenset[str]) -> list[Named]:
    """Return the mailboxes a report names, each once, with the words about it. ``own`` are those of our own side."""
    lines = [line[:_MAX_LINE] for line in text.split("\n")[:_MAX_LINES]]
    weights: dict[str, int] = {}
    places: dict[str, list[int]] = {}
    quoted_head = _quoted_heads(lines)
    for place, line in enumerate(lines):
        if "@" not in line:
            continue
        for found in ADDRESS.finditer(line):
            address = spelled(found)
            weight = 0 if _SERVICE.match(address) else _weight(lines, place, found, in_head=place in quoted_head)
            if address in own:
                weight = max(weight - 2, 0)
            weights[address] = max(weights.get(address, -9), weight)
            places.setdefault(address, []).append(place)
    plain = {address for address, weight in weights.items() if weight > 0}
    stops = {at for address in plain for at in places[address]}
    return [
        Named(address, weight, _words_about(lines, places[address], stops - set(places[address])))
        for address, weight in weights.items()
    ]


def _quoted_heads(lines: list[str]) -> frozenset[int]:
    """Find lines such as ``To: ...`` over ``Subject: ...`` that only say which mail is spoken of."""
    found: set[int] = set()
    for place, line in enumerate(lines):
        if _BLOCK.match(fold(line[:80])):
            near = [
                at for at in range(place - 3, place + 4) if 0 <= at < len(lines) and _BLOCK.match(fold(lines[at][:80]))
            ]
            if len(near) >= 2:
                found.add(place)
    return frozenset(found)


def _weight(lines: list[str], place: int, found: re.Match[str], *, in_head: bool) -> int:
    """Say how plainly a line says that this mailbox failed: 3 alone or labelled, 2 in an answer, 1 named, 0 not."""
    line = lines[place]
    before, after = fold(line[max(0, found.start() - 160) : found.start()]), fold(line[found.end() : found.end() + 200])
    if _EXPANDED.search(before):
        return 2
    if found["local"].lower().startswith("smtp="):
        return 3
    if in_head:
        return 1
    if _ALONE_BEFORE.match(before) and (
        _ALONE_AFTER.match(after) or _SAID_AFTER.match(after) or _ANSWER_LINE.search(after)
    ):
        return 3
    if _NOT_FAILED.search(before) and not _ANSWER_LINE.search(line):
        return 0
    if not before.strip(" \t<\"'(") and place and "@" not in lines[place - 1]:
        before = f"{fold(lines[place - 1][-160:])} {before}"  # the sentence was wrapped before the address
    if _LABELLED.search(before) or _FAILED_AFTER.match(after):
        return 3
    if _ANSWERED_FIRST.match(before):
        return 3
    return 2 if _ANSWER_LINE.search(line) else 1


def _continues(lines: list[str], place: int) -> bool:
    """Tell a line that continues what is above it, not what follows: it is indented and the next one is not."""
    return place > 0 and lines[place].startswith((" ", "\t")) and not lines[place + 1].startswith((" ", "\t"))


def _words_about(lines: list[str], places: Iterable[int], stops: set[int]) -> str:
    """Return the lines that name a mailbox and what follows, up to the next one that failed or a second blank line."""
    kept: list[str] = []
    for start in places:
        if start and lines[start - 1].strip() and start - 1 not in stops and not _continues(lines, start - 1):
            kept.append(lines[start - 1])
        blanks = 0
        for at in range(start, min(start + 14, len(lines))):
            if at in stops or (at + 1 in stops and _HEADLESS.match(lines[at]) and at not in places):
                break
            blanks += not lines[at].strip()
            if blanks == 2:
                break
            kept.append(lines[at])
    return "\n".join(kept)[:_MAX_CONTEXT]


def answers_in(text: str) -> str:
    """Return only the lines of a text that are a mail system's answer, with those that continue it."""
    lines = [line[:_MAX_LINE] for line in text.split("\n")[:_MAX_LINES]]
    kept: list[str] = []
    for place, line in enumerate(lines):
        if _ANSWER_LINE.search(line):
            kept.append(line)
            kept += [after for after in lines[place + 1 : place + 4] if after.startswith((" ", "\t")) and after.strip()]
    return "\n".join(kept)[:_MAX_CONTEXT]
