"""The words mail systems refuse mail with, by reason, in the order in which they are believed."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property

from channels.email.findings import Reason


def fold(text: str) -> str:
    """Return text as it is compared: lower case, no Latin accents, one kind of apostrophe."""
    return text.lower() if text.isascii() else _unaccented(text.lower())


def _unaccented(text: str) -> str:
    kept = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", kept).translate(_ALIKE)


_ALIKE = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00a0": " ", "ı": "i", "ł": "l", "ø": "o", "đ": "d"})


class Words:
    """Alternatives to look for. They are compiled when first asked: few processes ever read mail that came back."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(patterns)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{_unaccented(pattern)})" for pattern in self._patterns))

    def search(self, text: str) -> re.Match[str] | None:
        """Return where the first of them stands in text that was folded."""
        return self._compiled.search(text)


TOO_LARGE = Words([
    r"(?:message|mail|e-?mail|attachment|letter)s? (?:size |file |is |was |body |length |you sent is )*(?:is |was )?(?:too (?:big|large|long)|larger than|exceed)",
    r"(?:message|mail|file|maximum|max|allowed|fixed|body|header)[ -]?(?:message |file |mail )?size (?:limit )?(?:is |was |has |of message )*(?:exceed|violat|too|larger|limit)", r"size limit (?:exceeded|for)",
    r"(?<!mailbox )(?<!mailbox would )exceeds? (?:the )?(?:fixed |size|max(?:imum)? (?:message|mail|allowed|permitted|size)|message size|allowed size|acceptable)", r"too large (?:for|message|a message)|message too (?:big|large)|too big for",
    r"exceeded maximum (?:inbound |mail )?message size|larger than (?:the )?(?:current system|maximum|permitted|max)", r"resolver\.rst\.(?:sendsizelimit|recipsizelimit)",
    r"mail size limit|taille maximale|message trop (?:gros|volumineux|long)|zu gro(?:ss|ß)|nachricht ist gro(?:ss|ß)er|demasiado grande|muito grande|supera il limite di dimension|слишком бол",
    r"(?:邮件|郵件|信件)(?:的)?(?:大小|容量)?(?:太大|過大|过大|超过|超過|超出)", r"サイズ(?:が)?(?:制限|大きすぎ|超)",
])  # fmt: skip

RATE_LIMITED = Words([
    r"rate[ -]?limit|receiving mail (?:at a rate|too quickly)|receiving .{0,30} too (?:quickly|fast|many)", r"too many (?:connections|messages(?! (?:on|in))|mails|emails|recipients|rcpt|sessions|errors|concurrent|unknown|invalid|bad|failures|commands|session)",
    r"(?:daily|hourly|sending|send|outbound|message|recipient|receiving|email|outgoing|user) (?:\w+ )?(?:quota|limits?)(?: has been| is| was)? (?:exceeded|reached|surpassed|per)", r"exceeded (?:the |your )?(?:\w+ )?(?:\w+ )?(?:rate|sending limit|maximum number|number of|max(?:imum)? (?:defers|emails|recipients|connections))|exceeding receiving limits",
    r"throttl|(?:sent|sending) too (?:many|much|fast)|per (?:hour|day|minute|session)\b|due to unexpected volume|(?:daily|hourly) (?:\S+ ){0,2}limit|(?:domain|ip|connection|concurrency) (?:frequency |rate )?(?:is )?limit(?:ed)?\b", r"too much mail from|excessive (?:number|volume|rate|connection)|unusual rate|server (?:is )?(?:too )?busy|mail (?:receiving|sending) (?:frequency|limit)",
    r"(?:发信|發信|发送|接收)(?:频率|頻率|过于频繁|数量)", r"频率(?:限制|过高|受限)", r"over (?:quota|limit) for sending|resource.{0,20}(?:temporarily|limit)",
])  # fmt: skip

GREYLISTED = Words(
    [r"gr[ea]y[ -]?list", r"postgrey", r"灰名单|灰名單", r"try again (?:in|after) \d+ (?:second|minute)"]
)

