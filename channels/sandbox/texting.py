"""People texting in: what they answer to a text, the carrier's keywords, and the inbound webhook."""

from collections.abc import Callable
from typing import Final

from channels.sandbox.carrier import Carrier
from channels.sandbox.chance import choose
from channels.sandbox.dialogue import Exchange, react
from channels.sandbox.people import Profile
from channels.sandbox.segments import count_segments
from channels.sandbox.senders import Senders, keyword_of
from channels.sandbox.visitor import Visit, link_in
from channels.sandbox.wording import WORDS, guess_locale

_KEYWORD_ANSWERS: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class Texting:
    """Everyone's side of their text exchanges. ``keep`` files a text from a person and returns its SID.

    ``others`` holds what posts a text (person, number, words, SID) to numbers that are not Twilio's.
    """

    def __init__(self, carrier: Carrier, senders: Senders, keep: Callable[[str, str, str], str]) -> None:
        self._carrier = carrier
        self._senders = senders
        self._keep = keep
        self._exchanges: dict[str, Exchange] = {}
        self._visitors: set[str] = set()
        self.others: dict[str, Callable[[str, str, str, str], None]] = {}

    def forget(self) -> None:
        """Start every exchange anew."""
        self._exchanges.clear()
        self._visitors.clear()

    def read(self, person: str, number: str, body: str, touch: int) -> None:
        """Decide what a person answers to a delivered text, and when."""
        people = self._carrier.people
        if person in people.by_hand:
            return
        temper = people.temper("sms", person, touch).name
        ready, profile = touch >= people.answers_on("sms", person), people.profile(person)
        if temper == "portal":
            self._visit(person, profile, body, touch)
            return
        exchange = self._exchanges.get(person, Exchange())
        turn = react(temper, exchange, body, ready=ready, chooses=profile.chooses)
        if turn is None:
            return
        self._exchanges[person] = turn.after
        words = turn.literal or self._words(person, turn.intent or "chatter", body, touch)
        minutes = people.delay_minutes("sms", person, touch, dialogue=exchange.opened)
        self._in_minutes(minutes, lambda: self._answer(person, number, words))

    def _visit(self, person: str, profile: Profile, body: str, touch: int) -> None:
        """Have a person follow the link of a text that has one, once."""
        url = link_in(body, self._carrier.account.inbound_sms_url)
        if url is None or person in self._visitors:
            return
        self._visitors.add(person)
        minutes = self._carrier.people.delay_minutes("sms", person, touch, dialogue=False)
        self._in_minutes(minutes, lambda: Visit(self._carrier, person, profile).begin(url))

    def say(self, person: str, number: str, body: str) -> str:
        """Have a person text ``body`` to ``number`` now; return the text's SID."""
        sid = self._keep(person, number, body)
        keyword = keyword_of(body)
        self._carrier.witness.record(
            "text_from_person", channel="sms", to=number, body=body, ref=sid, keyword=keyword, **{"from": person}
        )
        other = self.others.get(number)
        if other is not None:
            other(person, number, body, sid)
        else:
            self._post(person, number, body, sid, keyword)
        if keyword is not None:
            self._obey(keyword, person, number)
        return sid

    def _answer(self, person: str, number: str, words: str) -> None:
        """Say what was decided earlier, unless a person has taken the handset since."""
        if person not in self._carrier.people.by_hand:
            self.say(person, number, words)

    def _obey(self, keyword: str, person: str, number: str) -> None:
        """Do what the carrier itself does about its keywords, before any software sees them."""
        if keyword == "STOP":
            self._senders.block(person, number)
        elif keyword == "START":
            self._senders.unblock(person, number)
        words = _KEYWORD_ANSWERS[keyword]
        self._carrier.witness.record("keyword_answer", channel="sms", to=person, body=words, **{"from": number})

    def _post(self, person: str, number: str, body: str, sid: str, keyword: str | None) -> None:
        account = self._carrier.account
        fields = {
            "ToCountry": "US", "SmsMessageSid": sid, "NumMedia": "0", "SmsSid": sid, "SmsStatus": "received",
            "Body": body, "To": number, "NumSegments": str(count_segments(body)), "MessageSid": sid,
            "AccountSid": account.sid,
            "From": person, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        if keyword is not None and self._carrier.script.advanced_opt_out:
            fields["OptOutType"] = keyword
        self._carrier.deliveries.form(sid, account.inbound_sms_url, fields, "inbound_posted")

    def _words(self, person: str, intent: str, body: str, touch: int) -> str:
        profile = self._carrier.people.profile(person)
        if profile.says is not None and intent != "yes":
            return profile.says
        locale = profile.locale or guess_locale(person, body, self._carrier.people.default_locale)
        return choose(WORDS[intent][locale], self._carrier.seed, "words", person, touch)

    def _in_minutes(self, minutes: int, action: Callable[[], object]) -> None:
        """Do it on a whole minute, so that a stepped clock has few stops to make."""
        length = self._carrier.script.timing.minute_seconds
        now = self._carrier.clock.epoch()
        start = -(-now // length) * length if self._carrier.clock.stepped and length else now
        self._carrier.agenda.at(start + minutes * length, action)
