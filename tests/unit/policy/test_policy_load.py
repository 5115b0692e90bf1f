# ruff: noqa: E501 - whole faults on one line each are easier to compare
"""Policy files: what is wrong is said with file, line, column and field, all of it at once; versions are content."""

from datetime import date
from pathlib import Path

import orjson
import pytest
from policy_samples import NOON, PACKS, SHIPPED, facts

from outreach.policy.gate import decide
from outreach.policy.load import PolicyError, from_json, load_policy
from outreach.policy.policy import Policy

GOOD = """\
pack: US
rules:
  - id: US-HOURS
    shape: window
    summary: Hours.
    hours:
      - {days: [mon, tue], start: "08:00", end: "21:00"}
    citation: Test Act s 1
    source: test
    confidence: high
    in_force_from: 2020-01-01
  - id: US-CAP
    shape: cap
    summary: Cap.
    counts: touches
    scope: borrower
    limits:
      - {most: 2, per: rolling, length: 7d}
    citation: Test Act s 2
    source: test
    confidence: high
    in_force_from: 2020-01-01
"""


def load(folder: Path, text: str, on: date | None = None) -> Policy:
    for name in ("any", "unlisted"):
        (folder / f"{name}.yaml").write_text(f"pack: {name}\nrules: []\n")
    (folder / "us.yaml").write_text(text)
    return load_policy(folder, on)