MAILBOX_FULL = Words([
    r"(?:mail ?(?:box|folder|drop|dir)|inbox|account|quota|user|disk|mailbox\S*|postfach|box) (?:\S+ )?(?:is |are |was |has been |for \S+ is |currently |appears to be |presently |of \S+ )*(?:\S+ )?full\b", r"mailbox.{0,30}\bfull\b|full mailbox|\bmbox full|box full|(?:e-?mail|user|account)'?s? (?:mail)?box is full",
    r"(?:over|exceeds?|exceeded|exceeding|above|beyond|out of|reached|passed|hit|insufficient|no)(?: \S+){0,4} (?:disk |storage |mail |mailbox |space |user )?quota", r"quota (?:\S+ ){0,5}?(?:exceed|reached|full|violation|usage|limit|over|has been)", r"over ?quota|overdrawn|space ?quota|overquota|quota exceed|disk quota|quota violation|bounce on quota|errdiskquota",
    r"(?:exceed\S*|over|reached|no|not enough|insufficient|out of|without)(?: \S+){0,6} (?:disk|storage|mailbox|mail file|mail|system|inbox)[ -]?(?:space|size|storage|capacity|limit|allocation)", r"(?:not|n't) (?:have )?enough (?:\S+ )?(?:space|storage|room)|space (?:is )?not enough|insufficient (?:disk |system |mailbox )?(?:storage|space)|out of storage|no (?:more )?(?:disk )?space (?:left )?",
    r"storage (?:limit|quota|allocation|space|capacity)|space has been used up|would (?:exceed|be over)|too many messages (?:on|in)|exceeded storage|mailbox (?:size|limit|has exceeded|exceed\w*|usage|capacity)|has exceeded (?:its|the|his|their) (?:\S+ )*(?:size|limit|quota|space|storage)", r"mail file size exceeds|exceed\w* (?:\S+ )?mailbox|too much mail data|maximum allowed storage|mailbox_?full|quotaexceeded|insufficient quota",
    r"postfach (?:ist |des \S+ ist |\S+ ist )?(?:\S+ )?(?:voll|uberfullt)|speicherplatz|kontingent|postfach.{0,40}(?:voll\b|uberschritten)", r"(?:buzon|bandeja|cuota|casilla)(?: \S+){0,8} (?:llen[oa]|excedid[oa]|superad[oa]|complet[oa]|exced\w+)|excedid[oa] (?:la|su|el) (?:cuota|limite)|sin espacio", r"boite (?:\S+ ){0,6}pleine|quota (?:\S+ ){0,3}depasse|boite aux lettres (?:\S+ )*satur|espace (?:disque|de stockage) insuffisant",
    r"casella (?:\S+ ){0,6}piena|quota superata|caixa (?:\S+ ){0,5}cheia|cota (?:\S+ ){0,4}excedid|mailbox is vol|postvak (?:\S+ )*vol\b", r"(?:ящик|почтовыи ящик)(?: \S+){0,4} (?:переполнен|полон|заполнен)|переполнен|превышен\w* (?:квот|лимит|размер ящик)|квота",
    r"(?:邮箱|郵箱|信箱|邮件箱|收件箱|收件匣)(?:\S{0,12})(?:已满|已滿|满|爆滿|空间不足|空間不足|容量不足|超过|超限|超出|已爆)", r"(?:空间|空間|容量|配额|配額)(?:已)?(?:不足|已满|满|超|用尽|用完)", r"メール\S{0,4}ボックス\S{0,12}(?:いっぱい|一杯|満杯|容量|超)|容量\S{0,6}(?:超え|超過|オーバー|一杯)|메일함\S{0,10}(?:가득|초과)|용량\S{0,3} ?초과",
])  # fmt: skip

SENDER = Words([
    r"sender (?:\S+ )?(?:\S+ )?(?:address )?(?:domain )?(?:rejected|refused|denied|blocked|not|verif\w+ fail|could|must|does not|is not|invalid|unknown|is (?:on|spam|block)|was|has been|address has|ip|email address rejected|callout)", r"sender(?:'s)? (?:domain|host|verify|verification|email|not|address|policy|reputation)(?: \S+){0,3} (?:reject|fail|denied|not|invalid|block|must|does|could|verif|fraud|exist)",
    r"(?:invalid|bad|unroute?able|illegal|bogus|unknown|unverified|unauthenticated|restricted|empty|null|forged|spoofed|blocked|banned|rejecting|reject|your) (?:envelope )?senders?\b(?! policy framework)(?! list)", r"domain of (?:the )?sender|from: (?:domain|address|header)|mail from (?:\S+ )?(?:denied|reject|not owned|refused|command|domain|must)|envelope[- ]from|return[- ]path (?:address|domain)|from address (?:\S+ )*(?:reject|not|invalid|deni)|domain of sender address",
    r"reverse dns|\bptr\b|\brdns\b|fix reverse|cannot find your (?:reverse )?hostname|client host rejected|helo (?:command )?(?:reject|name)|ehlo (?:command )?reject|\bhelo\b.{0,30}(?:invalid|reject|resolve)|access denied.{0,40}(?:ip|host name|hostname)|null sender|bounce address tag|\bbatv\b|backscatter|unsigned dsn|no third-party dsns",
    r"resolver\.rst\.(?:\w*authrequired|notauthorized)|sender was rejected|does not like (?:the )?sender|callback setup failed while verifying|verify(?:ing)? (?:the )?sender|not (?:a )?(?:valid|verified|authorized|permitted|authorised) sender|sender is not|email address is not verified|not authorized to send (?:from|on behalf|as)|sendasdenied|发件人|發件人|寄件者(?:地址|网域|网址)?(?:被|拒)|absender(?:adresse)? (?:\S+ )*(?:abgelehnt|gesperrt|nicht)|emetteur invalide|expediteur (?:\S+ )*(?:refuse|rejete|invalide)",
])  # fmt: skip

RELAY = Words([
    r"relay(?:ing|ed)?(?: \S+){0,3} (?:denied|prohibited|not (?:permitted|allowed|authorized|supported|accepted)|refused|rejected|disallowed|disabled|forbidden|is not)", r"(?:relay|relaying) (?:access )?(?:denied|not permitted|prohibited|rejected)|not (?:permitted|allowed|authorized|able|configured) to (?:\S+ )?relay|(?:unable|refus\w+|no permission|cannot|can't|not|won't|don't|doesn't|denied|attempt) (?:to )?(?:act as a )?relay|insecure mail relay|no relay",
    r"rcpthosts|we (?:do|don't|do not) (?:not )?relay|relay(?:ing)? (?:mail )?to (?:\S+ )?(?:prohibited|denied|not|is)|open relay|non-local e-?mail address|message could not be relayed|relais (?:\S+ )*(?:refuse|interdit)|weiterleitung (?:\S+ )*(?:nicht|verweigert)|中继|中繼|转发被拒",
])  # fmt: skip

