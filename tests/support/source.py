"""The project's own files, for tests about the project itself."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file that belongs to the project: what git knows or would take, else everything not made here."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        made = {".venv", "var", ".git", "__pycache__", "build", "dist"}
        paths = [path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """Return the Python files below ``folders`` of the project."""
    return tuple(path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed source of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def called(path: Path, *names: str) -> Iterator[ast.Call]:
    """Yield the calls in a file of functions or methods with one of ``names``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node


def shown(path: Path) -> str:
    """Return a path as people write it."""
    return str(path.relative_to(ROOT))


def text_of(node: ast.AST | None) -> str | None:
    """Return a string constant's value."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def docs(name: str) -> str:
    """Return the text of a page of docs."""
    return (ROOT / "docs" / name).read_text("utf-8")
