"""What people write and say: realistic wording for each thing they may want, in English, Spanish and Chinese."""

from typing import Final

Locale = str
"""``en``, ``es`` or ``zh``."""

WORDS: Final[dict[str, dict[Locale, tuple[str, ...]]]] = {
    "stop": {
        "en": ("STOP", "Stop", "stop", "Unsubscribe", "stop texting me", "Please stop contacting me on this number"),
        "es": ("STOP", "Stop", "ALTO", "Baja", "no me manden más mensajes", "Por favor dejen de escribirme"),
        "zh": ("退订", "TD", "停止", "T", "请不要再给我发短信了", "别再发了"),
    },
    "start": {"en": ("START",), "es": ("START",), "zh": ("START",)},
    "help": {
        "en": ("HELP", "Help", "can someone call me?", "I need help with this"),
        "es": ("AYUDA", "Ayuda", "necesito ayuda", "¿Me puede llamar alguien?"),
        "zh": ("帮助", "需要人工客服", "请帮帮我"),
    },
    "promise": {
        "en": ("I'll pay on Friday", "I will pay tomorrow", "can pay in 3 days", "I get paid Friday, will pay then"),
        "es": ("Pago el viernes", "Voy a pagar mañana", "pago en 3 días", "Cobro el viernes y pago"),
        "zh": ("我周五还款", "明天就还", "三天后还款", "发工资就还，星期五"),
    },
    "installments": {
        "en": ("Can I pay in installments?", "can I split this into payments", "I need a payment plan please"),
        "es": ("¿Puedo pagar a plazos?", "Quiero pagar en cuotas", "necesito un plan de pagos por favor"),
        "zh": ("可以分期还款吗？", "我想分期", "能不能分几次还"),
    },
    "paid": {
        "en": ("I already paid", "Paid yesterday", "this was paid on Monday"),
        "es": ("Ya pagué", "ya está pagado", "Lo pagué ayer"),
        "zh": ("我已经还了", "昨天已经还款了", "已还清"),
    },
    "dispute": {
        "en": ("This is not my debt", "I dispute this amount", "the amount is wrong, I don't owe this"),
        "es": ("Esta deuda no es mía", "No reconozco esta deuda", "el monto está mal, no debo eso"),
        "zh": ("这不是我的欠款", "我对金额有异议", "我没有借过这笔钱"),
    },
    "hardship": {
        "en": ("I lost my job and can't pay right now", "I'm in hospital and have no income at the moment"),
        "es": ("Perdí mi trabajo y no puedo pagar ahora", "Estoy enfermo y no tengo ingresos en este momento"),
        "zh": ("我失业了，现在没有能力还款", "我住院了，目前没有收入"),
    },
    "wrong_person": {
        "en": ("Wrong number", "You have the wrong person", "I don't know who that is"),
        "es": ("Número equivocado", "Se equivocó de persona", "No conozco a esa persona"),
        "zh": ("你打错了", "发错人了", "我不是本人"),
    },
    "chatter": {
        "en": ("who is this", "ok", "?", "thanks"),
        "es": ("quién es", "ok", "?", "gracias"),
        "zh": ("你是谁", "好", "？", "谢谢"),
    },
    "yes": {"en": ("YES", "Yes", "yes"), "es": ("SÍ", "Sí", "si"), "zh": ("是", "确认", "好的")},
    "agent": {
        "en": ("I want to talk to a person",),
        "es": ("Quiero hablar con una persona",),
        "zh": ("我要转人工",),
    },
    "out_of_office": {
        "en": ("I am out of the office until Monday.",),
        "es": ("Estoy fuera de la oficina hasta el lunes.",),
        "zh": ("我正在休假，周一回来。",),
    },
}

# What a menu sentence holds when it offers the thing, in lower case.
MENU_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "installments": ("installment", "instalment", "payment plan", "plan", "plazos", "cuotas", "分期"),
    "promise": (
        "promise",
        "date",
        "later",
        "when you",
        "fecha",
        "cuándo",
        "promesa",
        "日期",
        "承诺",
        "name a day",
        "qué día",
        "哪天",
    ),
    "pay": ("pay now", "make a payment", "pay ", "pagar", "付款", "还款"),
    "paid": ("already paid", "have paid", "ya pag", "已经还", "已还"),
    "dispute": ("dispute", "not owe", "reconoce", "disput", "异议", "not right", "no está bien", "有误"),
    "wrong_person": (
        "wrong",
        "are not",
        "is not",
        "not this person",
        "not you",
        "equivoc",
        "no es",
        "no soy",
        "不是",
        "打错",
    ),
    "stop": ("stop", "not be called", "no more", "dejar de", "no recibir", "停止", "不再"),
    "agent": ("agent", "person", "speak", "representative", "agente", "hablar", "persona", "人工", "客服"),
    "yes": ("confirm", "yes", "agree", "confirmar", "acept", "sí", "确认", "同意"),
    "self": ("if you are", "this is you", "speaking", "si usted es", "si es usted", "本人", "如果您是"),
}

BIRTH_WORDS: Final = ("birth", "born", "nacimiento", "nació", "出生")

_SPANISH: Final = (" su ", " de ", " que ", " para ", " pago", " usted", " el ", " la ", "hola", "responda")
_CHINESE_PREFIXES: Final = ("+86", "+852", "+886")
_SPANISH_PREFIXES: Final = ("+52", "+34", "+57", "+54", "+56", "+51")


def guess_locale(address: str, text: str, default: Locale) -> Locale:
    """Guess which language a person answers in: the one they were addressed in, else their number's country."""
    if any("一" <= letter <= "鿿" for letter in text):
        return "zh"
    lower = f" {text.lower()} "
    if sum(word in lower for word in _SPANISH) >= 3:
        return "es"
    if text:
        return "en" if default == "zh" else default
    if address.startswith(_CHINESE_PREFIXES):
        return "zh"
    return "es" if address.startswith(_SPANISH_PREFIXES) else default