UNKNOWN_USER = Words([
    r"(?<![a-z])(?:user|recipient|mailbox|account|addressee|person|subscriber|(?<!domain )(?<!host )name|username|alias|login|screen name|member|address(?:es)?|e-?mail address|local[ -]?part|rcpt|destinatario|box)(?:\(s\)|s)?(?: name| address(?:es)?| mailbox| account| id|\(s\))?[ :'\"<>().,-]*(?:<a>|\S+)?[ :'\"<>().,-]*(?:is |was |were |are |has |have |that you (?:tried|entered|are trying|attempted)(?: \S+){0,8} |you (?:have )?entered |at \S+ |in \S+ |for \S+ |currently |also |all |the |could |can |to |been |be )*(?:unknown|not found|not (?:known|exist|listed|recogni[sz]ed|valid|registered|present|be found|in (?:the |our )?(?:\S+ )?(?:directory|system|list|database)|located|local|a (?:known|valid|local|registered|current)|been found|matched|correct)|n't exist|n't found|n't be found|(?:does|do|did)(?: not|n't)(?: \S+)? (?:exist|appear|have|match)|doesnt exist|couldn't be found|could not be found|cannot be found|can't be found|no longer (?:exists|valid|a valid)|unrecogni[sz]ed|nonexist|non-exist|invalid\b(?! sender)|missing|unresolv)",
    r"(?<![a-z])(?:unknown|no such|invalid|bad|nonexistent|non-existent|non existent|unrecogni[sz]ed|incorrect|unresolved|not a (?:valid|known|local|registered)|undefined|illegal|wrong|ambiguous|unroutable|undeliverable|not an? (?:active|existing|valid)|no existing|no valid|isn't a (?:valid|known)|invalid or (?:inactive|unknown)|unknown or (?:invalid|illegal|disabled)|no local|no matching|unknown local|unknown virtual|invalid/inactive) (?:or \S+ )?(?:e-?mail |final |local |virtual |smtp |destination |envelope |forward |delivery |mailbox |recipient |user |pop |unix |x\.400 |o/r |forwarding |target |local-)?(?:user|recipient|mailbox|mail ?box|account|address(?:ee|es)?|person|subscriber|alias|name|local[ -]?part|rcpt|login|party|originator/recipient|id|email|user-?name|screen ?name)s?\b(?! (?:errors|verification|checks|list|limit|syntax error in sender))",
    r"(?:user|recipient|mailbox|addressee)[ _-]?unknown|userunknown|unknownuser|unknown_user|usernotfound|recipientnotfound|recipient_?not_?found|nosuchuser|no_such_user|mailboxnotfound|invalid[-_]recipient|invalid_address|unknown[-_]address|badrcptto|badrecipientto|validrcptto|chkuser|resolver\.adr\.(?:recip|exrecip|unknown|invalid)|recipnotfound|5\.1\.10 resolver",
    r"(?:not|n't|cannot|can't|unable to|failed to) (?:find|locate|be found|resolve|match|recogni[sz]e)(?: \S+){0,4} (?:user|recipient|mailbox|account|address|person|name|addressee|inbox)\b(?! server)|no (?:mailbox|mail box|account|user|one|person|match(?:es)?|entry|such|inbox|mail drop|users?|recipients?)(?: \S+){0,4} (?:here|by that name|of that name|with that|at this|at that|found|available|for (?:this|that|<a>)|in (?:name )?directory|exists|to nameserver|in (?:our|this|the)|currently available|by this name|named)",
    r"(?:doesn't|does not|do not|don't) have (?:a|an|any) (?:\S+ )?(?:account|mailbox|user|e-?mail)|not (?:our|a) (?:customer|user|subscriber)|no such (?:user|person|mailbox|recipient|address|account|local|addressee|alias|name|email|username|member|login|domain user|id)|not listed in (?:\S+ )*(?:directory|name & address book|address book|public name)|not (?:listed|found|present) in (?:\S+ )*(?:directory|address book|alias|virtual|table|database)|public name & address|directory entry not found|unknown to (?:this|the|our) system",
    r"(?:local|relay|virtual|mailbox|recipient|alias|canonical) (?:\S+ )?(?:recipient |mailbox |alias |user )?table|address (?:is )?(?:unknown|not found|invalid)|unknown address|(?:is |was )?not a (?:valid|known|legal|legitimate|working|current|real|local|deliverable|proper|registered|existing|recogni[sz]ed) (?:\S+ )?(?:\S+ )?(?:mailbox|user|recipient|address|account|email|alias|name)|address is not valid|is wrong or no longer valid|no longer (?:valid|exists?|on (?:this )?server|available at|has an? (?:account|mailbox)|(?:an? )?(?:active|valid))",
    r"<a>[ '\")\]]*(?:is |was )?(?:not found|unknown\b|not known|does ?n[o']t exist|doesn't exist|not exist)|(?:dosn't|doesnt|does n't) exist|no \S+ in (?:name )?directory|never (?:logged|log) (?:on|in)|invalid (?:final )?(?:delivery )?user ?id|(?:did|does) not (?:\S+ )?match (?:an?|any) (?:\S+ ){0,3}(?:e-?mail|mail|address|user|mailbox|account)|not yet (?:been )?(?:activated|created)|couldn't be found|wasn't found at|address (?:you (?:entered|sent to|typed) )?(?:couldn't|could not|can't|cannot) be found|because the address (?:couldn't|could not|can't) be found|not (?:recogni[sz]ed|known) (?:at|by|here|on)|mailbox (?:isn't|is not) (?:valid|found|known|local)|deactivated, unavailable|we (?:don't|do not) (?:have|know) (?:any |an? )?(?:one|such|user|anyone|account|mailbox)|that (?:user|person) (?:is )?not (?:here|known)|recipient (?:is )?(?:not (?:ok|exist|found|local)|not on this|not in (?:my|our))|not in my validrcptto|vdeliver: invalid|user missing home|mailaddress is administratively disabled|mailbox does not|mailbox unavailable or access denied|unknown e-?mail|addressee unknown|unknown addressee",
    r"unbekannte[rns]? (?:empfanger|adresse|benutzer|user|mailadresse)|(?:empfanger|adresse|benutzer|postfach|e-mail-adresse|konto|account|mailbox|user)(?: \S+){0,8} (?:unbekannt|nicht (?:gefunden|bekannt|vorhanden|existiert|gultig)|existiert(?: \S+)? nicht|existiert hier nicht|ungultig|wurde nicht gefunden|konnte nicht gefunden|nicht existent)|(?:existiert|kein\w*) (?:nicht|solche\w*|benutzer|postfach|empfanger)|ungultige[rns]? (?:empfanger|adresse|e-mail)|nicht gefunden werden",
    r"(?:usuario|destinatario|buzon|cuenta|direccion|persona|utilizador|usuario|conta|endereco|caixa)(?: \S+){0,10} (?:desconocid[oa]|no (?:existe|valid[oa]|encontrad[oa]|reconocid[oa]|se (?:encontro|encuentra|ha encontrado|pudo encontrar)|fue encontrad[oa])|inexistente|invalid[oa]|incorrect[oa]|desconhecid[oa]|nao (?:existe|encontrad[oa]|foi encontrad[oa]))|no existe (?:dicha|ese|el|la|ningun)|(?:usuario|destinatario|direccion|buzon|cuenta) (?:desconocid|inexistent|no valid|invalid|no existe|no encontrad)|no (?:se ha podido|se pudo|se puede) encontrar|no se (?:encontro|ha encontrado) (?:la|el|ningun)|nao (?:foi possivel )?(?:existe|encontr)",
    r"(?:utilisateur|destinataire|adresse|compte|boite|correspondant|abonne)(?: \S+){0,10} (?:inconnue?s?|inexistante?s?|n'existe (?:pas|plus)|introuvable|invalide?s?|non trouvee?|incorrecte?|n'a pas ete trouvee?|n'est pas valide)|(?:adresse|destinataire|utilisateur) (?:\S+ )?(?:invalide|inconnu|introuvable|inexistant)|adresse d au moins un destinataire invalide|pu etre trouvee?|n'existe pas",
    r"hittades inte|finns inte|(?:ble|blev) ikke funnet|findes ikke|finnes ikke|nie (?:znaleziono|odnaleziono) (?:\S+ ){0,2}adres|nie ma (?:takiego|takiej)|boyle bir kullanici|bulunamad[ıi]|(?:nebyla|nebyl|nebol[ao]?) (?:nalezen|najden)|neexistuj|nem (?:talalhato|letezik)|(?:niet|niet worden) gevonden|nu (?:a fost|au fost) gasit|e[ik] (?:loydy|loytynyt|leitud)|δεν (?:βρεθηκε|υπαρχει)|לא (?:נמצא|קיים)|(?:لم يتم العثور|غير موجود)|khong (?:tim thay|ton tai)|ไม่พบ",
    r"(?:utente|destinatario|casella|indirizzo|account)(?: \S+){0,8} (?:sconosciut[oa]|inesistente|non (?:esiste|valid[oa]|trovat[oa]|corrett[oa]))|nessun utente|(?:gebruiker|ontvanger|adres|postvak)(?: \S+){0,6} (?:onbekend|bestaat niet|niet gevonden|ongeldig)|onbekende (?:gebruiker|ontvanger)|(?:odbiorca|adresat|uzytkownik|skrzynka|konto)(?: \S+){0,6} (?:nieznany|nie istnieje|nie znaleziono)|nieznany (?:odbiorca|uzytkownik|adresat)|kullanici (?:bulunamadi|yok|mevcut degil)|alici (?:bulunamadi|yok)|neznamy (?:uzivatel|prijemce)|okand (?:mottagare|anvandare)|(?:mottagaren|mottakeren|modtageren)(?: \S+){0,6} (?:hittades|finnes|findes|ikke|inte)|ismeretlen (?:felhasznalo|cimzett)|vastaanottajaa ei",
    r"(?:пользовател\w*|адрес\w*|получател\w*|ящик\w*|абонент\w*|почтовыи ящик)(?: \S+){0,6} (?:не (?:существует|наиден\w*|зарегистрирован\w*|обнаружен\w*|известен)|неизвест\w*|отсутствует|неверн\w*|удален\w*)|нет такого|неизвестныи (?:пользователь|получатель|адрес)|не существует|несуществующ\w* (?:адрес|пользовател|получател|ящик)|такого (?:пользователя|ящика|адреса|користувача)|(?:користувач|адрес|скриньк)\w*(?: \S+){0,4} не (?:існує|знайден|зареєстрован)",
    r"(?:用户|用戶|使用者|收件人|收信人|收件者|邮箱|郵箱|信箱|帐号|账号|帳號|帳戶|账户|帐户|邮件地址|電子郵件地址|电子邮件地址|地址|邮箱地址|邮件帐号|收件人地址|收件人邮箱)\S{0,16}?(?:不存在|不正确|不正確|无效|無效|未找到|找不到|未知|错误|錯誤|有误|有誤|不存|未注册|未註冊|已注销|已註銷|已被注销|已刪除|已删除)", r"(?:找不到|不存在|无效的?|無效的?|未知的?|没有|沒有|查无|查無|无此|無此|未找到|并无|错误的?)\s{0,2}(?:该|此|這個|这个|您|这一|所|指定|目标)?\S{0,6}(?:用户|用戶|使用者|收件人|收信人|收件者|邮箱|郵箱|信箱|帐号|账号|帳號|邮件地址|地址|帐户|账户|這個人|收件位址)",
    r"(?:宛先|送信先|メールアドレス|あて先|アドレス|ユーザー?|受信者|相手先|メールボックス)\S{0,24}?(?:見つかり|存在しま?せ?|存在しない|不明|ありません|誤り|間違|無効|該当|見つから(?!ないか)|正しく|登録されて)", r"(?:不明な|該当する|存在しない|無効な)\S{0,4}(?:宛先|ユーザー?|メールアドレス|アドレス|受信者|メールボックス)|ディレクトリのリストにありません|ユーザーが(?:見つかり|存在)|그런 사용자|(?:사용자|수신자|메일 ?주소|계정|받는 사람)\S{0,8} ?\S{0,10} ?(?:없습니다|존재하지|없는|찾을 수|알 수 없)|존재하지 ?않는",
])  # fmt: skip

