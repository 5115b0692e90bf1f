"""The reader: words or digits of a borrower become one Reading. Pure; the safest meaning acts first."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from rapidfuzz.distance import OSA

from channels.email.quoted import words_of
from outreach.replies.amounts import Amount, bare_amount, find_amount
from outreach.replies.asked import dated_answer, day_first, is_day, promised
from outreach.replies.ballot import Outcome, weigh
from outreach.replies.counts import find_count
from outreach.replies.date_words import When
from outreach.replies.dates import find_date, may_name_date
from outreach.replies.day_times import barred_hours, call_hour
from outreach.replies.frequency import how_often
from outreach.replies.language_wish import language_wish, only_wishes
from outreach.replies.matching import Found, Lexicon, Words, load_lexicon
from outreach.replies.normalise import LIMIT, unaccented
from outreach.replies.numerals import NUMBER_WORDS
from outreach.replies.options import find_choice
from outreach.replies.plan_wishes import names_payday, plan_wish
from outreach.replies.reading import (
    ALL_CHANNELS,
    NO_CONTEXT,
    PAUSING,
    RANK,
    Awaiting,
    Intent,
    Reading,
    ReplyContext,
)
from outreach.replies.spoken_answers import about_contact, cancels_plan, conditional, kernel, spoken_answer
from outreach.replies.time_wishes import time_wish, timed
from outreach.replies.voter import load_voter

_MONEY = frozenset(
    {Intent.INSTALLMENTS, Intent.EXTENSION_REQUEST, Intent.PROMISE_TO_PAY, Intent.PAY_NOW, Intent.CHOOSE_OPTION}
)
_QUIET = frozenset({Intent.CHIT_CHAT, Intent.CONFIRM_YES, Intent.CONFIRM_NO, Intent.UNCLEAR})
_ANSWERS_WHO = frozenset(
    {Intent.WRONG_PARTY, Intent.QUESTION_BALANCE, Intent.QUESTION_HOW_TO_PAY, Intent.CALLBACK_REQUEST, Intent.DISPUTE,
     Intent.INSTALLMENTS, Intent.EXTENSION_REQUEST}
)  # fmt: skip
_CERTAIN, _LIKELY, _GUESS, _DOUBT, _NONE = 0.97, 0.85, 0.6, 0.5, 0.2
_HOURS = {Intent.CALLBACK_REQUEST: call_hour, Intent.INCONVENIENT_TIME: barred_hours}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was extracted, before it is decided which intents it belongs to."""

    amount: Amount | None
    on: date | None
    named_date: bool
    count: int | None


def read(
    text: str,
    *,
    lang: str | None = None,
    channel: str = "sms",
    ref_date: date | None = None,
    time_zone: str | None = None,
    received_at: datetime | None = None,
    default_currency: str | None = None,
    context: ReplyContext = NO_CONTEXT,
) -> Reading:
    """Understand one reply.

    ``lang`` is a BCP 47 tag and only a hint: borrowers mix languages. ``ref_date`` is the borrower's local day; without
    it ``received_at`` (aware) in ``time_zone`` gives the day; without both no date is extracted. ``default_currency``
    (ISO 4217) is what a bare figure or ``$`` means. Text beyond the first 4,000 characters is not read.
    """
    lexicon = load_lexicon()
    own = (words_of(text) if channel == "email" or "\n" in text else text)[:LIMIT]
    words = lexicon.words(own)
    if not words.core and "?" in words.padded:
        return Reading(Intent.HELP, _GUESS, explanation="a bare question mark")
    if not words.core:
        return Reading(Intent.UNCLEAR, _NONE, must_pause=True, explanation="nothing to read")
    key = promised(words, context, lexicon)
    if key:
        return key
    day = ref_date or _local_day(received_at, time_zone)

    def heard(said: Words) -> Reading:
        reader = _Reader(lexicon, said, lang=lang or "", day=day, currency=default_currency, context=context)
        return reader.reading()

    plain = unaccented(words.cleaned)
    reading, language = heard(words), language_wish(plain)
    times = _HOURS[reading.intent](plain) if reading.intent in _HOURS else None
    reading = replace(reading, language=language, times=times) if language or times else reading
    wish = time_wish(plain)
    if wish is None or (wish.bare and context.awaiting is not None):
        return reading
    return timed(reading, wish, heard(lexicon.words(wish.rest)) if wish.rest else None)


