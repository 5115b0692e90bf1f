"""Every handset and mailbox as its owner sees it: the newest texts, calls and mails, within fixed bounds."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

MOST_HANDSETS: Final = 5_000
MOST_ITEMS: Final = 50_000
MOST_LETTERS: Final = 32_000_000
"""Letters of text and HTML kept over all handsets."""
_MOST_LINES: Final = 300
_LONGEST_PART: Final = 200_000
_LONGEST_HEAD: Final = 20_000
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a call: ``who`` is ``voice`` (the other end), ``pressed``, ``said`` (the person) or ``note``."""

    who: str
    words: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What the log does not hold of a mail. ``head`` is its header lines; ``unsubscribe`` its one-click address."""

    html: str = ""
    sender: str = ""
    reply_to: str = ""
    message_id: str = ""
    envelope_sender: str = ""
    head: str = ""
    unsubscribe: str = ""


@dataclass(slots=True)
class Item:
    """One text, call or mail. ``key`` is the carrier's name of it; ``at`` is in seconds since 1970.

    ``mine`` says that the handset's owner sent it; ``other`` is who is at the other end. ``state`` is the carrier's
    word for how far it came. ``taken`` says what the other side answered to the owner's text or mail.
    """

    key: str
    kind: str  # text, call, mail, note
    at: float
    mine: bool
    other: str
    words: str = ""
    state: str = ""
    code: int | None = None
    subject: str = ""
    letter: "Letter | None" = None
    taken: str = ""
    lines: list[Line] = field(default_factory=list)
    version: int = 0
    weight: int = 0

    @property
    def html(self) -> str:
        """The HTML part of a mail, or nothing."""
        return self.letter.html if self.letter is not None else ""

    @property
    def summary(self) -> str:
        """What a list shows of it."""
        spoken = next((line.words for line in reversed(self.lines) if line.who != "note"), "")
        return self.subject or self.words or spoken or ("A call" if self.kind == "call" else "")


@dataclass(slots=True)
class Handset:
    """One number or mail address, and what is on it, oldest first."""

    number: int
    address: str
    items: dict[str, Item] = field(default_factory=dict)
    version: int = 0

    @property
    def is_mailbox(self) -> bool:
        """Whether it is a mail address."""
        return "@" in self.address

    @property
    def last(self) -> Item | None:
        """The newest item."""
        return next(reversed(self.items.values()), None)

    def newest(self, most: int) -> list[Item]:
        """Return the newest items, oldest of them first."""
        return list(islice(reversed(self.items.values()), most))[::-1]

    def others(self, kind: str) -> list[str]:
        """Return who is at the other end of texts or calls or mails, whoever came last first."""
        found = (item.other for item in reversed(self.items.values()) if item.kind == kind and item.other)
        return list(dict.fromkeys(found))


class Handsets:
    """All of them, the one that changed last at the end. Fed by the carrier's log, so it shows what the log says."""

    def __init__(
        self, *, most_handsets: int = MOST_HANDSETS, most_items: int = MOST_ITEMS, most_letters: int = MOST_LETTERS
    ) -> None:
        self._most_handsets, self._most_items, self._most_letters = most_handsets, most_items, most_letters
        self._made = 0
        self._version = 0
        self._feeds: dict[str, Callable[[float, Facts], None]] = {
            "text_taken": lambda at, facts: self._arrives("text", at, facts),
            "text_status": self._progress,
            "text_refused": lambda at, facts: self._note("The carrier refused a text for this handset", at, facts),
            "text_from_person": lambda at, facts: self._leaves("text", at, facts),
            "keyword_answer": self._keyword_answer,
            "inbound_posted": self._posted,
            "inbound_posted_lost": self._posted,
            "call_taken": lambda at, facts: self._arrives("call", at, facts),
            "call_from_person": lambda at, facts: self._leaves("call", at, facts),
            "call_refused": lambda at, facts: self._note("The carrier refused a call to this handset", at, facts),
            "call_said": lambda _, facts: self._line(facts, "voice", "said"),
            "call_pressed": lambda _, facts: self._line(facts, "pressed", "digits"),
            "call_spoken": lambda _, facts: self._line(facts, "said", "speech"),
            "call_error": lambda _, facts: self._line(facts, "note", "reason"),
            "call_ended": self._progress,
            "mail_taken": lambda at, facts: self._arrives("mail", at, facts),
            "mail_from_person": lambda at, facts: self._leaves("mail", at, facts),
            "mail_refused": lambda at, facts: self._note("A mail was refused: no such mailbox", at, facts),
            "mail_deferred": lambda at, facts: self._note("A mail was put off: the mailbox is full", at, facts),
            "mail_greylisted": lambda at, facts: self._note("A mail was greylisted", at, facts),
            "mail_bounced": self._bounced,
            "mail_complaint": lambda at, facts: self._did("You reported a mail as junk", at, facts),
            "unsubscribe_pressed": lambda at, facts: self._did("You unsubscribed with one click", at, facts),
            "unsubscribe_posted": self._posted,
            "unsubscribe_posted_lost": self._posted,
            "reset": lambda _, __: self.forget(),
        }
        self.forget()

    def forget(self) -> None:
        """Empty every handset."""
        self._by_address: OrderedDict[str, Handset] = OrderedDict()
        self._by_number: dict[int, Handset] = {}
        self._items: OrderedDict[str, tuple[Handset, Item]] = OrderedDict()
        self._letters = 0
        self.last_sender = ""  # the number of the newest text to anybody

    def __len__(self) -> int:
        return len(self._by_address)

    def observe(self, kind: str, at: float, facts: Facts) -> None:
        """Take one entry of the carrier's log."""
        feed = self._feeds.get(kind)
        if feed is not None:
            feed(at, facts)

    def of(self, address: str) -> Handset:
        """Return the handset of an address, made when it is new."""
        address = plain(address)
        found = self._by_address.get(address)
        if found is not None:
            return found
        self._made += 1
        made = Handset(self._made, address)
        self._by_address[address] = self._by_number[made.number] = made
        if len(self._by_address) > self._most_handsets:
            self._drop_handset(next(iter(self._by_address.values())))
        return made

    def numbered(self, number: int) -> Handset | None:
        """Return a handset by its number on the page."""
        return self._by_number.get(number)

    def find(self, part: str = "") -> Iterator[Handset]:
        """Yield the handsets whose address holds ``part``, whatever changed last first."""
        part = part.strip().lower()
        wanted = part if any(letter.isalpha() or letter == "@" for letter in part) else part.translate(_NO_MARKS)
        return (each for each in reversed(self._by_address.values()) if wanted in each.address)

    def item(self, key: str) -> Item | None:
        """Return an item by its key."""
        found = self._items.get(key)
        return found[1] if found else None

    def enclose(self, key: str, letter: Letter) -> None:
        """Put what the log does not hold to a mail that was just taken."""
        found = self._items.get(key)
        if found is not None:
            handset, item = found
            item.letter = replace(letter, html=letter.html[:_LONGEST_PART], head=letter.head[:_LONGEST_HEAD])
            item.other = letter.sender or item.other
            self._changed(handset, item)

    def call_state(self, key: str, state: str) -> None:
        """Note how far a call is."""
        found = self._items.get(key)
        if found is not None:
            found[1].state = state
            self._changed(*found)

    def _arrives(self, kind: str, at: float, facts: Facts) -> None:
        item = self._file(_text(facts, "to"), kind, at, facts, mine=False, other=_text(facts, "from"))
        if kind == "text":
            self.last_sender = item.other

    def _leaves(self, kind: str, at: float, facts: Facts) -> None:
        if facts.get("from"):
            self._file(_text(facts, "from"), kind, at, facts, mine=True, other=_text(facts, "to"))

    def _file(self, owner: str, kind: str, at: float, facts: Facts, *, mine: bool, other: str) -> Item:
        handset, ref = self.of(owner), _text(facts, "ref")
        item = Item(
            mail_key(ref, owner) if kind == "mail" and not mine else ref, kind, at, mine=mine, other=other,
            words=_text(facts, "body")[:_LONGEST_PART], state=_text(facts, "status"), subject=_text(facts, "subject"),
        )  # fmt: skip
        return self._keep(handset, item)

    def _note(self, words: str, at: float, facts: Facts) -> None:
        owner = _text(facts, "to")
        if not owner.removeprefix("whatsapp:").startswith("+") and "@" not in owner:
            return  # not an address that anybody could have
        item = Item(f"note {self._version}", "note", at, mine=False, other=_text(facts, "from"), words=words)
        item.code = _code(facts)
        self._keep(self.of(owner), item)

    def _did(self, words: str, at: float, facts: Facts) -> None:
        item = Item(_text(facts, "ref"), "note", at, mine=True, other=_text(facts, "to"), words=words)
        self._keep(self.of(_text(facts, "recipient")), item)

    def _keyword_answer(self, at: float, facts: Facts) -> None:
        named = {**facts, "ref": f"keyword {self._version}", "status": "delivered"}
        self._arrives("text", at, named)

    def _progress(self, _: float, facts: Facts) -> None:
        found = self._items.get(_text(facts, "ref"))
        if found is not None:
            found[1].state, found[1].code = _text(facts, "status"), _code(facts)
            self._changed(*found)

    def _posted(self, _: float, facts: Facts) -> None:
        found = self._items.get(_text(facts, "ref"))
        if found is not None:
            answer = facts.get("answer")
            found[1].taken = "lost" if answer is None else str(answer)
            self._changed(*found)

    def _bounced(self, _: float, facts: Facts) -> None:
        found = self._items.get(mail_key(_text(facts, "ref"), _text(facts, "recipient")))
        if found is not None:
            found[1].state = "bounced"
            self._changed(*found)

    def _line(self, facts: Facts, who: str, name: str) -> None:
        found = self._items.get(_text(facts, "ref"))
        if found is not None and len(found[1].lines) < _MOST_LINES:
            found[1].lines.append(Line(who, _text(facts, name)[:4_000]))
            self._changed(*found)

    def _keep(self, handset: Handset, item: Item) -> Item:
        handset.items[item.key] = item
        self._items[item.key] = handset, item
        self._changed(handset, item)
        while len(self._items) > self._most_items or (self._letters > self._most_letters and len(self._items) > 1):
            self._drop_item(next(iter(self._items)))
        return item

    def _changed(self, handset: Handset, item: Item) -> None:
        self._version += 1
        handset.version = item.version = self._version
        weight = len(item.words) + len(item.subject) + sum(len(line.words) for line in item.lines)
        if item.letter is not None:
            weight += len(item.letter.html) + len(item.letter.head)
        self._letters += weight - item.weight
        item.weight = weight
        self._by_address.move_to_end(handset.address)

    def _drop_item(self, key: str) -> None:
        handset, item = self._items.pop(key)
        self._letters -= item.weight
        handset.items.pop(key, None)

    def _drop_handset(self, handset: Handset) -> None:
        for key in list(handset.items):
            self._drop_item(key)
        del self._by_address[handset.address], self._by_number[handset.number]


_NO_MARKS: Final = str.maketrans("", "", " -().\t")


def plain(address: str) -> str:
    """Write an address the one way it is kept: numbers without marks, mail in lower case."""
    return address.strip().lower() if "@" in address else address.translate(_NO_MARKS)


def mail_key(name: str, recipient: str) -> str:
    """Return the key of a mail in one recipient's mailbox."""
    return f"{name} {recipient.lower()}"


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return "" if value is None else str(value)


def _code(facts: Facts) -> int | None:
    code = facts.get("code")
    return code if isinstance(code, int) else None
