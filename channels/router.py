"""Several senders behind one channel: delegates to the one that routing chose, and remembers nothing about people.

What certainly never left may go by another sender at once. What may have left goes nowhere: it is looked up at every
sender that may have had it.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from channels.contract import (
    WHATSAPP,
    Accepted,
    Acknowledges,
    Aftermath,
    Answer,
    Callback,
    Cancels,
    Capability,
    Channel,
    Found,
    LooksAfter,
    LooksUp,
    LookupKey,
    Medium,
    Outbound,
    Receipt,
    Reply,
    TakesMail,
)
from channels.errors import (
    BadSignature,
    ConfigError,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    SendError,
    Throttled,
    Unavailable,
    Unsupported,
)
from channels.exchange import about
from channels.options import E164, Options
from channels.routing import (
    Ending,
    Health,
    Route,
    Rules,
    admits,
    begun,
    drifted,
    ended,
    in_order,
    number_for,
    rests_for,
    serving,
)

MIN_VALIDITY: Final = timedelta(seconds=5)
_REMEMBERED: Final = 10_000
_USUAL: Final = Rules()
ROUTED: Final = frozenset({Medium.SMS, Medium.EMAIL})
ONE_MEDIUM: Final = "all must be of one medium: sms, or email (a call has one provider)"
_log = logging.getLogger(__name__)

Share = Annotated[float, Field(gt=0, le=1)]
Duration = Annotated[float, Field(gt=0, le=86_400)]
Few = Annotated[int, Field(ge=1, le=1_000)]


class RouteOptions(Options):
    """What a sender of ``senders`` may say beside its adapter and options."""

    weight: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    prefixes: tuple[Annotated[str, Field(pattern=r"^\+[0-9]{0,8}$")], ...] = ()
    numbers: tuple[E164, ...] = ()
    local_presence: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.local_presence and len(self.numbers) < 2:
            raise ValueError("local_presence chooses among numbers: give at least two")
        return self


class RoutingOptions(Options):
    """The keys of ``routing``: see ``channels.routing.Rules``."""

    slow_seconds: Duration = _USUAL.slow_seconds
    window_seconds: Duration = _USUAL.window_seconds
    troubles: Few = _USUAL.troubles
    trouble_share: Share = _USUAL.trouble_share
    floor: Share = _USUAL.floor
    hold_seconds: Duration = _USUAL.hold_seconds
    drift_step: Share = _USUAL.drift_step
    drift_seconds: Duration = _USUAL.drift_seconds
    open_after: Few = _USUAL.open_after
    open_seconds: Duration = _USUAL.open_seconds
    longest_seconds: Duration = _USUAL.longest_seconds

    def rules(self) -> Rules:
        """Return them as plain values."""
        return Rules(**self.model_dump())


class Router:
    """``channels.contract.Channel`` over several senders of one medium. Health is kept per process."""

    name: ClassVar[str] = "routed"
    medium: ClassVar[Medium]
    capabilities: ClassVar[frozenset[Capability]]

    def __init__(
        self,
        channel: str,
        senders: Mapping[str, Channel],
        routes: Sequence[Route],
        rules: Rules,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = f"/v1/callbacks/{channel}/"
        self._senders = senders
        self._routes = routes
        self._rules = rules
        self._ticks = ticks
        self._health = {route.name: Health() for route in routes}
        self._lock = threading.Lock()  # a process has several event loops; a lost update could leave a trial open
        self._unknown: OrderedDict[str, str] = OrderedDict()

    def health(self) -> dict[str, Health]:
        """Return what is known of every sender now."""
        now = self._ticks()
        with self._lock:
            return {name: drifted(health, now, self._rules) for name, health in self._health.items()}

    async def send(self, outbound: Outbound) -> Accepted:
        """Send by the sender of this person, or by the next when it certainly never left. Raises SendError."""
        if outbound.validity < MIN_VALIDITY:
            raise Unavailable("window closing: too little validity left")
        mine = serving(self._routes, outbound.address)
        if not mine:
            raise Unsupported("no sender serves this destination")
        began, key = self._ticks(), outbound.person or outbound.address
        turned_away: list[SendError] = []
        for route in in_order(mine, self.health(), key):
            if not self._take(route):
                continue
            left = outbound.validity - timedelta(seconds=self._ticks() - began)
            number = outbound.sender or number_for(route, outbound.address, key)
            try:
                return await self._send(route, replace(outbound, validity=left, sender=number))
            except (NotSent, Misconfigured, Unsupported) as error:
                turned_away.append(error)
        raise self._refusal(turned_away, mine)

    async def _send(self, route: Route, outbound: Outbound) -> Accepted:
        """Make the one call and learn from it, however it ends."""
        began, ending = self._ticks(), Ending.FAILED
        try:
            accepted = await self._senders[route.name].send(outbound)
            ending = Ending.GOOD
        except SendError as error:
            ending = _ending(error)
            if isinstance(error, OutcomeUnknown):
                self._remember(outbound.attempt_id, route.name)
            raise
        except BaseException:
            self._remember(outbound.attempt_id, route.name)
            raise
        finally:
            now = self._ticks()
            if ending is Ending.GOOD and now - began > self._rules.slow_seconds:
                ending = Ending.TROUBLE
            self._learn(route, ending, now)
        return replace(accepted, provider_ref=f"{route.name}:{accepted.provider_ref}")

    def _take(self, route: Route) -> bool:
        """Tell whether a sender may be given an attempt now; when it is its trial, nobody else gets one."""
        now = self._ticks()
        with self._lock:
            health = drifted(self._health[route.name], now, self._rules)
            good = admits(health, now)
            self._health[route.name] = begun(health) if good else health
        return good

    def _learn(self, route: Route, ending: Ending, now: float) -> None:
        with self._lock:
            before = self._health[route.name]
            after = self._health[route.name] = ended(before, ending, now, self._rules)
        if after.misconfigured and not before.misconfigured:
            _log.error("sender misconfigured: %s of %s", route.name, self._prefix)
        elif after.is_open != before.is_open or after.share != before.share:
            shown = 0.0 if after.is_open else after.share
            _log.warning("sender %s of %s now has %.2f of its weight", route.name, self._prefix, shown)

    def _remember(self, attempt_id: str, route: str) -> None:
        self._unknown[attempt_id] = route
        if len(self._unknown) > _REMEMBERED:
            self._unknown.popitem(last=False)

    def _refusal(self, turned_away: Sequence[SendError], mine: Sequence[Route]) -> SendError:
        """Choose what to say when nobody took it: what may be tried later first, then what needs a person."""
        for kind in (Throttled, NotSent):
            for error in turned_away:
                if isinstance(error, kind):
                    return error
        broken = [self._health[route.name].misconfigured for route in self._routes]
        for error in turned_away:
            if isinstance(error, Misconfigured) and all(broken):
                return error
        if turned_away and not any(isinstance(error, Misconfigured) for error in turned_away):
            return turned_away[0]
        # One sender's key must not silence those whom another serves: their lane goes on, these wait.
        wait = rests_for([self._health[route.name] for route in mine], self._ticks())
        return Unavailable("no sender of this destination can be used now", retry_after=wait)

    def verify(self, callback: Callback) -> None:
        """Check that a callback is from the sender its path names, or from any. Raises BadSignature."""
        self._from(callback)

    def _from(self, callback: Callback) -> str:
        named = callback.path.removeprefix(self._prefix).partition("/")[0]
        if callback.path.startswith(self._prefix) and named in self._senders:
            self._senders[named].verify(callback)
            return named
        # What was sent before there were several senders still reports to the channel's own address.
        for name, sender in self._senders.items():
            try:
                sender.verify(callback)
            except BadSignature:
                continue
            return name
        raise BadSignature("not signed by any sender")

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a verified callback into news that names its sender. Raises MalformedCallback."""
        route = self._from(callback)
        return [_named(route, each) for each in self._senders[route].parse(callback)]

    def acknowledge(self, callback: Callback) -> Answer | None:
        """Say what the sender of the callback wants to hear."""
        sender = self._senders[self._from(callback)]
        return sender.acknowledge(callback) if isinstance(sender, Acknowledges) else None

    async def close(self) -> None:
        """Give back every sender's connections."""
        await asyncio.gather(*(sender.close() for sender in self._senders.values()))