UNKNOWN_HOST = Words([
    r"(?<![a-z])(?:host|domain|hostname|mail domain|domain name|site|mail exchanger|system|recipient(?:'s)? domain|node|destination|server)(?: name| part)?[ :'\"<>().,-]*(?:\S+ )?(?:\(\S+\) )?(?:is |was |does |do |could |has |mentioned in \S+ address is |of \S+ |name )*(?:unknown|not (?:found|known|exist|resolve|be found|be resolved|registered|valid|a valid)|n't exist|n't be found|couldn't be found|cannot be (?:found|resolved)|can't be (?:found|resolved)|non-?exist\w*|invalid|unrecogni[sz]ed|missing|must exist|no longer (?:exists|valid)|has no (?:mx|mail))", r"(?<![a-z])(?:unknown|no such|invalid|bad|nonexistent|non-existent|illegal|unresolvable|unresolved|unroute?able|unregistered|undefined) (?:mail |recipient |destination |remote |target |dns |e-?mail |internet )?(?:host(?:name)?|domain|host/domain|system|site|node|mail domain)\b",
    r"nxdomain|unrouteable|unroutable (?:address|mail)|nonexistentdomain|non-existent (?:hosts?|domain)|no mx (?:or|record|host)|no (?:valid )?(?:mx|mail exchanger|a record|dns (?:entry|record)|dns a)(?:\S* ){0,4}(?:record|found|exist|for|host|data)|(?:mx|dns|a) records? (?:\S+ ){0,4}(?:not found|missing|non-existent|could not be found|do not exist|not exist)|name (?:or service )?not known|host(?:name)? nor servname|could(?:n't| not) (?:find|locate|resolve)(?: \S+){0,3} (?:host|domain|server|mail exchanger|hostname|address of host)|no data record of requested type|name service error.{0,60}host not found(?!, try)|host not found(?!, try)(?!: )",
    r"\bnull ?mx\b|does not accept (?:any )?(?:mail|email|e-mail)\b(?! from)|domain (?:\S+ )?does(?: not|n't) (?:accept|receive|exist)|no mail server|host/domain|address resolution failed|cannot resolve (?:\S+ )?(?:domain|host)|unable to resolve (?:\S+ )?(?:domain|host|dns|route)|can't resolve|dns (?:type|lookup|error|query).{0,60}nxdomain|dominio (?:\S+ ){0,6}(?:no (?:existe|valido|encontrado)|desconocid|inexistente|nao existe|non (?:esiste|valido))|domaine (?:\S+ ){0,6}(?:inconnu|n'existe|inexistant|introuvable)|(?:domane|domain|host|rechner)(?: \S+){0,6} (?:unbekannt|existiert nicht|nicht gefunden)|unbekannte (?:domain|domane)|домен\S*(?: \S+){0,5} (?:не (?:существует|наиден)|неизвест)",
    r"(?:域名|网域|網域|主机|主機|域)\S{0,10}(?:不存在|找不到|无法解析|無法解析|未找到|错误|无效|無效)|(?:找不到|不存在的|无法解析|無法解析|未知)\S{0,6}(?:域名|网域|網域|主机|主機|邮件服务器)|ドメイン\S{0,16}(?:存在し|見つかり|不明|見つから|ありません)|ホスト\S{0,10}(?:見つかり|不明|見つから)|도메인\S{0,10} ?\S{0,6}(?:없|존재)",
])  # fmt: skip

