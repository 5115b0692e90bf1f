"""WhatsApp through Twilio: approved templates; our own words only while the person's last words are fresh."""

import json
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from channels.adapter import Adapter
from channels.approved import Sources, filled, known_sources
from channels.contract import WHATSAPP, Capability, ChannelConfig, Found, LookupKey, Outbound
from channels.errors import ContentRefused, NoTemplate
from channels.options import Part, read_options
from channels.sms.twilio import TwilioSms, TwilioSmsOptions

MAX_VARIABLE = 1_024


class ContentTemplate(Part):
    """One template in one locale: Twilio's name of it, and which of our fields fills each of its variables.

    Without a ``content_sid`` (say, because its environment variable is empty) it is not approved, and nothing leaves.
    """

    content_sid: Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")] | None = None
    variables: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,32}$")], str], AfterValidator(known_sources)
    ] = Field(default_factory=Sources)


class TwilioWhatsAppOptions(TwilioSmsOptions):
    """Those of texts; ``sender`` is the number without ``whatsapp:``. ``templates``: by our template and locale."""

    templates: dict[str, dict[str, ContentTemplate]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        if self.sender is None:
            raise ValueError("give sender: the account's WhatsApp number (E.164)")
        return self


class TwilioWhatsApp(TwilioSms):
    """``channels.contract.Channel`` for ``whatsapp:+...`` addresses and no others; a sender beside those of texts."""

    name: ClassVar[str] = "twilio_whatsapp"
    capabilities: ClassVar[frozenset[Capability]] = TwilioSms.capabilities | {
        Capability.TEMPLATES,
        Capability.WHATSAPP,
    }

    def __init__(self, config: ChannelConfig) -> None:
        options = read_options(TwilioWhatsAppOptions, config)
        super().__init__(config, options)
        self._templates = options.templates

    def _form(self, outbound: Outbound) -> dict[str, object]:
        form = super()._form(outbound)
        if outbound.in_thread:
            return form
        del form["Body"]
        return form | self._content(outbound)

    def _content(self, outbound: Outbound) -> dict[str, object]:
        """Return the approved template and its values. Outside the thread our own words are never carried."""
        template = outbound.template
        if template is None:
            raise NoTemplate("no template was given, and free words are carried only within a thread")
        approved = self._templates.get(template.name, {}).get(template.locale)
        if approved is None or approved.content_sid is None:
            raise NoTemplate(f"no approved template (content_sid) for {template.name} in {template.locale}")
        form: dict[str, object] = {"ContentSid": approved.content_sid}
        if approved.variables:
            values = {name: _one_line(value) for name, value in filled(template, approved.variables).items()}
            if not all(values.values()):
                raise ContentRefused("a variable without a value")
            form["ContentVariables"] = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return form

    def _origin(self, sender: str | None) -> dict[str, object]:
        return {"From": WHATSAPP + str(sender or self._sender)}

    async def look_up(self, key: LookupKey) -> Found | None:
        """Find it as a text is found: an approved template reads as our words do, or it is not found."""
        return await super().look_up(replace(key, address=WHATSAPP + key.address.removeprefix(WHATSAPP)))


def _one_line(value: str) -> str:
    return " ".join(value.split())[:MAX_VARIABLE]


ADAPTER = Adapter(TwilioWhatsApp, TwilioWhatsAppOptions, lambda config, _now: TwilioWhatsApp(config))
