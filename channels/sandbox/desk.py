"""What a person at the page does with a handset: answer, call, switch it off, say what became of a text."""

import re
from collections.abc import Mapping
from typing import Final

from channels.contract import WHATSAPP
from channels.sandbox.calls import Calls
from channels.sandbox.carrier import Carrier
from channels.sandbox.handsets import Handset, Item, Letter, plain
from channels.sandbox.listener import Given
from channels.sandbox.mailroom import SandboxMailroom
from channels.sandbox.people import Temper
from channels.sandbox.senders import Senders
from channels.sandbox.texts import Texts

_NUMBER: Final = re.compile(r"(?:whatsapp:|rcs:)?\+[1-9]\d{6,14}").fullmatch
_MAILBOX: Final = re.compile(r"[^@\s<>\"(),:;\\]+@[^@\s<>\"(),:;\\]+").fullmatch
_KEYS: Final = re.compile(r"[0-9*#]{1,40}").fullmatch
_LONGEST_TEXT: Final = 1_600
_LONGEST_MAIL: Final = 100_000

Switch = tuple[str, Mapping[str, Temper]]
SCRIPTED: Final = "script"


def _tempers(sms: str, voice: str) -> Mapping[str, Temper]:
    return {"sms": Temper.parse(sms, "switch"), "voice": Temper.parse(voice, "switch")}


def _mail(temper: str) -> Mapping[str, Temper]:
    return {"email": Temper.parse(temper, "switch")}


PHONE_SWITCHES: Final[Mapping[str, Switch]] = {
    "on": ("On: texts arrive, calls ring", _tempers("deliver", "human")),
    "off": ("Switched off: texts fail (30003), nobody answers", _tempers("fail:30003", "no_answer")),
    "gone": ("Number not in service: texts fail (30005), calls too", _tempers("fail:30005", "unreachable")),
    "busy": ("Busy: texts arrive, calls find it engaged", _tempers("deliver", "busy")),
    "held": ("On hold: texts stay sent until delivery is said by hand", _tempers("sent_only", "human")),
}
MAIL_SWITCHES: Final[Mapping[str, Switch]] = {
    "on": ("Open: every mail arrives", _mail("deliver")),
    "full": ("Full: put off with 452", _mail("full")),
    "gone": ("No such mailbox: refused with 550", _mail("refuse")),
    "bounces": ("Bounces later: taken, then a notification", _mail("bounce")),
    "greylisted": ("Greylisted: the first try is put off with 451", _mail("greylist")),
}