MOVED = Words([
    r"(?<![a-z])(?:user|recipient|account|address|person|mailbox|addressee|employee|he|she|who|subscriber)(?: \S+){0,6} (?:has|have|had) (?:moved|changed|been (?:moved|replaced|changed)|left (?:the )?(?:company|organi[sz]ation|us|university))", r"has been replaced by|(?:has|have) moved to|new (?:e-?mail )?address (?:is|of)|user not local;? please try|please (?:try|forward to|use)(?: the)? (?:new |forward path|following (?:e-?mail )?address|<a>)|(?:address|user|mailbox) has changed|no longer (?:works? (?:here|at|for)|with (?:us|the company)|employed|at this (?:address|company|organi[sz]ation)|in use|used|here|uses? this)|left the (?:company|organi[sz]ation)|is no longer (?:in use|used|monitored)|mailbox (?:has been )?migrated|(?:ha|habia) (?:cambiado|sido reemplazad)|nicht mehr (?:verwendet|in gebrauch|bei uns|gultig|aktiv)|地址已(?:更改|变更|更换)|已离职|已離職|転送先|アドレスが変更",
])  # fmt: skip

DISABLED = Words([
    r"(?<![a-z])(?:account|mailbox|user|mail ?box|recipient|e-?mail|address|member|mail account|subscriber|login|inbox|service)(?: \S+){0,6}? (?:is |was |are |has been |have been |been |currently |temporarily |also |permanently |administratively |not )*(?:disabled|deactivated|de-activated|suspended|inactive|not active|not enabled|closed|terminated|cancell?ed|expired|locked|frozen|blocked by (?:the )?administrator|removed|deleted|discontinued|retired|decommissioned|dormant|unsubscribed|barred|no longer active|no longer available|archived|abandoned|restricted from receiving)", r"(?<![a-z])(?:disabled|deactivated|inactive|suspended|closed|expired|frozen|locked|terminated|cancell?ed|dormant|deleted|discontinued|archived) (?:e-?mail |mail |due to \S+ )?(?:account|mailbox|user|recipient|address|mail ?box)", r"no longer accepts? (?:e-?mail|mail|messages)|not accepting (?:any )?(?:mail|messages|new mail|e-?mail)s?\b(?! from)(?! with)|extended inactivity|user suspended|account (?:is )?disabled|(?:no longer|not) (?:an? )?active (?:account|mailbox|user)|account_?disabled|mailbox_?disabled|has been (?:disabled|deactivated|suspended|discontinued)|inactiveuser|suspend the service|no longer active",
    r"(?:konto|postfach|account|adresse)(?: \S+){0,6} (?:deaktiviert|gesperrt|geloscht|inaktiv|abgeschaltet|stillgelegt)|(?:cuenta|buzon|usuario|direccion)(?: \S+){0,6} (?:deshabilitad[oa]|desactivad[oa]|suspendid[oa]|inactiv[oa]|cancelad[oa]|eliminad[oa]|cerrad[oa]|bloquead[oa]|dad[oa] de baja)|(?:compte|boite|adresse|destinataire)(?: \S+){0,6} (?:desactivee?|suspendue?|fermee?|inactive?|archivee?|supprimee?|bloquee?|resiliee?)|(?:casella|conta|caixa|utente)(?: \S+){0,6} (?:disattivat|disabilitat|sospes|desativad|suspens|inativ|bloquead|encerrad)|(?:ящик|пользовател|аккаунт|учетная запись)\S*(?: \S+){0,5} (?:заблокирован|отключен|деактивирован|неактивен)|заблокирован",
    r"(?:用户|用戶|邮箱|郵箱|信箱|帐号|账号|帳號|账户|帐户|收件人)\S{0,10}(?:被禁用|已禁用|停用|冻结|凍結|已关闭|已關閉|封禁|锁定|鎖定|暂停|未激活|已过期|被冻结|休眠|禁止)|アカウント\S{0,10}(?:停止|無効|凍結|利用停止)|利用停止|계정\S{0,6} ?(?:정지|휴면|비활성)|휴면",
])  # fmt: skip

