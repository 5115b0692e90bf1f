"""The fake keeps the contract, so that flow tests mean something."""

import asyncio

import pytest
from given import TEXT, outbound

from channels import errors
from channels.contract import (
    Accepted,
    Callback,
    Cancels,
    Channel,
    Found,
    Interactive,
    LooksUp,
    LookupKey,
    Prompt,
    Receipt,
    ReceiptStatus,
    Reply,
)
from channels.fake import FakeChannel


def test_outcomes_are_used_in_order_and_every_outbound_is_kept() -> None:
    fake = FakeChannel(Accepted("one"), errors.OutcomeUnknown("lost"))

    async def main() -> None:
        assert await fake.send(outbound(TEXT)) == Accepted("one")
        with pytest.raises(errors.OutcomeUnknown):
            await fake.send(outbound(TEXT))
        assert await fake.send(outbound(TEXT, attempt_id="a3")) == Accepted("fake-a3")

    asyncio.run(main())
    assert len(fake.sent) == 3


def test_a_script_decides_by_outbound() -> None:
    fake = FakeChannel(script=lambda o: errors.BadAddress() if o.address.endswith("0199") else Accepted("ok"))

    async def main() -> None:
        assert await fake.send(outbound(TEXT)) == Accepted("ok")
        with pytest.raises(errors.BadAddress):
            await fake.send(outbound(TEXT, "+12025550199"))

    asyncio.run(main())


def test_its_callbacks_verify_and_parse_and_forged_ones_do_not() -> None:
    fake = FakeChannel()
    news = fake.callback(dedupe_key="k", status="delivered", token="t")
    fake.verify(news)
    assert fake.parse(news) == (Receipt("k", ReceiptStatus.DELIVERED, "t"),)
    assert fake.parse(fake.callback(dedupe_key="r", text="STOP")) == (Reply("r", fake.medium, None, "STOP"),)
    with pytest.raises(errors.BadSignature):
        fake.verify(Callback(news.path, "", {}, news.body))
    for body in (b"{", b"{}", b'{"status": "exploded"}', b"[]"):
        with pytest.raises(errors.MalformedCallback):
            fake.parse(Callback(news.path, "", news.headers, body))


def test_it_offers_every_extra() -> None:
    fake = FakeChannel()
    channel: Channel = fake
    assert isinstance(channel, LooksUp)
    assert isinstance(channel, Cancels)
    assert isinstance(channel, Interactive)
    fake.found["a1"] = Found("ref", ReceiptStatus.SENT)
    fake.cancellable.add("ref")

    async def main() -> None:
        assert await fake.look_up(LookupKey("a1", "t", "+1", None, 0.0)) == Found("ref", ReceiptStatus.SENT)
        assert await fake.look_up(LookupKey("a2", "t", "+1", None, 0.0)) is None
        assert [await fake.cancel(ref) for ref in ("ref", "other")] == [True, False]
        await fake.close()

    asyncio.run(main())
    assert fake.closed
    assert fake.answer(Prompt("Hello", "en-US")).body == b"Hello"
