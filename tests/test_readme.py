"""The README's commands are run, and print what it says they print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from backlight.engine import engine_build

README = Path(__file__).parents[1] / "README.md"

# Where the README's figures were printed. Another instruction set may round otherwise, so that training ends in
# slightly other numbers there; the words must be the same everywhere.
INSTRUCTION_SET = "x86-64-v4"


def _commands() -> list[tuple[str, list[str]]]:
    """Each `$ backlight …` of the README that has output, with that output."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = part.splitlines()
            if command.startswith("backlight ") and output:
                found.append((command, output))
    return found


def _comparable(lines: list[str], *, numbers: bool) -> list[str]:
    """Lines without what differs from run to run: speeds, seconds, how often progress was shown."""
    epochs = [k for k, line in enumerate(lines) if line.startswith("epoch")]
    kept = []
    for k, line in enumerate(lines):
        if k in epochs[1:-1]:
            continue
        timeless = re.sub(r"\(\d+\.\d s\)", "(N s)", re.sub(r"[\d,]+ examples/s", "N examples/s", line.rstrip()))
        kept.append(timeless if numbers else re.sub(r"[\d.,█]+", "N", timeless))
    return [line for line in kept if line.strip(" ░▒▓█") or numbers]


def test_the_commands_print_what_the_readme_says(tmp_path: Path) -> None:
    numbers = engine_build()["instruction_set"] == INSTRUCTION_SET
    commands = _commands()
    assert len(commands) == 2
    for command, printed in commands:
        answer = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            encoding="utf-8",
        )
        actual = _comparable(answer.stdout.splitlines(), numbers=numbers)
        assert actual == _comparable(printed, numbers=numbers)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (README.parent / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    path = README.parent / page
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link