class AskedRouter(Router):
    """A router with at least one sender that can be asked."""

    async def look_up(self, key: LookupKey) -> Found | None:
        """Ask the sender that had it; when that is not known, all that may have had it. Raises SendError.

        After a process died nobody knows which sender had its attempts, so absence needs every sender's word.
        """
        route = self._unknown.get(key.attempt_id)
        asked = (key.address, WHATSAPP + key.address)
        names = [route] if route else [each.name for to in asked for each in serving(self._routes, to)]
        unasked: SendError | None = None
        for name in names:
            sender = self._senders[name]
            try:
                if not isinstance(sender, LooksUp):
                    raise OutcomeUnknown("a sender that may have had it cannot be asked")
                found = await sender.look_up(key)
            except Unsupported:
                continue  # it does not serve the destination, so it never had it
            except SendError as error:
                unasked = unasked or error
                continue
            if found is not None:
                return replace(found, provider_ref=f"{name}:{found.provider_ref}")
        if unasked is not None:
            raise unasked
        return None


class CaringRouter(Router):
    """A router with at least one sender that is looked after afterwards."""

    @property
    def cares(self) -> bool:
        """Whether any sender has something to look after."""
        return any(sender.cares for sender in self._carers().values())

    @property
    def takes_words_off(self) -> bool:
        """Whether any sender's words are to be taken off its provider."""
        return any(sender.takes_words_off for sender in self._carers().values())

    async def look_after(self, provider_refs: Sequence[str]) -> Sequence[Aftermath]:
        """Ask each sender about its own; there is nothing more to ask about those of senders that do not care."""
        carers = {name: sender for name, sender in self._carers().items() if sender.cares}
        asked: dict[str, list[str]] = {}
        for ref in provider_refs:
            name, _, own = ref.partition(":")
            asked.setdefault(name, []).append(own)
        mine = [name for name in asked if name in carers]
        answers = await asyncio.gather(
            *(_ask_after(name, carers[name], asked[name]) for name in mine), return_exceptions=True
        )
        said = [
            replace(each, provider_ref=f"{name}:{each.provider_ref}")
            for name, answer in zip(mine, answers, strict=True)
            if not isinstance(answer, BaseException)
            for each in answer
        ]
        done = [Aftermath(ref, complete=True) for ref in provider_refs if ref.partition(":")[0] not in carers]
        return said + done

    def _carers(self) -> dict[str, LooksAfter]:
        return {name: sender for name, sender in self._senders.items() if isinstance(sender, LooksAfter)}


