"""The table of adapters: the one place that knows them by name. Only the composition root reads it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from channels.contract import WHATSAPP, Capability, Channel, ChannelConfig
from channels.email.smtp import SmtpEmail, SmtpOptions
from channels.errors import ConfigError
from channels.gateway_options import HttpGatewayOptions
from channels.ivr.twilio import TwilioIvr
from channels.options import Options, read_options
from channels.router import RouteOptions, RoutingOptions, make_router
from channels.routing import Route
from channels.sms.aliyun import AliyunOptions, AliyunSms
from channels.sms.http_gateway import AskedGateway, make_gateway
from channels.sms.twilio import TwilioSms, TwilioSmsOptions
from channels.sms.whatsapp import TwilioWhatsApp, TwilioWhatsAppOptions
from channels.twilio_calls import TwilioCallOptions
from channels.voice.twilio import TwilioVoice

Now = Callable[[], datetime]
"""Gives the instant, aware UTC. Channels have no clock of their own."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to check an adapter's keys and how to make it. ``kind`` is its class with every extra it may have."""

    kind: type[Channel]
    options: type[Options]
    make: Callable[[ChannelConfig, Now], Channel]


ADAPTERS: dict[str, Adapter] = {
    "twilio_sms": Adapter(TwilioSms, TwilioSmsOptions, lambda config, _now: TwilioSms(config)),
    "twilio_whatsapp": Adapter(TwilioWhatsApp, TwilioWhatsAppOptions, lambda config, _now: TwilioWhatsApp(config)),
    "twilio_voice": Adapter(TwilioVoice, TwilioCallOptions, lambda config, _now: TwilioVoice(config)),
    "twilio_ivr": Adapter(TwilioIvr, TwilioCallOptions, lambda config, _now: TwilioIvr(config)),
    "smtp": Adapter(SmtpEmail, SmtpOptions, SmtpEmail),
    "aliyun_sms": Adapter(AliyunSms, AliyunOptions, AliyunSms),
    "http_gateway": Adapter(AskedGateway, HttpGatewayOptions, make_gateway),
}


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
