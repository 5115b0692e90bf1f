"""`outreach channels`: the table of adapters, and what providers' codes mean."""

import json

from typer.testing import CliRunner, Result

from channels.codes import codes_of
from outreach.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["channels", *arguments], env={"COLUMNS": "200"})


def test_without_more_it_prints_what_every_adapter_can_do() -> None:
    listed = json.loads(run("--json").stdout)
    assert {"adapter": "twilio_sms", "medium": "sms"}.items() <= listed[0].items()
    assert run("--as-markdown").stdout.startswith("| adapter |")


def test_codes_are_printed_with_class_consequence_meaning_source_and_version() -> None:
    said = json.loads(run("codes", "twilio", "--json").stdout)
    assert said["version"] == codes_of("twilio").version
    assert len(said["codes"]) == len(codes_of("twilio").tables["codes"])
    (stop,) = [row for row in said["codes"] if row["code"] == "21610"]
    assert (stop["class"], stop["refusal"], stop["receipt"]) == ("opt_out", "opted_out", "opted_out")
    assert stop["source"].startswith("https://")
    assert "21610" in run("codes", "twilio").stdout


def test_one_code_is_explained_even_when_it_is_not_in_the_data() -> None:
    said = json.loads(run("codes", "twilio", "99999", "--json").stdout)
    assert [(row["class"], row["refusal"], row["source"]) for row in said["codes"]] == [("unknown", "rejected", None)]


def test_a_provider_without_codes_is_refused_and_the_others_named() -> None:
    answer = run("codes", "nobody")
    assert answer.exit_code != 0
    assert "aliyun, twilio" in answer.output + (answer.stderr or "")
