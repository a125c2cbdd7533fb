"""The containers for real: built, run, killed, run again. Skipped, saying why, where that cannot be done."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docker.files import ROOT
from tests.waiting import wait_for

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("docker")]

BUILD_S_MAX: Final = 900
RUN_S_MAX: Final = 120
BASES: Final = (os.environ.get("BASE_IMAGE", ""), "scale-model-base", "python:3.13-slim")
"""The first that is here is taken; none is fetched."""
MAKE_BASE: Final = "SCALE_MODEL_MAKE_BASE_IMAGE"
NODES: Final = ("node-1", "node-2", "node-3")


def run(*command: str, timeout_s: float = 60, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; its stdout and stderr are one text."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False, **options
    )


def succeeds(*command: str) -> bool:
    """Return whether there is such a command, and it does what it is asked."""
    return shutil.which(command[0]) is not None and run(*command).returncode == 0


class Project:
    """One project of compose, of its own name, with networks and volumes of its own."""

    def __init__(self, compose: list[str], directory: Path, base: str) -> None:
        self._command = [*compose, "-p", f"scale-model-test-{secrets.token_hex(4)}"]
        self._directory = directory
        self._base = base

    def do(self, *words: str, timeout_s: float = RUN_S_MAX, **variables: str) -> str:
        """Give compose a command, and return what it said."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SCALE_MODEL_")}
        environment = {**ours, "BASE_IMAGE": self._base, **variables}
        done = run(*self._command, *words, timeout_s=timeout_s, cwd=self._directory, env=environment)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def container(self, service: str) -> str:
        """Return the container of a service, running or not."""
        names = run("docker", "ps", "-aq", *self._filters(service)).stdout.split()
        assert len(names) == 1, names
        return names[0]

    def state(self, service: str) -> dict[str, object]:
        """Return how a service is."""
        return dict(json.loads(run("docker", "inspect", "-f", "{{json .State}}", self.container(service)).stdout))

    def health(self, service: str) -> object:
        """Return what its healthcheck says: starting, healthy or unhealthy."""
        health = self.state(service)["Health"]
        assert isinstance(health, dict)
        return health["Status"]

    def exit_code(self, service: str) -> int:
        """Wait for the end of a service."""
        return int(run("docker", "wait", self.container(service), timeout_s=RUN_S_MAX).stdout)

    def words(self, service: str) -> str:
        """Return all that a service said."""
        return run("docker", "logs", self.container(service)).stdout

    def _filters(self, service: str) -> list[str]:
        labels = {"project": self._command[-1], "service": service, "oneoff": "False"}
        return [word for key, value in labels.items() for word in ("-f", f"label=com.docker.compose.{key}={value}")]


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """The command that understands docker-compose.yml."""
    if not succeeds("docker", "version"):
        pytest.skip("no Docker Engine answers here")
    for command in (["docker", "compose"], ["docker-compose"]):
        if succeeds(*command, "version"):
            return command
    pytest.skip("neither docker compose nor docker-compose is here")


@pytest.fixture(scope="module")
def base(compose: list[str]) -> str:
    """An image to begin from."""
    for name in filter(None, BASES):
        if succeeds("docker", "image", "inspect", name):
            return name
    if os.environ.get(MAKE_BASE) == "1":
        made = run(str(ROOT / "docker" / "base-image.sh"), timeout_s=BUILD_S_MAX)
        assert made.returncode == 0, made.stdout
        return "scale-model-base"
    pytest.skip(f"no base image is here; make one with docker/base-image.sh, or set {MAKE_BASE}=1 (a minute)")


@pytest.fixture(scope="module")
def directory(compose: list[str], base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what the images are made of, built; the names of its images are its own."""
    copy = tmp_path_factory.mktemp("checkout")
    nothing_made = shutil.ignore_patterns("__pycache__", "*.whl", "pip.conf")
    for name in ("docker", "node", "orchestrator", "requirements"):
        shutil.copytree(ROOT / name, copy / name, ignore=nothing_made)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, copy)
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    (copy / "docker-compose.yml").write_text(text.replace("image: scale-model-", "image: scale-model-test-"), "utf-8")
    wheels = run(str(copy / "docker" / "wheels.sh"), base, timeout_s=BUILD_S_MAX)
    if wheels.returncode != 0:
        pytest.skip(f"what the images hold cannot be fetched: {wheels.stdout.strip().rpartition(chr(10))[2]}")
    Project(compose, copy, base).do("build", timeout_s=BUILD_S_MAX)
    yield copy
    # Layers that nobody used for a day; those of today make the next build quick.
    run("docker", "image", "prune", "-f", "--filter", "label=scale-model", "--filter", "until=24h")


@pytest.fixture
def project(compose: list[str], base: str, directory: Path) -> Iterator[Project]:
    """A project that leaves nothing behind."""
    project = Project(compose, directory, base)
    try:
        yield project
    finally:
        project.do("down", "--volumes", "--timeout", "5")


def test_three_healthy_nodes_and_a_verdict_and_again(project: Project) -> None:
    """Every node is healthy, the last service proves the run; so it does with the same volume and another seed."""
    project.do("up", "-d", SCALE_MODEL_DURATION="12")
    wait_for(lambda: all(project.health(node) == "healthy" for node in NODES), deadline_s=RUN_S_MAX)
    assert 0 == project.exit_code("check"), project.words("check")
    first = project.words("check")
    project.do("up", "-d", SCALE_MODEL_DURATION="3", SCALE_MODEL_SEED="7", SCALE_MODEL_TICK_RATE="20")
    assert 0 == project.exit_code("check"), project.words("check")
    second = project.words("check")

    assert "CAUSALITY HOLDS" in first
    assert "drift, mean" in first
    assert "3 machines, 180 events" in second, "3 s of 20 ticks a second, of three machines"
    assert all("an older log is now /logs/events-" in project.words(node) for node in NODES)
    assert [0, 0, 0] == [project.exit_code(node) for node in NODES]


def test_a_node_that_is_killed_and_started_goes_on_where_its_log_ends(project: Project) -> None:
    """The others wait for it, and nothing of it is left to be seen in the run."""
    project.do("up", "-d", SCALE_MODEL_DURATION="20")
    wait_for(lambda: all(project.health(node) == "healthy" for node in NODES), deadline_s=RUN_S_MAX)
    project.do("kill", "node-2")
    project.do("start", "node-2")

    assert 0 == project.exit_code("check"), project.words("check")
    assert "CAUSALITY HOLDS" in project.words("check")
    assert "goes on where its log ends" in project.words("node-2")


def test_a_node_that_is_killed_leaves_a_run_of_which_nobody_can_tell(project: Project) -> None:
    """So says the check, and again when the killed node goes on with a run that the others have left."""
    project.do("up", "-d", SCALE_MODEL_DURATION="600")
    wait_for(lambda: all(project.health(node) == "healthy" for node in NODES), deadline_s=RUN_S_MAX)
    project.do("kill", "node-2")
    assert 2 == project.exit_code("check"), project.words("check")
    assert "CANNOT TELL" in project.words("check")
    project.do("stop")
    assert [130, 137, 130] == [project.exit_code(node) for node in NODES], "the others sealed their logs"
    project.do("up", "-d", SCALE_MODEL_DURATION="600", SCALE_MODEL_START_DEADLINE="3")

    assert 2 == project.exit_code("check"), project.words("check")
    assert "CANNOT TELL: no node began a run" in project.words("check")
    assert 0 not in [project.exit_code(node) for node in NODES]
