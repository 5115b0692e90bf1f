"""The blocks that the pages show are blocks that load."""

import re
from pathlib import Path

import pytest
import yaml

from channels.config import load_channels
from channels.registry import make_channel
from outreach.rendering.locales import load_locales

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "channels"
ENV = {
    "GATEWAY_KEY": "key", "GATEWAY_CALLBACK_SECRET": "callbacks", "ALIYUN_KEY_ID": "LTAI-example",
    "ALIYUN_KEY_SECRET": "secret", "ALIYUN_PUSH_SECRET": "0123456789abcdef", "SID": "AC" + "a" * 32, "TOKEN": "token",
}  # fmt: skip
HEAD = "public_url: https://outreach.example.com\n"
SENDERS = "channels:\n  sms:\n    pace: {per_second: 1, burst: 1}\n    concurrency: 1\n    senders:\n"


def shown(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)


def loads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(text, "utf-8")
    for config in load_channels(path, ENV).values():
        make_channel(config, lambda: pytest.fail("the time is not asked for at start"))


def test_the_gateways_block_loads(tmp_path: Path) -> None:
    loads(tmp_path, HEAD + shown("http-gateway.md")[0])


def test_every_way_to_sign_in_that_is_shown_loads(tmp_path: Path) -> None:
    block, ways = shown("http-gateway.md")[:2]
    assert len(ways.splitlines()) == 4
    for way in ways.splitlines():
        loads(tmp_path, HEAD + block.replace("{kind: bearer, secret: api}", way))


def test_aliyuns_block_loads_and_its_locale_is_one_of_ours(tmp_path: Path) -> None:
    (block,) = shown("aliyun.md")
    loads(tmp_path, HEAD + SENDERS + block)
    (templates,) = yaml.safe_load(block)["china"]["options"]["templates"].values()
    assert set(templates) <= set(load_locales(ROOT / "templates" / "locales.yaml").by_code)


def test_the_routing_block_loads_with_the_options_filled_in(tmp_path: Path) -> None:
    twilio = "{account_sid: '${SID}', auth_token: '${TOKEN}', sender: '+12025550100'}"
    gateway = (
        "{request: {url: 'https://g.example.com/', fields: {to: '{address}', text: '{body}'}}, "
        "answer: {reference: /id}}"
    )
    aliyun = "{access_key_id: LTAI-example, access_key_secret: '${TOKEN}', sign_name: 示例银行, templates: {}}"
    (block,) = shown("routing.md")
    for options in (twilio, gateway, aliyun):
        block = block.replace("{...}", options, 1)
    loads(tmp_path, HEAD + block)
