"""Which of the offers on the table a reply names: by number, letter, length, payment, size or place, and which it rules out."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from babel.numbers import get_currency_precision

from outreach.replies.counts import bare_number
from outreach.replies.numerals import HAN, number
from outreach.replies.reading import OpenOffer

_LETTERS = {"a": 1, "b": 2, "c": 3, "d": 4, "i": 1, "ii": 2, "iii": 3}
_EN_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ES_WORDS = ("uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce")
_EN_UNIT = {word: place for place, word in enumerate(_EN_WORDS, 1)}
_ES_UNIT = {word: place for place, word in enumerate(_ES_WORDS, 1)}
_UNIT = {**_EN_UNIT, **_ES_UNIT, "una": 1, "eighteen": 18, "dieciocho": 18}
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90,
}  # fmt: skip
_UNIT_RE, _TENS_RE = "|".join(_UNIT), "|".join(_TENS)
_WRITTEN = re.compile(
    rf"\b(?:(?:(?P<h>one|two|three|four|five|six|seven|eight|nine|a)[ -])?(?P<hundred>hundred|ciento?|cien)\b(?:[ -](?:and )?)?)?"
    rf"(?:(?P<big>one|two|three|four|five|six|seven|eight|nine)[ -](?=(?:{_TENS_RE})))?"
    rf"(?:(?P<tens>{_TENS_RE})(?:s\b|\b(?:(?:[ -]|[ -]y[ -])(?P<tu>one|two|three|four|five|six|seven|eight|nine|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)(?:e?s)?\b)?)|(?P<unit>{_UNIT_RE})(?:e?s)?\b)?"
)


def _digits(found: re.Match[str]) -> str:
    """Write one spelled number in digits; leave what is none."""
    if not found[0].strip() or not any(found[name] for name in ("hundred", "tens", "unit")):
        return found[0]
    if found[0].strip() == "one" and not _COUNTS_ONE.search(found.string, 0, found.start()):
        return found[0]
    total = 100 * _UNIT.get(found["h"] or "", 1) if found["hundred"] else 0
    total += 100 * _UNIT[found["big"]] if found["big"] else 0
    total += _TENS[found["tens"]] if found["tens"] else 0
    total += _UNIT.get(found["tu"] or "", 0) + _UNIT.get(found["unit"] or "", 0)
    return f"{total} " if found[0].endswith(" ") else str(total)


_COUNTS_ONE = re.compile(
    r"(?:^\W*|[.,!;:] ?|\b(?:option|number|plan|choice|opt|with|or|and|say|said|no|do|is|its|so|go|going|actually|mean|meant|guess) )$"
)
"""What stands before a "one" that counts; in "pick one" and "that one" it stands for something."""

_HAN_NUMBER = re.compile(rf"(?<![第0-9])[{HAN}]+(?=[元块期次笔个月那嗰号的份种x×*,，。 吧]|$)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reply says about the offers: the one it takes, if any; whether it spoke of them in a way that settles it."""

    option: int | None = None
    settled: bool = False


_UNSAID = Choice()
_UNSURE = Choice(None, settled=True)


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    option: int
    place: bool
    """Named by its place in the list, as a number or "the last one"."""


# By size and place. Each pattern, and how it picks from the offers.
def _least(of: Callable[[OpenOffer], int]) -> Callable[[tuple[OpenOffer, ...]], int | None]:
    def pick(offers: tuple[OpenOffer, ...]) -> int | None:
        best = min(map(of, offers))
        fitting = [offer.option for offer in offers if of(offer) == best]
        return fitting[0] if len(fitting) == 1 else None

    return pick


