"""A pacer for tests in which one send must wait for another."""


class OneByOne:
    """Lets one send of a batch run at a time."""

    async def take(self, channel: str, wanted: int) -> int:
        return wanted

    def concurrency(self, channel: str) -> int:
        return 1

    def per_second(self, channel: str) -> float | None:
        return None
