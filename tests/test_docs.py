"""The documents say what the program does: examples decode, commands parse, links lead somewhere."""

import re
import shlex
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from node.config import NodeConfig
from node.config import parse as parse_node
from node.frame import FRAME, Frame, encode
from node.record import parse_line
from node.supervisor import _EPOCH, _PEERS
from orchestrator.__main__ import main
from orchestrator.commandline import PARSERS
from orchestrator.commandline import parse as parse_command
from orchestrator.config import load_experiment, parse_experiment
from orchestrator.effect import effect
from orchestrator.labs.simulated import simulate
from orchestrator.trace import check, trace_of
from orchestrator.twin import simulated

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
README = (ROOT / "README.md").read_text()
FAULTS = (ROOT / "docs" / "faults.md").read_text()
FIGURES = re.findall(r"^\| \[([a-z-]+)\]\(\.\./configs/[a-z-]+\.yaml\) \| (.*) \|$", FAULTS, re.MULTILINE)
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
LIMIT = re.compile(r"^\|[^|]*\| ([\d.]+)[^|]*\| `(node\.\w+)\.(\w+)` \|$", re.MULTILINE)
SAID_BY_A_NODE = ({"port", "pid"}, {"ready"}, {"stopped"})
OF_LAB_PY = {"test", "lint", "bench", "clean"}


def _blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of one language, without their indentation."""
    found = [(indent, body) for indent, name, body in BLOCK.findall(text) if name == language]
    return [re.sub(f"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def _examples() -> list[dict[str, Any]]:
    """Return the JSON examples of the protocol; a long one may stand on several lines."""
    return [orjson.loads(block.replace("\n", "")) for block in _blocks(PROTOCOL, "json")]


def _anchors(text: str) -> set[str]:
    """Return what links may follow a `#`: headings in small letters, spaces as hyphens."""
    headings = re.findall(r"^#+ (.*)$", re.sub(BLOCK, "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words behind `python3 lab.py` in code blocks; a backslash goes on in the next line."""
    for _, _, block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ")
            if command.startswith("python3 lab.py "):
                yield shlex.split(re.split(r" {3,}", command)[0], comments=True)[2:]


def _shown(command: str) -> str:
    """Return the output that the README shows behind a command."""
    for block in _blocks(README, ""):
        first, _, output = block.partition("\n")
        if first == f"$ {command}":
            return output
    raise AssertionError(f"README.md shows no output of {command}")


def _without_time(text: str) -> list[str]:
    return [re.sub(r"\d{8}T\d{6}Z", "TIME", line).rstrip() for line in text.splitlines()]


def _parse(words: list[str]) -> Namespace | NodeConfig | None:
    """Parse a command without running it."""
    if words[:3] == ["python", "-m", "node"]:
        return None if "--help" in words else parse_node(words[3:], {})
    assert words[0] in PARSERS or words[0] in OF_LAB_PY, f"there is no command {words[0]}"
    return parse_command(words) if words[0] in PARSERS else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text()):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document

        assert target.exists(), f"{document.name}: {link}"
        assert not anchor or anchor in _anchors(target.read_text()), f"{document.name}: {link}"


@pytest.mark.parametrize("words", list(_commands(README)), ids=" ".join)
def test_every_command_of_the_readme_parses(words: list[str]) -> None:
    _parse(words)


def test_the_readme_has_commands_to_parse() -> None:
    commands = [words[0] for words in _commands(README)]

    assert {"demo", "test", "python", "run", "check", "measure", "compare"} <= set(commands)


@pytest.mark.parametrize("document", ["README.md", "docs/protocol.md"])
def test_every_flag_named_exists(document: str) -> None:
    """Also those in the middle of a sentence."""
    sources = "".join((ROOT / name).read_text() for name in ("lab.py", "node/flags.py", "orchestrator/commandline.py"))
    ours = re.sub(r"^docker .*", "", (ROOT / document).read_text(), flags=re.MULTILINE)
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", ours):
        assert f'"{flag}"' in sources or flag == "--help", flag


@pytest.mark.parametrize("document", ["README.md", "docs/protocol.md"])
def test_code_blocks_fit_a_terminal(document: str) -> None:
    for _, _, block in BLOCK.findall((ROOT / document).read_text()):
        assert [] == [line for line in block.splitlines() if len(line) > 80]


def test_every_experiment_of_the_readme_is_one() -> None:
    blocks = _blocks(README, "yaml")

    assert blocks
    for block in blocks:
        parse_experiment(block, name="README.md")