class CancellingRouter(Router):
    """A router with at least one sender that takes back what has not left."""

    async def cancel(self, provider_ref: str) -> bool:
        """Ask the sender that has it. Raises SendError."""
        name, _, reference = provider_ref.partition(":")
        sender = self._senders.get(name)
        return await sender.cancel(reference) if isinstance(sender, Cancels) else False


class MailRouter(Router):
    """A router whose senders' answers come back as mail."""

    def is_ours(self, recipient: str) -> bool:
        """Tell whether any sender has this mailbox."""
        return any(sender.is_ours(recipient) for sender in self._mailers().values())

    def read_mail(self, raw: bytes) -> Iterable[Receipt | Reply]:
        """Read a mail as the sender whose Message-ID it answers, else as the first. Raises MalformedCallback."""
        read = {route: list(sender.read_mail(raw)) for route, sender in self._mailers().items()}
        known = (route for route, news in read.items() if any(each.provider_ref for each in news))
        mine = next(known, next(iter(read)))
        return [_named(mine, each) for each in read[mine]]

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Read a posted mail as any other: whose key signed it does not tell whom it answers."""
        if self._from(callback) in self._mailers():
            return self.read_mail(callback.body)
        return super().parse(callback)

    def _mailers(self) -> dict[str, TakesMail]:
        return {route: sender for route, sender in self._senders.items() if isinstance(sender, TakesMail)}


def make_router(
    channel: str, senders: Mapping[str, Channel], routes: Sequence[Route], rules: Rules,
    ticks: Callable[[], float] = time.monotonic,
) -> Router:  # fmt: skip
    """Make the router of a channel, with the extras that its senders have. Raises ConfigError."""
    media = {sender.medium for sender in senders.values()}
    if len(media) != 1 or not media <= ROUTED:
        raise ConfigError(f"{channel}.senders: {ONE_MEDIUM}")
    capabilities = frozenset().union(*(sender.capabilities for sender in senders.values()))
    bases: list[type[Router]] = [AskedRouter] if Capability.LOOKS_UP in capabilities else []
    bases += [CaringRouter] if Capability.LOOKS_AFTER in capabilities else []
    bases += [CancellingRouter] if Capability.CANCELS in capabilities else []
    bases += [MailRouter] if any(isinstance(sender, TakesMail) for sender in senders.values()) else []
    kept = capabilities - {Capability.INTERACTIVE}
    made: type[Router] = type("Router", (*bases, Router), {"medium": media.pop(), "capabilities": kept})
    return made(channel, senders, routes, rules, ticks)


async def _ask_after(route: str, sender: LooksAfter, refs: Sequence[str]) -> Sequence[Aftermath]:
    with about(route):
        return await sender.look_after(refs)


def _ending(error: SendError) -> Ending:
    match error:
        case Misconfigured():
            return Ending.MISCONFIGURED
        case Throttled():
            return Ending.TROUBLE
        case Rejected():
            return Ending.GOOD
        case _:
            return Ending.FAILED


def _named(route: str, news: Receipt | Reply) -> Receipt | Reply:
    reference = None if news.provider_ref is None else f"{route}:{news.provider_ref}"
    return replace(news, provider_ref=reference, dedupe_key=f"{route}:{news.dedupe_key}")
