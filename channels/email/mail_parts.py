"""Raw mail taken apart: headers, parts and texts of any bytes whatever, without ever raising.

The standard library's parser recurses once a nested part, reads a report's blocks as mails and raises on some unknown
character sets. Mail that comes back is written by anybody, so this one is a loop with limits, and only reads.
"""

import binascii
import html
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MAX_PARTS = 200
MAX_TEXT = 200_000
_MAX_DEPTH = 12
_MAX_HEADERS = 1_000

_FIELD = re.compile(rb"([!-9;-~]{1,120})[ \t]*:(.*)", re.DOTALL)
_PARAMETER_LINE = re.compile(rb"[a-z0-9-]{1,30}\*?=", re.IGNORECASE)
_USUAL = re.compile(
    rb"^(?:content-type|mime-version|message-id|subject|date|from|to)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_WORD = re.compile(r"=\?([A-Za-z0-9_.:*-]{1,40})\?([bBqQ])\?([^?\s]{0,2000}(?: [^?\s]{0,200}){0,20})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_PARAMETER = re.compile(r";\s*([A-Za-z0-9_-]{1,40})\*?\s*=\s*(?:\"((?:[^\"\\]|\\.){0,400})\"|([^\s;\"]{1,400}))")
_TYPE = re.compile(r"\s*([A-Za-z0-9_.+-]{1,60}\s*/\s*[A-Za-z0-9_.+-]{1,80})")
_DROPPED = re.compile(r"<(style|script|head|title)\b[^>]{0,400}>.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_BREAKS = re.compile(r"</?(?:br|p|div|tr|li|h[1-6]|table|blockquote|hr|ul|ol|pre)\b[^<>]{0,1000}>", re.IGNORECASE)
_CELLS = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
# A tag has no @ unless it has attributes: "<ana@example.com>" written without escapes is an address.
_TAGS = re.compile(r"</?[A-Za-z!?][^<>@]{0,200}>|</?[A-Za-z][A-Za-z0-9:]{0,20}\s[^<>]{0,2000}>")
_ALIASES = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "chinesebig5": "big5hkscs",
    "big5": "big5hkscs", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932",
    "iso-8859-1": "cp1252", "us-ascii": "cp1252", "windows-874": "cp874", "iso-8859-8-i": "iso-8859-8",
    "iso-2022-jp": "iso2022_jp_ext", "x-user-defined": "cp1252",
}  # fmt: skip


_NO_CHARSETS = frozenset({"", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape", "idna",
                          "punycode", "undefined", "mbcs", "oem"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailPart:
    """One part: its headers (names in lower case, values decoded), its bytes after transfer decoding, its parts."""

    headers: tuple[tuple[str, str], ...]
    content_type: str
    parameters: dict[str, str]
    body: bytes
    parts: tuple["MailPart", ...] = field(default=())

    def get(self, name: str) -> str:
        """Return the first header of that name, or nothing."""
        return next((value for key, value in self.headers if key == name), "")

    def get_all(self, name: str) -> list[str]:
        """Return every header of that name."""
        return [value for key, value in self.headers if key == name]

    def text(self) -> str:
        """Return the words of a text part, tags taken out of HTML; line ends are single line feeds."""
        words = self.markup()
        return plain(words) if self.content_type == "text/html" else words

    def markup(self) -> str:
        """Return a text part as it was written."""
        return decode(self.body[: MAX_TEXT * 2], self.parameters.get("charset", ""))[:MAX_TEXT]

    def walk(self, *, into_mail: bool = False) -> Iterator["MailPart"]:
        """Yield this part and those within; mails carried along (message/rfc822) are yielded but not entered."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            if part is self or into_mail or part.content_type not in CARRIED:
                waiting.extend(reversed(part.parts))


CARRIED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers",
                     "message/rfc822-headers", "text/rfc822", "message/partial"})  # fmt: skip
"""Types of a part that holds a mail, or the head of one."""


def read_parts(raw: bytes) -> MailPart:
    """Take a mail apart. Any bytes are a mail: at worst one without headers."""
    octets = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n \t\x00\xef\xbb\xbf")
    if octets.startswith((b"From ", b">From ")):
        octets = octets.partition(b"\n")[2]
    return _part(octets, 0, [MAX_PARTS], "text/plain")


def _part(octets: bytes, depth: int, left: list[int], default: str) -> MailPart:
    headers, body = split_head(octets)
    named = dict(reversed(headers))
    declared = named.get("content-type", "")
    found = _TYPE.match(declared)
    content_type = "".join(found[1].split()).lower() if found else default
    parameters = {name.lower(): _unescaped(quoted, bare) for name, quoted, bare in _PARAMETER.findall(declared[:4000])}
    left[0] -= 1
    parts: list[MailPart] = []
    if depth < _MAX_DEPTH and left[0] > 0:
        if content_type.startswith("multipart/"):
            inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            for piece in _pieces(body, parameters.get("boundary", "")):
                if left[0] <= 0:
                    break
                parts.append(_part(piece, depth + 1, left, inner))
        else:
            body = _transfer_decoded(body, named.get("content-transfer-encoding", ""))
            if content_type in CARRIED:
                parts.append(_part(body.lstrip(b"\n"), depth + 1, left, "text/plain"))
    return MailPart(tuple(headers), content_type, parameters, body, tuple(parts))


def _unescaped(quoted: str, bare: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted) if quoted else bare


def split_head(octets: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers of a mail or a report block, unfolded and decoded, and what follows them."""
    raw: list[list[bytes]] = []
    position = 0
    while position < len(octets) and len(raw) < _MAX_HEADERS:
        end = octets.find(b"\n", position)
        end = len(octets) if end < 0 else end
        line = octets[position:end]
        if not line.strip():
            position = end + 1
            break
        if raw and (line[:1] in b" \t" or _unindented(raw[-1], line, octets, end)):
            raw[-1].append(line)
        elif found := _FIELD.match(line):
            raw.append([found[1], found[2]])
        elif not line.startswith((b"From ", b">From ")):
            break  # no header: the blank line before the body is missing
        position = end + 1
    return [(name.decode("ascii", "replace").lower(), _value(rest)) for name, *rest in raw], octets[position:]


def _unindented(field: list[bytes], line: bytes, octets: bytes, end: int) -> bool:
    """Tell a continuation that lost its indent: after a semicolon, or where headers of a mail still follow."""
    if _FIELD.match(line) and not _PARAMETER_LINE.match(line):
        return False
    if field[-1].rstrip().endswith(b";"):
        return True
    head = octets[end : end + 20_000].partition(b"\n\n")[0]
    return not line.startswith((b"From ", b">From ", b"--")) and bool(_USUAL.search(head))


def _value(lines: Iterable[bytes]) -> str:
    return decode_words(decode(b" ".join(line.strip() for line in lines)[:20_000], "utf-8"))


def decode_words(text: str) -> str:
    """Decode RFC 2047 words wherever they stand."""
    if "=?" not in text:
        return text
    return _WORD.sub(_decoded_word, _BETWEEN_WORDS.sub(r"\1", text))


def _decoded_word(found: re.Match[str]) -> str:
    charset, encoding, payload = found[1].partition("*")[0], found[2].lower(), found[3].encode("ascii", "replace")
    octets = _base64(payload) if encoding == "b" else quopri.decodestring(payload.replace(b"_", b" "), header=True)
    return decode(octets, charset)


def _pieces(body: bytes, boundary: str) -> Iterable[bytes]:
    """Cut a multipart body. Without the boundary it announced, the first line that looks like one is taken."""
    line = b"--" + boundary.encode("utf-8", "replace").rstrip()
    if not boundary or (not body.startswith(line) and b"\n" + line not in body):
        found = re.search(
            rb"^(--[^\s-][^\n]{2,200}?|--[-=_]{4,}[^\n]{2,200}?)[ \t]*\n(?=[Cc]ontent-)", body, re.MULTILINE
        )
        if found is None:
            return [b"\n" + body] if body.strip() else []
        line = found[1]
    cuts = re.split(rb"(?m)^" + re.escape(line) + rb"(--)?[ \t]*(?:\n|\Z)", body)
    pieces = []
    for place in range(2, len(cuts), 2):
        if cuts[place - 1]:
            break
        pieces.append(cuts[place].removesuffix(b"\n"))
    return pieces


def _transfer_decoded(body: bytes, encoding: str) -> bytes:
    match encoding.strip().strip('"').lower():
        case "base64":
            return _base64(body).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        case "quoted-printable":
            return quopri.decodestring(body).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        case "x-uuencode" | "uuencode" | "x-uue":
            return _uudecoded(body)
        case _:
            return body


def _base64(octets: bytes) -> bytes:
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.partition(b"\n--")[0])
    try:
        return binascii.a2b_base64(kept[: len(kept) - (len(kept) % 4 == 1)] + b"==")
    except binascii.Error:
        return octets


def _uudecoded(octets: bytes) -> bytes:
    out = []
    for line in octets.split(b"\n"):
        try:
            out.append(b"" if line.startswith((b"begin ", b"end")) else binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(out)


def decode(octets: bytes, charset: str) -> str:
    """Decode bytes by what they say they are if they are, else by what they look like. Never raises."""
    declared = charset.strip().strip("\"'").lower()
    if octets.isascii() and b"\x1b" not in octets and declared not in {"utf-7", "utf-16", "unicode-1-1-utf-7"}:
        return octets.decode("ascii").replace("\x00", "")
    if b"\x1b$" in octets and octets.isascii() and not declared.startswith("iso-2022"):
        declared = "iso-2022-jp"  # it says so in its own way, and would pass for ASCII
    for name in (_ALIASES.get(declared, declared), "utf-8", *_guesses(octets)):
        if name in _NO_CHARSETS:
            continue
        try:
            # Some decoders let half characters through, and no store takes a zero.
            return octets.decode(name).encode("utf-8", "replace").decode().replace("\x00", "")
        except (LookupError, ValueError):
            continue
    return octets.decode("cp1252", "replace")


def _guesses(octets: bytes) -> Iterable[str]:
    if b"\x1b$" in octets:
        yield "iso2022_jp_ext"
    high = sum(octet > 0x7F for octet in octets[:2000])
    if high > len(octets[:2000]) // 5:
        yield "gb18030"


def plain(markup: str) -> str:
    """Return the words of HTML, a line for each block."""
    words = _DROPPED.sub("", markup.replace("\n", " "))
    words = _TAGS.sub("", _CELLS.sub(" ", _BREAKS.sub("\n", words)))
    lines = (" ".join(line.split()) for line in html.unescape(words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
