"""The arithmetic of the benchmark: medians, percentiles and whose processor time is counted."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.benchmark.machine import Busy, describe, middle, percentile

NUMBERS = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(NUMBERS, st.floats(0.01, 1))
def test_a_percentile_is_a_measured_value_that_enough_others_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    below = [value for value in values if value < found]
    assert len(below) < share * len(values)


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_percentiles_of_a_hundred_values_are_those_values(share: float, wanted: int) -> None:
    assert percentile(range(1, 101), share) == wanted


def test_the_middle_of_three_runs_is_the_second_best() -> None:
    assert middle([900.04, 1500.0, 1100.06]) == 1100.1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only where /proc tells")
def test_a_groups_time_holds_its_childrens_work_and_nobody_elses() -> None:
    work = "import time, sys\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\nsys.stdin.read()"
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {work!r}])"
    labourer = subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    idler = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    try:
        meter = Busy({"labourer": [labourer.pid], "idler": [idler.pid], "gone": [2**22 + 1]})
        assert labourer.stdout is not None
        assert labourer.stdout.readline() == "done\n"
        used = meter.seconds()
    finally:
        labourer.communicate("")
        idler.communicate("\n")
    assert used["labourer"] >= 0.2
    assert used["labourer"] > used["idler"]
    assert used["gone"] == 0


def test_a_result_says_what_it_was_measured_on() -> None:
    facts = describe()
    assert facts["cores"] >= 1
    assert facts["memory_gib"] > 0
    assert facts["postgres"].split(".")[0].isdigit()
    assert len(facts["load_before"]) == 3