def _middle(offers: tuple[OpenOffer, ...]) -> int | None:
    options = sorted(offer.option for offer in offers)
    return options[len(options) // 2] if len(options) % 2 else None


_NOT_COST = (
    r"(?! ?(?:interest|fees?|total|overall|in (?:the end|total)|altogether|intereses?|en total|al final|利息|总))"
)
_SIZES: tuple[tuple[re.Pattern[str], Callable[[tuple[OpenOffer, ...]], int | None], bool], ...] = (
    (
        re.compile(
            rf"\b(?:smallest|lowest|cheapest|tiniest|littlest|lightest|(?:tiny|small|little|cheap|low|baby) one|least (?:a|per|each|every) month|pay the least|least amount){_NOT_COST}"
            rf"|\bmas (?:barat|baj|bajit|chic|chiquit|pequen|economic|livian|comod)[oa]s?\b{_NOT_COST}|\bla (?:barata|bajita|baja|chiquita|chica|menor|economica)\b"
            r"|\bmenos (?:al|cada|por|a el) mes\b|\b(?:me (?:quede|salga|toque|cobren?)|pague|pago) menos\b"
            r"|最(?:低|小|便宜|平|轻松|轻)(?!利息|的?总)|(?:月供|每个?月|期|给|还|交|缴|付|选|要|钱)[^,，。?？]{0,4}最少|最少的|最少那"
        ),
        _least(lambda offer: offer.amount_minor),
        False,
    ),
    (
        re.compile(
            r"\b(?:longest|slowest|most (?:months|payments|time)|stretched? out the most|(?:drag|stretch|spread) it (?:all )?(?:out )?(?:as long|all year|the (?:most|longest)))\b"
            r"|\bmas larg[oa]\b|\bmas (?:plazos?|meses|tiempo)\b|\bla larga\b|最长|最久|最耐|拖得最|分得最多|期数最多|最慢"
        ),
        _least(lambda offer: -offer.count),
        False,
    ),
    (
        re.compile(
            r"\b(?:shortest|quickest|fastest|soonest|fewest (?:payments|months)|quick one|short one)\b|\bmas (?:cort|rapid|pront)[oa]\b|\bla (?:corta|rapida)\b|\bmenos (?:pagos|meses|plazos|cuotas)\b"
            r"|最短|最快|越快越好|最早(?:还完|结束|完)|期数最少"
        ),
        _least(lambda offer: offer.count),
        False,
    ),
    (
        re.compile(
            r"\b(?:biggest|largest|highest) (?:one|payments?|amount|monthly|option)\b|\bmas (?:alt|grand)[oae]s?\b|金额最(?:高|大|多)|每月最多的"
        ),
        _least(lambda offer: -offer.amount_minor),
        False,
    ),
    (
        re.compile(
            r"\b(?:the )?(?:middle|medium|mid) ?(?:one|option|1|plan|choice|ground|deal)\b|\bthe middle(?= ?(?:$|[.,!?;]|please|pls|plz|for|works|sounds|is|i\b|then|thanks))|\b(?:the )?(?:one )?in (?:the middle|between)\b|\bdown the middle\b"
            r"|\b(?:en|del?|la|el|el de|la de) ?medi[oa]\b(?! (?:ano|mes|quincena|hora))|\bintermedi[oa]\b|\bde enmedio\b|中间|中等|中不溜|不长不短|不多不少|折中"
        ),
        _middle,
        True,
    ),
    (
        re.compile(
            r"\b(?:the )?(?:last|final|bottom) (?:one|1|option|choice|plan|offer|deal|of (?:them|the|those|these))\b|\bthe (?:last|bottom)(?= ?(?:$|[.,!?;，。！]|please|pls|not|nor|for me|lol|haha|thanks|i guess))|\blast(?= ?$)"
            r"|\b(?:la|el|lo) ultim[oa]\b(?! (?:vez|dia|semana|mes|pago|quincena))|最后[一1]?[个种项档那]|最尾|要尾|尾都?(?=不|$)|(?<=头)尾"
        ),
        lambda offers: max(offer.option for offer in offers),
        True,
    ),
    (
        re.compile(
            r"\b(?:the )?(?:first|1st|top) (?:one|1|option|choice|plan|offer|deal)\b|\bthe (?:first|1st)(?= ?(?:$|[.,!?;，。！]|please|pls|not|nor|for me|lol|haha|thanks|i guess))|^\W*(?:first|1st|primer[oa])\b(?! (?:of|de|i|let|tell|thing|me|dime|digame|que|my)\b)"
            r"|\b(?:la|el|opcion) primer[oa]?\b(?! (?:de (?!las|los|todas)|dia|pago|vez|semana))|第[一1][个种项]?(?![期次天百千])|头[一1]?[个种项]|要头|头(?=尾|都)"
        ),
        lambda offers: min(offer.option for offer in offers),
        True,
    ),
)

_ENDS = (
    r"(?= ?(?:$|[.,!?;:)~，。！？；…]|(?:please|pls|plz|plse|pleas|por ?fa(?:vor|vorcito)?|thanks|thank|thx|ty|gracias|i (?:guess|think|suppose|want|choose|pick)|is|es|it is|works|will|sounds|looks|then|yes|yep|yeah|"
    r"si|ok|okay|for (?:me|us)|para mi|and|y|but|pero|esta|me|would|one|bro|man|sir|maam|ma|lol|jaja|jeje|because|cause|bc|cuz|porque|since|so|if|instead|mejor|then|now|not|nor|or|o|either|it|mi|seria|que|thing|lah?|lor|de una|no|my|xq|pues|fine|good|great|thx|tx)\b|[吧号啊啦呀好就可行那这,是才说纠种项方还了的]))"
)
_NUMBERED = re.compile(
    r"(?:\b(?:(?:option|options|opt|choice|plan|number|num|offer|deal|pick|choose|chose|select|selecting|take|with|want|go|going|do|doing|say|said|make it|thats?|its|mean|meant|be|opcion|numero|opsion|or|o|oferta|alternativa|propuesta|elijo|escojo|prefiero|quiero|tomo|agarro|mejor|digo|plan|con|es|seria|por|aviente|va)"
    r"(?: (?:number|option|plan|the|la|el|opcion|numero|no|num|for|a la|por la|con la))*|la|el|the|letter|letra|inciso)(?: ?[#:]? ?(?=\d)| (?=[a-ci]))|# ?|\bno\. ?|\bnum\. ?)"
    rf"(?P<n>\d|[abc]|ii|iii)\b{_ENDS}"
)
_NTH = re.compile(
    r"\b(?:(?P<nth>second|third|fourth|fifth|2nd|3rd|4th|5th) (?:one|1|thing|option|plan|choice|offer|deal)"
    r"|(?<!on )(?<!by )(?:the|go with|want|pick|take|do) (?P<alone>second|third|fourth|2nd|3rd|4th)(?= ?(?:$|[.,!?;]|please|pls|not|nor|for me|works|sounds|is (?!when|my)))"
    r"|^\W*(?P<opens>second|third|fourth|2nd|3rd|4th|segund[oa]|tercer[oa]|cuart[oa])(?= ?(?:$|[.,!?;]|please|pls|por ?fa))"
    r"|(?:la|el|opcion) (?P<es>segund[oa]|tercer[oa]?|cuart[oa])\b(?! (?:de (?!las|los)|quincena|semana)))"
)
_NTH_HAN = re.compile(
    r"(?:第|方案|选项|套餐|选择?第?|(?:要|就|按|用|是|说|选)第?)(?P<n>[1-9]|[一二三四五六]|[abc](?![a-z]))(?![0-9一二三四五六七八九十])(?:个|种|项|号|方案|档)?(?!个月|[期次百千万块月天周元年起样些点半下直会共定般])"
    r"|(?<![0-9一二三四五六七八九十])(?P<k>[1-9]|[一二三四五六])(?:号|才对|方案)(?!还|给|付|交|发)"
)
_OPENS = re.compile(
    rf"^\W*(?P<n>\d{{1,2}}|[abc]\b|iii?\b|[一二三四五六])(?!\d){_ENDS}|^\W*(?P<dot>\d)[.,)，、。](?!\d)"
)
_CLAUSE_ALONE = re.compile(
    r"(?:^|[.,!?;，。！？；…]) ?(?:so |then |and |y |la |el |actually |just )*(?P<n>\d{1,2})(?= ?(?:$|[.,!?;，。！；…吧]))"
)

_COUNTED = re.compile(
    r"(?<![\d.,$/:])(?P<n>\d{1,2})(?: |-)?(?:equal |monthly |easy |smaller |small |big |bigger |other )?(?:months?|monthers?|mos?|mths?|payments?|installments?|instalments?|pymts|pmts|of (?:em|them|those|the)|parts|times|pagos?|cuotas?|plazos?|meses|mensualidades|quincenas|abonos|parcialidades|partes|veces)\b(?! ago)"
    r"|\b(?:la|las|el|los|que|prefiero) (?:de|a|en) (?:los |las )?(?P<de>\d{1,2})\b(?! de )|\b(?:done|paid|it|pay|finish|finished|over) (?:in|over) (?P<in>\d{1,2})\b(?! ?(?:days?|weeks?|hours?|min))|\ben (?P<en>\d{1,2})(?= ?(?:$|[.,!]|me|si|esta|por))"
    rf"|(?<![了过年])(?P<h>\d{{1,2}}|[{HAN}]{{1,3}})(?:期|个月|次|笔|个\s?月)|分(?:成|做)?(?P<f>\d{{1,2}}|[{HAN}]{{1,3}})(?=$|[吧,，。的])"
)
_BRIEF = 48
"""Letters of a reply in which "a year" can be an answer; in longer ones it tells a story."""

_SPAN = re.compile(
    r"(?P<long>\b(?:a|one|1|whole|full|the|all) ?-?(?:year|yr)\b(?: and (?:a )?half)?|\byear ?-?long\b|\bdoce meses\b|\bun ano\b(?: y medio)?|\bano y medio\b|(?:一|1|全|整)年半?)"
    r"|(?P<half>\bhalf (?:a |the )?(?:year|yr)\b|\bmedio ano\b|\b6 ?mo\b|半年)"
)
_FIGURE = re.compile(
    r"(?<!\d[.,])(?<![\d/:#a-z])(?P<n>\d{1,7}(?:\.\d\d)?)(?:s|ers?)?(?![\d:/%]|\.\d|,\d|st\b|nd\b|rd\b|th\b| ?(?:am|pm|oclock)\b|号|日)"
)
_TIMES_WRITTEN = re.compile(r"(?<![\d.])(\d{1,4}) ?(?:x|×|\*) ?(?=\$?\d)")

# What rules an offer out, before it and after it in the same clause.
_NOT_BEFORE = re.compile(
    r"\b(?:not|no|ni|nor|neither|never|cant|cannot|couldnt|dont|doesnt|wont|wouldnt|scrap|except|besides|skip|without|instead of|rather than|isnt|aint|forget|drop|ditch|sin|excepto|en vez de|en lugar de|nada de|even|than|que no sea|tampoco|unless)\b|不|别|没|除了|比|甭"
)
_AFTER_ALL = re.compile(
    r"\b(?:but|sino|except|mas que|nothing but|only|other than|solo|nomas|solamente|unless its)\b|而是|就只|只有|只能|只剩|才(?!对)|不如"
)
_NOT_AFTER = re.compile(
    r"^(?:[^.,!?;，。！？；]{0,14}?)(?:\b(?:is|are|was|its|s|es|esta|estan|seems?|looks?|sounds?)? ?(?:way |just |still |a bit |a little |muy |un poco )?(?:too (?!please|pls|thanks)(?:much|high|steep|long|short|many|heavy|rich|big|hard|expensive|soon|slow)|demasiad[oa]|muy (?:car|alt|larg|pesad)[oa]s?|much for|steep|is out)\b"
    r"|\b(?:doesnt|wont|cant|isnt|not going to|not gonna|dont|wouldnt|no (?:puedo|me|la|lo|es|va|gracias|way))\b|\bmight as well be\b|[都也](?:拿|还|付|给)?不|太[重多高贵长久大慢]|[都也]?不[要行合选可能对]|吃不消|扛不住|负担不|付不起|还不起)"
)
_CORRECTED = re.compile(
    r"\b(?:no wait|wait no|wait|actually(?: no)?|scratch that|i mean|i meant|meant|make that|my bad|oops|whoops|on second thoughts?|chang(?:ed|ing) my mind|correction|nvm|never ?mind|no no|(?:was|were) (?:going to|gonna|about to|thinking)[^.]*? but|said [^.]{1,25} but|"
    r"digo|perdon|quise decir|me arrepenti|me equivoque|mejor(?! que)|mas bien|corrijo|o sea)\b|说错|打错|按错|写错|更正|应该是|改成|改选|还是选|不对"
)
_QUESTION = re.compile(
    r"^\W*(?:so |and |but |y |pero |ok |okay |wait |hi |hey )*(?:does|do|did|what|whats|which (?!ever)|why|how|when|where|can|could|is|are|will|would|should|if i (?:pick|choose|take|go)|cual|cuanto|cuanta|cuando|como|que (?:pasa|diferencia|plan|dia)|si (?:escojo|elijo|tomo|me)|con la de \d+ cuanto|y (?:si|cual|cuanto)|se puede|puedo|hay|no hay|me pueden)\b|吗|么[?？]?$|是不是|会不会|有没有|多少|怎么|为什么|(?<!就)哪个(?![^,，。]*就哪个)(?!都)|可不可以|能不能|可否|\bcuanto (?:termino|acabo|pago)\b"
)
_BARGAIN = re.compile(
    r"\b(?:make|get|drop|bring|lower|cut|knock|bump|change) (?:it|that|the (?:\w+ ){1,3}?)(?:down |up )?(?:to |at )?\$?\d|\b(?:dejela|dejemelo|dejala|bajela|bajala|pongale|ponle|ponga|ponme|hagala) (?:una |en |a |de |la )*\$?\d|\b(?:no hay|what about|how about|how bout|can you do|could you do|would you (?:take|do))\b|改成\d|(?:能|可以)[^,，]{0,3}(?:四|五|八|十|4|5|8|10)期"
)
_REST = re.compile(
    r"\b(?:the other|the rest|rest|what(?:s| is) left|remaining|leftover|keep the|la otra|el otro|la que (?:queda|sobra)|lo que queda)\b|剩下|剩低|另外|另一"
)
_DECLINED = re.compile(
    r"\b(?:none|neither|ningun[oa]?|nada de eso|ni una ni otra|no (?:quiero|necesito|ocupo|me interesa) (?:un |ningun |el |los |otro |mas )?(?:plan|planes|plazos|pagos|partirlo|nada|dividirlo)|(?:dont|do not|didnt|wont(?: be)?|not) (?:want|need|needing|like|interested in|doing) (?:a|any|the|no|your|another|these|those|any of) ?(?:payment )?(?:plan|plans|of|options?|installments?)?)\b|都不|全部?都?不|一个都|三个都不|哪个都不|不分(?!开)|不要分"
)


def _amount_of(offer: OpenOffer) -> float:
    return float(offer.amount_minor / 10 ** get_currency_precision(offer.currency))


def _one(fitting: list[int]) -> int | None:
    return fitting[0] if len(fitting) == 1 else None


def _by_length(count: int | None, offers: tuple[OpenOffer, ...]) -> int | None:
    return _one([offer.option for offer in offers if offer.count == count])


_SPACES = re.compile(r"\s+")
_PARTED = re.compile("(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff0-9])")
_HOMOPHONE = re.compile(r"(?<=\bnumber )too?\b|(?<=\boption )too?\b")


def _spelled_out(text: str) -> str:
    """Write the numbers of a reply in digits; "65 x 6" becomes two figures."""
    text = _SPACES.sub(" ", text.replace("'", "").replace("\u2019", "")).strip()
    if text.isascii():
        return _TIMES_WRITTEN.sub(r"\1 by ", _WRITTEN.sub(_digits, _HOMOPHONE.sub("2", text)))
    text = _PARTED.sub("，", text)
    text = _HAN_NUMBER.sub(lambda found: str(number(found[0]) or found[0]), text)
    return _TIMES_WRITTEN.sub(r"\1 by ", _WRITTEN.sub(_digits, text))


def _mentions(text: str, offers: tuple[OpenOffer, ...]) -> Iterator[_Mention | None]:
    """Find every offer named; None for a length or payment that no offer has."""
    for pattern, pick, place in _SIZES:
        for found in pattern.finditer(text):
            option = pick(offers)
            if option is not None:
                yield _Mention(*found.span(), option, place)
    lengths = list(_lengths(text, offers))
    for span, option in lengths:
        yield None if option is None else _Mention(*span, option, place=False)
    yield from _places(text, offers, [span for span, _ in lengths])
    for found in _FIGURE.finditer(text):
        option = _one([offer.option for offer in offers if _amount_of(offer) == float(found["n"])])
        if option is not None:
            yield _Mention(*found.span(), option, place=False)


def _lengths(text: str, offers: tuple[OpenOffer, ...]) -> Iterator[tuple[tuple[int, int], int | None]]:
    """Find where a number of payments or months stands, and the option that has it."""
    counted: list[tuple[int, int]] = []
    for found in _COUNTED.finditer(text):
        value = number(next(each for each in found.groups() if each))
        if value is not None and value >= 2 and all(_amount_of(offer) != value for offer in offers):
            counted.append(found.span())
            yield found.span(), _by_length(value, offers)
    if len(text) > (_BRIEF if text.isascii() else _BRIEF // 3):
        return
    for found in _SPAN.finditer(text):
        if not any(start <= found.start() < end for start, end in counted):
            longer = found["long"] and found[0].endswith(("half", "medio", "半"))
            yield found.span(), _by_length(18 if longer else 12 if found["long"] else 6, offers)


def _places(text: str, offers: tuple[OpenOffer, ...], taken: list[tuple[int, int]]) -> Iterator[_Mention]:
    """Find option numbers, letters and ordinals outside what counts payments."""
    known = {offer.option for offer in offers}
    for pattern in (_NUMBERED, _NTH, _NTH_HAN, _OPENS, _CLAUSE_ALONE):
        for found in pattern.finditer(text):
            if any(start < found.end() and found.start() < end for start, end in taken):
                continue
            group = next(name for name, each in found.groupdict().items() if each)
            value = _LETTERS.get(found[group]) or number(found[group])
            option = value if value in known else _by_length(value, offers)
            if option is not None:
                yield _Mention(*found.span(group), option, place=value in known)


_CLAUSES = re.compile(r"[.,!?;，。！？；…]+")
_DOUBT = re.compile(
    r"\b(?:idk|dunno|dont know|not sure|cant decide|undecided|torn|no se|no estoy segur[oa]|ask my (?:wife|husband|spouse|partner))\b|\b1,? 2,? (?:or|o) 3\b|不知道|纠结|拿不准|不确定|没想好"
)
_EDGES = re.compile(r"[.,!?;:，。！？；：…~]|\b(?:but|pero|and|y|so)\b|但| (?=[\u3400-\u9fff])")


def _ruled_out(mention: _Mention, text: str) -> bool:
    """Say whether the clause refuses this offer: "not the first", "65 is too much"."""
    edge = max((found.end() for found in _EDGES.finditer(text, 0, mention.start)), default=0)
    before = text[edge : mention.start]
    refusals = list(_NOT_BEFORE.finditer(before))
    if refusals and not _AFTER_ALL.search(before, refusals[-1].start()):
        return True
    return _NOT_AFTER.match(text[mention.end :]) is not None


def choose(text: str, offers: tuple[OpenOffer, ...]) -> Choice:
    """Read which offer ``text`` takes.

    ``text`` is cleaned, without accents and apostrophes. Not settled: it names none in a way known here. Settled with no
    option: it asks about one, bargains, wavers between two or refuses what it names.
    """
    if not offers:
        return _UNSAID
    said = _CORRECTED.sub(r"\g<0>,", _spelled_out(text))
    found = list(_mentions(said, offers))
    if not found:
        return _UNSAID
    mentions = [each for each in found if each is not None]
    if (
        len(mentions) < len(found)
        or _BARGAIN.search(said)
        or _DOUBT.search(said)
        or any(_asked(each, said) for each in mentions)
    ):
        return _UNSURE
    turn = max((each.end() for each in _CORRECTED.finditer(said)), default=0)
    later = [each for each in mentions if each.start >= turn - 1 or each.end > turn]
    mentions = later or mentions
    out = [each for each in mentions if _ruled_out(each, said)]
    taken = {each.option for each in mentions if each not in out}
    if not taken:
        return _left_over(out, said, offers)
    if _DECLINED.search(said) and not later:
        return _UNSURE
    refused = {each.option for each in out}
    chosen = taken - refused if len(taken) > 1 else taken
    return Choice(next(iter(chosen)), settled=True) if len(chosen) == 1 else _UNSURE


def find_choice(text: str, core: str, offers: tuple[OpenOffer, ...]) -> int | None:
    """Return the option number taken; it is on the table. ``text`` as for ``choose``, ``core`` the reply without courtesy."""
    single = bare_number(core)
    if single is None:
        return choose(text, offers).option
    if single in {offer.option for offer in offers}:
        return single
    by_length = _by_length(single, offers)
    return by_length or _one([offer.option for offer in offers if _amount_of(offer) == single])


def _asked(mention: _Mention, text: str) -> bool:
    """Say whether the clause that names the offer is a question about it."""
    start = max((found.end() for found in _CLAUSES.finditer(text, 0, mention.start)), default=0)
    end = _CLAUSES.search(text, mention.end)
    return _QUESTION.search(text[start : end.start() if end else len(text)]) is not None


def _left_over(out: list[_Mention], text: str, offers: tuple[OpenOffer, ...]) -> Choice:
    """Take the one offer that is not ruled out, where the reply means it so: "not the first, not the last"."""
    left = {offer.option for offer in offers} - {each.option for each in out}
    meant = _REST.search(text) is not None or all(each.place for each in out)
    return Choice(next(iter(left)), settled=True) if len(left) == 1 and meant and len(offers) > 2 else _UNSURE
