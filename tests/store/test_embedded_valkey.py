"""The embedded Valkey serves those who were given its address, and nobody who only knows its port."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from outreach import embedded


def test_who_only_knows_the_port_takes_nothing_from_the_lanes(valkey_url: str) -> None:
    own = redis.Redis.from_url(valkey_url)
    own.rpush("lane", "entry")
    stranger = redis.Redis(port=urlsplit(valkey_url).port or 0)
    with pytest.raises(redis.exceptions.NoPermissionError):
        stranger.lpop("lane")
    assert own.lrange("lane", 0, -1) == [b"entry"]
    own.close()
    stranger.close()


def test_its_address_still_works_after_it_died(tmp_path: Path) -> None:
    server = embedded.EmbeddedValkey(tmp_path)
    try:
        own = redis.Redis.from_url(server.url)
        own.set("kept", "1")
        server.kill()
        assert server.revive()
        again = redis.Redis.from_url(server.url)
        assert again.ping()
        own.close()
        again.close()
    finally:
        server.stop()
