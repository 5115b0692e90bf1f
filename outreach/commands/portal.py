"""`outreach portal`: the link of a case's page, for an operator who has the borrower on the phone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.portal import Portal
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The borrowers' pages: one signed link a case.")


@app.callback()
def portal() -> None:
    """Keep `link` a command of its own, though it is the only one."""


@app.command()
def link(
    ref: Annotated[str, typer.Argument(help="A case id, or the lender's account or borrower reference.")],
    as_json: Json = False,
) -> None:
    """Print the link of a case's page. Whoever opens it still has to show that they are the borrower."""
    settings = settings_or_fail()
    if not settings.portal_secrets:
        fail("the portal is not configured: set OUTREACH_PORTAL_SECRET to at least 32 characters")
    found = run(_link(settings, ref))
    if found is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    case_id, address, ends = found
    if as_json:
        print_json({"case_id": case_id, "link": address, "ends_at": ends})
    else:
        console.print(address, highlight=False, soft_wrap=True)


async def _link(settings: Settings, ref: str) -> tuple[UUID, str, datetime] | None:
    async with a_house(settings) as house:
        async with house.store.transaction() as tx:
            case_id = await tx.find_case(ref)
        if case_id is None or house.portal is None:
            return None
        now = house.clock.now()
        return case_id, house.portal.link(case_id, now), house.portal.ends(now)


def standing(portal: Portal | None) -> dict[str, Any]:
    """Return whether there is a portal, and what is wrong with it."""
    if portal is None:
        return {"configured": False, "problem": None}
    plain = not portal.public_url.startswith("https://") and not portal.is_loopback
    problem = "OUTREACH_PUBLIC_URL is neither https nor this machine, so browsers keep no visit" if plain else None
    return {"configured": True, "problem": problem}


def in_a_word(told: Mapping[str, Any]) -> str:
    """Return the same for people."""
    if not told["configured"]:
        return "not configured"
    return told["problem"] or "configured"
