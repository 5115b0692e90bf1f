"""The Twilio account of a channel block: its keys, its client, and what every adapter on it starts with."""

from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, model_validator

from channels.contract import Callback, ChannelConfig
from channels.errors import OutcomeUnknown
from channels.http_pool import Limits
from channels.options import E164, Connections, HttpUrl, Options, Seconds
from channels.twilio_common import Signatures, refusal, unreadable_is_unknown
from channels.twilio_http import TwilioClient, TwilioHttp

AccountSid = Annotated[str, Field(pattern=r"^AC[0-9a-zA-Z]{32}$")]


class TwilioOptions(Options):
    """Keys every Twilio block shares.

    ``auth_token_secondary`` is accepted in callbacks beside the primary while tokens are rotated. ``api_key`` and
    ``api_secret``, when given, sign in instead of the token (API keys cannot sign callbacks, so the token stays).
    ``shared_keys`` maps a SharedKey id to its secret. An empty ``base_url`` is Twilio itself.
    """

    account_sid: AccountSid
    auth_token: SecretStr
    auth_token_secondary: SecretStr | None = None
    api_key: str | None = None
    api_secret: SecretStr | None = None
    shared_keys: Annotated[dict[str, SecretStr], Field(default_factory=dict)]
    base_url: HttpUrl | None = None
    sender: E164 | None = None
    connect_seconds: Seconds = 5.0
    total_seconds: Seconds = 15.0
    idle_seconds: Seconds = 15.0
    connections: Connections = 100

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("api_key and api_secret go together: give both or neither")
        if self.connect_seconds >= self.total_seconds:
            raise ValueError("connect_seconds must be below total_seconds")
        if not self.auth_token.get_secret_value():
            raise ValueError("auth_token is empty")
        return self

    def sign_in(self) -> tuple[str, str]:
        """Return the user name and password of the API."""
        if self.api_key is not None and self.api_secret is not None:
            return self.api_key, self.api_secret.get_secret_value()
        return self.account_sid, self.auth_token.get_secret_value()

    def auth_tokens(self) -> tuple[str, ...]:
        """Return every token a callback may be signed with."""
        given = (self.auth_token, self.auth_token_secondary)
        return tuple(token.get_secret_value() for token in given if token is not None and token.get_secret_value())

    def limits(self) -> Limits:
        """Return the HTTP limits."""
        return Limits(self.connect_seconds, self.total_seconds, self.idle_seconds, self.connections)


class TwilioAdapter:
    """What the adapters have in common: one client, one set of signatures, one callback URL."""

    def __init__(self, config: ChannelConfig, options: TwilioOptions) -> None:
        self._public_url = config.public_url.rstrip("/")
        self._status_url = f"{self._public_url}/v1/callbacks/{config.name}?t="
        self._http = TwilioHttp(options.sign_in(), refusal, base_url=options.base_url, limits=options.limits())
        client = TwilioClient(self._http, options.sign_in(), options.account_sid)
        self._account = client.api.v2010.account
        self._api = client.api.v2010
        self._resources = f"/Accounts/{options.account_sid}/"
        self._signatures = Signatures(
            public_url=self._public_url,
            account_sid=options.account_sid,
            auth_tokens=options.auth_tokens(),
            shared_keys={name: secret.get_secret_value() for name, secret in options.shared_keys.items()},
        )

    async def _create(self, resource: str, form: dict[str, object]) -> dict[str, Any]:
        """Create a resource, once; ``form`` holds Twilio's own field names. Raises SendError.

        This is the SDK's generic create. Its typed one makes an object with parsed dates that nobody reads here, which
        costs a quarter of a send.
        """
        with unreadable_is_unknown():
            created = await self._api.create_async("POST", f"{self._resources}{resource}.json", data=form)
        if not isinstance(created, dict) or not isinstance(created.get("sid"), str):
            raise OutcomeUnknown("a 2xx answer without a sid")
        return created

    def _status_callback(self, token: str) -> str:
        """Say where Twilio reports progress. The fragment (not sent, not signed) makes it retry our failures."""
        return f"{self._status_url}{token}#rp=all"

    def verify(self, callback: Callback) -> None:
        """Check that a callback is Twilio's and about our account. Raises BadSignature."""
        self._signatures.check(callback)

    async def close(self) -> None:
        """Give back connections."""
        await self._http.close()