AUTH = Words([
    r"(?:authentication|smtp auth|auth\w*) (?:is )?(?:required|needed|credentials|mechanism)(?! check)|must (?:first )?(?:authenticate|issue a starttls|be authenticated|log ?in)|not authenticated|requires? (?:smtp )?auth\w*|client was not authenticated|authentication failed(?! for (?:spf|dkim|dmarc))|please authenticate|login (?:is )?required|check for (?:new )?mail first|pop before smtp|starttls (?:is )?required|tls (?:is )?required|must use (?:tls|ssl)|需要身份验证|需要验证|authentifizierung erforderlich",
])  # fmt: skip

SPAM = Words([
    r"(?<![\w.@/-])(?:spam|spams|spamming|spammy|spammers?|uce|ube|junk)(?![\w@]|[./-]\w)|unsolicited|bulk (?:e-?mail|mail)|antispam|anti-spam|spam[-_ ](?:score|filter|content|like|detect)|spamassassin|spamhaus|spamcop|barracudacentral|sorbs|surbl|uribl|\bdnsbl\b|\brbl\b|\brbls?\b|\bdbl\b|block[- ]?list|blacklist|black[- ]list|deny ?list|real-?time block|reputation|blocked (?:using|by|for)|listed (?:at|in|on|by) (?:\S+\.)+\w+|cloudmark|brightmail|phish|unwanted (?:messages|e-?mail|mail)|sending ip|poor reputation|ip (?:address )?(?:\S+ ){0,4}(?:block|listed|banned|blacklist)|垃圾|スパム|迷惑メール|спам|黑名单|黑名單|拒收垃圾|dt:spm|mi:(?:spb|spf|dma)|ip被",
])  # fmt: skip

CONTENT = Words([
    r"virus(?! ?wall)|malware|infected|trojan|worm\b|banned (?:file|content|attachment)|(?:illegal|prohibited|unacceptable|dangerous|blocked|forbidden|unsafe|executable|suspicious) (?:attachment|content|file|extension)|accepting mail with attachment|attachment(?:s)? (?:\S+ ){0,4}(?:not (?:allowed|accepted|permitted)|blocked|prohibited|removed)|content (?:\S+ ){0,3}(?:reject|denied|refused|not (?:allowed|accepted)|block|filter|violat|restrict)|message content|mail content denied|8bit|non-ascii|malformed|mime (?:error|header|structure)|bare (?:lf|cr)|header (?:error|missing|is missing)|(?:missing|invalid|duplicate|multiple) (?:\S+ )?(?:header|message-id|date|from)\b|not rfc|rfc ?\d{4} (?:non|compli|violation|standard)|line (?:length|too long)|smtputf8|conversion (?:\S+ )*(?:not|fail|required)|encrypted (?:mail|content|file)|contenu (?:\S+ )*(?:refuse|interdit)|邮件内容|郵件內容|病毒|ウイルス|вирус",
])  # fmt: skip