def _local_day(at: datetime | None, zone: str | None) -> date | None:
    return at.astimezone(ZoneInfo(zone)).date() if at and zone else None


class _Reader:
    """One reply on its way to a Reading."""

    def __init__(
        self,
        lexicon: Lexicon,
        words: Words,
        *,
        lang: str,
        day: date | None,
        currency: str | None,
        context: ReplyContext,
    ) -> None:
        self._lexicon = lexicon
        self._words = words
        self._lang = lang
        self._day = day
        self._currency = currency
        self._context = context
        self._plain = unaccented(words.cleaned)
        self._every = how_often(self._plain)
        self._found: dict[Intent, Found] = {}

    def reading(self) -> Reading:
        for found in self._lexicon.matches(self._words):
            self._add(found.intent, found.confidence, found.name)
        already = Intent.ALREADY_PAID in self._found
        facts = self._facts(past=already)
        self._bare_answer()
        choice = self._choice()
        self._spoken_answer(facts)
        self._from_facts(facts)
        self._cautious_stop()
        self._prune(facts)
        self._hear_vote(facts)
        if Intent.ALREADY_PAID in self._found and not already:
            facts = self._facts(past=True)
        return self._conclude(facts, choice)

    def _add(self, intent: Intent, confidence: float, name: str) -> None:
        if intent not in self._found or self._found[intent].confidence < confidence:
            self._found[intent] = Found(intent, confidence, name)

    def _drop(self, *intents: Intent) -> None:
        for intent in intents:
            self._found.pop(intent, None)

    # What was extracted.

    def _facts(self, *, past: bool) -> Facts:
        text = self._plain
        figures = not text.isascii() or _DIGIT.search(text) is not None
        on, named = None, False
        asked = dated_answer(text, self._words.core, self._context.awaiting)
        if self._day and may_name_date(asked):
            on, named = find_date(asked, When(self._day, past=past, day_first=day_first(self._lang, self._currency)))
        spelled = figures or not self._words.vocabulary.isdisjoint(NUMBER_WORDS)
        return Facts(
            amount=find_amount(text, self._currency) if spelled else None,
            on=on,
            named_date=named,
            count=find_count(self._words.padded.strip() if text.isascii() else text) if spelled else None,
        )

    # Bare answers, decided by what was asked.

    def _bare_answer(self) -> None:
        awaiting = self._context.awaiting
        for kind in ("no", "yes", "ok"):
            if self._lexicon.is_answer(kind, self._words):
                self._answer(kind, awaiting, _CERTAIN)
                return
        if awaiting in (Awaiting.CONFIRMATION, Awaiting.OPT_IN):
            for kind in ("no", "yes", "ok"):
                if self._lexicon.opens_with(kind, self._words) and (kind == "no" or not self._reserved()):
                    self._answer(kind, awaiting, _LIKELY)
                    return
            said = self._lexicon.words(kernel(self._plain))
            for kind in ("no", "yes", "ok"):
                if self._lexicon.is_answer(kind, said):
                    self._answer(kind, awaiting, _LIKELY)
                    return

    def _reserved(self) -> bool:
        """Say whether a "yes" goes on with terms of its own."""
        return conditional(self._plain, self._context.offers)

    def _spoken_answer(self, facts: Facts) -> None:
        """Read an answer in more words than a bare one; what refuses contact or is unsafe goes before it."""
        awaiting, found = self._context.awaiting, self._found
        if awaiting is Awaiting.CONFIRMATION:
            yes = found.get(Intent.CONFIRM_YES)
            if yes and yes.confidence < _CERTAIN and self._reserved():
                self._drop(Intent.CONFIRM_YES)
            if Intent.STOP in found and cancels_plan(self._plain):
                self._drop(Intent.STOP)
        answer = spoken_answer(self._plain, awaiting)
        if (
            answer is None
            or Intent.CHOOSE_OPTION in found
            or (Intent.CONFIRM_YES in found and awaiting is not Awaiting.OPT_IN)
        ):
            return
        intent, why = answer
        loud = found.keys() - _QUIET - {Intent.HELP}
        if intent in (Intent.HELP, Intent.PROMISE_TO_PAY, Intent.START) and (loud - {Intent.START} or facts.on):
            return
        if intent is Intent.CONFIRM_NO and awaiting is Awaiting.OFFER_CHOICE:
            if facts.on or facts.amount or facts.count or loud & _MONEY - {Intent.INSTALLMENTS}:
                return
            self._drop(Intent.INSTALLMENTS)
        if awaiting is Awaiting.OPT_IN or not about_contact(self._plain):
            self._drop(
                Intent.CHIT_CHAT, Intent.CONFIRM_YES, *(() if intent is Intent.CONFIRM_NO else (Intent.CONFIRM_NO,))
            )
            self._add(intent, _GUESS if intent in (Intent.HELP, Intent.PROMISE_TO_PAY) else _LIKELY, why)

    def _answer(self, kind: str, awaiting: Awaiting | None, confidence: float) -> None:
        if kind == "no":
            if Intent.STOP in self._found and self._words.core in ("n", "r", "t", "td") and not self._stop_letter():
                self._drop(Intent.STOP)
            if Intent.STOP not in self._found or awaiting is not None:
                self._add(Intent.CONFIRM_NO, confidence if awaiting else _GUESS, "a bare no")
            if awaiting is Awaiting.CONFIRMATION and confidence == _CERTAIN:  # "that's wrong" is what was read back
                self._drop(Intent.DISPUTE, Intent.WRONG_PARTY)
        elif awaiting is Awaiting.OPT_IN:
            self._drop(Intent.CHIT_CHAT)
            self._add(Intent.START, confidence, "a bare yes to an opt-in question")
        elif awaiting is not None or kind == "yes":
            self._drop(Intent.CHIT_CHAT)
            self._add(Intent.CONFIRM_YES, confidence if awaiting is Awaiting.CONFIRMATION else _GUESS, "a bare yes")
        else:
            self._add(Intent.CHIT_CHAT, _LIKELY, "a bare ok with nothing asked")

    def _stop_letter(self) -> bool:
        """N and R are opt-out letters in Chinese texts only, and only when no question is open."""
        return self._lang.lower().startswith("zh") and self._context.awaiting is None

    # Options.

    def _choice(self) -> int | None:
        if self._context.awaiting is not Awaiting.OFFER_CHOICE and not (
            self._context.offers and Intent.CHOOSE_OPTION in self._found
        ):
            self._drop(Intent.CHOOSE_OPTION)
            return None
        offers = self._context.offers
        choice = find_choice(self._plain, self._words.core, offers)
        if choice is None and len(offers) == 1 and Intent.CONFIRM_YES in self._found:
            choice = offers[0].option
        if choice is None:
            self._drop(Intent.CHOOSE_OPTION)
            return None
        self._drop(Intent.CONFIRM_YES, Intent.INSTALLMENTS, Intent.CHIT_CHAT, Intent.PROMISE_TO_PAY)
        self._add(Intent.CHOOSE_OPTION, _CERTAIN, "names an option on the table")
        return choice

    # Intents that facts imply.

    def _from_facts(self, facts: Facts) -> None:
        loud = self._found.keys() - _QUIET
        if Intent.CHOOSE_OPTION in self._found:
            return
        if facts.count and (not loud or loud <= _MONEY | {Intent.QUESTION_HOW_TO_PAY, Intent.HELP}):
            self._add(Intent.INSTALLMENTS, _LIKELY, "names a number of installments")
        elif facts.amount and self._every and not (loud - _MONEY):
            self._add(Intent.INSTALLMENTS, _LIKELY, "names an amount each week or month")
        elif self._answers_when(loud, facts):
            self._drop(Intent.EXTENSION_REQUEST)
            self._add(Intent.PROMISE_TO_PAY, _CERTAIN, "names a day when asked for one")
        elif not loud and facts.on and self._day and facts.on >= self._day and Intent.CONFIRM_NO not in self._found:
            if len(self._words.core.split()) <= 8:
                self._add(Intent.PROMISE_TO_PAY, _GUESS, "names a day")
        elif not loud and facts.amount and not self._context.awaiting:
            self._add(Intent.PROMISE_TO_PAY, _GUESS, "names an amount")
        if Intent.PAY_NOW in self._found and facts.on and self._day and facts.on > self._day:
            self._drop(Intent.PAY_NOW)
            self._add(Intent.PROMISE_TO_PAY, _LIKELY, "pays on a later day")

    def _answers_when(self, loud: set[Intent], facts: Facts) -> bool:
        """Say whether this answers the open question for a day: with nothing else, or with a bare "next month"."""
        if self._context.awaiting is not Awaiting.PROMISE_DATE or not (facts.on or facts.named_date):
            return False
        short = len(self._words.core.split()) <= 4
        return Intent.CONFIRM_NO not in self._found and (not loud or (short and loud <= {Intent.EXTENSION_REQUEST}))

    # Stop, in doubt.

    def _cautious_stop(self) -> None:
        """Take a lone word that is one slip away from STOP for a possible stop; a person reviews it."""
        core = self._words.core
        word = core.isascii() and core.isalpha() and 3 <= len(core) <= 6
        if word and not self._found and core not in _NOT_STOP and OSA.distance(core, "stop", score_cutoff=1) <= 1:
            self._add(Intent.STOP, _DOUBT, "one slip from a stop word")

    # The statistical reader.

    def _hear_vote(self, facts: Facts) -> None:
        """Let the vote make the reading safer, or settle what the rules left open."""
        stop = self._found.get(Intent.STOP)
        heard = Intent.CHOOSE_OPTION in self._found or (stop and stop.confidence > _DOUBT)
        if heard or self._words.core.isdigit() or only_wishes(self._plain) or plan_wish(self._plain):
            return
        vote = load_voter().vote(self._words.padded, self._context.awaiting)
        outcome = weigh(self._found, vote, asked=self._context.awaiting is not None)
        if Intent.CONFIRM_NO in self._found and about_contact(self._plain):  # a no that may refuse contact, too
            raised = weigh(self._found, vote, asked=False).add
            outcome = Outcome(add=tuple(found for found in raised if found.intent is Intent.STOP))
        if any(found.intent is Intent.STOP for found in outcome.add) and self._lexicon.excuses(
            Intent.STOP, self._words
        ):
            outcome = weigh(self._found, vote.without(Intent.STOP), asked=self._context.awaiting is not None)
        self._drop(*outcome.drop)
        for found in outcome.add:
            self._add(found.intent, found.confidence, found.name)
        if outcome.add:
            self._prune(facts)

    # Which of several intents remain.

    def _prune(self, facts: Facts) -> None:
        """Drop what a stronger finding explains away. Nothing here drops a certain stop or a safety intent."""
        stop = self._found.get(Intent.STOP)
        if stop and stop.confidence <= _DOUBT and self._voids_weak_stop():
            self._drop(Intent.STOP)
        self._prune_small_talk(self._found.keys() - _QUIET)
        self._prune_money(facts)

    def _prune_small_talk(self, loud: set[Intent]) -> None:
        if not loud:
            return
        self._drop(Intent.CHIT_CHAT)
        if self._context.awaiting is not Awaiting.CONFIRMATION:
            self._drop(Intent.CONFIRM_YES)
        if self._context.awaiting is None:
            self._drop(Intent.CONFIRM_NO)
        asks = self._found.get(Intent.HELP)
        if asks and asks.confidence < _CERTAIN and loud & _ANSWERS_WHO:
            self._drop(Intent.HELP)

    def _prune_money(self, facts: Facts) -> None:
        """Of several ways to talk about paying keep the one that says most."""
        found = self._found
        later = bool(facts.on and self._day and facts.on > self._day)
        if Intent.ALREADY_PAID in found:
            self._drop(Intent.PAY_NOW, *(() if later else (Intent.PROMISE_TO_PAY,)))
        if Intent.INSTALLMENTS in found or Intent.EXTENSION_REQUEST in found:
            self._drop(Intent.PAY_NOW)
        if Intent.QUESTION_HOW_TO_PAY in found and not facts.on:
            self._drop(Intent.PAY_NOW, Intent.PROMISE_TO_PAY)
        if Intent.INSTALLMENTS in found and not facts.on:
            self._drop(Intent.PROMISE_TO_PAY)
        self._settle_promise(facts)

    def _settle_promise(self, facts: Facts) -> None:
        promise = self._found.get(Intent.PROMISE_TO_PAY)
        extension = self._found.get(Intent.EXTENSION_REQUEST)
        if promise and Intent.PAY_NOW in self._found:
            today = facts.on == self._day if facts.on else not facts.named_date
            self._drop(Intent.PROMISE_TO_PAY if today else Intent.PAY_NOW)
        if promise and extension:
            asks = extension.confidence >= promise.confidence
            self._drop(Intent.PROMISE_TO_PAY if asks else Intent.EXTENSION_REQUEST)

    def _voids_weak_stop(self) -> bool:
        """Let clear talk of money outweigh a word that merely could be a stop."""
        return bool(
            self._found.keys()
            & (_MONEY | {Intent.ALREADY_PAID, Intent.QUESTION_BALANCE, Intent.INCONVENIENT_TIME, Intent.START})
        ) and (self._words.core not in self._lexicon.typos.values())

    # The end.

    def _conclude(self, facts: Facts, choice: int | None) -> Reading:
        if not self._found:
            return Reading(
                Intent.UNCLEAR,
                _NONE,
                must_pause=True,
                amount_minor=facts.amount.minor if facts.amount else None,
                currency=facts.amount.currency if facts.amount else None,
                on=self._fitting(facts),
                count=facts.count,
                explanation="no rule matched",
            )
        order = self._order()
        first = self._found[order[0]]
        stop = Intent.STOP in self._found
        named = self._lexicon.named_channels(self._words) if stop else ()
        amount = facts.amount or self._counter(order)
        confidence = round(first.confidence - (0.07 if self._words.mended else 0.0), 2)
        return Reading(
            intent=first.intent,
            confidence=confidence,
            also=tuple(order[1:]),
            choice=choice,
            amount_minor=amount.minor if amount else None,
            currency=amount.currency if amount else None,
            on=self._fitting(facts),
            count=facts.count,
            must_stop=stop,
            must_pause=any(intent in PAUSING for intent in order),
            stop_channels=(named or ALL_CHANNELS) if stop else (),
            explanation="; ".join(f"{intent}: {self._found[intent].name}" for intent in order),
            every=self._every,
            payday=names_payday(self._plain),
            plan_wish=plan_wish(self._plain),
            names_channel=bool(named),
        )

    def _order(self) -> list[Intent]:
        """Safest first; a clear answer to the open question comes before new talk of money."""
        if len(self._found) == 1:
            return list(self._found)
        answered = self._context.awaiting is Awaiting.CONFIRMATION

        def place(intent: Intent) -> float:
            if answered and intent is Intent.CONFIRM_YES:
                return RANK[Intent.START] - 0.5
            return RANK[intent]

        return sorted(self._found, key=place)

    def _fitting(self, facts: Facts) -> date | None:
        """Drop a past date unless a payment was made on it: a promise for yesterday was misread or miswritten."""
        past = facts.on and self._day and facts.on < self._day
        return None if past and Intent.ALREADY_PAID not in self._found else facts.on

    def _counter(self, order: Iterable[Intent]) -> Amount | None:
        """Take a bare figure for an amount where an amount was asked for or offered."""
        if Intent.CHOOSE_OPTION in order or Intent.STOP in order:
            return None
        if self._context.awaiting is not Awaiting.PROMISE_DATE or is_day(self._words.core):
            return None
        return bare_amount(self._plain, self._currency)


_DIGIT = re.compile(r"\d")
_NOT_STOP = frozenset(
    {"shop", "step", "top", "spot", "slop", "atop", "stow", "tops", "pop", "hop", "mop", "cop", "drop", "crop", "prop",
     "chop", "flop", "plop", "strop", "stock", "store", "story", "estop"}
)  # fmt: skip


@lru_cache(maxsize=1)
def warm() -> None:
    """Load rules and weights once, so that the first reply does not wait for them."""
    read("good morning")
