"""docs/stories.md and docs/diagram.md show what the program prints."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAVED = re.compile(r"`([\w./-]+\.story)`:\n\n```story\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```\n(\$ python3 lab\.py .*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("document", "count"), [("stories.md", 5), ("diagram.md", 1)])
def test_the_document_shows_what_the_commands_print(document: str, count: int, tmp_path: Path) -> None:
    """In their order, in one folder, as somebody who reads it would type them; of several the last is shown."""
    text = (ROOT / "docs" / document).read_text()
    for name, story in SAVED.findall(text):
        (tmp_path / name).write_text(story)
    (tmp_path / "early.story").write_text("q receive m\np send m -> q\n")
    for folder in ("examples", "configs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    blocks = BLOCK.findall(text)

    assert len(blocks) == count
    for block in blocks:
        commands = re.findall(r"^\$ python3 lab\.py (.*)$", block, re.MULTILINE)
        printed = [_printed(command, tmp_path) for command in commands]
        shown = re.sub(r"^\$ .*\n", "", block, flags=re.MULTILINE)

        assert [line.rstrip() for line in printed[-1].splitlines()] == shown.splitlines(), commands[-1]


def _printed(command: str, folder: Path) -> str:
    environment = {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    words = [sys.executable, "-P", "-m", "orchestrator", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode in (0, 1, 65), done.stderr
    return done.stdout or done.stderr
