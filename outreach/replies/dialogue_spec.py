"""What a dialogue is made of: states, transitions, effects from a closed list, and where a conversation stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from outreach.domain.arrangement import NO_BACKGROUND, ArrangementPolicy, Background, Offer
from outreach.domain.arrangement_life import Standing
from outreach.domain.extension import Extension
from outreach.domain.money import Money
from outreach.domain.promise import Promise
from outreach.replies.day_times import Times
from outreach.replies.reading import Awaiting, Intent, OpenOffer, ReplyContext

DONE, HANDED_OFF = "done", "handed_off"
"""The two ends every dialogue has."""


class EffectKind(StrEnum):
    """Everything a dialogue can ask for. There is nothing else it can do."""

    SUPPRESS = "suppress"
    RECORD_CONSENT = "record_consent"
    PLACE_HOLD = "place_hold"
    PROPOSE_ARRANGEMENT = "propose_arrangement"
    CONFIRM_ARRANGEMENT = "confirm_arrangement"
    RECORD_PROMISE = "record_promise"
    RECORD_PAYMENT_CLAIM = "record_payment_claim"
    MARK_WRONG_PARTY = "mark_wrong_party"
    OPEN_DIALOGUE = "open_dialogue"
    CANCEL_ARRANGEMENT = "cancel_arrangement"
    CHANGE_ARRANGEMENT = "change_arrangement"
    GRANT_EXTENSION = "grant_extension"
    NAME_TIMES = "name_times"
    HAND_OFF = "hand_off"
    VERIFY_IDENTITY = "verify_identity"
    END_CALL = "end_call"
    SEND_TEXT = "send_text"
    CONNECT_AGENT = "connect_agent"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to do.

    ``detail`` is the hold's kind, the hand-off's reason, the other dialogue's kind or the text's template.
    """

    kind: EffectKind
    detail: str | None = None
    channels: tuple[str, ...] = ()
    offer: Offer | None = None
    promise: Promise | None = None
    extension: Extension | None = None
    times: Times | None = None


