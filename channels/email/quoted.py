"""A person's own words in a reply: without what their mail program quoted, signed and appended."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

from channels.email.mail_parts import plain

MAX_REPLY = 20_000

_MARK = re.compile(r"^\s{0,8}[>＞|│┃]")
_DIVIDER = re.compile(
    r"^\s*(?:[-_=*—–]{2,}\s*(?:original(?: message| e-?mail| appointment)?|forwarded message|forwarded by .{0,80}|reply (?:message|above this line)|mensaje (?:original|reenviado)|correo original|原始(?:邮件|郵件|信件|消息)|原(?:邮件|郵件|信)|转发(?:的)?(?:邮件|消息)|轉寄(?:的)?(?:郵件|訊息)|回复的原邮件|原始訊息|message (?:d'origine|original|transféré)|ursprüngliche nachricht|original ?nachricht|weitergeleitete nachricht|messaggio originale|mensagem (?:original|encaminhada)|oorspronkelijk bericht|исходное сообщение|пересылаемое сообщение|元のメッセージ|원본 메시지|wiadomość oryginalna|ursprungligt meddelande|tin nhắn gốc)\s*[-_=*—–]*"
    r"|begin forwarded message:|_{10,}\s*$|={20,}\s*$|#{3,} ?(?:reply|please type).{0,80}$"
    r"|##-? ?(?:please )?(?:type|write) your reply above|please reply above this line|(?:escriba|escribe) su respuesta (?:por encima|arriba))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[\s*>|]{0,8}(?:from|sent|to|subject|date|cc|reply-to|de|enviado(?: el| em| a)?|para|asunto|fecha|data|assunto|发件人|發件人|发送时间|发送日期|收件人|抄送(?:人)?|主题|主旨|日期|时间|寄件者|寄件人|寄件日期|傳送時間|收件者|副本|von|gesendet|an|betreff|datum|envoyé(?: le)?|à|objet|da|inviato|a|oggetto|van|verzonden|aan|onderwerp|от|кому|тема|дата|отправлено|差出人|送信日時|宛先|件名|보낸 ?사람|보낸 ?날짜|받는 ?사람|제목)\*{0,2}\s*[:：]\s*\*{0,2}\s*\S",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:^|\s|[,，>”\"])(?:wrote|writes|escribi[oó]|escreveu|schrieb(?: .{0,80})?|a écrit|ha scritto|schreef(?: .{0,80})?|skrev(?: .{0,80})?|пишет|написала?|napisał\(?a?\)?|yazdı|kirjoitti|írta|viết)\s*[:：]?\s*$"
    r"|(?:写道|寫道|写了|寫了|来信|的邮件)\s*[:：]\s*$|(?:のメール|は書きました|님이 작성|작성)\s*[:：]?\s*$|<[^<>\s@]{1,64}@[^<>\s]{3,250}>\s*(?:[:：]|于.{4,60}[:：]?)\s*$",
    re.IGNORECASE,
)
_WROTE_AND_MORE = re.compile(
    r"@[^\s<>]{3,250}>\)?\s*(?:wrote|escribi[oó]|escreveu|a écrit|ha scritto|写道|寫道)\s*[:：]\s", re.IGNORECASE
)
_OPENS = re.compile(r"^\s*(?:on|el|le|am|em|il|op|den|at|dne|w dniu|в|вт|пн|ср|чт|пт|сб|вс|在|于|於|\d{4}\s*年|\d{4}[-/.]\d|\d{1,2}[./-]\d|(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mié|jue|vie|sáb|dom)[a-z]{0,6}\b|[\"“]|.{0,60}<?\S+@\S+>?)", re.IGNORECASE)  # fmt: skip
_DATED = re.compile(r"\d|@")
_SIGNATURE = re.compile(r"^\s*(?:--|—|–)\s?$")
_MOBILE = re.compile(
    r"^\W*(?:sent (?:from|via|with|using) (?:my |the |an? )?(?:iphone|ipad|android|samsung|galaxy|blackberry|mobile|phone|huawei|xiaomi|outlook|yahoo|gmail|aol|mail|windows|t-mobile|verizon|at&t|proton|pixel|nokia|lg|htc|motorola|tablet|smartphone|email|spark|boxer|nine)|get outlook for|(?:get|download) (?:the )?(?:yahoo|aol|blue) ?mail|enviado (?:desde|de|do|por) (?:mi|el|la|meu|minha|un|outlook|yahoo|correo|iphone|samsung|gmail)|obtener outlook|obtenga outlook|von meinem \S+ gesendet|gesendet (?:von|mit)|diese nachricht wurde von|envoyé (?:de(?:puis)?|avec) (?:mon|ma|l'|outlook|yahoo|un)|inviato da|verzonden (?:vanaf|met|via)|skickat från|отправлено (?:с|из)|发自我的|發自我的|从我的.{0,12}发(?:送|出)|從我的.{0,12}(?:傳送|寄出)|傳送自|傳自我的|来自我的|寄自我的|发自.{0,16}(?:手机|邮箱|客户端|iphone|ipad)|(?:我的|通过).{0,12}(?:iphone|手机).{0,6}(?:发送|发出)|获取\s?outlook|取得\s?outlook|iphoneから送信|나의 .{0,12}에서 (?:보냄|전송))",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"(?:reply stop|text stop|responda (?:alto|stop|parar)|回复?t[dD]?退订|回[复覆]\s*td|to unsubscribe|if you (?:no longer|do not|don't) (?:wish|want) to receive .{0,80}(?:click|unsubscribe|reply|visit)|unsubscribe here|click here to unsubscribe|para darse de baja|virus-free|libre de virus|avast|this email has been (?:checked|scanned)|scanned (?:by|for) )",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"^\W*(?:confidentiality(?: notice)?|confidential(?:ity)?:|disclaimer|legal notice|this (?:e-?mail|message|communication)(?:,| and| is| may| \(|transmission)|the information (?:contained )?in this|notice:|privileged|important notice|please consider the environment|aviso (?:de confidencialidad|legal)|este (?:mensaje|correo)(?: electr[oó]nico)? (?:y|es|puede|contiene|va|está)|nota de confidencialidad|antes de imprimir|la informaci[oó]n contenida|diese e-?mail (?:enth|ist|kann|und)|ce (?:message|courriel) (?:et|est|peut|contient)|保密(?:声明|提示|聲明)|免责声明|免責聲明|本(?:邮件|郵件)(?:及|含|包|可能|所)|此(?:邮件|郵件)(?:及|含|包|可能))",
    re.IGNORECASE,
)
_QUOTE_OF_MARKUP = re.compile(
    r"<(?:div|blockquote|hr|section|includetail|table|span)\b[^>]{0,300}(?:gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|divrplyfwdmsg|appendonsend|stopspelling|isreplycontent|ymail_android_signature|protonmail_quote|zmail_extra|ntes_mailreply|mcntmcontainer|origbody|ms-outlook-mobile-reference|x_divrplyfwdmsg|wmquote|foxmail_quote|tutanota_quote|mail-quote)|<includetail\b|border-top:\s?solid #(?:e1e1e1|b5c4df)|border:none;\s?border-top:",
    re.IGNORECASE,
)
_BLOCKQUOTE = re.compile(r"<blockquote\b(?:(?!<blockquote\b).)*?(?:</blockquote\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def words_of(reply: str) -> str:
    """Return what a person wrote, without quoted mail, signatures and footers. What stands between quotes is kept.

    The words of a text as of a mail: an SMS of several lines is left as it is unless it holds a quote. Doing it twice
    changes nothing.
    """
    lines = reply[:MAX_REPLY].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    before = None
    while lines != before:
        before, lines = lines, _own(lines)
    return "\n".join(lines)


def words_of_html(reply: str) -> str:
    """Return what a person wrote in HTML: programs mark what they quote."""
    markup = reply[: 5 * MAX_REPLY]
    quote = _QUOTE_OF_MARKUP.search(markup)
    own = markup[: markup.rfind("<", 0, quote.start() + 1)] if quote else markup
    for _ in range(10):
        shorter = _BLOCKQUOTE.sub(" ", own)
        if shorter == own:
            break
        own = shorter
    return words_of(plain(own))


def _own(lines: list[str]) -> list[str]:
    kept: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        if _DIVIDER.match(line) or _starts_head(lines, place):
            break
        attribution = _attribution(lines, place)
        if attribution:
            place += attribution
            if not _quotes_next(lines, place):
                break
            continue
        if _SIGNATURE.match(line) or (kept and _DISCLAIMER.match(line)):
            place = _resumes(lines, place)
            continue
        if not (_MARK.match(line) or _MOBILE.match(line) or (kept and _FOOTER.search(line))):
            kept.append(line)
        place += 1
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _starts_head(lines: list[str], place: int) -> bool:
    """Tell the head some programs put over what they quote: two labels in a row, or one with an address."""
    if not _LABEL.match(lines[place]):
        return False
    following = [line for line in lines[place + 1 : place + 4] if line.strip()]
    return "@" in lines[place] or any(_LABEL.match(line) for line in following[:2])


def _attribution(lines: list[str], place: int) -> int:
    """Return how many lines "On ..., X wrote:" takes from here; 0 if it does not stand here."""
    if not lines[place].strip() or not _OPENS.match(lines[place]):
        return 0
    joined = ""
    for taken in range(1, 5):
        if place + taken > len(lines) or not lines[place + taken - 1].strip():
            return 0
        joined = f"{joined} {lines[place + taken - 1].strip()}".strip()
        if len(joined) > 400:
            return 0
        if _WROTE_AND_MORE.search(joined):
            return taken
        if _WROTE.search(joined):
            return taken if _DATED.search(joined) or _quotes_next(lines, place + taken) else 0
    return 0


def _quotes_next(lines: list[str], place: int) -> bool:
    following = next((line for line in lines[place:] if line.strip()), "")
    return bool(_MARK.match(following))


def _resumes(lines: list[str], place: int) -> int:
    """Skip a signature: it ends where a quote begins, for some sign above what they quote, else with the mail."""
    for at in range(place + 1, len(lines)):
        if _MARK.match(lines[at]) or _DIVIDER.match(lines[at]) or _attribution(lines, at):
            return at
    return len(lines)
