"""A channel without a provider: records what it was given and does what it was told, for tests and dry runs."""

import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from channels.contract import (
    Accepted,
    Aftermath,
    Answer,
    Callback,
    Capability,
    Found,
    LookupKey,
    Medium,
    Outbound,
    Prompt,
    Receipt,
    ReceiptStatus,
    Reply,
)
from channels.errors import BadSignature, MalformedCallback, SendError

Outcome = Accepted | SendError
Script = Callable[[Outbound], Outcome]
"""Decides what becomes of one outbound; a SendError is raised, not returned."""

SIGNATURE_HEADER = "x-fake-signature"


def accepts(outbound: Outbound) -> Accepted:
    """Accept everything under a reference that names the attempt."""
    return Accepted(f"fake-{outbound.attempt_id}")


class FakeChannel:
    """Keeps every Outbound in ``sent`` before deciding its outcome, as a real provider may.

    ``outcomes`` are used up first, in order; then ``script`` decides. ``found``, ``cancellable`` and ``aftermath``
    answer look-ups, cancellations and what is asked afterwards (when ``cares``); ``prompts`` records what calls
    were told to say.
    """

    name: ClassVar[str] = "fake"
    medium: ClassVar[Medium] = Medium.SMS
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, *outcomes: Outcome, script: Script = accepts, secret: str = "fake") -> None:  # noqa: S107 - no secret
        self.sent: list[Outbound] = []
        self.prompts: list[Prompt] = []
        self.cancelled: list[str] = []
        self.found: dict[str, Found] = {}
        self.cancellable: set[str] = set()
        self.aftermath: dict[str, Aftermath] = {}
        self.cares = False
        self.takes_words_off = False
        self.closed = False
        self._outcomes = list(outcomes)
        self._script = script
        self._secret = secret

    async def send(self, outbound: Outbound) -> Accepted:
        """Record, then accept or raise as scripted."""
        self.sent.append(outbound)
        outcome = self._outcomes.pop(0) if self._outcomes else self._script(outbound)
        if isinstance(outcome, SendError):
            raise outcome
        return outcome

    def callback(self, **fields: object) -> Callback:
        """Make a signed callback: ``status=`` for a receipt, ``text=`` or ``digits=`` for a reply."""
        return Callback("/v1/callbacks/fake", "", {SIGNATURE_HEADER: self._secret}, json.dumps(fields).encode())

    def verify(self, callback: Callback) -> None:
        """Check the header. Raises BadSignature."""
        if not hmac.compare_digest(callback.headers.get(SIGNATURE_HEADER, ""), self._secret):
            raise BadSignature("not signed by the fake")

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Read a callback made by ``callback``. Raises MalformedCallback."""
        try:
            fields = json.loads(callback.body)
            if "status" in fields:
                return (Receipt(**{**fields, "status": ReceiptStatus(fields["status"])}),)
            medium = Medium(fields.pop("medium", self.medium))
            return (Reply(**{"medium": medium, "address": None, **fields}),)
        except (ValueError, TypeError):
            raise MalformedCallback("not a fake callback") from None

    async def look_up(self, key: LookupKey) -> Found | None:
        """Return what the test put into ``found`` under the attempt id."""
        return self.found.get(key.attempt_id)

    async def cancel(self, provider_ref: str) -> bool:
        """Record, and confirm when the test said it can still be called back."""
        self.cancelled.append(provider_ref)
        return provider_ref in self.cancellable

    async def look_after(self, provider_refs: Sequence[str]) -> Sequence[Aftermath]:
        """Return what the test put into ``aftermath`` under the references."""
        return [self.aftermath[ref] for ref in provider_refs if ref in self.aftermath]

    def answer(self, prompt: Prompt) -> Answer:
        """Record the prompt and say its words plainly."""
        self.prompts.append(prompt)
        return Answer("text/plain; charset=utf-8", prompt.say.encode())

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
