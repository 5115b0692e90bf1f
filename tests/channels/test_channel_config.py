"""channels.yaml: what it gives, and what it says when it is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from given import NOW

from channels.config import Pace, load_channels, load_paces
from channels.contract import ChannelConfig
from channels.errors import ConfigError
from channels.registry import ADAPTERS, make_channel
from tests.support.source import ROOT

SHIPPED = Path(__file__).parents[2] / "config" / "channels.yaml"
ENV = {
    "OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "a" * 32,
    "OUTREACH_TWILIO_AUTH_TOKEN": "very-secret-token",
    "OUTREACH_SMS_SENDER": "+12025550100",
}
GOOD = """\
public_url: https://outreach.example.com/
channels:
  sms:
    adapter: twilio_sms
    pace: {per_second: 10, burst: 20}
    concurrency: 5
    options:
      account_sid: ${SID}
      auth_token: ${TOKEN}
      sender: "+12025550100"
"""
GOOD_ENV = {"SID": "AC" + "a" * 32, "TOKEN": "very-secret-token"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "channels.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def wrong(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_channels(path, GOOD_ENV if env is None else env)
    text = str(caught.value)
    assert "very-secret-token" not in text
    return [line.replace(str(path), "F") for line in text.splitlines()]


def test_the_shipped_file_makes_every_channel() -> None:
    configs = load_channels(SHIPPED, ENV)
    assert list(configs) == ["sms", "email", "voice", "ivr"]
    made = {name: make_channel(config, lambda: NOW) for name, config in configs.items()}
    assert {name: channel.medium.value for name, channel in made.items()} == {name: name for name in configs}
    assert all(channel.name in ADAPTERS for channel in made.values())
    assert load_paces(SHIPPED, ENV | {"OUTREACH_SMS_PER_SECOND": "2500"})["sms"] == Pace(2500.0, 100, 100)


def test_the_shipped_file_without_credentials_stops_the_start_and_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="OUTREACH_TWILIO_AUTH_TOKEN is not set"):
        load_channels(SHIPPED, {})


def test_a_block_gives_its_adapter_and_options_with_the_environment_put_in(tmp_path: Path) -> None:
    config = load_channels(written(tmp_path, GOOD), GOOD_ENV)["sms"]
    assert (config.name, config.adapter, config.public_url) == ("sms", "twilio_sms", "https://outreach.example.com")
    assert config.options["auth_token"] == "very-secret-token"
    assert "very-secret-token" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sender:", "sendr:", "F:10:14 channels.sms.options.sendr: unknown key; valid keys: "),
        ("concurrency: 5", "concurency: 5", "F:6:17 channels.sms.concurency: unknown key"),
        ("concurrency: 5", "concurrency: 0", "F:6:18 channels.sms.concurrency: Input should be greater"),
        ("burst: 20", "burst: lots", "F:5:35 channels.sms.pace.burst: Input should be a valid integer"),
        ("per_second: 10, ", "", "F:5:11 channels.sms.pace.per_second: is missing"),
        ("twilio_sms", "twillio_sms", "F:4:14 channels.sms.adapter: unknown adapter; valid: twilio_sms, twilio_wh"),
        ("${SID}", "AC1", "F:8:20 channels.sms.options.account_sid: is not in the form ^AC"),
        ('"+12025550100"', "0043", "F:10:15 channels.sms.options.sender: "),
        ("${TOKEN}", "plain-token", "F:9:19 channels.sms.options.auth_token: is a secret: write ${NAME}"),
        ("${TOKEN}", "${TOKEN:-guess}", "F:9:19 channels.sms.options.auth_token: is a secret"),
        ("${TOKEN}", "x${TOKEN}", "F:9:19 channels.sms.options.auth_token: is a secret"),
        ("${TOKEN}", "${NOPE}", "F:9:19 channels.sms.options.auth_token: the environment variable NOPE is not set"),
        ("https://outreach.example.com/", "outreach.example.com", "F:1:13 public_url: is not in the form"),
        ("https://outreach.example.com/", "https://my_host.example.com", "F:1:13 public_url: is not in the form"),
        ("public_url:", "public_urls:", "F:1:14 public_urls: unknown key; valid keys: "),
        ("  sms:", "  SMS x:", "F:4:5 channels.SMS x: is not in the form"),
        ("    concurrency: 5", "    concurrency: 5\n    concurrency: 6",
        "F:7:5 channels.sms.concurrency: is given twice"),
        ("burst: 20}", "burst: 20", "F:6"),
    ],
)  # fmt: skip
def test_every_mistake_is_named_with_its_line_and_what_would_be_valid(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in GOOD
    assert any(line.startswith(expected) for line in wrong(tmp_path, GOOD.replace(old, new))), wrong(
        tmp_path, GOOD.replace(old, new)
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "[]", "x", "a: b: c", "public_url: https://x.example.com\nchannels: {}\n"]
)
def test_a_file_that_is_not_one_is_refused(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_channels(tmp_path / "none.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"public_url: \xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_channels(tmp_path / "latin.yaml", {})


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("${SID}", "AC1").replace("sender:", "sendr:")
    assert len(wrong(tmp_path, text)) >= 2


def test_an_origin_must_be_a_sender_or_a_service(tmp_path: Path) -> None:
    assert any("either sender" in line for line in wrong(tmp_path, GOOD.replace('      sender: "+12025550100"\n', "")))


def test_an_adapter_made_by_hand_checks_its_options_too() -> None:
    with pytest.raises(ConfigError, match=r"sms\.options\.account_sid: is missing"):
        make_channel(ChannelConfig("sms", "twilio_sms", "https://o.example.com", {"auth_token": "x"}), lambda: NOW)
    with pytest.raises(ConfigError, match="unknown adapter"):
        make_channel(ChannelConfig("sms", "pigeon", "https://o.example.com"), lambda: NOW)


ROUTED = """\
public_url: https://outreach.example.com
channels:
  sms:
    pace: {per_second: 10, burst: 20}
    concurrency: 5
    routing: {hold_seconds: 600}
    senders:
      main:
        adapter: twilio_sms
        weight: 3
        numbers: ["+12025550101", "+12025550102"]
        options:
          account_sid: ${SID}
          auth_token: ${TOKEN}
          sender: "+12025550100"
      china:
        adapter: aliyun_sms
        prefixes: ["+86"]
        options:
          access_key_id: LTAI-example
          access_key_secret: ${TOKEN}
          sign_name: 示例银行
          templates: {pre_due: {zh: {code: SMS_1}}}
