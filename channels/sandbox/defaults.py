"""The sandbox's account and secrets when the environment names none: public values, for loopback only."""

from typing import Final

ACCOUNT_SID: Final = "AC" + "5a" * 16
AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105 - public on purpose
INBOUND_SECRET: Final = "sandbox-inbound-secret"  # noqa: S105 - public on purpose
