"""What providers' codes mean: shipped as data, checked when read, and no edit of it changes an outcome unnoticed."""

import json
from pathlib import Path

import pytest

from channels import errors
from channels.codes import NEWS, RAISES, Kind, codes_of, load_codes, providers

RECORDED = json.loads((Path(__file__).parent / "code_outcomes.json").read_text("utf-8"))
GOOD = """provider: acme
version: "2026-11-22"
tables:
  codes:
    "1": {class: opt_out, meaning: stopped, source: https://example.com/1}
"""


def as_recorded(provider: str, table: str) -> dict[str, list[object]]:
    rows = codes_of(provider).tables[table]
    return {
        code: [str(row.kind), RAISES[row.kind].__name__, NEWS[row.kind], row.wait_seconds] for code, row in rows.items()
    }


@pytest.mark.parametrize(
    ("name", "provider", "table"),
    [("twilio", "twilio", "codes"), ("aliyun", "aliyun", "api"), ("aliyun_receipts", "aliyun", "receipts")],
)
def test_every_code_ends_an_attempt_as_recorded(name: str, provider: str, table: str) -> None:
    """Fails when a row changes its class: then say so here as well, knowingly, and raise the data's version."""
    assert as_recorded(provider, table) == RECORDED[name]


def test_a_code_that_is_not_in_the_data_is_unknown_and_final_and_never_sent_again() -> None:
    row = codes_of("twilio").row("99999")
    assert (row.kind, row.news) == (Kind.UNKNOWN, "rejected")
    error = row.refusal("99999")
    assert type(error) is errors.Rejected
    assert (error.provider_code, error.decided_by) == ("99999", codes_of("twilio").decided_by)


def test_every_refusal_names_the_data_that_decided_it() -> None:
    for provider in providers():
        found = codes_of(provider)
        for table in found.tables.values():
            for code, row in table.items():
                assert row.refusal(code).decided_by == f"{provider} {found.version}"


def test_a_wait_the_provider_names_outweighs_the_known_one() -> None:
    row = codes_of("aliyun").row("isv.DAY_LIMIT_CONTROL", "api")
    assert (row.refusal("x").retry_after, row.refusal("x", 7.0).retry_after) == (3600.0, 7.0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("class: opt_out", "class: opted"), "tables.codes.1.class: Input should be 'opt_out', 'bad_number'"),
        (("source: https://example.com/1", "source: somewhere"), "tables.codes.1.source: is not in the form"),
        ((", source: https://example.com/1", ""), "tables.codes.1.source: is missing"),
        (("meaning: stopped", "meaning: x"), "tables.codes.1.meaning"),
        (("class: opt_out", "class: opt_out, wait: 3"), "unknown key; valid keys"),
        (("2026-11-22", "soon"), "version: is not in the form"),
        (("    \"1\"", "    \"1\": {class: quota, meaning: twice, source: https://example.com/1}\n    \"1\""),
         ":6: 1 is given twice"),
        (("tables:", "tables: ["), ":5: expected"),
    ],
)  # fmt: skip
def test_wrong_data_is_refused_where_it_is_wrong(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(GOOD.replace(*change), "utf-8")
    with pytest.raises(errors.ConfigError) as caught:
        load_codes(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="cannot be read"):
        load_codes(tmp_path / "none.yaml")
