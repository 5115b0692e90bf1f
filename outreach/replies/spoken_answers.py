"""Yes, no, a condition, a question or a vague day in answer to an open question, in more words than a bare yes or no."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

from outreach.replies.reading import Awaiting, Intent, OpenOffer

_PLAN = r"(?:plans?|arrangement|arreglo|acuerdo|convenio|pagos|trato|deal|agreement|option|opcion)"

_NO_PLAN = re.compile(
    r"\b(?:none of|neither (?:of|one)|not (?:any|one) of)\b|\bni una ni otra|\bning(?:un[oa]|una de)\b(?: me| de| gracias|$|,)|\bnada de eso\b|\bno me convence|\b(?:muy|estan|son) (?:muy )?(?:caras|altas|caros|altos)\b"
    rf"|\b(?:dont|do not|wont(?: be)?|not|didnt|no) (?:want|need|needing|like|interested in|doing|quiero|necesito|ocupo|me interesa) (?:a |any |the |no |your |another |un |ningun |el |any of |any of that|any of those |this |that )*(?:payment )?(?:{_PLAN}|partirlo|dividirlo|plazos|$)"
    r"|\bnot interested in (?:any|that|those|these|either|the offers?|your offers?)\b|\b(?:keep|leave) (?:it|things|everything)(?: just)? (?:as|how|the way) (?:is|it is|they are|it was)|\bstick with (?:the|my) (?:contract|original|current|regular)|\bsigo igual\b|\bno le muevo\b|\bdejelo asi\b|\basi dejelo\b|\bsin planes?\b|\bno plans?\b(?! to)"
    r"|(?:都|全部)(?:都)?不(?:要|行|合|考虑|可以|想|对|选|适|好)|哪个都(?:不|没)|^不分(?:了|期)|(?:，|,|\s)不分了?$|^不分$|不(?:想|要|喜欢|做|用)分期|照旧|按原来的|维持原|一个都不"
)
_DECLINES = re.compile(
    r"\b(?:id (?:rather|sooner|prefer) not|i would (?:rather|prefer) not|prefer not to|rather not|ill pass|i pass on|going to pass|gonna pass|(?:im|we|were|we are|i am) (?:good|straight|all set)\b(?! (?:with|for|to|on|by|at))|not at this time|not right now|no thx|nah\b|nope\b|thumbs down|never ?mind|nvm|scrap (?:it|that|the)|(?:yeah|yea) no$|(?:too|so) much for me|count me out)"
    r"|^(?:prefiero que no|mejor no|siempre no|hijole no|nel|nanay|nanai|ni (?:loco|de chiste|hablar)|que no|no (?:joven|jefe|senor|senorita|amigo|gracias))\b|\b(?:mejor no|siempre no)$"
    r"|^(?:还是别|还是不|先不|不必|没必要|别了|免了|算了|不用|都是不要|不确定|nah)|(?:就|还是)(?:免了|算了|别了)|(?:短信|提醒|信息)(?:就)?(?:不用|免了|不必)"
)
_UNDONE = re.compile(
    r"\b(?:chang(?:ed|ing) my mind|i take (?:it|that) back|back(?:ing)? out|second thoughts?|i never (?:said|agreed|asked|ok)|(?:i )?(?:didnt|did not|havent|have not) (?:agreed?|say|said|ok|okay|confirm(?:ed)?)|(?:dont|do not) (?:put|set|register|process|send|submit|start|sign|book|file|lock|go ahead|do (?:it|that|anything))\b(?! (?:me|my))"
    rf"|(?:hold|wait) (?:on|off|up)|let me (?:think|sleep|talk|check|ask|see)|think about it|think it over|need to (?:think|talk|check)|not until|not (?:yet|sure)|wrong (?:plan|option|one|amount|number of)|(?:isnt|not|wasnt) (?:the|what) (?:one|plan|option|i)|(?:cancel|scrap|forget|drop|undo|kill|void|pass on|nvm about|nevermind|end) (?:it|that|this|the|my|about the) ?{_PLAN}?$|(?:cancel|scrap|forget|drop|undo|void|pass on|nvm about|nevermind|end) (?:that|this|the|my|about the) {_PLAN}|cant (?:commit|agree|do that|do this|swing|afford)|cannot (?:commit|agree))\b"
    r"|\b(?:me arrepenti|me equivoque de|cambie de (?:idea|opinion|parecer)|ese no era|no lo (?:registre|haga|ponga|active|mande)|no la (?:registre|alcanzo)|no lo alcanzo|cancel(?:ar|e|en|a|elo|alo|enlo) ?(?:ese|el|este|eso|mi)? ?(?:plan|arreglo|acuerdo|convenio)?$|(?:cancelar|cancele|cancelen|quitar) (?:ese|el|este|mi) (?:plan|arreglo|acuerdo|convenio)|dejeme (?:pensar|ver|checar)\w*|lo (?:voy a pensar|pienso)|tengo que (?:pensar|hablar|consultar)\w*|(?:ese|el) (?:plan|arreglo|acuerdo) no|dice que (?:mejor )?no|nunca (?:dije|acepte|quede)|yo no (?:dije|acepte|quede)|detengalo|todavia no (?:lo|le|quiero))\b"
    r"|再(?:想|考虑|看)|(?:还|在)?考虑(?:一?下|中)?$|还在考虑|商量|傾下|倾下|改(?:变)?主意|反悔|后悔|作废|当我没说|没(?:有)?(?:答应|同意|说过|确认)|(?:可)?没答应|先?别(?:给|帮)?我?(?:弄|办|送|开|提交|设|确认)|不要(?:开|弄|办|设)|不弄|先等(?:等|一?下)|先不|等一下|取消(?:这|那|该)?(?:个)?(?:计划|方案|分期|安排)|(?:计划|方案|分期)(?:就)?取消|搞错|选错|不对$|不答应|不(?:confirm|确认)|重新选|接受不了"
)
_CONTACT = re.compile(
    r"\b(?:text|texts|texting|txt|sms|message|messages|messaging|call|calls|calling|phone|contact|contacting|email|emails|number|list|bother|bothering|harass\w*|alone|unsubscribe|opt ?out|mensajes?|llam\w+|mandar\w*|mande\w*|textos?|avisos|numero|molest\w+|lista|escrib\w+|recordatorios?)\b|短信|电话|信息|消息|号码|联系|打来|名单|骚扰|烦我|再来|发来|再发|别发|催"
)
_KEEPS = re.compile(
    r"\b(?:still like|keep (?:the|my|sending)|reminders (?:are )?(?:fine|ok)|dejemelos|si quiero los)\b|照发|留着|没事"
)

_YES = r"(?:yes|yep|yeah|yea|yup|sure|ok|okay|okey|fine|agreed|deal|confirm(?:ed)?|si|sip|claro|va|dale|vale|listo|acepto|de acuerdo|sale|orale|bueno|perfecto|todo bien)"
_OPENS_YES = re.compile(
    rf"^\W*(?:(?:uh|um|well|oh|hmm|and|probably) )*{_YES}\b|^\W*(?:好|可以|行|同意|确认|没问题|嗯|是|对|别的都好)|\b(?:its|is) a yes\b|\b(?:okay|ok|yes),? otherwise\b|\bcuente conmigo\b|\bahi si\b|先(?:确认|confirm)|马上确认"
)
_CONDITION = re.compile(
    r"\b(?:if|only|unless|once|when|whenever|provided|as long as|as soon as|except|after|but|however|otherwise|first|until|instead|although|pero|solo si|nomas|siempre que|siempre y cuando|a menos|menos|cuando|hasta|que me quiten|que empiece|primero)\b|但|不过|可是|只要|如果|要是|除非|前提|就是|改成|得从|才能|先confirm|减"
)
_BENIGN = re.compile(
    r"\b(?:but|pero|and)? ?(?:please|can you|could you|pls|make sure|por favor|porfa)? ?(?:to )?(?:email|send|text|mail|mandeme|envieme|mande|manden?me) (?:me |it |over |el |un |una |la )*(?:a |the )?(?:copy|receipt|confirmation|paperwork|terms|comprobante|recibo|copia|confirmacion|acuse)\b[^.]{0,30}|(?:不过|但)?(?:记得|请|麻烦)?(?:给|发|寄)?(?:给)?我?(?:发|寄)(?:个|份|一份|张)?(?:凭证|收据|确认|回执)|\bif thats the only way\b|\bbut how do i (?:get|pay|send)\b.*|\b(?:thats|its) the only\b"
)
_STARTS = re.compile(
    r"\b(?:starts?|starting|begins?|beginning|first payment|move|push|empiece|empieza|empezar|empezamos|a partir|after the|until|hasta|january|february|enero|febrero|not before)\b|开始|从.{1,4}号|挪到|推到|首期|延到"
)
_CHANGES_AMOUNT = re.compile(
    r"\b(?:make (?:it|them|that)|drop it|lower|pongale|pongamele|ponle|dejelo en|dejemelo en|bajele|bajelo|menos la cantidad|smaller|less)\b.{0,20}?\d|\b(?:amount|cantidad|monto)\b.{0,20}\d|改成.{0,2}(?:\d|[二三四五六七八九十百两])"
)
_ASKED = re.compile(
    r"^\W*(?:(?:so|and|but|wait|y|pero|oiga|ok|um) )*(?:what|whats|which|does|do|is|are|will|would|can|could|how|when|remind me what|confirm what|texts from who|from who|cual|cuanto|cuantos|de que|y de que|que pasa|si escojo|y si|como|con la)\b|[?？]|吗|怎么|什么|哪个|是不是|会不会"
)
_ABOUT_TERMS = re.compile(
    r"\b(?:plan|plans|option|options|choose|pick|switch|month|payments?|these|them|those|start|interest|fees?|difference|catch|credit|binding|agreed?|miss(?:ed)?|late|cost|costs|confirm|pull it|take my|day|how many|kind of texts|from who|buro|interes(?:es)?|diferencia|pasa|atraso|pagando|plan|escojo|eran|cobran)\b|利息|总共|逾期|自动扣|哪个|区别|公司|分期|征信|便宜|抵"
)
_WHENEVER = re.compile(
    r"^(?:(?:prob(?:ably)?|maybe|um|uh|well|id say|i guess|it will be|itll be|pay you|ill pay|whenever|hopefully|pues|yo creo que|creo que|les pago|ya) )*(?:when(?:ever)?|(?:as )?soon(?: as)?|once|after|sometime|someday|before you know|before long|one of these|mid|early|late|end of|beginning of|this coming|any day|first \w+ day|cuando|en cuanto|apenas|nomas que|luego que|ya que|ya mero|ya pasando|pasando|un dia de estos|uno de estos|despues de|al rato|pronto|mediados|a mediados|a fin(?:es|ales)? de)\b"
    r"|^(?:等|快了|过完|年后|这阵子|这几天|过几天|有钱(?:就|了)|发工资|领薪|.{1,8}的时候$|.{1,10}我就(?:还|付|给|转))"
)
_NEVER = re.compile(r"\b(?:never|nunca|jamas|cant|wont|dont|no puedo|no tengo|hell|die|dead|lord)\b|不|没|死|了断|辞")


_OPT_IN_YES = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|yup|sure|ok|okay|okis|mmkay|si|ok啦|orale|andele|claro|bueno|va|dale|por favor|please)\b|i would\b|back on\b|好|嗯|可以|行|开|重新发|再发)|\b(?:ponga?me otra vez|turn (?:them|it) (?:back )?on|back on|sign me (?:back )?up|los extran\w+|i (?:do )?miss (?:the|them|getting)|me sirven los|keep me posted)\b|开起来|照发"
)
_OPT_IN_HARM = re.compile(
    r"\b(?:no|not|dont|never|nah|nope|stop|but|only|maybe|unless|rather|quit|letters?|call|phone|pero|nunca|later|if|who|what|why)\b|不|别|停|退|免|没"
)


def conditional(text: str, offers: tuple[OpenOffer, ...] = ()) -> bool:
    """Say whether a yes goes on with terms of its own, so that it agrees to nothing yet: "yes, if the fee comes off"."""
    rest = _BENIGN.sub(" ", text)
    if _CONDITION.search(rest) or _CHANGES_AMOUNT.search(rest):
        return True
    known = {
        str(value)
        for offer in offers
        for value in (offer.option, offer.count, offer.amount_minor // 100, offer.count * offer.amount_minor // 100)
    }
    return bool(known) and any(figure not in known for figure in _SUMS.findall(rest))


_SUMS = re.compile(r"(?<![\d.,:/])(?:[$€£¥]\s?)?(\d{2,6})(?![\d:/]|st\b|nd\b|rd\b|th\b| ?(?:am|pm)\b|号|日|月|点)")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("'", "").replace("\u2019", "")).strip(" .!！。~")


_ADDRESSED = re.compile(
    r"(?: (?:boss|bro|bruh|mate|man|maam|sir|chief|buddy|lord|thing|lol|haha|parce|jefe|jefa|joven|mi rey|mi reina|compa|amigo|amiga|senorita|jaja|jeje|po|thank you(?: so much)?|gracias))+$"
)


def kernel(cleaned: str) -> str:
    """Return a reply without the form of address and the wish for a receipt that may follow an answer."""
    return _ADDRESSED.sub("", _plain(_BENIGN.sub(" ", _plain(cleaned))).strip(" ,，、"))


def about_contact(cleaned: str) -> bool:
    """Say whether a reply speaks of texts, calls or a number, so that a no in it could refuse more than was asked."""
    text = _plain(cleaned)
    return _CONTACT.search(text) is not None and _KEEPS.search(text) is None


def spoken_answer(cleaned: str, awaiting: Awaiting | None) -> tuple[Intent, str] | None:
    """Return what a reply of several words answers to the open question, and why; None when it is not known here.

    ``cleaned`` is folded text without accents. Never a yes to a confirmation: agreeing takes the words of `answers`.
    """
    text = _plain(cleaned)
    match awaiting:
        case Awaiting.OFFER_CHOICE:
            return _to_offers(text)
        case Awaiting.CONFIRMATION:
            return _to_read_back(text)
        case Awaiting.OPT_IN:
            return _to_opt_in(text)
        case Awaiting.PROMISE_DATE:
            return _to_day(text)
        case _:
            return None


def _to_offers(text: str) -> tuple[Intent, str] | None:
    if _NO_PLAN.search(text) or _DECLINES.search(text):
        return Intent.CONFIRM_NO, "declines the offers"
    if _ASKED.search(text) and _ABOUT_TERMS.search(text):
        return Intent.HELP, "asks about the offers"
    return None


def _to_read_back(text: str) -> tuple[Intent, str] | None:
    if _OPENS_YES.search(text) and conditional(text):
        if _CHANGES_AMOUNT.search(text):
            return Intent.INSTALLMENTS, "agrees to another amount"
        return (
            (Intent.EXTENSION_REQUEST, "agrees to another start")
            if _STARTS.search(text)
            else (Intent.CONFIRM_NO, "agrees on a condition")
        )
    if _CHANGES_AMOUNT.search(text):
        return Intent.INSTALLMENTS, "wants another amount"
    if _UNDONE.search(text) or _DECLINES.search(text):
        return Intent.CONFIRM_NO, "declines what was read back"
    if _ASKED.search(text) and _ABOUT_TERMS.search(text):
        return Intent.HELP, "asks about the plan"
    return None


def _to_opt_in(text: str) -> tuple[Intent, str] | None:
    if _OPT_IN_YES.search(text) and not _OPT_IN_HARM.search(text):
        return Intent.START, "wants messages again"
    if _DECLINES.search(text):
        return Intent.CONFIRM_NO, "declines messages"
    if _ASKED.search(text) and _ABOUT_TERMS.search(text):
        return Intent.HELP, "asks what messages"
    return None


def _to_day(text: str) -> tuple[Intent, str] | None:
    if _WHENEVER.search(text) and not _NEVER.search(text) and "?" not in text:
        return Intent.PROMISE_TO_PAY, "names no day when asked for one"
    return None


def cancels_plan(cleaned: str) -> bool:
    """Say whether a reply calls off what was read back and speaks of no contact: "cancel it", "取消这个方案"."""
    text = _plain(cleaned)
    return _UNDONE.search(text) is not None and not about_contact(text) and not _ENDING.search(text)


_ENDING = re.compile(r"\b(?:stop|quit|end|baja|alto|basta|unsubscribe|leave|remove|delete)\b|退|停|拉黑")
