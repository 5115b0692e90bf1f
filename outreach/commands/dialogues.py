"""`outreach dialogues`: what conversations there are, and pictures of them."""

from typing import Annotated

import typer

from outreach.commands.common import Json, console, print_json, settings_or_fail
from outreach.domain.located_yaml import ConfigError
from outreach.replies.dialogue_config import load_dialogues
from outreach.replies.dialogue_drawing import mermaid
from outreach.replies.dialogue_spec import Dialogues, DialogueSpec

app = typer.Typer(no_args_is_help=True, help="Conversations with borrowers: list them, draw them.")


def _load() -> Dialogues:
    """Read the dialogues of this configuration, or end with what is wrong with them."""
    try:
        return load_dialogues(settings_or_fail().config / "dialogues")
    except ConfigError as error:
        for problem in error.problems:
            console.print(str(problem), highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.command("list")
def list_dialogues(as_json: Json = False) -> None:
    """List every dialogue: where it is held, which answers begin it, its states and its limits."""
    found = _load().values()
    if as_json:
        print_json([_listed(spec) for spec in found])
        return
    for spec in found:
        began = ", ".join(sorted(spec.begins_on)) or "by itself"
        states = f"; states: {', '.join(spec.states)}" if spec.states else ""
        line = f"{spec.kind}: on {', '.join(sorted(spec.surfaces))}; begins on {began}{states}"
        console.print(f"{line}; at most {spec.max_turns} turns", highlight=False, markup=False, soft_wrap=True)


def _listed(spec: DialogueSpec) -> dict[str, object]:
    return {
        "dialogue": spec.kind,
        "surfaces": sorted(spec.surfaces),
        "begins_on": sorted(spec.begins_on),
        "states": list(spec.states),
        "max_turns": spec.max_turns,
        "max_misses": spec.max_misses,
        "time_out_hours": spec.time_out_hours,
    }


@app.command()
def draw(
    name: Annotated[str | None, typer.Argument(help="One dialogue; all of them without.")] = None,
    kind: Annotated[str, typer.Option("--format", help="mermaid, the only one there is.")] = "mermaid",
) -> None:
    """Draw dialogues as Mermaid state diagrams, which most viewers of Markdown show as pictures."""
    dialogues = _load()
    if kind != "mermaid":
        raise typer.BadParameter(f"{kind!r} is not a format; there is mermaid", param_hint="--format")
    if name is not None and name not in dialogues:
        raise typer.BadParameter(f"there is no dialogue {name!r}; there are {', '.join(dialogues)}", param_hint="NAME")
    for spec in dialogues.values() if name is None else [dialogues[name]]:
        typer.echo((f"%% {spec.kind}\n" if name is None else "") + mermaid(spec))
