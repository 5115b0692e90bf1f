"""What the table of adapters knows of each: every adapter's module says it at its end, as ``ADAPTER``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from channels.contract import Channel, ChannelConfig
from channels.options import Options


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to check an adapter's keys and how to make it. ``kind`` is its class with every extra it may have."""

    kind: type[Channel]
    options: type[Options]
    make: Callable[[ChannelConfig, Callable[[], datetime]], Channel]