def test_the_readme_shows_what_the_experiment_prints(tmp_path: Path) -> None:
    """The simulated lab prints the same on every machine, but for where and when."""
    (tmp_path / "slow.yaml").write_text(_blocks(README, "yaml")[0])
    words = ["run", "slow.yaml", "--lab", "simulated"]
    command = [sys.executable, "-P", "-m", "orchestrator", *words]
    environment = {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PATH": ""}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    assert _without_time(_shown("python3 lab.py " + " ".join(words))) == _without_time(printed)


def _together(effects: list[dict[str, Any]], name: str) -> list[str]:
    values = {side: [effect[side][name] for effect in effects] for side in ("with", "without")}
    if name.endswith("_max"):
        return [str(max(each)) for each in values.values()]
    return [f"{sum(each) / len(each):.1f}" for each in values.values()]


@pytest.mark.parametrize(("name", "cells"), FIGURES, ids=[name for name, _ in FIGURES])
def test_the_figures_of_each_question_are_those_of_its_runs(name: str, cells: str) -> None:
    """No number without its run: each experiment once more, with its faults and without."""
    experiment = load_experiment(ROOT / "configs" / f"{name}.yaml")
    effects = [
        effect(simulated(experiment.machines(run)), simulated(experiment.undisturbed().machines(run)))
        for run in range(1, experiment.runs + 1)
    ]
    same = sum(one["same_action"] * one["places"] for one in effects) / sum(one["places"] for one in effects)

    measures = ("final_clock", "drift_mean", "drift_max", "queue_max", "jump_max")
    assert cells.split(" | ") == [*(" / ".join(_together(effects, each)) for each in measures), f"{same:.3f}"]
    assert f"- *{name}.* {experiment.question} " in FAULTS


def test_every_experiment_with_faults_has_figures() -> None:
    experiments = {path.stem: load_experiment(path) for path in (ROOT / "configs").glob("*.yaml")}
    named = {name for name, _ in FIGURES}

    assert len(FIGURES) == 14
    assert named <= set(experiments)
    assert {name for name, each in experiments.items() if each != each.undisturbed()} <= named


def test_the_faults_show_what_the_twin_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the headline on, up to where the run is recorded."""
    (block,) = [block for block in _blocks(FAULTS, "") if block.startswith("$ ")]
    command, _, *expected, _ = block.splitlines()
    config = shlex.split(command)[4]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["run", str(ROOT / config), *shlex.split(command)[5:]]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    first = printed.index(expected[0])

    assert expected == printed[first : first + len(expected)]
    assert printed[first + len(expected)] == ""


def test_the_faults_show_what_check_says_of_a_run_that_was_cut_in_a_crash() -> None:
    """The log of the machine that is down ends in its crash; those of the others, just so."""
    machines = load_experiment(ROOT / "configs" / "crash-and-return.yaml").machines(1)
    trace = simulated(machines)
    seen = trace_of(machines, [event for event in simulate(machines) if event.due_ns < 26 * 10**9])
    open_ended = {node: replace(one, is_in_memory=False) for node, one in seen.machines.items()}
    report = check(replace(seen, machines=open_ended), trace)
    (block,) = [block for block in _blocks(FAULTS, "") if block.startswith("CANNOT TELL")]

    assert report.checks[4].examples[0] in " ".join(block.split())


def test_every_experiment_of_the_faults_is_one() -> None:
    """Each block of YAML is a part of an experiment; links and faults name machines that are there."""
    blocks = _blocks(FAULTS, "yaml")

    assert len(blocks) == 3
    for block in blocks:
        parse_experiment(block, name="faults.md")


def test_every_example_of_the_protocol_is_real() -> None:
    """A frame decodes, a log line is read, and what an orchestrator says is understood."""
    for example in _examples():
        text = orjson.dumps(example)
        if "type" in example:
            FRAME.validate_json(text)
        elif "event" in example:
            parse_line(text)
        elif "peers" in example:
            _PEERS.validate_json(text)
        elif "epoch_ns" in example:
            _EPOCH.validate_json(text)
        else:
            assert set(example) in SAID_BY_A_NODE


def test_every_frame_has_an_example() -> None:
    kinds = {get_args(frame.__annotations__["type"])[0] for frame in get_args(Frame)}

    assert kinds == {example["type"] for example in _examples() if "type" in example}


def test_the_length_of_the_first_frame_is_the_one_said() -> None:
    hello = encode(next(example for example in _examples() if "type" in example))

    assert f"`{hello[:4].hex(' ')}` and {len(hello) - 4} bytes" in PROTOCOL


def test_every_limit_is_the_one_in_the_code() -> None:
    limits = LIMIT.findall(PROTOCOL)

    assert len(limits) >= 10
    for value, module, name in limits:
        assert float(value) == getattr(import_module(module), name), name