POLICY = Words([
    r"polic(?:y|ies)|\bspf\b|\bdkim\b|\bdmarc\b|sender id|sender policy framework|unauthenticated (?:e-?mail|mail)|access (?:is |has been )?(?:restricted|blocked)|delivery (?:restricted|not authori[sz]ed)|not (?:authori[sz]ed|permitted|allowed|accept(?:ed|ing)? (?:mail|messages|e-?mail)s? from)|blocked\b|members?[- ]only|not (?:a )?(?:member|subscribed|subscriber)|moderat|administrat\w+ prohibit|prohibited|security (?:reasons|policies|policy|settings)|filter(?:ed)? (?:by|message)|message filtered|restrict|whitelist|white list|not on (?:\S+ )?(?:list|allowed)|resolver\.rst|because they are not accepting mail from|only accept(?:s|ing)? mail from|closed mailing list|invitation required|challenge|not pre-approved|certificate|tls|recipient preferences|rejected by (?:the )?(?:recipient|user)|user reject|(?:do|does) not (?:want|wish) to receive|can't post|not have permission|permission to (?:post|send)|nimmt keine|richtlinie|politica|запрещ|拒收|受信拒否|受信制限|수신 ?거부",
])  # fmt: skip

REFUSED = Words([
    r"access denied|access (?:is |has been )?(?:rejected|denied)|permission denied|(?:message|mail|e-?mail|connection|transaction|delivery|request|recipient)s? (?:\S+ ){0,4}(?:refused|rejected|denied)\b|(?:refus|reject|deni)\w* (?:by|due|because|for|to accept|from)|refuse[ds]? (?:to )?(?:receive|accept)|has been denied|abgelehnt|verweigert|rechazad|refusee?\b|rejete|rejeitad|respint|отклонен|отказано|拒绝|拒絕|拒否|거부",
])  # fmt: skip

NETWORK = Words([
    r"requests to connect|no connection could be made|nicht erreichbar|antwortet nicht|ne repond pas|injoignable|non risponde|non raggiungibile|no responde|nao responde|conectar (?:con|a|com|ao) (?:el |o )?servidor|недоступен|не отвечает|socket error|connection (?:\S+ )?(?:\S+ )?(?:refused|timed? ?out|reset|lost|dropped|closed|failed|error|broken|aborted|was|died|with)|lost connection|(?:could|can) ?not (?:\S+ )?connect|couldn't (?:\S+ )?connect|unable to connect|can't connect|failed to connect|no route to (?:host|destination)|host (?:is )?(?:unreachable|down|not responding|is not responding|not reachable|is not reachable)|network (?:is )?(?:unreachable|error|problem|failure|down)|network error|wasn't able to establish an smtp|unable to establish|not (?:responding|reachable|respond)|bad connection|no answer from|hosts? have been failing|connection to (?:\S+ ){1,3}failed|deferred: |host not found, try|try again later\b.*(?:dns|name)|temporary (?:dns|name|lookup|resolution|network)|servfail|name server (?:timeout|error|time-?out|failure)|dns (?:lookup )?(?:failure|temporar|server|timeout|time-?out|soft)|name service error|temporar\w+ (?:\S+ )?(?:lookup|resolve|resolution)|cname lookup failed|mx (?:list|record)(?:\S* ){1,6}(?:back|point|local|loop)|loops? back|mail (?:forwarding )?loop|looping|find a gateway|loop(?:ing)? (?:detected|count|back|in)|too many hops|hop count|routing loop|maximum forwarding|too many received|best mx host|mx (?:problem|points)|misconfigur|configuration error|tls (?:handshake|negotiation|connection)|ssl (?:handshake|error)|starttls (?:fail|not)|remote (?:server|host|smtp) (?:\S+ ){0,3}(?:closed|disconnect|dropped|not|did not|unexpectedly)|malformed (?:or unexpected )?name server|greeting|cannot reach|unreachable|smtp protocol|lookup failure|连接(?:失败|超时|被)|連接失敗|無法連接|无法连接|连接不上|网络|接続でき|接続に失敗|ネットワーク|conexion (?:\S+ )?(?:rechazad|perdid|fall)|verbindung",
])  # fmt: skip

TIMEOUT = Words([
    r"time[ds]?[ -]?out|expired|expiration|(?:retry|queue) (?:time|timeout|period|limit|lifetime)|(?:too long|been) in (?:the )?queue|queued? (?:for )?too long|(?:maximum|max) (?:time|retries|retry|attempts|queue)|delivery (?:time|attempts? )(?:\S+ )*(?:exceed|expired|fail)|not (?:be )?(?:been )?delivered (?:\S+ )?(?:within|for|in|after) (?:\S+ )?\d+|giving up|gave up|(?<!i've )given up|(?:failed|exceeded) (?:\d+|max\w*)(?: delivery)? attempts|after \d+ (?:hours|days|attempts|tries)|i'm not going to try again|could not be delivered (?:within|for|in)|for more than \d+|was undeliverable (?:for|within)|超时|超時|逾時|过期|タイムアウト|期限切れ|превышено время|tiempo (?:de espera|limite)|delai (?:\S+ )*(?:depasse|expire)|zeituberschreitung",
])  # fmt: skip

