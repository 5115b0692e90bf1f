"""The one tree of things that go wrong between outreach and a provider; who acts on them is flows.settle.

ChannelError
├── SendError                 raised by Channel.send and look_up
│   ├── NotSent               certainly never left: the attempt is released and decided again later
│   │   ├── Throttled             the provider said later (retry_after seconds when it said how long)
│   │   └── Unavailable           could not connect, or refused before taking it
│   ├── Rejected              the provider refused this one for good
│   │   ├── BadAddress            the address cannot be reached on this medium
│   │   ├── OptedOut              the person stopped this sender at the provider
│   │   ├── ContentRefused        blocked or filtered text
│   │   └── Unsupported           this destination is not served
│   ├── Misconfigured         our credentials, sender or account: the channel is paused, an operator is told
│   └── OutcomeUnknown        it may have left: keeps its cap slot, is looked up, is never sent again
├── CallbackError
│   ├── BadSignature          403, nothing stored
│   └── MalformedCallback     stored raw, alert
└── ConfigError               stops the process at start: file, field and what would be valid
"""

from typing import ClassVar


class ChannelError(Exception):
    """Root of everything a channel raises on purpose. Texts never hold an address or a body."""


class SendError(ChannelError):
    """A send that did not end in Accepted.

    ``code`` is stable and ours; ``provider_code`` is the provider's own, as text. ``decided_by`` names the data, with
    its version, that said what the provider's code means.
    """

    code: ClassVar[str] = "send_error"

    def __init__(self, detail: str = "", *, provider_code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.provider_code = provider_code
        self.retry_after = retry_after
        self.decided_by: str | None = None


class NotSent(SendError):  # noqa: N818 - named by what happened, as the house speaks of it
    """It certainly never left."""

    code = "not_sent"


class Throttled(NotSent):
    """The provider asked us to slow down and did not take it."""

    code = "throttled"


class Unavailable(NotSent):
    """The provider could not be reached, or refused before it took anything."""

    code = "unavailable"


class Rejected(SendError):  # noqa: N818 - named by what happened, as the house speaks of it
    """The provider refused this attempt for good."""

    code = "rejected"


class BadAddress(Rejected):
    """The address does not exist or cannot take this medium."""

    code = "bad_address"


class OptedOut(Rejected):
    """The person stopped this sender at the provider or carrier."""

    code = "opted_out"


class ContentRefused(Rejected):
    """The words were blocked or filtered."""

    code = "content_refused"


class Unsupported(Rejected):
    """The provider does not serve this destination or kind of content."""

    code = "unsupported"


class NoTemplate(Unsupported):
    """The provider takes only templates it approved, and for this one and locale none is configured."""

    code = "no_template"


class Misconfigured(SendError):  # noqa: N818 - named by what happened, as the house speaks of it
    """Credentials, sender or account are wrong: nothing on this channel can leave until a person acts."""

    code = "misconfigured"


class OutcomeUnknown(SendError):  # noqa: N818 - named by what happened, as the house speaks of it
    """It may have left. Never send again; look it up."""

    code = "outcome_unknown"


class CallbackError(ChannelError):
    """A provider's request that cannot be used."""


class BadSignature(CallbackError):  # noqa: N818 - named by what happened, as the house speaks of it
    """Not provably the provider's."""


class MalformedCallback(CallbackError):  # noqa: N818 - named by what happened, as the house speaks of it
    """The provider's, but not in the agreed form."""


class ConfigError(ChannelError):
    """A channel block that cannot work; names the field and what would be valid."""