"""


def test_a_channel_may_have_several_senders(tmp_path: Path) -> None:
    config = load_channels(written(tmp_path, ROUTED), GOOD_ENV)["sms"]
    assert [each.config.name for each in config.senders] == ["sms/main", "sms/china"]
    assert (config.adapter, config.routing) == ("", {"hold_seconds": 600})
    channel = make_channel(config, lambda: NOW)
    assert channel.medium == "sms"
    assert "very-secret-token" not in repr(config)
    assert load_paces(written(tmp_path, ROUTED), GOOD_ENV)["sms"] == Pace(10.0, 20, 5)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("weight: 3", "weight: -3", "F:10:17 channels.sms.senders.main.weight: Input should be greater than or equal"),
        ("weight: 3", "wait: 3", "F:10:15 channels.sms.senders.main.wait: unknown key; valid keys: adapter, local"),
        ("twilio_sms", "twillio", "F:9:18 channels.sms.senders.main.adapter: unknown adapter; valid: twilio_sms"),
        ("sender: ", "sendr: ", "F:15:18 channels.sms.senders.main.options.sendr: unknown key; valid keys: account_"),
        ("access_key_secret: ${TOKEN}", "access_key_secret: abc",
         "F:21:30 channels.sms.senders.china.options.access_key_secret: is a secret: write ${NAME}"),
        ('["+86"]', '["86"]', "F:18:20 channels.sms.senders.china.prefixes[0]: is not in the form"),
        ("aliyun_sms", "smtp", "F:8:7 channels.sms.senders: all must be of one medium: sms, or email"),
        ("hold_seconds: 600", "hold: 600", "F:6:21 channels.sms.routing.hold: unknown key; valid keys: drift_seconds"),
        ("      main:", "      Main:", "F:9:9 channels.sms.senders.Main: is not in the form"),
        ("    routing:", "    adapter: twilio_sms\n    routing:", "F:4:5 channels.sms: give either adapter and its"),
        ('numbers: ["+12025550101", "+12025550102"]', "local_presence: true",
         "F:9:9 channels.sms.senders.main: local_presence chooses among numbers"),
    ],
)  # fmt: skip
def test_mistakes_among_senders_are_named_with_their_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in ROUTED
    said = wrong(tmp_path, ROUTED.replace(old, new, 1))
    assert any(line.startswith(expected) for line in said), said


def test_a_gateways_secrets_come_from_the_environment_alone(tmp_path: Path) -> None:
    block = """\
public_url: https://outreach.example.com
channels:
  sms:
    adapter: http_gateway
    pace: {per_second: 10, burst: 20}
    concurrency: 5
    options:
      secrets: {api: "${TOKEN}", other: "SECOND"}
      auth: {kind: bearer, secret: api}
      request: {url: "https://gateway.example.com/v1", fields: {to: "{address}", text: "{body}"}}
      answer: {reference: /id, code: /code, codes: {"1": bad_adress}}
"""
    said = wrong(tmp_path, block)
    assert any(line.startswith("F:8:16 channels.sms.options.secrets: is a secret: write ${NAME}") for line in said)
    assert any("F:11:58 channels.sms.options.answer.codes.1: Input should be 'bad_address'" in line for line in said)
    good = block.replace("SECOND", "${TOKEN}").replace("adress", "address")
    assert load_channels(written(tmp_path, good), GOOD_ENV)["sms"].adapter == "http_gateway"


def test_who_sends_texts_by_one_provider_imports_no_other() -> None:
    code = "import sys; from channels.registry import ADAPTERS; ADAPTERS['twilio_sms'].options; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    others = ("aiosmtplib", "channels.email", "channels.sms.aliyun", "channels.gateway_options", "channels.sandbox")
    assert [name for name in ran.stdout.split() if name.startswith(others)] == []
    assert "channels.sms.twilio" in ran.stdout.split()
