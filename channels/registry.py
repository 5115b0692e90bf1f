"""The table of adapters: the one place that knows them by name. Only the composition root reads it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from importlib import import_module

from channels.adapter import Adapter
from channels.contract import WHATSAPP, Capability, Channel, ChannelConfig
from channels.errors import ConfigError
from channels.options import read_options
from channels.router import RouteOptions, RoutingOptions, make_router
from channels.routing import Route

Now = Callable[[], datetime]
"""Gives the instant, aware UTC. Channels have no clock of their own."""


class Adapters(Mapping[str, Adapter]):
    """Adapters by name. A module is imported when its adapter is asked for: nobody pays for a provider they lack."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Adapter:
        """Return the ``ADAPTER`` of the module that has it. Raises KeyError for a name nobody knows."""
        found = import_module(f"channels.{self._modules[name]}").ADAPTER
        assert isinstance(found, Adapter)  # noqa: S101 - our own table
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate the names."""
        return iter(self._modules)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._modules)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such an adapter, without importing it."""
        return name in self._modules


ADAPTERS = Adapters(
    {
        "twilio_sms": "sms.twilio",
        "twilio_whatsapp": "sms.whatsapp",
        "twilio_voice": "voice.twilio",
        "twilio_ivr": "ivr.twilio",
        "smtp": "email.smtp",
        "aliyun_sms": "sms.aliyun",
        "http_gateway": "sms.http_gateway",
    }
)


def make_channel(config: ChannelConfig, now: Now) -> Channel:
    """Make the adapter a block names. Raises ConfigError."""
    if config.senders:
        return _make_router(config, now)
    adapter = ADAPTERS.get(config.adapter)
    if adapter is None:
        raise ConfigError(f"{config.name}.adapter: unknown adapter; valid: {', '.join(ADAPTERS)}")
    return adapter.make(config, now)


def _make_router(config: ChannelConfig, now: Now) -> Channel:
    """Make every sender under ``<channel>/<sender>``, which is where its callbacks come to."""
    routes, senders = [], {}
    for sender in config.senders:
        name = sender.config.name.rpartition("/")[2]
        said = read_options(RouteOptions, replace(sender.config, options=sender.route))
        senders[name] = make_channel(sender.config, now)
        scheme = WHATSAPP if Capability.WHATSAPP in senders[name].capabilities else ""
        prefixes = tuple(scheme + prefix for prefix in said.prefixes)
        routes.append(Route(name, said.weight, prefixes, said.numbers, said.local_presence, scheme))
    rules = read_options(RoutingOptions, replace(config, options=config.routing)).rules()
    return make_router(config.name, senders, routes, rules)
