"""The patterns that name a day in a reply, and what each of them means, the most specific first."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

from collections.abc import Iterator

from outreach.replies.date_words import (
    EN_DAYS,
    ES_DAYS,
    ES_MONTHS,
    MONTHS,
    Resolver,
    ago,
    chinese_day,
    day_of_month,
    either_ago,
    english_day,
    first_of_month,
    in_units,
    iso,
    last_of_month,
    month_and_day,
    month_end,
    named_end,
    next_week_day,
    numeric,
    offset,
    payday,
    spanish_day,
    today_if_alone,
    vague,
    weekday_and_day,
    weeks_from,
)
from outreach.replies.feasts import FEAST, feast
from outreach.replies.numerals import HAN

_SMALL = r"\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|fourteen|un|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|quince"
_ORDINALS = "fifteenth|twentieth|thirtieth|tenth|twelfth|sixth|seventh|eighth|ninth|fifth"
_WEEK = "|".join(sorted(EN_DAYS, key=len, reverse=True))
_ES_MONTH = "|".join(ES_MONTHS)
_DIA = "|".join(ES_DAYS)
_MON = "|".join(sorted(MONTHS, key=len, reverse=True))
_N = rf"\d{{1,2}}|[{HAN}]{{1,3}}"


def rules() -> Iterator[tuple[str, Resolver]]:
    """Yield patterns and what they mean, the most specific first; a matched stretch is not looked at again."""
    yield from _spans()
    yield from _days()


def _spans() -> Iterator[tuple[str, Resolver]]:
    yield r"(?<!\d)(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)", iso
    yield r"(?<!\d)(?P<y>20\d\d)年(?P<m>\d{1,2})月(?P<d>\d{1,2})日?(?!\d)", iso
    yield FEAST.pattern, feast
    yield r"(?<![\d/.$])(?P<a>\d{1,2})[/](?P<b>\d{1,2})(?:[/](?P<y>20\d\d|\d\d))?(?![\d/])", numeric
    yield r"(?<![\d/.$-])(?P<a>\d{1,2})[-.](?P<b>\d{1,2})[-.](?P<y>20\d\d|\d\d)(?![\d/])", numeric
    yield (
        r"\b(?:on|by|before|until|til|till|for) (?P<a>\d{1,2})-(?P<b>\d{1,2})(?P<y>)(?![\d/-]| ?(?:days|weeks|dias|am|pm))",
        numeric,
    )
    # 12.15 is a day where a Chinese text says what happens by then; elsewhere it is an amount.
    yield r"(?<=[到等在拖延至])(?P<month>1[0-2]|[1-9])\.(?P<d>3[01]|[12]\d|[1-9])(?![\d.元块万千%折])", month_and_day
    yield (
        r"(?<![\d.])(?P<month>1[0-2]|[1-9])\.(?P<d>3[01]|[12]\d|[1-9])(?=号|日|之?前|还|转|给|到账|可以|行|再|我|发)",
        month_and_day,
    )
    # A few days, next week, payday: said, but not a date.
    yield (
        r"\b(?:in |within |for )?(?:a )?(?:few|couple|couple of|several|some|unos|unas|algunos|pocos|varios) (?:more )?(?:days|weeks|months|dias|semanas|meses)\b(?! ago)",
        vague,
    )
    yield r"\b(?:few|couple|couple of|several) (?:days|weeks|months) ago\b", vague
    yield (
        rf"\b(?:{_WEEK}|tomorrow|week|days|\d(?:st|nd|rd|th)) or so\b|\bentre hoy y (?:el )?\w+\b|\b(?:manana|hoy) o (?:pasado|manana)\b(?: manana)?",
        vague,
    )
    yield r"\b(?:some ?time |any ?time )?after the \d{1,2}(?:st|nd|rd|th)?\b", vague
    yield (
        (
            rf"\bthe week after next\b|\bwithin (?:the|an) hour\b|\b(?:before|over|after) the weekend\b|\bsome ?time (?:in|around|before|after) (?:the )?(?:{_MON}|week|month)\b"
            rf"|\ba (?:primeros|mediados|principios|finales) de (?:mes|semana|ano|{_ES_MONTH})\b"
        ),
        vague,
    )
    yield (
        r"\b(?:end|fin|finales|final|middle|start|beginning|mediados|principios) (?:of |de )?(?:next |la (?:proxima )?)(?:week|semana)\b",
        vague,
    )
    yield (
        r"过(?:一)?两[天日]|[一二两三四五六七八][二两三四五六七八九][天日周](?:之?[后内]|以[后内])?|[十百]天半个?月|(?<!多)(?<!这)(?<!那)过?(?:几|数)天|前两天|过一?段时间|月初|中旬|上旬|下旬|(?<!\d)(?:大概|可能|左右)",
        vague,
    )
    # Ends of months.
    yield (
        rf"\b(?:the )?(?:end|last day) of (?P<month>{_MON})\b|\b(?:fin|finales|final) de (?P<mes>{_ES_MONTH})\b",
        named_end,
    )
    yield (
        r"\b(?:the )?(?:end|last day) (?:of |o f )?(?:the |this )?(?P<next>next )?(?:month|mo)\b|\bmonth ?end\b|\beom\b",
        month_end,
    )
    yield (
        r"\b(?:a |al |el |ultimo dia |para )?(?:fin|finales|final|ultimo|ultimo dia) (?:de |del )(?:este )?(?P<next>proximo )?mes\b(?! que viene)",
        month_end,
    )
    yield r"(?P<next>下(?:个)?)?(?:本|这(?:个)?)?月(?:底|末)", month_end
    yield r"\b(?:el |al )dia (?P<next>\b\B)?ultimo\b(?! del? (?:ano|20))", month_end
    yield r"(?P<lead>下个?月|本月|这个?月)的?第一天(?P<d>\b\B)?", first_of_month
    # Relative days.
    yield r"\bday after (?:tomorrow|tmrw)\b|\bpasado manana\b|(?<!大)后天|后日", offset(2)
    yield r"大后天", offset(3)
    yield r"\bday before yesterday\b|\banteayer\b|\bantier\b|\bantes de ayer\b|前天|前日", offset(-2)
    yield (
        r"\bde hoy en (?:ocho|8)(?: dias)?\b|\ba week today\b|\btoday week\b|(?:一|1)个?(?:周|星期|礼拜)(?:之|以)?后的?今天|(?:从)?今[天日]起?算?,?\s?(?:一|1)个?(?:周|星期|礼拜)",
        offset(7),
    )
    yield r"\bde hoy en (?:quince|15)(?: dias)?\b", offset(14)
    yield (
        rf"\b(?P<n>{_SMALL}) (?P<unit>days?|weeks?|wks?|months?) ago\b|\bhace (?P<n2>{_SMALL}) (?P<unit2>dias?|semanas?|mes(?:es)?)\b",
        either_ago,
    )
    yield rf"(?P<n>{_N})(?P<unit>天|周|个?星期|个?礼拜|个月)(?:之|以)?前", ago
    yield (
        rf"\b(?:in|within|in about|within the next|in the next|dentro de|en|en unos) (?:the |like |about |around |maybe |roughly |como |unos )?(?P<n>{_SMALL}) (?:more )?(?P<unit>days?|weeks?|wks?|months?|dias?|semanas?|mes(?:es)?)(?:'s|s)? ?(?:time|from now|from today)?\b",
        in_units,
    )
    yield rf"\b(?P<n>{_SMALL}) (?P<unit>days?|weeks?|wks?|months?) (?:from now|from today|later)\b", in_units
    yield rf"(?:再?过)?(?P<n>{_N})(?P<unit>天|日|周|个?星期|个?礼拜|个月)(?:之后|以后|后|内|之内|以内)", in_units
    yield rf"再?过(?P<n>{_N})(?P<unit>天|周|个?星期|个?礼拜|个月)", in_units
    yield (
        r"(?:再(?:给|等|宽限|缓)?|宽限|缓)(?:我|你|多|个)*(?P<n>\d{1,2}|[二两三四五六七八九十]|十[一二三四五]|二十)(?P<unit>天|日|周|个?星期|个?礼拜)(?![\d一二两三四五六日天左半])",
        in_units,
    )
    # A week from a day, and the last such day of a month.
    yield (
        rf"\b(?:(?P<n>a|one|1|two|2|three|3) )?(?:weeks?|wks?) (?:from|after|past) (?:(?:this|next|coming) )?(?P<day>{_WEEK}|today|tomorrow)\b",
        weeks_from,
    )
    yield (
        r"\b(?:a |one )?fortnight(?: from)? (?:today|now)\b|\b(?:in|within) (?:a|one) fortnight\b|\btwo weeks today\b",
        offset(14),
    )
    yield (
        (
            rf"\b(?:the )?last (?P<day>{_WEEK}) (?:of|in) (?:the |this )?(?P<next>next )?month\b"
            rf"|\b(?:el )?ultimo (?P<dia>{_DIA}) (?:de |del )(?:este )?(?P<otro>proximo )?mes\b"
        ),
        last_of_month,
    )
    yield rf"\bnext week,? (?:on )?(?P<day>{_WEEK})\b|\b(?P<day2>{_WEEK}),? (?:of )?next week\b", next_week_day
    yield r"\b(?:by )?(?:eod|cob|close of business|(?:the )?end of (?:the )?(?:business )?day)\b", offset(0)
    yield (
        rf"\b(?:the |el )?(?:next |this |this coming |coming |proximo |este )?(?P<day>{_WEEK}|{_DIA})(?: que viene| proximo)?,? (?:\(|the |el |dia )?(?P<d>3[01]|[12]\d|[1-9])\b(?!\)?\d|st|nd|rd|th|[:/.,]\d| ?(?:am|pm|a\.m|p\.m|de (?:{_MON}|la)|{_MON}|dollars|bucks|pesos|euros|usd|mxn|varos|pounds|quid|%))\)?",
        weekday_and_day,
    )


def _days() -> Iterator[tuple[str, Resolver]]:
    # Weekdays.
    yield (
        rf"\b(?:the )?(?P<lead>next |this |this coming |coming |last |this past )?(?P<day>{_WEEK})\b(?P<after> after next| after this| week\b)?",
        english_day,
    )
    yield (
        rf"\b(?P<lead>proximo |este )?(?P<day>{_DIA})(?P<tail> (?:que viene|proximo|pasado|de la (?:proxima|otra|siguiente) semana|de la semana que viene))?\b",
        spanish_day,
    )
    yield (
        r"(?<!每)(?<!每个)(?P<lead>下下个?|下个?|上个?|本|这个?)?(?:周|星期|礼拜|(?<!礼)拜)(?P<day>[一二三四五六日天](?![百千万])|[1-6](?![\d百千万]))",
        chinese_day,
    )
    # Month and day.
    yield (
        rf"\b(?P<month>{_MON})\.? (?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th|ro|ero)?(?:,? (?P<y>20\d\d))?\b(?! ?(?:payments|dollars|usd|a week|a month))",
        month_and_day,
    )
    yield (
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|ro|o)? (?:of |de |del )?(?P<month>{_MON})\b(?:,? (?:de )?(?P<y>20\d\d))?",
        month_and_day,
    )
    yield rf"(?P<month>{_N})月(?P<d>{_N})(?:日|号)?", month_and_day
    # Days of a month.
    yield (
        r"\b(?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)\b(?P<tail> (?:of )?(?:the )?(?:next|this|last) month)?(?! (?:payment|installment|one|option|time|reminder|text|message|call))",
        day_of_month,
    )
    yield r"\b(?:on|by|until|before|around|til) the (?P<d>\d{1,2})\b(?P<tail> of next month)?", day_of_month
    yield (
        r"\b(?:el|dia|del|al|el dia|para el|hasta el|este|antes del) (?P<d>\d{1,2}|primero|quince)(?:ro|ero)?\b(?! ?(?:de la|pagos|cuotas|por|%|opcion))(?P<tail> (?:del proximo mes|del mes que viene|de este mes|del otro mes))?",
        day_of_month,
    )
    yield rf"(?P<lead>下个?月|本月|这个?月|上个?月)?(?:的)?(?P<d>{_N})(?:号|日)(?!楼|方案|后|内)", day_of_month
    yield (
        r"(?P<lead>下个?月|本月|这个?月)的?(?P<d>3[01]|[12]\d|三十一?|二?十[一二三四五六七八九]?)(?![\d一二三四五六七八九百千万零个期次天块元号日.])",
        day_of_month,
    )
    yield (
        r"(?:延|拖|宽限|推|等|缓)(?:到|至)(?P<d>3[01]|[12]\d|三十一?|二?十[一二三四五六七八九]?)(?![\d一二三四五六七八九百千万零个期次天块元号日点月年.:岁])",
        day_of_month,
    )
    yield (
        rf"\b(?:the |on the |by the )(?P<d>{_ORDINALS})\b(?P<tail> of (?:the )?(?:next|this) month)?(?! (?:payment|installment|one|option|time|reminder|text|message|call))",
        day_of_month,
    )
    # Today and its neighbours.
    yield (
        r"\b(?:tomorrow|tmrw|tmr|tmw|tomoro|2moro|2morro|2morrow|tomm?orr?ow|mnn|mna|(?<!la )(?<!esta )(?<!de )manana)(?: por la manana)?\b|[明名]天|明[日早晚儿朝]",
        offset(1),
    )
    yield (
        r"\b(?:today|tonight|tonite|2day|2nite|hoy|this (?:morning|afternoon|evening)|esta (?:tarde|noche|manana))\b|今[天日晚早儿]",
        offset(0),
    )
    yield r"\b(?:yesterday|last night|ayer|anoche)\b|昨[天日晚]", offset(-1)
    yield (
        r"\bnext (?:week|weekend|month|year)\b|\bthis (?:weekend|year)\b|\b(?:la )?(?:proxima|otra|siguiente) semana\b|\b(?:el )?(?:proximo|otro|siguiente) mes\b",
        vague,
    )
    yield r"\bthis (?:week|month)\b|\besta semana\b|\beste mes\b", payday
    yield (
        r"\b(?:the )?(?:end|middle|start|beginning) of (?:the |this )?week\b|\b(?:next |this |my )?(?:payday|paycheck|pay ?period)\b|\bquincena\b|发工资|发薪|年底|(?:这|那|近|前|多)(?:几|两)天|\b(?:those|these) (?:few|couple) (?:days|weeks)\b|\blast (?:week|weekend|month|year)\b",
        payday,
    )
    # A time of this day, when no day is named.
    yield (
        (
            r"\b(?:an|a|one|two|three|\d|few|couple(?: of)?) (?:hours?|hrs?|minutes?|mins?) ago\b|\bhace (?:un )?ratito\b|\bhace un rato\b|\bal rato\b|\bahor?ita (?:mismo|que (?:llegue|salga|pueda|termine|regrese)|en la (?:tarde|noche|manana))\b"
            r"|\baorita que \w+|\bin (?:an|a couple(?: of)?|a few|two|\d) (?:hours?|hrs?)\b|\bright this (?:minute|second)\b|刚刚?才?(?:扫码|用\w{1,4})?(?:付|转|还|交|缴|汇)了|下班(?:就|了?之?后|以后)(?!再说)|放工就"
        ),
        today_if_alone,
    )
    yield r"(?:下|上|本|这)(?:个)?(?:周末|周|星期|礼拜|月)(?!末)", vague
