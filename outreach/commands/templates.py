"""`outreach templates`: what every template says, and who approved its words for production."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.table import Table

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.words import Channel
from outreach.flows import approvals
from outreach.flows.approvals import Standing
from outreach.rendering.catalog import Catalog, Template
from outreach.rendering.content import Judge, Judged, Question
from outreach.rendering.render import Renderer
from outreach.rendering.sample import past_due, sample_fields
from outreach.rendering.statements import plain

app = typer.Typer(no_args_is_help=True, help="Templates: list, show, approve, revoke.")

Name = Annotated[str | None, typer.Argument(help="The template's name, such as missed_payment; left out: all.")]
OnChannel = Annotated[str | None, typer.Option("--channel", help="sms, email, voice or ivr; left out: all.")]
InLocale = Annotated[str | None, typer.Option("--locale", help="Such as en-GB; left out: all.")]
By = Annotated[str, typer.Option("--by", help="Who says so.")]
All = Annotated[bool, typer.Option("--all", help="Every template, when no name is given.")]


@app.command("list")
def list_(
    name: Name = None,
    channel: OnChannel = None,
    locale: InLocale = None,
    waiting: Annotated[bool, typer.Option("--unapproved", help="Only those that production would not send.")] = False,
    as_json: Json = False,
) -> None:
    """List templates with the hash of their words and who approved them. Production sends only approved words."""
    found = [one for one in run(_standings(name, channel, locale)) if not waiting or one.state != "approved"]
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    table = Table()
    for heading in ("template", "channel", "locale", "words", "state", "by", "at", "note"):
        table.add_column(heading)
    for one in found:
        about = one.template
        when = f"{one.at:%Y-%m-%d %H:%M} UTC" if one.at else ""
        row = (about.name, about.channel.value, about.locale.code, about.hash, one.state, one.by or "", when, one.note)
        table.add_row(*row)
    console.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="The template's name.")], channel: OnChannel = None, locale: InLocale = None) -> None:  # fmt: skip  # noqa: E501
    """Print a template with made-up fields, what it says by name, and how it stands."""
    settings = settings_or_fail()
    renderer = Renderer(Catalog.load(settings.templates))
    for one in run(_standings(name, channel, locale)):
        _show(renderer, one)


@app.command()
def approve(
    name: Name = None,
    *,
    by: By,
    channel: OnChannel = None,
    locale: InLocale = None,
    note: Annotated[str, typer.Option(help="Why, or after which review. No personal data.")] = "",
    everything: All = False,
) -> None:
    """Approve templates in the words they have now; changed words need a new approval. Lets go what waited for it."""
    _named(name, by, everything=everything)
    count, of = run(_approve(name, channel, locale, by, note))
    console.print(
        f"{count} of {of} approved now; the rest were approved already" if count < of else f"{count} approved"
    )


@app.command()
def revoke(
    name: Name = None, *, by: By, channel: OnChannel = None, locale: InLocale = None, everything: All = False
) -> None:
    """Take approvals back: in production the templates are not sent from a second later on."""
    _named(name, by, everything=everything)
    count = run(_revoke(name, channel, locale, by))
    if not count:
        fail("nothing of that was approved; outreach templates list shows what is", 1)
    console.print(f"{count} revoked")


def _named(name: str | None, by: str, *, everything: bool) -> None:
    if name is None and not everything:
        fail("name a template, or say --all")
    if not by.strip():
        fail("--by: say who it is")


async def _standings(name: str | None, channel: str | None, locale: str | None) -> list[Standing]:
    async with a_house(settings_or_fail()) as house:
        wanted = {id(one) for one in _chosen(house.renderer.catalog, name, channel, locale)}
        async with house.store.transaction() as tx:
            return [one for one in await approvals.standings(tx, house.renderer.catalog) if id(one.template) in wanted]


async def _approve(name: str | None, channel: str | None, locale: str | None, by: str, note: str) -> tuple[int, int]:
    async with a_house(settings_or_fail()) as house:
        templates = _sound(_chosen(house.renderer.catalog, name, channel, locale))
        return await approvals.approve(house, templates, by.strip(), note.strip()), len(templates)


async def _revoke(name: str | None, channel: str | None, locale: str | None, by: str) -> int:
    async with a_house(settings_or_fail()) as house:
        return await approvals.revoke(house, _chosen(house.renderer.catalog, name, channel, locale), by.strip())


def _chosen(catalog: Catalog, name: str | None, channel: str | None, locale: str | None) -> list[Template]:
    """Return the templates that are meant; a word that names none ends the command."""
    _known("template", name, catalog.names())
    _known("channel", channel, [one.value for one in Channel])
    _known("locale", locale, sorted(catalog.locales.by_code))
    found = [
        one
        for one in catalog.templates.values()
        if name in {None, one.name} and channel in {None, one.channel.value} and locale in {None, one.locale.code}
    ]
    return found or fail(f"there is no {name or 'template'} for {channel or 'any channel'} in {locale or 'any locale'}")


def _known(what: str, given: str | None, allowed: Sequence[str]) -> None:
    if given is not None and given not in allowed:
        fail(f"there is no {what} {given!r}; there are {', '.join(allowed)}")


def _sound(templates: list[Template]) -> list[Template]:
    """Refuse to approve what cannot be sent anyway."""
    faulty = sorted({one.file for one in templates if not one.valid})
    if faulty:
        fail(f"not approved: outreach check has something against {', '.join(faulty)}")
    return templates


def _as_json(one: Standing) -> dict[str, Any]:
    about = one.template
    return {
        "template": about.name,
        "channel": about.channel.value,
        "locale": about.locale.code,
        "hash": about.hash,
        "state": one.state,
        "by": one.by,
        "at": one.at,
        "note": one.note,
    }


def _show(renderer: Renderer, one: Standing) -> None:
    about = one.template
    console.print(
        f"{about.name} {about.channel.value} {about.locale.code}  {about.hash}", style="bold", highlight=False
    )
    approved = f"approved by {one.by} at {one.at:%Y-%m-%d %H:%M} UTC" if one.by and one.at else _STATES[one.state]
    console.print(approved + (f" ({one.note})" if one.note else ""), markup=False, highlight=False)
    fields = past_due(sample_fields(about.locale.code), 12)
    question = Question(about.name, about.channel, about.locale.code, fields.creditor, own=True)
    if about.legible:
        spelled = renderer.spell(
            about.name, about.channel, about.locale.code, replace(fields, today=fields.case.due_on)
        )
        for part, words in spelled.items():
            console.print(f"--- {part}", style="dim", highlight=False)
            console.print(plain(words), markup=False, highlight=False, soft_wrap=True)
    for judged in Judge(renderer).of_template(question):
        _show_judged(judged)
    console.print()


def _show_judged(judged: Judged) -> None:
    console.print(f"{judged.medium} says: {', '.join(sorted(judged.statements))}", markup=False, highlight=False)
    for found in judged.found:
        console.print(f"{judged.medium} must not say “{found.words}”: {found.family}", style="red", highlight=False)


_STATES = {
    "changed": "not approved: its words have changed since they were",
    "revoked": "not approved any more: the approval was revoked",
    "new": "not approved",
}
