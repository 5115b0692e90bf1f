"""Why a mail was refused and whether its address is dead: by the words first, then by the code."""

import re
from dataclasses import dataclass

from channels.email.findings import DEAD, Action, Reason
from channels.email.phrases import BLAND, RULES, WEAK_USER, fold

MAX_WORDS = 6_000
"""Characters of a refusal that are read."""

_ADDRESS = re.compile(r"<?[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}>?|<[^<>@\s]{0,60}@?>")
_LINK = re.compile(r"https?://\S+")
_TELLING_LINK = re.compile(r"nosuchuser|spamhaus|spamcop|sorbs|barracuda|overquota|disableduser|blocked|abuseat|uribl")
_CONTINUED = re.compile(r"\s*\n?\s*\b([245]\d\d)-\s?(?:[245]\.\d{1,3}\.\d{1,3}\s)?")
_CODED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_IN_REPLY = re.compile(
    r"(?:\b[245]\d\d[ :-]+|#|status[:=]?\s*|dsn[:=]?\s*|"
    r"(?:code|reason|error|response|said|replied|because|motivo|grund|raison)\s{0,3}[:=]\s*|"
    r";[ \t]+|^[ \t-]{0,8}|\()[ \t]*#?<?"
    r"([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)",
    re.MULTILINE,
)
_REPLY_CODE = re.compile(r"(?<![\d.:/-])([245][0-5]\d)(?=[\s\])},;:-]|$)")
_PASSING = re.compile(
    r"temporar|try (?:again )?later|try again|not currently|currently (?:un|not )|unverified|for now|暂时|暫時"
)
# The words of RFC 5321 for 550; those for 450 say "requested mail action".
_REFUSED_FOR_GOOD = re.compile(r"requested action not taken:? ?,?mailbox (?:name )?(?:not|unavail)")
_AT_SENDER = re.compile(r"(?:\bafter|in re(?:ply|sponse) to|>>>)\s+(?:mail\s+from|ehlo|helo|initial\s+connection)")
_AT_RECIPIENT = re.compile(r"(?:\bafter|in re(?:ply|sponse) to|>>>)\s+(?:rcpt|(?:end\s+of\s+)?data)\b|5\.1\.[12]\b")
_LOOKED_UP = re.compile(r"recipient address(?:es)? rejected ?: access denied")

_BY_STATUS: dict[str, Reason] = {
    "1.0": Reason.UNKNOWN_USER, "1.1": Reason.UNKNOWN_USER, "1.2": Reason.UNKNOWN_HOST, "1.3": Reason.UNKNOWN_USER,
    "1.4": Reason.OTHER, "1.6": Reason.MOVED, "1.7": Reason.POLICY, "1.8": Reason.POLICY, "1.9": Reason.CONTENT,
    "1.10": Reason.UNKNOWN_HOST, "2.1": Reason.DISABLED, "2.2": Reason.MAILBOX_FULL, "2.3": Reason.TOO_LARGE,
    "3.1": Reason.SYSTEM, "3.4": Reason.TOO_LARGE, "4.1": Reason.NETWORK, "4.2": Reason.NETWORK, "4.3": Reason.NETWORK,
    "4.4": Reason.UNKNOWN_HOST, "4.5": Reason.RATE_LIMITED, "4.6": Reason.NETWORK, "4.7": Reason.TIMEOUT,
    "4.310": Reason.UNKNOWN_HOST, "4.312": Reason.NETWORK, "4.316": Reason.NETWORK, "5.3": Reason.RATE_LIMITED,
    "7.0": Reason.POLICY, "7.1": Reason.POLICY,
}  # fmt: skip
_BY_SUBJECT = {"2": Reason.OTHER, "3": Reason.SYSTEM, "4": Reason.NETWORK, "5": Reason.SYSTEM, "6": Reason.CONTENT,
               "7": Reason.POLICY}  # fmt: skip
_TELLING = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "2.2", "2.3", "3.4", "4.4", "4.310"})
"""Details that mean one thing whoever says them; boilerplate around the answer is not asked then."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, and whether the words were about the address for good."""

    reason: Reason
    dead: bool


def find_status(text: str) -> str | None:
    """Return the enhanced code of an SMTP answer in a text, not a version number that looks like one."""
    found = _IN_REPLY.search(text[:MAX_WORDS].lower()) or _CODED.match(text.strip())
    return found[1] if found else None


def better_status(status: str | None, words: str) -> str | None:
    """Return the code of the answer itself where the report's own says nothing (x.0.0)."""
    if status is None or status.endswith(".0.0"):
        said = find_status(words)
        if said is not None and not (said.endswith(".0.0") and status):
            return said if said[0] != "2" or status is None else status
    return status


