"""What the sandbox's account is called and signs with when the environment does not say. Public values, for loopback."""

from typing import Final

ACCOUNT_SID: Final = "AC" + "5a" * 16
AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105 - public on purpose
INBOUND_SECRET: Final = "sandbox-inbound-secret"  # noqa: S105 - public on purpose