def faults(folder: Path, text: str, on: date | None = None) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(folder, text, on)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_good_file_loads(tmp_path: Path) -> None:
    assert [rule.head.id for rule in load(tmp_path, GOOD).rules] == ["US-CAP", "US-HOURS"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("pack: US", "pack: usa", "us.yaml:1:7 pack: must be an ISO 3166 code"),
        ("pack: US", "pack: US\nrule: 1", "us.yaml:2:7 rule: unknown key"),
        ("    citation: Test Act s 1\n", "", "us.yaml:3:5 rules[0].citation: is missing"),
        ("citation: Test Act s 1", "citation: ' '", "us.yaml:8:15 rules[0].citation: must name where"),
        ("citation: Test Act s 1", "citation: ''", "us.yaml:8:15 rules[0].citation: String should have at least 1"),
        ("    source: test\n    confidence: high\n    in_force_from: 2020-01-01\n  -", "    confidence: high\n    in_force_from: 2020-01-01\n  -", "us.yaml:3:5 rules[0].source: is missing"),
        ("shape: window", "shape: windwo", "us.yaml:4:12 rules[0].shape: must be one of window, cap, distinct_channels, gap, prerequisite, hold, consent, bar, refusal, content, personal_times, duty; did you mean window?"),
        ("    shape: window\n", "", "us.yaml:3:5 rules[0].shape: is missing; must be one of window, cap"),
        ("summary: Hours.", "summary: Hours.\n    sumary: Hours.", "us.yaml:6:13 rules[0].sumary: unknown key; remove it or correct its spelling; did you mean summary? (known: actors"),
        ("days: [mon, tue]", "days: [mon, tuesday]", "us.yaml:7:22 rules[0].hours[0].days[1]: must be one of mon, tue, wed, thu, fri, sat, sun, public_holiday; did you mean tue?"),
        ("days: [mon, tue]", "days: []", "us.yaml:7:16 rules[0].hours[0].days: must not be empty"),
        ('start: "08:00"', 'start: "8:00"', "us.yaml:7:35 rules[0].hours[0].start: must be a time of day"),
        ('start: "08:00"', "start: 800", "us.yaml:7:35 rules[0].hours[0].start: must be a time of day"),
        ('end: "21:00"', 'end: "24:01"', "us.yaml:7:49 rules[0].hours[0].end: must be a time of day"),
        ('end: "21:00"', 'end: "07:00"', "us.yaml:7:9 rules[0].hours[0]: start must be before end"),
        ('end: "21:00"', 'end: "08:00"', "us.yaml:7:9 rules[0].hours[0]: start must be before end"),
        ('end: "21:00"}', 'end: "21:00"}\n      - {days: [tue, wed], start: "20:00", end: "22:00"}', "us.yaml:8:35 rules[0].hours[1].start: overlaps hours[0] on tue"),
        ("summary: Hours.", "summary: Hours.\n    clock: Asia/Peking2", "us.yaml:6:12 rules[0].clock: must be an IANA time zone"),
        ("summary: Hours.", "summary: Hours.\n    channels: [fax]", "us.yaml:6:16 rules[0].channels[0]: must be one of sms, email, voice, ivr"),
        ("summary: Hours.", "summary: Hours.\n    jurisdiction: MX", "us.yaml:6:19 rules[0].jurisdiction: must be US or lie in it"),
        ("summary: Hours.", "summary: Hours.\n    lifted_by: [goodwill]", "us.yaml:6:17 rules[0].lifted_by[0]: must be one of agreed_time"),
        ("summary: Hours.", "summary: Hours.\n    in_force_until: 2019-01-01", "us.yaml:6:21 rules[0].in_force_until: must be after in_force_from"),
        ("summary: Hours.", "summary: Hours.\n    status: superseded", "us.yaml:6:13 rules[0].status: a superseded rule needs in_force_until"),
        ("summary: Hours.", "summary: Hours.\n    in_force_until: 2026-02-30", "us.yaml:6:21 rules[0].in_force_until: Input should be a valid date"),
        ("id: US-CAP", "id: US-HOURS", "us.yaml:12:9 rules[1].id: is used twice; the first is at"),
        ("id: US-CAP", "id: US CAP", "us.yaml:12:9 rules[1].id: String should match pattern"),
        ("most: 2", "most: 0", "us.yaml:18:16 rules[1].limits[0].most: Input should be greater than or equal to 1"),
        ("most: 2", "most: -1", "us.yaml:18:16 rules[1].limits[0].most: Input should be greater than or equal to 1"),
        ("length: 7d", "length: 1 week", "us.yaml:18:41 rules[1].limits[0].length: must be a length such as 7d"),
        (", length: 7d", "", "us.yaml:18:9 rules[1].limits[0]: per rolling needs a length"),
        ("per: rolling,", "per: week,", "us.yaml:18:9 rules[1].limits[0]: per week is the local calendar's own"),
        ("per: rolling, length: 7d", "per: rolling_days, length: 36h", "us.yaml:18:9 rules[1].limits[0]: per rolling_days counts local dates"),
        ("counts: touches", "counts: smiles", "us.yaml:15:13 rules[1].counts: must be one of touches, attempts"),
        ("scope: borrower", "scope: household", "us.yaml:16:12 rules[1].scope: must be one of case, creditor, borrower, number"),
        ("scope: borrower", "scope: borrower\n    scope: case", "us.yaml:17:5 rules[1].scope: is given twice"),
        ("rules:", "calendars: [{jurisdiction: ZZ, first_year: 2026, last_year: 2027}]\nrules:", "us.yaml:2:28 calendars[0].jurisdiction: no public holidays are known"),
        ("rules:", "calendars: [{jurisdiction: US, first_year: 2027, last_year: 2026}]\nrules:", "us.yaml:2:13 calendars[0]: last_year must not be before"),
        ("rules:", "rules: [", "us.yaml:"),
        ("summary: Hours.", "summary: Hours.\n    effect: standard", "us.yaml:6:13 rules[0].effect: a standard names no number"),
        ("summary: Hours.", "summary: Hours.\n    clock: numbr", "us.yaml:6:12 rules[0].clock: must be an IANA time zone such as Asia/Shanghai, or number, or landline_number"),
        ("summary: Hours.", "summary: Hours.\n    days_past_due: {from: 5, until: 5}", "us.yaml:6:20 rules[0].days_past_due: from must be before until"),
        ("summary: Hours.", "summary: Hours.\n    days_past_due: {}", "us.yaml:6:20 rules[0].days_past_due: needs from, until or both"),
        ("summary: Hours.", "summary: Hours.\n    days_past_due: {to: 5}", "us.yaml:6:25 rules[0].days_past_due.to: unknown key"),
        ("summary: Hours.", "summary: Hours.\n    debt_states: [old]", "us.yaml:6:19 rules[0].debt_states[0]: must be one of charged_off, time_barred"),
        ("summary: Hours.", "summary: Hours.\n    binds: agencies", "us.yaml:6:12 rules[0].binds: must be one of first_party, third_party, both"),
        ("per: rolling, length: 7d", "per: business_days, length: 36h", "us.yaml:18:9 rules[1].limits[0]: per business_days counts local dates"),
        ("rules:", "rules: [3]\nother:", "us.yaml:"),
        ("rules:", "calendars: [{jurisdiction: US, first_year: 2026, last_year: 2027, also: [2028-01-01]}]\nrules:", "us.yaml:2:13 calendars[0]: also names a day outside the years"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line_and_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("pack: GB\nrules: []\nrules: []\n")
    found = faults(tmp_path, GOOD.replace("most: 2", "most: 0").replace("high", "sure"))
    assert [line.split(" ")[0] for line in found] == ["a.yaml:3:1", "us.yaml:10:17", "us.yaml:18:16", "us.yaml:21:17"]


def test_a_rule_past_its_end_must_say_that_it_is_superseded(tmp_path: Path) -> None:
    ended = GOOD.replace("summary: Hours.", "summary: Hours.\n    in_force_until: 2026-09-01")
    today = date(2026, 11, 22)
    assert faults(tmp_path, ended, today)[0].startswith("us.yaml:6:21 rules[0].in_force_until: has passed")
    assert load(tmp_path, ended, date(2026, 8, 31)).rules
    assert load(tmp_path, ended.replace("summary: Hours.", "summary: Hours.\n    status: superseded"), today).rules


def test_a_draft_is_kept_but_never_asked(tmp_path: Path) -> None:
    drafted = load(tmp_path, GOOD.replace("summary: Hours.", "summary: Hours.\n    status: draft"))
    assert [rule.head.id for rule in drafted.rules] == ["US-CAP"]
    assert b"US-HOURS" in drafted.to_json()


def test_a_folder_without_policy_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="holds no policy file"):
        load_policy(tmp_path)


def test_a_policy_that_lost_its_house_or_default_file_is_not_loaded(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    (tmp_path / "unlisted.yaml").rename(tmp_path / "unlisted.yml")
    with pytest.raises(PolicyError, match=r"policy files end in \.yaml"):
        load_policy(tmp_path)
    (tmp_path / "unlisted.yml").unlink()
    with pytest.raises(PolicyError, match="pack: unlisted is needed"):
        load_policy(tmp_path)


def test_the_version_is_the_content_not_its_layout(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD)
    again = load(tmp_path, "# a remark\n" + GOOD.replace('"08:00"', "'08:00'").replace("length: 7d", 'length: "7d"'))
    other = load(tmp_path, GOOD.replace("most: 2", "most: 3"))
    assert first.version == again.version
    assert first == again
    assert first.version != other.version


def test_a_stored_version_decides_as_it_did() -> None:
    stored = Policy.from_json(SHIPPED.to_json())
    assert stored.version == SHIPPED.version
    assert stored.to_json() == SHIPPED.to_json()
    assert decide(facts(), stored, NOON) == decide(facts(), SHIPPED, NOON)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"rules": [{}], "calendars": {}, "packs": []}', b"null"])
def test_what_is_not_a_stored_policy_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        from_json(content)


def test_every_shipped_rule_cites_its_source_and_holidays_are_part_of_the_version() -> None:
    content = orjson.loads(load_policy(PACKS, date(2026, 11, 22)).to_json())
    assert all(rule["citation"] and rule["source"] for rule in content["rules"])
    assert "2026-11-26" in content["calendars"]["US"]["2026"]


def test_sundays_and_added_days_are_holidays_and_two_files_may_speak_of_one_calendar(tmp_path: Path) -> None:
    for name, more in (("ca", ""), ("ca-qc", ", also: ['2026-12-24'], sundays: true")):
        calendar = f"calendars: [{{jurisdiction: CA-QC, first_year: 2026, last_year: 2026{more}}}]"
        (tmp_path / f"{name}.yaml").write_text(f"pack: {name.upper()}\n{calendar}\nrules: []\n")
    known = load(tmp_path, GOOD).calendars["CA-QC"].holidays
    days = [date(2026, 12, day) for day in (22, 24, 25, 27)]  # a Tuesday, an added day, Christmas, a Sunday
    assert [day.toordinal() in known for day in days] == [False, True, True, True]