SYSTEM = Words([
    r"local (?:\S+ )?(?:error|delivery fail|configuration|problem)|(?:internal|server|system|software|program|configuration|mailer|processing|database|ldap|i/o|disk|resource|unexpected|backend|queue) (?:\S+ )?(?:error|failure|failed|problem|not|timeout|bug)|command (?:died|time|fail|output|not|unrecogni[sz]ed|rejected|unknown|failed)|can(?:'t|not) (?:create|open|write|append|lock|execute|chdir|access|lstat|stat)|error (?:writing|opening|accessing|reading|in processing|processing|return code|on|during)|permission denied|read-only|mail system (?:problem|error|full|down)|service (?:is )?(?:not available|unavailable|temporarily)|temporar\w+ (?:\S+ )?(?:fail|error|unavail|problem|reject|defer|local|system|block)|try again|unable to (?:open|create|write|lock|chdir|access|process)|system (?:is )?(?:not|down|full|in|temporar)|maildir|pipe|autoresponder|procmail|mailbox (?:is )?(?:locked|busy|corrupt|in use)|out of memory|low on|load average|overload|insufficient system|unexpected (?:response|failure)|transaction failed|delivery agent|exec format|syntax error|unrecogni[sz]ed command|bad sequence|系统错误|系統錯誤|系统繁忙|暂时|システムエラー",
])  # fmt: skip

WEAK_USER = Words([
    r"mailbox (?:is )?(?:not available|unavailable|unavaiable|inaccessible|not accessible|disabled)|(?:requested )?(?:mail )?action (?:not taken|aborted).{0,40}(?:mailbox|unavailable)|requested action not taken|(?:user|account|recipient|address|destinatario)(?: \S+)? (?:is )?(?:unavailable|not available|inaccessible|not accepted|inexist)|(?:recipient|address|mailbox|user|rcpt|destination)s?(?: address)?s? (?:\S+ )?(?:was |is |has been |have been |are )?(?:rejected|refused|not accepted|denied|undeliverable|unreachable)(?! by|:)|user not local|cannot accept|can't accept (?:user|mail for)|not a mailbox|undeliverable address|permanent (?:fatal )?error.{0,30}(?:recipient|address)|(?:unable|failed) to (?:deliver to )?(?:the )?(?:recipient|mailbox|user)|not our user|does not like (?:the )?recipient|unable to (?:deliver|receive) mail|bad destination|illegal (?:user|alias|mailbox)|no such\b|not exist",
])  # fmt: skip

NO_HOST = Words([
    r"(?:域名|网域|網域|主机|主機)\S{0,6}(?:不存在|无法解析|無法解析)|no (?:se )?(?:puede|pudo) resolver (?:el|la)|dominio \S+ (?:no existe|nao existe|non esiste)|domane existiert nicht|domaine n'existe pas|домен не существует",
    r"nxdomain|indicated no smtp service|no valid (?:mx|mail exchanger)|find a valid mx|(?:find|resolve|locate)(?: \S+){0,2} (?:host|domain|mail exchanger)\b|domain (?:name )?\S+ (?:could ?n[o']t|couldn't|could not|cannot) be (?:found|resolved)",
])  # fmt: skip

NAME_SERVER = Words([
    r"lookup did not complete|malformed or unexpected name server|resolve route|host not found,? try|servfail|name server (?:timeout|error|time-?out|failure)|temporary (?:dns|name|lookup|resolution)|(?:lookup|resolution) (?:\S+ ){0,3}(?:timed out|temporar)|cname lookup failed|dns (?:timeout|soft|temporar)",
])  # fmt: skip

MISCONFIGURED = Words(
    [
        r"several matches (?:were )?found|\) not unique\b|resolver\.adr\.(?:badprimary|ambiguous)|ambiguous address|local configuration error"
    ]
)

RULES: tuple[tuple[Reason, Words], ...] = (
    (Reason.TOO_LARGE, TOO_LARGE),
    (Reason.RATE_LIMITED, RATE_LIMITED),
    (Reason.GREYLISTED, GREYLISTED),
    (Reason.MAILBOX_FULL, MAILBOX_FULL),
    (Reason.POLICY, SENDER),
    (Reason.RELAY_DENIED, RELAY),
    (Reason.NETWORK, NAME_SERVER),
    (Reason.SYSTEM, MISCONFIGURED),
    (Reason.UNKNOWN_HOST, NO_HOST),
    (Reason.UNKNOWN_USER, UNKNOWN_USER),
    (Reason.UNKNOWN_HOST, UNKNOWN_HOST),
    (Reason.DISABLED, DISABLED),
    (Reason.MOVED, MOVED),
    (Reason.AUTH_REQUIRED, AUTH),
    (Reason.SPAM, SPAM),
    (Reason.CONTENT, CONTENT),
    (Reason.NETWORK, NETWORK),
    (Reason.POLICY, POLICY),
    (Reason.TIMEOUT, TIMEOUT),
)
"""First match counts. A full mailbox, a refused sender or relay wins over "unknown user": such refusals often say both."""

BLAND: tuple[tuple[Reason, Words], ...] = ((Reason.POLICY, REFUSED), (Reason.SYSTEM, SYSTEM))
"""Words that go with any refusal: they are asked last, and not where the code says that the address is unknown."""
