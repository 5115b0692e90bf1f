"""The keys a block of channels.yaml may hold: checked by pydantic here, plain values inside."""

from typing import Annotated, Any, TypeVar, get_args, get_origin

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


class Part(BaseModel):
    """Base of everything that is read: unknown keys refused, values never quoted in errors (they may be secrets)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Options(Part):
    """Base of every adapter's own keys."""

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
    plain = _PLAIN.get(kind)
    text = str(item["msg"]).removeprefix("Value error, ") if plain is None else plain.format(**context)
    keys = _keys_at(model, item["loc"][:-1]) if kind == "extra_forbidden" else ()
    return f"{text}; valid keys: {', '.join(keys)}" if keys else text


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are valid at a place within a model; none when the place is not one model's."""
    found: object = model
    for part in place:
        found = _inside(found, part)
    models = _models_in(found)
    return sorted(models[0].model_fields) if len(models) == 1 else []


def _inside(annotation: object, part: int | str) -> object:
    """Return the annotation of what stands under a key or index."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        spec = annotation.model_fields.get(str(part))
        return None if spec is None else spec.annotation
    if get_origin(annotation) in {dict, list, tuple}:
        return next(iter(get_args(annotation)[-1 if get_origin(annotation) is dict else 0 :]), None)
    inner = [found for each in get_args(annotation) if (found := _inside(each, part)) is not None]
    return inner[0] if len(inner) == 1 else None


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in {dict, list, tuple}:
        return []
    return [found for part in get_args(annotation) for found in _models_in(part)]
