"""In which language a borrower is written to: a wish in a reply is heeded at once, and remembered."""

from datetime import datetime

from outreach.domain.case import Borrower
from outreach.domain.intake import OpenDialogue
from outreach.domain.timeline import Entry
from outreach.flows.conversation import save
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.set_aside import ANSWERS
from outreach.flows.speaker import Speaker
from outreach.rendering.locales import Locales
from outreach.replies.dialogue import repeat
from outreach.replies.dialogue_spec import DialogueState, Step
from outreach.replies.reading import PAUSING, Intent, Reading

_SAYS_NO_MORE = frozenset({Intent.UNCLEAR, Intent.CHIT_CHAT, Intent.HELP})
_A_GUESS = 0.6
"""How sure a reading is at most that no rule made."""


def locale_for(locales: Locales, language: str, borrower: Borrower) -> str:
    """Return the locale of a language that fits where a borrower lives; theirs, if it is of that language already."""
    if borrower.locale.partition("-")[0].lower() == language:
        return borrower.locale
    local = f"{language}-{borrower.country}"
    return local if local in locales.by_code else locales.languages.get(language, locales.default)


async def heed_language(house: House, tx: Tx, speaker: Speaker, reading: Reading, now: datetime) -> None:
    """Remember the language a reply asks for. What answers the reply is put into words later, and so in that one."""
    borrower = speaker.dossier.borrower
    if reading.language is None:
        return
    locale = locale_for(house.renderer.catalog.locales, reading.language, borrower)
    await choose_language(tx, speaker, locale, now)


async def choose_language(tx: Tx, speaker: Speaker, locale: str, now: datetime) -> None:
    """Remember the locale that somebody wants to be written and spoken to in, unless it is theirs already."""
    borrower = speaker.dossier.borrower
    if locale == borrower.locale:
        return
    await tx.choose_locale(borrower.borrower_id, locale, now)
    told = {"locale": locale, "evidence": speaker.evidence}
    await tx.append([Entry(speaker.case.case_id, now, "language.chosen", told)])


def only_asks_language(reading: Reading) -> bool:
    """Tell whether a reply asks for a language and for nothing else."""
    if reading.language is None or reading.must_stop or set(reading.intents) & (PAUSING | ANSWERS):
        return False
    return reading.intent in _SAYS_NO_MORE or reading.confidence <= _A_GUESS


async def ask_again(
    house: House, tx: Tx, speaker: Speaker, going: OpenDialogue, begun: DialogueState, now: datetime
) -> Step:
    """Say what a dialogue asked once more: it counts as a turn, and as nothing else."""
    dialogues = house.replies.dialogues
    step = repeat(dialogues, begun)
    if step.state.open and step.say is None:
        step = Step(step.state, step.effects, min(dialogues[begun.kind].asks(begun.state), default=None))
    await save(house, tx, speaker, going.dialogue_id, step, now)
    return step