class Guard(StrEnum):
    """What a transition may ask before it is taken."""

    ALWAYS = "always"
    OFFERS_EXIST = "offers_exist"
    OPTION_OPEN = "option_open"
    COUNTER_FITS = "counter_fits"
    COUNTER_ASKED = "counter_asked"
    PROMISE_FITS = "promise_fits"
    DATE_NAMED = "date_named"
    CHOICE_STANDS = "choice_stands"
    CHOICE_RENEWED = "choice_renewed"
    PAYDAY_NAMED = "payday_named"
    PLAN_STANDS = "plan_stands"
    CHANGE_ASKED = "change_asked"
    CHANGE_FITS = "change_fits"
    CANCEL_ASKED = "cancel_asked"
    EXTENSION_FITS = "extension_fits"
    EXTENSION_OPEN = "extension_open"
    HOUR_NAMED = "hour_named"
    TIMES_NAMED = "times_named"
    IDENTITY_OK = "identity_ok"
    TRIES_LEFT = "tries_left"
    IDENTITY_WRONG = "identity_wrong"
    IDENTITY_POSSIBLE = "identity_possible"
    SILENT = "silent"
    OFFERS_OPEN = "offers_open"
    CHOICE_OPEN = "choice_open"
    TAKES_TEXTS = "takes_texts"
    AGENT_REACHABLE = "agent_reachable"
    AGENT_ANSWERED = "agent_answered"


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """An effect as a file writes it."""

    kind: EffectKind
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """Where to go, what to say and do. ``to`` None stays; ``say`` None says nothing."""

    to: str | None = None
    when: Guard = Guard.ALWAYS
    say: str | None = None
    effects: tuple[EffectSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class StateSpec:
    """One state: what it waits for, the keys it promises, answers by intent, and what happens to any other answer.

    ``retry`` is said instead of ``prompt`` after an answer that was not understood; ``exhausted`` is taken when there
    were too many of those. ``digits`` is how many keys a call waits for.
    """

    awaiting: str | None
    on: Mapping[Intent, tuple[Transition, ...]]
    keys: Mapping[str, Intent]
    otherwise: tuple[Transition, ...] = ()
    prompt: str | None = None
    retry: str | None = None
    exhausted: tuple[Transition, ...] = ()
    digits: int = 1


@dataclass(frozen=True, slots=True)
class DialogueSpec:
    """One dialogue as its file defines it. ``aside`` answers without ending the dialogue that is open.

    ``with_plan`` is about the arrangement that stands: it begins in place of others, and only while there is one.
    ``anywhere`` are answers taken in every state in which the person is known and that has no answer of its own.
    """

    kind: str
    surfaces: frozenset[str]
    begins_on: frozenset[Intent]
    begin: tuple[Transition, ...]
    states: Mapping[str, StateSpec]
    max_turns: int
    max_misses: int
    time_out_hours: int
    identity_tries: int = 0
    aside: bool = False
    with_plan: bool = False
    anywhere: Mapping[Intent, tuple[Transition, ...]] = field(default_factory=dict)

    def transitions(self) -> Iterator[Transition]:
        """Yield every transition of the dialogue, wherever it stands."""
        groups = [self.begin, *self.anywhere.values()]
        for state in self.states.values():
            groups += [*state.on.values(), state.otherwise, state.exhausted]
        for group in groups:
            yield from group

    def asks(self, state: str) -> frozenset[str]:
        """Return the templates that may put the question of a state."""
        spec = self.states[state]
        own = [each for group in (*spec.on.values(), spec.otherwise) for each in group if each.to is None]
        leading = [each for each in self.transitions() if each.to == state]
        said = (spec.prompt, spec.retry, *(each.say for each in (*own, *leading)))
        return frozenset(name for name in said if name)


Dialogues = Mapping[str, DialogueSpec]


@dataclass(frozen=True, slots=True)
class DialogueFacts:
    """What the machine may know. ``today`` is the borrower's local day; ``policy`` None: a person must decide.

    ``identity_ok`` is the outcome of checking this very answer (None: it was no identity answer). ``plan`` is the
    arrangement that stands on the case; ``due_on`` the date the amount fell due; ``background`` what else decides about
    terms. The rest is about calls: whether the person could be identified at all, whether nothing was pressed or said,
    whether the number takes texts, whether an agent answers the phone now, whether one did, and what stands open on
    another surface.
    """

    amount_due: Money
    days_past_due: int
    product: str
    today: date
    policy: ArrangementPolicy | None
    surface: str = "sms"
    identity_ok: bool | None = None
    due_on: date | None = None
    plan: Standing | None = None
    background: Background = NO_BACKGROUND
    identity_possible: bool = True
    silent: bool = False
    takes_texts: bool = False
    agent_reachable: bool = False
    agent_answered: bool = False
    elsewhere: "DialogueState | None" = None


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Where one conversation stands. Everything needed to go on later, on this surface or another."""

    kind: str
    surface: str
    state: str
    awaiting: str | None = None
    turns: int = 0
    misses: int = 0
    tries: int = 0
    identified: bool = True
    offers: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    promise: Promise | None = None
    extension: Extension | None = None
    times: Times | None = None
    first_on: date | None = None  # the day the borrower wants to begin on
    keys: Mapping[str, Intent] | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state not in (DONE, HANDED_OFF)

    @property
    def context(self) -> ReplyContext:
        """What the reader must know to understand the next reply."""
        waits = Awaiting(self.awaiting) if self.awaiting in set(Awaiting) else None
        on_table = tuple(
            OpenOffer(each.option, each.count, each.regular.minor, each.total.currency) for each in self.offers
        )
        return ReplyContext(waits, on_table if waits is Awaiting.OFFER_CHOICE else (), self.keys or {})


@dataclass(frozen=True, slots=True)
class Step:
    """The machine's answer: the new standing, what to do in order, the template to say, and what is awaited next."""

    state: DialogueState
    effects: tuple[Effect, ...] = ()
    say: str | None = None

    @property
    def awaiting(self) -> str | None:
        """What the next answer is expected to be."""
        return self.state.awaiting