def judge(*, answer: str, around: str, status: str | None, action: Action | None) -> Verdict:
    """Judge one recipient. ``answer`` is what the refusing system said; ``around``, what was written about it."""
    status = better_status(status, answer)
    if action in {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}:
        return Verdict(Reason.OTHER, dead=False)
    found = _by_words(answer, status)
    if found is None and (status is None or _detail(status) not in _TELLING):
        found = _by_words(around, status)
    if found is None:
        found = _weakly(answer, status) or _by_status(status) or _weakly(around, status) or Verdict(Reason.OTHER, False)
        if "temporar" in comparable(answer):
            found = Verdict(found.reason, dead=False)
    if found.dead and _of_sender(answer, around):
        return Verdict(Reason.POLICY, dead=False)
    return found if action is not Action.DELAYED else Verdict(found.reason, dead=False)


def _of_sender(answer: str, around: str) -> bool:
    """Tell a refusal given before our server had named the mailbox: what does not exist is the sender then."""
    words = fold(f"{answer[:MAX_WORDS]}\n{around[:MAX_WORDS]}")
    return bool(_AT_SENDER.search(words)) and not _AT_RECIPIENT.search(words)


def _by_words(text: str, status: str | None) -> Verdict | None:
    words = comparable(text)
    if not words:
        return None
    if status and status.endswith(".4.1") and _LOOKED_UP.search(words):
        return Verdict(Reason.UNKNOWN_USER, dead=True)  # Exchange Online answers so for who is not in its directory
    for reason, pattern in RULES:
        if pattern.search(words):
            if reason is Reason.UNKNOWN_USER and status and _detail(status) == "1.6":
                reason = Reason.MOVED  # noqa: PLW2901 - "user not local; please try", and the code decides
            if reason is Reason.TOO_LARGE and status and _detail(status) == "2.2":
                reason = Reason.MAILBOX_FULL  # noqa: PLW2901 - "too large, or the mailbox is full", and the code decides
            return Verdict(reason, dead=reason in DEAD and not _passing(reason, words, status))
    return _blandly(text, words, status)


def _blandly(text: str, words: str, status: str | None) -> Verdict | None:
    """Read words that go with any refusal. Under a code about the address they speak of the address."""
    if status and status.startswith("5.1."):
        if found := _weakly(text, status):
            return found
        if _detail(status) in _TELLING:
            return None
    return next((Verdict(reason, dead=False) for reason, pattern in BLAND if pattern.search(words)), None)


def _passing(reason: Reason, words: str, status: str | None) -> bool:
    """Tell what may be otherwise tomorrow: a lock said to be temporary, an unknown name under a temporary code."""
    if _PASSING.search(words):
        return reason is not Reason.UNKNOWN_USER or "temporar" in words or "unverified" in words
    return reason in {Reason.DISABLED, Reason.MOVED} and bool(status and status[0] == "4")


def _weakly(text: str, status: str | None) -> Verdict | None:
    """Read words that mean an unknown user only under a permanent code."""
    words = comparable(text)
    code = _REPLY_CODE.search(words)
    first = status[0] if status else code[1][0] if code else ""
    first = first or ("5" if _REFUSED_FOR_GOOD.search(words) else "")
    if first == "5" and WEAK_USER.search(words) and not (status and status[2] in "3467"):
        return Verdict(Reason.UNKNOWN_USER, dead=True)
    return None


def _by_status(status: str | None) -> Verdict | None:
    if status is None:
        return None
    reason = _BY_STATUS.get(_detail(status)) or _BY_SUBJECT.get(status[2])
    return Verdict(reason, dead=reason in DEAD and status[0] == "5") if reason else None


def _detail(status: str) -> str:
    return status.partition(".")[2]


def comparable(text: str) -> str:
    """Return words as they are compared: folded, on one line, addresses as ``<a>``, most links gone."""
    folded = fold(text[:MAX_WORDS])
    folded = _LINK.sub(lambda link: " ".join(_TELLING_LINK.findall(link[0])), folded)
    folded = _CONTINUED.sub(_continued_once(), folded)
    return " ".join(_ADDRESS.sub(" <a> ", folded).replace("<a> >", "<a>").split())


class _continued_once:  # noqa: N801 - a function with one bit of memory
    """Keep the first code of an answer of several lines; the others stand within its sentence."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, found: re.Match[str]) -> str:
        if found[1] in self._seen:
            return " "
        self._seen.add(found[1])
        return f" {found[1]} "
