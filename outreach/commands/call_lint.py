"""Holds the keys that a call listens for against the words that tell them: the same key, in every language."""

import re
from collections.abc import Iterator

from outreach.domain.words import Channel
from outreach.rendering.catalog import Catalog
from outreach.rendering.render import Renderer, RenderRefused
from outreach.rendering.sample import sample_fields
from outreach.replies.dialogue_spec import DialogueSpec

MENU_KEY = "menu."


def keys_that_are_not_told(spec: DialogueSpec, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield (field, problem) of each key of a dialogue that its prompt does not tell in some language."""
    if spec.surfaces != {"ivr"}:
        return
    prompts = dict(_prompts(catalog))
    for name, state in spec.states.items():
        for key in state.keys:
            field = f"states.{name}.keys.{key}"
            pressed = catalog.manifest.menu.get(key.removeprefix(MENU_KEY)) if key.startswith(MENU_KEY) else key
            if pressed is None:
                yield (
                    field,
                    f"templates/catalog.yaml has no key of that name; it has {', '.join(catalog.manifest.menu)}",
                )
                continue
            silent = [code for code, parts in prompts.items() if not _tells(parts.get(state.prompt or "", ""), pressed)]
            if silent:
                yield field, f"the prompt {state.prompt} does not say key {pressed} in {', '.join(silent)}"


def _tells(words: str, key: str) -> bool:
    return re.search(rf"(?<![0-9]){re.escape(key)}(?![0-9])", re.sub(r"<[^>]*>", " ", words)) is not None


def _prompts(catalog: Catalog) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the words of a call in each locale; a template that cannot be rendered is reported elsewhere."""
    renderer = Renderer(catalog)
    name = next(iter(catalog.names(Channel.IVR)), "")
    for code in catalog.locales.by_code:
        try:
            yield code, dict(renderer.render(name, Channel.IVR, code, sample_fields(code)).spoken)
        except RenderRefused:
            continue