class Desk:
    """Every act raises ValueError with a sentence for the page when it cannot be done."""

    def __init__(
        self, carrier: Carrier, senders: Senders, texts: Texts, calls: Calls, mailroom: SandboxMailroom
    ) -> None:
        self._carrier = carrier
        self._senders = senders
        self._texts = texts
        self._calls = calls
        self._mailroom = mailroom

    @property
    def can_be_called(self) -> bool:
        """Whether the other side has said where calls to it go."""
        return self._carrier.account.inbound_call_url is not None

    def open(self, address: str) -> Handset:
        """Take any number or address, whether anything was sent to it or not."""
        spare = plain(address)
        if not _NUMBER(spare) and not _MAILBOX(spare):
            raise ValueError("give a number such as +12025550143 or a mail address")
        return self._carrier.handsets.of(spare)

    def numbers(self, handset: Handset) -> list[str]:
        """Return the numbers this handset may text or call: who wrote or called last, then the account's own."""
        known = [*handset.others("text"), *handset.others("call")]
        way = WHATSAPP if handset.address.startswith(WHATSAPP) else ""
        own = sorted(self._carrier.script.numbers)
        if not own and not known:
            own = [self._carrier.handsets.last_sender or self._senders.of_service("")]
        own = [way + number.removeprefix(WHATSAPP) for number in own]
        return list(dict.fromkeys([*known, *own]))

    def by_hand(self, handset: Handset) -> bool:
        """Say whether a person answers for it."""
        return handset.address in self._carrier.people.by_hand

    def take(self, handset: Handset, *, on: bool) -> None:
        """Have a person answer for a handset, or give it back to the script."""
        people = self._carrier.people
        if on:
            people.by_hand.add(handset.address)
        else:
            people.by_hand.discard(handset.address)

    def switches(self, handset: Handset) -> Mapping[str, Switch]:
        """Return what can be switched."""
        return MAIL_SWITCHES if handset.is_mailbox else PHONE_SWITCHES

    def switched(self, handset: Handset) -> str:
        """Return the name of the switch in force, or of none."""
        tempers = self._carrier.people.switched.get(handset.address)
        return next((name for name, (_, each) in self.switches(handset).items() if each is tempers), SCRIPTED)

    def switch(self, handset: Handset, name: str) -> None:
        """Switch a handset, over what the script says; ``script`` undoes it."""
        switched = self._carrier.people.switched
        if name == SCRIPTED:
            switched.pop(handset.address, None)
        elif name in self.switches(handset):
            switched[handset.address] = self.switches(handset)[name][1]
        else:
            raise ValueError("there is no such switch")

    def scripted(self, handset: Handset) -> str:
        """Say what the script makes of this handset."""
        medium = "email" if handset.is_mailbox else "sms"
        return self._carrier.people.temper(medium, handset.address, 0).name.replace("_", " ")

    def write(self, handset: Handset, to: str, words: str) -> None:
        """Text from a handset; from now on a person answers for it."""
        _spoken(words, _LONGEST_TEXT)
        if to not in self.numbers(handset):
            raise ValueError("that number never wrote to this handset and is not the account's")
        self.take(handset, on=True)
        self._texts.texting.say(handset.address, to, words)

    def mail(self, handset: Handset, answered: Item | None, subject: str, words: str) -> None:
        """Answer a mail; from now on a person answers for the mailbox."""
        _spoken(words, _LONGEST_MAIL)
        if answered is None or answered.letter is None or answered.key not in handset.items:
            raise ValueError("choose the mail to answer")
        letter = answered.letter
        if not letter.reply_to:
            raise ValueError("that mail says nowhere to answer")
        subject = " ".join(subject.split()) or re.sub(r"^(?!re:)", "Re: ", answered.subject, flags=re.IGNORECASE)
        self.take(handset, on=True)
        self._mailroom.say(
            handset.address, letter.reply_to, words, subject=subject, in_reply_to=letter.message_id or None,
            quoted=answered.words,
        )  # fmt: skip

    def complain(self, handset: Handset, key: str) -> None:
        """Report a mail as junk; from now on a person answers for the mailbox."""
        letter = _letter(handset, key)
        if not letter.envelope_sender:
            raise ValueError("that mail says nowhere to complain")
        self.take(handset, on=True)
        self._mailroom.complain(handset.address, letter)

    def unsubscribe(self, handset: Handset, key: str) -> None:
        """Unsubscribe by one click; from now on a person answers for the mailbox."""
        letter = _letter(handset, key)
        if not letter.unsubscribe:
            raise ValueError("that mail offers no one-click unsubscribe")
        self.take(handset, on=True)
        self._mailroom.unsubscribe(handset.address, letter)

    def confirm(self, handset: Handset, sid: str, status: str, code: str) -> None:
        """Say what became of a text that is under way."""
        _mine(handset, sid)
        if code and not code.isdigit():
            raise ValueError("an error is a number, such as 30003")
        self._texts.confirm(sid, status, int(code) if code else None)

    def ring(self, handset: Handset, sid: str, what: str) -> None:
        """Answer, decline, or leave a ringing call to the answering machine."""
        _mine(handset, sid)
        if what == "decline":
            self._calls.decline(sid)
        else:
            self._calls.pick_up(sid, machine=what == "voicemail")

    def press(self, handset: Handset, sid: str, keys: str) -> None:
        """Press keys in a call that is going on."""
        _mine(handset, sid)
        keys = keys.replace(" ", "")
        if not _KEYS(keys):
            raise ValueError("keys are 0 to 9, * and #")
        self._calls.give(sid, Given(digits=keys))

    def speak(self, handset: Handset, sid: str, words: str) -> None:
        """Speak in a call that is going on."""
        _mine(handset, sid)
        _spoken(words, _LONGEST_TEXT)
        self._calls.give(sid, Given(speech=words))

    def hang_up(self, handset: Handset, sid: str) -> None:
        """End a call that is going on."""
        _mine(handset, sid)
        self._calls.hang_up(sid)

    def call(self, handset: Handset, to: str) -> None:
        """Call the other side; from now on a person answers for the handset."""
        url = self._carrier.account.inbound_call_url
        if url is None:
            raise ValueError("nobody said where calls to the lender go: inbound.voice in the script")
        if handset.is_mailbox or to not in self.numbers(handset):
            raise ValueError("that number never wrote to this handset and is not the account's")
        self.take(handset, on=True)
        self._calls.call_in(handset.address, to, url)


def _mine(handset: Handset, sid: str) -> None:
    if sid not in handset.items:
        raise ValueError("that is no longer on this handset")


def _letter(handset: Handset, key: str) -> Letter:
    item = handset.items.get(key)
    if item is None or item.letter is None:
        raise ValueError("that mail is no longer here")
    return item.letter


def _spoken(words: str, longest: int) -> None:
    if not words.strip():
        raise ValueError("there are no words")
    if len(words) > longest:
        raise ValueError(f"at most {longest} letters")
