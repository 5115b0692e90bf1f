"""Mail that comes back, read: bounces, complaints, automatic answers and people, one finding for each recipient."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from dataclasses import dataclass, replace

from channels.email.addresses import addresses_in, read_address
from channels.email.arf import read_complaints
from channels.email.auto_reply import gone, is_automatic
from channels.email.dsn import Notice, read_notices
from channels.email.findings import Action, Finding, MailKind, Reason
from channels.email.mail_parts import MailPart, read_parts
from channels.email.phrases import fold
from channels.email.prose import Named, Report, answers_in, find_named, read_report
from channels.email.verdicts import better_status, find_status, judge

MAX_RECIPIENTS = 500

_DAEMON = re.compile(
    r"mail(?:er)?[-_. ]?(?:daemon|deamon)|post[-_ ]?master|mail delivery|delivery (?:sub)?system|mail system|system administrator|mail administrator|mail router|mmdf|mdaemon|mail server|systemadministrator|administrateur systeme|administrador del sistema|bounce|mail ?gate|courier|internet mail|exchange|smtp|undeliver|zustell|退信|系统管理员|郵件系統|邮件系统",
)  # fmt: skip
_DAEMON_BOX = re.compile(r"(?:mailer-?daemon|mail-?daemon|post[-_]?master|mdaemon)[\w.-]*@|^\W*mailer-daemon\W*$")
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|failed|problem|error|report|notification|unsuccessful|delayed|incomplete|warning)|(?:mail|message|e-?mail)(?: \S+){0,4} (?:could|can|was|were|has|is) ?not (?:be |been )?(?:deliver|sent)|returned (?:mail|to sender|message)|mail (?:delivery|system error|failure|status|undeliver|transaction failed)|failure notice|(?:message|e-?mail) (?:status|delivery|not delivered|undeliver|bounced|delayed|you sent|failure)|failed (?:mail|delivery|to deliver)|non-?deliver|nondeliver|unable to deliver|returning message|warning: (?:could not send|message)|permanent (?:delivery )?(?:failure|error)|address(?: not found|ee unknown)|"
    r"unzustellbar|zustell(?:ung|fehler|bericht)|nicht (?:zugestellt|ausgeliefert|zustellbar)|no se (?:puede|pudo|ha podido) (?:entregar|enviar)|no entregad|error (?:de|en la) entrega|mensaje devuelto|correo devuelto|nao entregue|nao foi (?:possivel )?entreg|falha (?:na|de) entrega|non remis|echec (?:de (?:la )?)?(?:remise|livraison|distribution)|non distribu|retour (?:de|du) (?:mail|message)|mancato recapito|non recapitabile|onbestelbaar|niet (?:bezorgd|afgeleverd)|kan inte levereras|olevererbart|kunne ikke leveres|ikke leveret|nie (?:mozna|dostarczono)|niedostarczal|teslim edilemedi|nedorucitelne|"
    r"недоставлен|не (?:доставлен|может быть доставлен)|ошибка доставки|невозможно доставить|退信|退件|无法(?:投递|送达|传递)|無法(?:投遞|傳遞|寄達)|未能?(?:送达|投递|送達)|投递(?:失败|错误)|传递失败|傳遞失敗|配信(?:不能|できません|に失敗|エラー|不可)|送信(?:できません|エラー|不可|失敗)|送れませんでした|エラーメール|メールエラー|未配信|배달 ?(?:실패|되지|불가)|전송 ?실패|반송|발송 ?실패"
)  # fmt: skip
# A person may write these about a payment: they count only from a mail system.
_SUBJECT_HINT = re.compile(
    r"reject|returning|bounce|unknown (?:user|recipient)|user unknown|blocked|not delivered|return(?:ed)? |error|fehlgeschlagen|devuelto|devolucion|impossib|退回|发送失败|戻り|refused|warning|delay"
)
_DELAY = re.compile(
    r"\bdelay|warning: (?!.*(?:unknown|no such|not exist|unable to deliver|undeliverable|fail))|incomplete|still being retried|verzoger|retrasad|retarde|延迟|延遲|遅延|задерж"
)
_BODY = re.compile(
    r"(?:could|can|was|were|has|is|did|does)(?: ?not|n't) (?:be |been |able to (?:be )?|able )?(?:deliver|reach|sent|send|process|relay|accept)|unable to deliver|undeliver|(?:delivery|message|mail|e-?mail)(?: \S+){0,6} (?:failed|undeliverable|rejected|bounced|returned|not delivered|has failed|refused|unsuccessful|was not|couldn't)|permanent (?:fatal )?errors?|fatal errors|did not (?:reach|receive)|returned (?:to (?:the )?sender|mail|message)|failed (?:to deliver|recipient|addresses|delivery|permanently)|delivery (?:attempts?|to the following|status)|address(?:es)? (?:not found|failed|had)|(?:unknown|no such) (?:user|recipient|address|host|mailbox)|user unknown|rcpt to|\b55\d[ -]|(?:5|4)\.\d\.\d{1,3}|transcript of session|has been delayed|not (?:yet )?been delivered|rejected your message|(?:was|were|has been|is) (?:blocked|rejected|refused|quarantined|returned)|"
    r"konnte nicht|nicht zugestellt|no (?:se )?(?:pudo|ha podido|puede|fue) |no (?:se )?ha podido|nao (?:foi|pode)|n'a (?:pas )?(?:pu|ete)|impossible de|non e stato possibile|kon niet|не (?:удалось|может|было|доставлен)|无法|無法|未能|失败|失敗|不存在|退信|退回|できません|ませんでした|送信に失敗|않았습니다|못했습니다|실패"
)  # fmt: skip
_WAITING = re.compile(
    r"this is a warning(?: message)?|you do not need to resend|(?:do|you should|please do) not (?:need to )?re-?send|will (?:continue|keep|be) (?:to )?(?:try|trying|retr|attempt|retried|made)|delivery (?:attempts )?will (?:continue|be (?:retried|attempted))|not yet been delivered|has (?:not yet |been )?delayed|delivery (?:has been |is |was )?delayed|delayed (?:mail|message)|delivery (?:temporarily )?(?:delayed|suspended|incomplete)|still (?:being )?(?:trying|tried|retry|attempt|queued)|will (?:re)?try again|temporary (?:problem|delay)|warning: (?:could not send|message still)|(?:the )?message (?:is|remains) still (?:in the )?queue|no action is required|(?:wird|werden) (?:\S+ ){0,6}(?:erneut|weiter|wiederholt)|verzoger|seguira (?:intentando|reintent)|retrasad|demorad|retarde|sera (?:de nouveau|renouvel)|nouvelle tentative|继续(?:尝试|重试)|繼續(?:嘗試|重試)|延迟|延遲|将(?:会)?(?:重试|继续|再次)|遅延|再送信(?:を(?:試|続|行)|し続|されます|いたします|します|中)|再試行(?!して(?:くだ|下))|задерж|попытки (?:\S+ )*(?:будут|продолж)"
)  # fmt: skip
_GAVE_UP = re.compile(r"(?:giving|given|gave) up|failed permanently|permanent(?:ly)? (?:error|fail|fatal)|is permanent|not try again|no further (?:attempts|delivery)|will not be retried|has been returned|returned to sender|failed after|could not be delivered for \d+ (?:hours|days) and")  # fmt: skip
_DELIVERED = re.compile(r"(?:was|has been|have been|were|is) (?:successfully |been )?(?:delivered|relayed)(?: successfully)?\b(?! (?:to \S+ )?(?:because|due))|successful(?:ly)? (?:mail )?deliver|delivery successful|erfolgreich (?:zugestellt|ubermittelt)|成功(?:投递|送达)")  # fmt: skip
_REJECTED = re.compile(r"automatically rejected|was rejected|has been rejected|were rejected|quota exceeded")
_FORWARDED = re.compile(r"\W*(?:fwd?|wg|tr|rv|enc|i|vs|vb|转发|轉寄|轉發|転送)\s*[:：]")
_SURELY = 3
"""How much the address of a mail system speaks for a bounce."""
_BARE_NAME = re.compile(
    r"(?:recipients?|not delivered to)\b[^\n]{0,120}(?:\n\S[^\n]{0,120}){0,2}:[ \t]*\n+[ \t]+([A-Za-z0-9][A-Za-z0-9._-]{1,60})(?=[ \t]{2,}|[ \t]*\n)"
)
_SAYS_WHY = re.compile(r"\W*(?:returned mail|delivery failure|failed mail|mail error)\s*:", re.IGNORECASE)
_LEFT_BY_DELIVERY = frozenset(
    {"x-actual-recipient", "original-recipient", "x-original-to", "delivered-to", "x-receiver"}
)
_VERP = re.compile(r"[+=-]([A-Za-z0-9_.+'-]{1,64})=((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?:[-.+][\w.-]*)?@")


@dataclass(frozen=True, slots=True)
class MailRead:
    """A mail taken apart, the head of the mail that came back with it, and what it all says."""

    mail: MailPart
    returned: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]


def read_mail(raw: bytes) -> tuple[Finding, ...]:
    """Say what a mail is and, for each recipient it speaks of, what it says. Any bytes are read; nothing is raised."""
    return open_mail(raw).findings


def open_mail(raw: bytes) -> MailRead:
    """Do the same, and keep the mail for who needs more of it."""
    mail = read_parts(raw)
    report = read_report(mail)
    return MailRead(mail, report.returned, _classify(mail, report))


def _classify(mail: MailPart, report: Report) -> tuple[Finding, ...]:
    notices = read_notices(mail)
    if notices or _announces(mail):
        return _each_once(_from_notices(mail, report, notices) or _from_prose(mail, report))
    complaints = read_complaints(mail)
    if complaints:
        return tuple(complaints)
    if _is_bounce(mail, report):
        return _each_once(_from_prose(mail, report))
    author = next(addresses_in(mail.get("from")), None) or next(addresses_in(mail.get("return-path")), None)
    if is_automatic(mail) or _DAEMON_BOX.search(fold(mail.get("from"))):
        return (Finding(MailKind.AUTO_REPLY, author, reason=gone(mail)),)
    return (Finding(MailKind.REPLY, author),)


def _announces(mail: MailPart) -> bool:
    return (
        mail.content_type == "multipart/report" and mail.parameters.get("report-type", "").lower() == "delivery-status"
    )


def _is_bounce(mail: MailPart, report: Report) -> bool:
    """Weigh what speaks for a bounce in free text: who writes, what about, in which words."""
    subject, opening = fold(mail.get("subject")[:300]), fold(report.text[:6_000])
    from_ = fold(f"{mail.get('from')} {mail.get('sender')}").strip()
    daemon = _SURELY if _DAEMON_BOX.search(from_) or from_ in {"", "<>"} else 2 if _DAEMON.search(from_) else 0
    answered = bool(mail.get("in-reply-to")) and re.match(r"^\W*(?:re|aw|sv|vs|antw|回复|答复|回覆)\s*[:：]", subject)
    if not daemon and _FORWARDED.match(subject):
        return False  # a person asks what this is
    told, titled = bool(_BODY.search(opening)), bool(_SUBJECT.search(subject))
    told = told or (daemon == _SURELY and _refuses(report, opening))
    hinted = bool(daemon) and not titled and bool(_SUBJECT_HINT.search(subject))
    plainly = told and any(each.weight == 3 for each in find_named(report.text, frozenset()))
    weight = (
        daemon + 2 * titled + hinted + told + plainly + bool(report.returned) - (2 if answered and not daemon else 0)
    )
    weight += 3 * (bool(mail.get("x-failed-recipients")) + _rejects(mail, report))
    weight += mail.get("return-path").strip() in {"<>", "<MAILER-DAEMON>"}
    return weight >= 4 and (told or titled or hinted) and not (not titled and not daemon and weight < 5)


def _refuses(report: Report, opening: str) -> bool:
    """Tell a report in words that are not known, by a mailbox and a reason that are."""
    if not any(each.weight for each in find_named(report.text, frozenset())):
        return False
    why = judge(answer="", around=report.text, status=None, action=Action.FAILED).reason
    return why not in {Reason.OTHER, Reason.SYSTEM} or bool(_WAITING.search(opening))


def _rejects(mail: MailPart, report: Report) -> bool:
    """Tell a refusal sent in the form of a receipt (Sieve ``reject``)."""
    receipt = any(part.content_type == "message/disposition-notification" for part in mail.walk())
    return receipt and bool(_REJECTED.search(fold(report.text[:2_000])))


@dataclass(frozen=True, slots=True)
class _Sides:
    """Whose addresses stand in a mail: ours, which cannot be the ones that failed, and whom we wrote to."""

    own: frozenset[str]
    sent_to: tuple[str, ...]


def _sides(mail: MailPart, report: Report) -> _Sides:
    outer = [
        value
        for name, value in mail.headers
        if name in {"to", "delivered-to", "x-original-to", "from", "sender", "reply-to"}
    ]
    inner = [
        value for name, value in report.returned if name in {"from", "sender", "return-path", "reply-to", "errors-to"}
    ]
    sent = [
        value for name, value in report.returned if name in {"to", "cc", "x-envelope-to", "envelope-to", "x-rcpt-to"}
    ]
    own = {address for value in (*outer, *inner) for address in addresses_in(value)}
    sent_to = tuple(dict.fromkeys(address for value in sent for address in addresses_in(value)))
    return _Sides(frozenset(own), sent_to)


def _from_notices(mail: MailPart, report: Report, notices: list[Notice]) -> list[Finding]:
    sides = _sides(mail, report)
    found = find_named(report.text, sides.own)
    named = {each.address: each.words for each in found}
    findings = []
    for notice in notices[:MAX_RECIPIENTS]:
        words = next((named[name] for name in (notice.recipient, *notice.others) if name and name in named), "")
        whole = report.text if len(notices) == 1 or not words else words
        action = notice.action or _action_of(notice.status, whole)
        around = words if words and len(notices) > 1 else whole
        verdict = judge(answer=notice.answer or answers_in(words), around=around, status=notice.status, action=action)
        status = better_status(notice.status, notice.answer or answers_in(around))
        done = action in {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}
        recipient = notice.recipient or (_unlisted(mail, report, sides, found) if len(notices) == 1 else None)
        findings.append(
            Finding(MailKind.BOUNCE, recipient, verdict.dead, status, action, None if done else verdict.reason)
        )
    return findings


def _unlisted(mail: MailPart, report: Report, sides: _Sides, found: list[Named]) -> str | None:
    """Find whom a block without a mailbox (an X.500 name, nothing) is about: whom the text plainly names, or elsewhere."""
    plain = _failed(mail, [each for each in found if each.weight == 3], sides)
    return plain[0].address if len(plain) == 1 else _missing(mail, report, sides)


def _action_of(status: str | None, words: str) -> Action:
    if status and status[0] == "2":
        return Action.DELIVERED
    return _action_in(words)


def _action_in(words: str) -> Action:
    """Read from words whether the mail is still being tried."""
    folded = fold(words[:6_000])
    if _DELAY.search(folded.partition("\n")[0]) and not _GAVE_UP.search(folded):
        return Action.DELAYED
    if _WAITING.search(folded) and not _GAVE_UP.search(folded):
        return Action.DELAYED
    if _DELIVERED.search(folded) and not _BODY.search(folded.replace("delivery status", "")):
        return Action.DELIVERED
    return Action.FAILED


def _from_prose(mail: MailPart, report: Report) -> list[Finding]:
    sides = _sides(mail, report)
    named = find_named(report.text, sides.own)
    action = _action_in(f"{mail.get('subject')}\n{report.text}")
    failed = _failed(mail, named, sides)
    if not failed:
        missing = _missing(mail, report, sides)
        failed = [Named(missing or "", 0, report.text)]
    title = mail.get("subject") if _SAYS_WHY.match(mail.get("subject")) else ""
    findings = [_from_words(each, report, action, title, alone=len(failed) == 1) for each in failed[:MAX_RECIPIENTS]]
    if len(failed) > 1 and all(each.reason is Reason.OTHER for each in findings):
        opening = report.text[: max(report.text.lower().find(failed[0].address), 0)]
        why = judge(answer="", around=opening, status=findings[0].status, action=action)
        return [replace(each, reason=why.reason, hard=why.dead) for each in findings]  # said once, of them all
    return findings


def _from_words(each: Named, report: Report, action: Action, title: str, *, alone: bool) -> Finding:
    words = f"{each.words}\n{report.text}\n{title}" if alone else each.words
    answer = answers_in(each.words) or (answers_in(report.text) if alone else "")
    status = find_status(answer) or find_status(words)
    verdict = judge(answer=answer or each.words, around=words or report.text, status=status, action=action)
    done = action is Action.DELIVERED
    return Finding(
        MailKind.BOUNCE, each.address or None, verdict.dead, status, action, None if done else verdict.reason
    )


def _failed(mail: MailPart, named: list[Named], sides: _Sides) -> list[Named]:
    """Choose the mailboxes that failed: those a header lists, else those named most plainly."""
    words = {each.address: each.words for each in named}
    headed = mail.get_all("x-failed-recipients")
    listed = [address for value in headed for address in addresses_in(value)] or [
        address for value in headed if (address := read_address(value))
    ]
    if listed:
        return [Named(address, 3, words.get(address, "")) for address in dict.fromkeys(listed)]
    best = max((each.weight for each in named), default=0)
    if best < 1:
        return []
    chosen = [each for each in named if each.weight == best]
    if best == 1:
        known = [each for each in chosen if each.address in sides.sent_to]
        return known or ([] if sides.sent_to else chosen[:1])
    return chosen


def _missing(mail: MailPart, report: Report, sides: _Sides) -> str | None:
    """Find the recipient elsewhere: the mail that came back, then a return path that holds the address."""
    others = [address for address in sides.sent_to if address not in sides.own]
    if len(others) == 1 or (others and len(sides.sent_to) == 1):
        return others[0]
    for name, value in report.returned:
        address = read_address(value) if name in _LEFT_BY_DELIVERY else None
        if address and address not in sides.own:
            return address
    for value in (mail.get("to"), mail.get("delivered-to"), mail.get("x-original-to")):
        if found := _VERP.search(value):
            return f"{found[1]}@{found[2]}".lower()
    if len(sides.sent_to) == 1:
        return sides.sent_to[0]
    return None if sides.sent_to else _without_domain(mail, report)


def _without_domain(mail: MailPart, report: Report) -> str | None:
    """Read a mailbox named without its domain, which is then that of the system that reports."""
    named = _BARE_NAME.search(report.text[:4_000])
    daemon = next(addresses_in(mail.get("from")), None)
    return f"{named[1]}@{daemon.rpartition('@')[2]}".lower() if named and daemon else None


def _each_once(findings: list[Finding]) -> tuple[Finding, ...]:
    """Keep one finding for a recipient: a report may speak of it twice, and the worse news counts."""
    kept: dict[str | int, Finding] = {}
    for place, finding in enumerate(findings):
        key = finding.recipient or place
        if key not in kept or (finding.action is Action.FAILED and kept[key].action is not Action.FAILED):
            kept[key] = finding
    return tuple(kept.values())
