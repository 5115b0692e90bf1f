"""The keys a block of channels.yaml may hold: checked by pydantic here, plain values inside."""

from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from channels.contract import ChannelConfig
from channels.errors import ConfigError

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+(/[^\s?#]*)?$", max_length=500)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Connections = Annotated[int, Field(ge=1, le=2000)]

_PLAIN = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "string_pattern_mismatch": "is not in the form {pattern}",
}


class Options(BaseModel):
    """Base of every adapter's own keys: unknown keys refused, values never quoted in errors (they may be secrets)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def secret_keys(cls) -> frozenset[str]:
        """Return the keys whose values must come from the environment."""
        return frozenset(name for name, spec in cls.model_fields.items() if _holds_secret(spec.annotation))


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_holds_secret(part) for part in get_args(annotation))


AnyOptions = TypeVar("AnyOptions", bound=Options)


def read_options(model: type[AnyOptions], config: ChannelConfig) -> AnyOptions:
    """Check one block's options. Raises ConfigError naming every wrong field and what would be valid."""
    try:
        return model.model_validate(dict(config.options))
    except ValidationError as error:
        lines = [f"{config.name}.options{field}: {text}" for field, text in wrong_fields(error, model)]
        raise ConfigError("\n".join(lines)) from None


def wrong_fields(error: ValidationError, model: type[BaseModel]) -> list[tuple[str, str]]:
    """Say each thing pydantic found as (".field", sentence), in words of the file."""
    return [(_dotted(item["loc"]), plain_text(item, model)) for item in error.errors(include_url=False)]


def _dotted(loc: tuple[int | str, ...]) -> str:
    return "".join(f".{part}" for part in loc)


def plain_text(item: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Write one of pydantic's findings without quoting the value."""
    kind, context = item["type"], item.get("ctx", {})
    text = _PLAIN.get(kind, str(item["msg"]).removeprefix("Value error, ")).format(**context)
    if kind == "extra_forbidden" and len(item["loc"]) == 1:
        text += f"; valid keys: {', '.join(sorted(model.model_fields))}"
    return text
