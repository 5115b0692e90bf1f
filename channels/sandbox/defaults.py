"""The sandbox's account and secrets when the environment names none: public values, for loopback only."""

from typing import Final

ACCOUNT_SID: Final = "AC" + "5a" * 16
AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105 - public on purpose
INBOUND_SECRET: Final = "sandbox-inbound-secret"  # noqa: S105 - public on purpose
ALIYUN_KEY_ID: Final = "LTAI-sandbox"
ALIYUN_KEY_SECRET: Final = "sandbox-aliyun-secret"  # noqa: S105 - public on purpose
ALIYUN_PUSH_SECRET: Final = "sandbox-aliyun-push"  # noqa: S105 - public on purpose
GATEWAY_KEY: Final = "sandbox-gateway-key"
GATEWAY_SECRET: Final = "sandbox-gateway-callbacks"  # noqa: S105 - public on purpose
