"""Lives of a case, each in a file of its own: lived on the real stack, and told as it was told before."""

from pathlib import Path

import pytest

from tests.support.life_file import read_life, settle_golden
from tests.support.life_steps import live
from tests.support.life_told import tell
from tests.support.living import living

LIVES = sorted((Path(__file__).parent / "lives").glob("*.yaml"))


@pytest.mark.parametrize("path", LIVES, ids=[path.stem for path in LIVES])
async def test_a_life_is_told_as_it_was_told_before(
    path: Path, database: str, valkey_url: str, update_golden: bool
) -> None:
    life = read_life(path)
    async with living(life, database, valkey_url) as lived:
        await live(lived)
        came_out = await tell(lived)
    settle_golden(life, came_out, update=update_golden)


def test_there_are_enough_lives() -> None:
    assert len(LIVES) >= 40
