"""Walking a call: instructions fetched, words heard, keys pressed, answers posted, until somebody hangs up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from channels.sandbox.carrier import Carrier
from channels.sandbox.hand import Hand
from channels.sandbox.listener import Given, Question, gives
from channels.sandbox.people import Temper
from channels.sandbox.twiml import TwimlError, Verb, read_twiml
from channels.sandbox.wording import guess_locale

_MOST_DOCUMENTS: Final = 50
_AWAY: Final = frozenset({"busy", "no_answer", "unreachable"})
_APOLOGY: Final = "We are sorry, an application error has occurred. Goodbye."


@dataclass(slots=True)
class Leg:
    """What happened on a call: everything said, pressed and spoken, and the seconds it took."""

    said: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    seconds: float = 0.0
    questions: int = 0
    redirected: bool = False


@dataclass(frozen=True, slots=True)
class _Next:
    """Where instructions come from next; no URL means the call is over."""

    url: str | None = None
    method: str = "POST"
    fields: Mapping[str, str] = field(default_factory=dict)


class Walk:
    """One call's conversation. ``fields`` gives what every request about the call carries.

    With a ``hand`` a person at the page answers; without, the script does.
    """

    def __init__(
        self,
        carrier: Carrier,
        leg: Leg,
        *,
        sid: str,
        person: str,
        temper: Temper,
        fields: Callable[[], dict[str, str]],
        hand: Hand | None = None,
    ) -> None:
        self._carrier = carrier
        self._leg = leg
        self._sid = sid
        self._person = person
        self._temper = temper
        self._fields = fields
        self._hand = hand
        self._url = ""

    async def run(self, form: Callable[[], Mapping[str, str]], going: Callable[[], bool]) -> None:
        """Follow the instructions of ``form`` (Url, Method or Twiml) while the call is ``going``."""
        first = form()
        step = _Next(first.get("Url") or None, first.get("Method") or "POST")
        document = first.get("Twiml", "").encode() if not step.url else None
        for _ in range(_MOST_DOCUMENTS):
            if document is None:
                if step.url is None:
                    return
                document = await self._fetch(step)
            if document is None or not going():
                return
            step, document = await self._follow(document), None
            if self._leg.redirected:
                self._leg.redirected = False
                fresh = form()
                step = _Next(fresh.get("Url") or None, fresh.get("Method") or "POST")
                document = fresh.get("Twiml", "").encode() if not step.url else None
        self._record("call_loop")

    async def _fetch(self, step: _Next) -> bytes | None:
        """Ask for instructions; what cannot be had or used ends the call with an apology, as at Twilio."""
        self._url = step.url or ""
        try:
            answer = await self._carrier.deliveries.ask(self._url, self._fields() | dict(step.fields), step.method)
        except (OSError, TimeoutError) as error:
            self._apologise(11205, type(error).__name__)
            return None
        self._record("call_fetch", url=self._url, answer=answer.status)
        if answer.status >= 400:
            self._apologise(11200, f"HTTP {answer.status}")
            return None
        return answer.body

    async def _follow(self, document: bytes) -> _Next:
        """Do the verbs in turn until one leads elsewhere."""
        try:
            verbs = read_twiml(document)
        except TwimlError as error:
            self._apologise(error.code, str(error))
            return _Next()
        for verb in verbs:
            if verb.name in {"Hangup", "Reject"}:
                return _Next()
            if verb.name == "Redirect":
                return _Next(urljoin(self._url, verb.text), verb.attributes.get("method", "POST"))
            if verb.name == "Gather":
                step = await self._gather(verb)
                if step is not None:
                    return step
            self._hear(verb)
            if self._hangs_up():
                return _Next()
            if verb.name == "Dial":
                return self._dial(verb)
        return _Next()

    def _dial(self, verb: Verb) -> _Next:
        """Hand the call on: whoever is dialled answers, unless the script has them busy; the call then comes back."""
        temper = self._carrier.people.profile(verb.text).temperament
        status = "no-answer" if temper and temper.name in _AWAY else "completed"
        self._record("call_dialled", to_line=verb.text, status=status)
        action = verb.attributes.get("action")
        fields = {"DialCallStatus": status}
        return _Next(urljoin(self._url, action), verb.attributes.get("method", "POST"), fields) if action else _Next()

    def _hear(self, verb: Verb) -> str:
        """Let the person hear a verb; return its words."""
        self._leg.seconds += verb.seconds()
        words = verb.text if verb.name in {"Say", "Play"} else ""
        if words:
            self._leg.said.append(words)
            self._record("call_said", said=words, language=verb.attributes.get("language"))
        return words

    async def _gather(self, verb: Verb) -> _Next | None:
        """Ask a question; None when it stays unanswered and nothing is to be posted."""
        words = " ".join(filter(None, map(self._hear, verb.inside)))
        self._leg.questions += 1
        given = None if self._hangs_up() else await self._answer(verb, words)
        if self._hand is not None and (self._hand.over or self._leg.redirected):
            return _Next()
        action = urljoin(self._url, verb.attributes.get("action", "") or self._url)
        method = verb.attributes.get("method", "POST")
        if given is None:
            self._leg.seconds += float(verb.attributes.get("timeout") or 5)
            silent = verb.attributes.get("actionOnEmptyResult") == "true"
            return _Next(action, method, {"Digits": ""}) if silent else None
        return _Next(action, method, self._give(given, verb))

    async def _answer(self, verb: Verb, words: str) -> Given | None:
        inputs = verb.attributes.get("input", "dtmf").split()
        if self._hand is not None:
            return await self._hand.next(
                digits="dtmf" in inputs,
                speech="speech" in inputs,
                limit=_whole(verb.attributes.get("numDigits")),
                finish=verb.attributes.get("finishOnKey", "#"),
                pause=float(verb.attributes.get("timeout") or 5),
            )
        people = self._carrier.people
        profile = people.profile(self._person)
        question = Question(
            words=words or " ".join(self._leg.said[-1:]),
            digits="dtmf" in inputs,
            speech="speech" in inputs,
            number_of_digits=_whole(verb.attributes.get("numDigits")),
            locale=profile.locale or guess_locale(self._person, words, people.default_locale),
            nth=self._leg.questions,
        )
        return gives(self._temper, profile, question, seed=people.seed, address=self._person)

    def _give(self, given: Given, verb: Verb) -> dict[str, str]:
        """Press or speak, and return what is posted. The finishing key is pressed but not posted."""
        self._leg.seconds += 2
        if given.speech is not None:
            self._leg.spoken.append(given.speech)
            self._record("call_spoken", speech=given.speech)
            return {"SpeechResult": given.speech, "Confidence": "0.93"}
        digits = given.digits or ""
        finish = verb.attributes.get("finishOnKey", "#")
        limit = _whole(verb.attributes.get("numDigits"))
        digits = (digits.partition(finish)[0] if finish else digits)[:limit]
        self._leg.digits.append(digits)
        self._record("call_pressed", digits=digits)
        fields = {"Digits": digits, "msg": "Gather End"}
        return fields if limit == len(digits) or not finish else fields | {"FinishedOnKey": finish}

    def _hangs_up(self) -> bool:
        return self._hand is None and self._temper.name == "hangs_up" and bool(self._leg.said)

    def _apologise(self, code: int, reason: str) -> None:
        self._leg.said.append(_APOLOGY)
        self._record("call_error", code=code, reason=reason)

    def _record(self, kind: str, **facts: object) -> None:
        self._carrier.witness.record(kind, channel="voice", to=self._person, ref=self._sid, **facts)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
