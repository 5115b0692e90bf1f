"""Programs of Debian's packages that some tests talk to: `make test` brings them when it is root."""

import os
import shutil
import subprocess
import sys

import pytest

# What a test calls, and the package that has it.
PACKAGES = {"chromium": "chromium", "postfix": "postfix"}
_QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
_PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def found(name: str) -> str | None:
    """Return where a program is, system administrators' places included; None when it is not there."""
    return shutil.which(name, path=_PLACES)


def program(name: str) -> str:
    """Return the path of a program that a test needs. Skips the test, with the reason, where it is missing."""
    path = found(name)
    if path is None:
        pytest.skip(f"needs {name}: install Debian's package {PACKAGES[name]}, or run `make test` as root on Debian")
    return path


def bring() -> None:
    """Install what is missing, where that is ours to do. Never fails: tests say what they miss."""
    missing = sorted({package for name, package in PACKAGES.items() if found(name) is None})
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.stderr.write(f"Tests that need {', '.join(missing)} (Debian's packages) will be skipped.\n")
        return
    sys.stderr.write(f"Installing {', '.join(missing)} from Debian's packages\n")
    install = ["apt-get", "-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "install", *missing]
    subprocess.run(["apt-get", "-qq", "update"], env=_QUIET, check=False, capture_output=True)
    subprocess.run(install, env=_QUIET, check=False, capture_output=True)


if __name__ == "__main__":
    bring()
