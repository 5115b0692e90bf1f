"""Templates that a provider approved: which of our fields fills each of its places, and their values for one touch."""

from collections.abc import Mapping

from channels.contract import TEMPLATE_FIELDS, Template
from channels.errors import Unsupported

Sources = dict[str, str]
"""The provider's name of a place -> our field that fills it."""


def known_sources(sources: Sources) -> Sources:
    """Return ``sources`` as they are. Raises ValueError naming what is no field of a template."""
    for name, source in sources.items():
        if source not in TEMPLATE_FIELDS:
            raise ValueError(f"{name}: no field of this name; valid: {', '.join(sorted(TEMPLATE_FIELDS))}")
    return sources


def filled(template: Template, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every place. Raises Unsupported when the touch has none for one of them."""
    absent = sorted({source for source in sources.values() if source not in template.parameters})
    if absent:
        raise Unsupported(f"{template.name} needs what this touch has not: {', '.join(absent)}")
    return {name: template.parameters[source] for name, source in sources.items()}
