"""Which language a reply asks to be answered in."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

_ASKS = r"(?:please|pls|plz|por favor|porfa|porfavor|gracias|thanks)"
_POLITE = re.compile(
    rf"{_ASKS}|\b(?:can|could|would) you\b|\b(?:reply|respond|answer|text|write)(?: to)?(?: me)?\b"
    r"|\bpuede[ns]?\b|\b(?:responder?|responda[ns]?|escriba[ns]?|escribir)(?:me)?\b|回复|回答|回覆|可以|[请谢吧的我给跟能吗]"
)
_WISHES = {
    "es": re.compile(
        rf"(?<!not )(?<!no )\b(?:en|in) (?:espanol|castellano|spanish)\b|\b(?:espanol|castellano|spanish),? {_ASKS}\b"
        r"|^\W*(?:espanol|castellano|spanish)\W*$|\b(?:habla|hablan|hablo|hablas) (?:usted |ustedes |solo )?(?:espanol|castellano)\b"
        r"|\bno (?:hablo|entiendo|leo|se) (?:mucho |bien |nada de |el )?ingles\b|\b(?:do you |only )speak spanish\b"
        r"|(?:用|说|讲|换成?|要)西班牙(?:语|文)"
    ),
    "en": re.compile(
        rf"(?<!not )(?<!no )\b(?:en|in) (?:ingles|english)\b(?! (?:pound|class|money))|\b(?:ingles|english),? {_ASKS}\b"
        r"|^\W*(?:ingles|english)\W*$|\b(?:do you |only )speak english\b|\bno (?:hablo|entiendo|leo|se) (?:mucho |bien |el )?(?:espanol|castellano|chino)\b"
        r"|\b(?:don\W?t|do not|can\W?t|cannot) (?:speak|read|understand) (?:spanish|chinese)\b|(?<!不)(?<!不要)(?<!别)(?:用|说|讲|换成?|要)英(?:语|文)"
    ),
    "zh": re.compile(
        rf"(?<!not )(?<!no )\b(?:en|in) (?:chinese|mandarin|chino|mandarin)\b|\b(?:chinese|mandarin|chino),? {_ASKS}\b"
        r"|^\W*(?:chinese|mandarin|chino)\W*$|\b(?:do you |only )speak (?:chinese|mandarin)\b"
        r"|(?<!不)(?<!不要)(?<!别)(?:用|说|讲|换成?|发|要|写)(?:简体|繁体)?(?:中文|汉语|普通话)|^\W*(?:请|中文|汉语|谢谢|吧)*(?:中文|汉语)(?:吧|谢谢|可以吗|好吗|行吗)*\W*$|(?:不懂|不会|看不懂|听不懂)英(?:文|语)"
    ),
}


def language_wish(text: str) -> str | None:
    """Return ``en``, ``es`` or ``zh`` when a reply asks for it; None for none, or several. ``text`` is plain."""
    asked = [language for language, pattern in _WISHES.items() if pattern.search(text)]
    return asked[0] if len(asked) == 1 else None


def only_wishes(text: str) -> bool:
    """Tell whether a plain reply asks for a language and has no other word in it but polite ones."""
    language = language_wish(text)
    if language is None:
        return False
    rest = _WISHES[language].sub(" ", text)
    return not re.search(r"\w", _POLITE.sub(" ", rest))
