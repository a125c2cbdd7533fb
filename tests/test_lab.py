"""The front door, run as a user runs it: in a checkout of its own, with a pip that needs no network."""

import ast
import fcntl
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIGKILLED = -signal.SIGKILL

FAKE_PIP = """
import fcntl, os, signal, sys
def wait():
    signal.alarm(30)
    with open(os.environ["GATE"]) as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
words, mood = sys.argv[1:], os.environ.get("MOOD", "")
if "--version" in words:
    if mood == "missing":
        sys.exit("No module named pip")
    print("pip", "22.2" if mood == "old" else "22.3b1", "from nowhere")
    sys.exit()
step = "download" if "download" in words else "install"
with open(os.environ["PIP_CALLS"], "a") as calls:
    calls.write(step + " " + os.path.basename(words[words.index("-r") + 1]) + "\\n")
if mood == step + " mistrusts":
    sys.exit("WARNING: SSLError: CERTIFICATE_VERIFY_FAILED\\nERROR: No matching distribution found for thing")
if mood == step + " offline":
    print("WARNING: Retrying after connection broken by 'Temporary failure in name resolution'")
    sys.exit("ERROR: No matching distribution found for thing==1.0")
if mood == step + " fails":
    print("ERROR: No space left on device")
    sys.exit("a last word")
if mood == step + " outlives lab.py":
    os.kill(os.getppid(), signal.SIGKILL)
if mood in (step + " waits", step + " outlives lab.py"):
    wait()
if step == "download":
    os.mkdir(words[words.index("--dest") + 1])
"""

FAKE_ORCHESTRATOR = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "file": __file__}))
sys.exit(2)
"""

FAKE_TOOL = """
import os, signal, sys
name = os.path.basename(__file__)[:-3]
with open(os.environ["TOOL_CALLS"], "a") as calls:
    calls.write(" ".join([name] + sys.argv[1:]) + "\\n")
if os.environ.get("MOOD") == "ctrl-c":
    os.kill(os.getppid(), signal.SIGINT)
codes = os.environ.get("CODES", "0").split()
with open(os.environ["TOOL_CALLS"]) as calls:
    sys.exit(int(codes[(len(calls.readlines()) - 1) % len(codes)]))
"""


class Checkout:
    """A copy of the front door, pins of one package, and fakes of everything behind the door."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.root = folder / "a checkout"
        self.venv = self.root / ".venv"
        self.gate = folder / "gate"
        self._write("lab.py", (ROOT / "lab.py").read_text())
        for level in ("core", "lab", "sim", "dev", "browser"):
            self.pin(level, "thing==1.0")
        self._write("orchestrator/__main__.py", FAKE_ORCHESTRATOR)
        self._write("tests/bench/__main__.py", "")
        self._write("../fakes/pip.py", FAKE_PIP)
        for tool in ("pytest", "ruff", "mypy"):
            self._write(f"../fakes/{tool}.py", FAKE_TOOL)

    def _write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def pin(self, level: str, text: str) -> None:
        self._write(f"requirements/{level}.txt", text)

    def start(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PYTHONPATH": str(self.home / "fakes"),
            "PIP_CALLS": str(self.home / "pip-calls"),
            "TOOL_CALLS": str(self.home / "tool-calls"),
            "GATE": str(self.gate),
            "SCALE_MODEL_BROWSER": "",
        }
        command = [sys.executable, str(self.root / "lab.py"), *arguments]
        return subprocess.Popen(
            command,
            cwd=cwd or self.home,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str, cwd: Path | None = None, **variables: str) -> tuple[int, str, str]:
        return finish(self.start(*arguments, cwd=cwd, **variables))

    def set_up(self) -> None:
        assert self.call("python", "-c", "")[0] == 0
        self.forget_calls()

    def forget_calls(self) -> None:
        (self.home / "pip-calls").unlink(missing_ok=True)

    @contextmanager
    def shut_gate(self) -> Iterator[None]:
        """Let a pip that waits, or outlives its parent, not end before this does."""
        with self.gate.open() as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    @property
    def pip_calls(self) -> list[str]:
        return lines_of(self.home / "pip-calls")

    @property
    def tool_calls(self) -> list[str]:
        return lines_of(self.home / "tool-calls")


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of a call."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = Checkout(tmp_path)
    checkout.gate.touch()
    return checkout


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """Undo what a shell does to a job in the background: there SIGINT is ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# Any Python 3 ---------------------------------------------------------------------------------------------------------


def test_it_uses_no_syntax_younger_than_python_3_0():
    """A too old Python must get as far as saying so."""
    young = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Match, ast.YieldFrom, ast.MatMult)
    nodes = list(ast.walk(ast.parse((ROOT / "lab.py").read_text(), feature_version=(3, 4))))

    assert [ast.unparse(node) for node in nodes if isinstance(node, young)] == []
    assert [node.arg for node in nodes if isinstance(node, ast.arg) and node.annotation] == []
    assert [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.returns] == []
    assert [ast.unparse(node) for node in nodes if isinstance(node, ast.With) and len(node.items) > 1] == []
    assert [ast.unparse(node) for node in nodes if isinstance(node, ast.Dict) and None in node.keys] == []
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Call):
            starred = [
                e for e in getattr(node, "elts", None) or getattr(node, "args", ()) if isinstance(e, ast.Starred)
            ]
            assert not starred or (isinstance(node, ast.Call) and len(starred) == 1)


def as_python(version: tuple[int, int, int], lab: Path, path: Path) -> tuple[int, str, str]:
    """Run lab.py in a Python that claims another version, with nothing but `path` on PATH."""
    pretend = f"import runpy, sys; sys.version_info = {version}; sys.argv = ['lab.py', 'demo']; "
    command = [sys.executable, "-c", pretend + f"runpy.run_path({str(lab)!r}, run_name='__main__')"]
    process = subprocess.Popen(
        command, env={"PATH": str(path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return finish(process)


@pytest.mark.parametrize("version", [(3, 0, 1), (3, 10, 13), (3, 15, 0)])
def test_a_python_outside_the_range_is_refused_in_one_line(checkout, tmp_path, version):
    found = ".".join(map(str, version))

    assert as_python(version, checkout.root / "lab.py", tmp_path) == (
        69,
        "",
        f"lab.py: this is Python {found}, and Scale Model needs 3.11 to 3.14: install one of them\n",
    )
    assert not checkout.venv.exists()


def test_the_refusal_names_the_newest_python_that_starts(checkout, tmp_path):
    """A version manager leaves commands on PATH that only say that they are not there."""
    for name, code in {"python3.14": 127, "python3.12": 0, "python3.11": 0}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)

    code, _, err = as_python((3, 8, 18), checkout.root / "lab.py", tmp_path)

    assert code == 69
    assert err.endswith(f": type python3.12 {checkout.root / 'lab.py'} demo\n")


# Set-up ---------------------------------------------------------------------------------------------------------------


def test_only_the_first_call_sets_up(checkout):
    """Once current, lab.py is silent and needs neither pip nor network."""
    code, _, err = checkout.call("python", "-c", "")

    assert code == 0
    assert err.splitlines()[0] == "lab.py: setting up .venv (once): fetching what requirements/lab.txt pins"
    assert err.splitlines()[1].startswith("lab.py: set up in ")
    assert len(err.splitlines()) == 2
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]
    assert checkout.call("python", "-c", "", MOOD="missing") == (0, "", "")


def test_a_level_brings_those_inside_it(checkout):
    assert checkout.call("bench")[0] == 0
    assert checkout.pip_calls == ["download dev.txt", "install dev.txt"]

    assert checkout.call("python", "-c", "", MOOD="missing") == (0, "", "")


def test_only_a_simulated_run_needs_numba(checkout):
    """Whoever runs live, or only checks, has nothing to fetch for the compiled simulation."""
    checkout.call("run", "exercise.yaml", "--pace", "fast")
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]

    checkout.forget_calls()
    checkout.call("run", "exercise.yaml", "--lab", "simulated")
    assert checkout.pip_calls == ["download sim.txt", "install sim.txt"]


def test_what_drives_a_browser_is_fetched_where_there_is_one(checkout):
    """Tests that cannot run need nothing; SCALE_MODEL_BROWSER names a browser that has another name."""
    checkout.call("bench", SCALE_MODEL_BROWSER=sys.executable)

    assert checkout.pip_calls == ["download browser.txt", "install browser.txt"]


def test_a_level_is_installed_over_the_one_before(checkout):
    checkout.set_up()
    (checkout.venv / "kept").touch()

    assert checkout.call("bench")[0] == 0
    assert checkout.pip_calls == ["download dev.txt", "install dev.txt"]
    assert (checkout.venv / "kept").exists()


def test_changed_pins_are_installed_by_the_next_call_that_needs_them(checkout):
    checkout.call("bench")
    checkout.forget_calls()
    checkout.pin("dev", "thing==1.1")

    assert checkout.call("python", "-c", "") == (0, "", "")
    assert checkout.call("bench")[0] == 0
    assert checkout.pip_calls == ["download dev.txt", "install dev.txt"]


@pytest.mark.parametrize(("mood", "found"), [("missing", "pip is missing"), ("old", "pip 22.2 is too old")])
def test_without_a_fitting_pip_one_line_says_what_to_install(checkout, mood, found):
    advice = "install pip 22.3 or newer (Debian, Ubuntu: apt install python3-pip), then repeat"

    assert checkout.call("demo", MOOD=mood) == (69, "", f"lab.py: {found} for {sys.executable}: {advice}\n")
    assert not checkout.venv.exists()


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        (
            "download offline",
            "no network? pip cannot fetch the packages: ERROR: No matching distribution found for thing",
        ),
        (
            "download mistrusts",
            "pip does not trust who answers; if that is your proxy, name its certificates in PIP_CERT",
        ),
        ("download fails", "pip failed: ERROR: No space left on device"),
        ("install fails", "pip failed: ERROR: No space left on device"),
    ],
)
def test_a_pip_that_fails_is_one_line_that_names_its_log(checkout, mood, reason):
    code, out, err = checkout.call("demo", MOOD=mood)
    log = checkout.venv / "set-up.log"

    assert (code, out) == (69, "")
    assert err.splitlines()[1].startswith(f"lab.py: {reason}")
    assert err.endswith(f" (all of it: {log}); then repeat\n")
    assert len(err.splitlines()) == 2
    assert "ERROR" in log.read_text()
    assert checkout.call("python", "-c", "")[0] == 0


def test_what_works_keeps_working_when_more_cannot_be_fetched(checkout):
    """On a train the tests cannot be installed; the demo still runs."""
    checkout.set_up()

    assert checkout.call("bench", MOOD="download offline")[0] == 69
    assert checkout.call("python", "-c", "", MOOD="missing") == (0, "", "")


@pytest.mark.parametrize("step", ["download", "install"])
def test_a_set_up_that_was_killed_is_repeated_from_nothing(checkout, step):
    """A package half written must never be taken for installed."""
    assert checkout.call("python", "-c", "", MOOD=f"{step} outlives lab.py")[0] == SIGKILLED
    (checkout.venv / "half-written").touch()
    checkout.forget_calls()

    assert checkout.call("python", "-c", "")[0] == 0
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]
    assert not (checkout.venv / "half-written").exists()


def test_an_upgrade_that_was_killed_while_installing_is_repeated_from_nothing(checkout):
    checkout.set_up()

    assert checkout.call("bench", MOOD="install outlives lab.py")[0] == SIGKILLED
    (checkout.venv / "half-written").touch()
    checkout.forget_calls()

    assert checkout.call("python", "-c", "")[0] == 0
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]
    assert not (checkout.venv / "half-written").exists()


def test_a_second_call_waits_for_the_first_and_says_so(checkout):
    with checkout.shut_gate():
        first = checkout.start("python", "-c", "", MOOD="download waits")
        assert "setting up" in first.stderr.readline()
        second = checkout.start("python", "-c", "")
        assert second.stderr.readline() == "lab.py: another call is setting up .venv: waiting for it\n"

    assert finish(first)[0] == 0
    assert finish(second) == (0, "", "")
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]


def test_what_is_current_waits_for_nobody(checkout):
    checkout.set_up()
    with checkout.shut_gate():
        upgrade = checkout.start("bench", MOOD="download waits")
        assert "setting up" in upgrade.stderr.readline()

        assert checkout.call("python", "-c", "") == (0, "", "")
    assert finish(upgrade)[0] == 0


def test_a_pip_that_outlives_lab_py_keeps_the_lock(checkout):
    """Else the next call would rebuild .venv under its hands."""
    with checkout.shut_gate():
        killed = checkout.start("python", "-c", "", MOOD="install outlives lab.py")
        assert killed.wait(timeout=60) == SIGKILLED
        second = checkout.start("python", "-c", "")
        assert second.stderr.readline() == "lab.py: another call is setting up .venv: waiting for it\n"

    finish(killed)
    assert finish(second)[0] == 0


@pytest.mark.parametrize("damage", ["other python", "python gone"])
def test_a_venv_that_does_not_fit_is_rebuilt(checkout, damage):
    checkout.set_up()
    (checkout.venv / "old").touch()
    if damage == "python gone":
        (checkout.venv / "bin" / "python").unlink()
    else:
        stamp = checkout.venv / "scale-model.stamp"
        stamp.write_text(re.sub("^python [0-9.]+", "python 3.0", stamp.read_text()))

    assert checkout.call("python", "-c", "")[0] == 0
    assert checkout.pip_calls == ["download lab.txt", "install lab.txt"]
    assert not (checkout.venv / "old").exists()


def test_a_moved_checkout_needs_no_repair(checkout):
    checkout.set_up()
    checkout.root = checkout.root.rename(checkout.home / "moved")

    code, out, err = checkout.call("python", "-c", "import orchestrator; print(*orchestrator.__path__)", MOOD="missing")

    assert (code, err) == (0, "")
    assert out == f"{checkout.root / 'orchestrator'}\n"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_refused_and_left_alone(checkout, kind):
    """A .venv that leads elsewhere must not empty what is there."""
    (checkout.home / "elsewhere").mkdir()
    (checkout.home / "elsewhere" / "precious").touch()
    if kind == "link":
        checkout.venv.symlink_to(checkout.home / "elsewhere")
    else:
        checkout.venv.touch()

    code, out, err = checkout.call("demo")

    assert (code, out) == (73, "")
    assert err.splitlines()[1:] == [line for line in err.splitlines() if str(checkout.venv) in line]
    assert (checkout.home / "elsewhere" / "precious").exists()


def test_a_folder_that_no_venv_can_be_in_is_one_line(checkout):
    checkout.root = checkout.root.rename(checkout.home / "a:b")

    code, out, err = checkout.call("demo")

    assert (code, out) == (73, "")
    assert err.splitlines()[1:] == [line for line in err.splitlines() if "cannot make" in line]


# Commands -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], ["demo"], ["check", "a b", "--json"]])
def test_anything_else_is_handed_to_the_orchestrator(checkout, arguments):
    """Hand over stdout (also while setting up), the user's folder and the exit code."""
    code, out, _ = checkout.call(*arguments)

    assert code == 2
    assert ast.literal_eval(out) == {
        "arguments": arguments,
        "folder": str(checkout.home),
        "file": str(checkout.root / "orchestrator" / "__main__.py"),
    }


@pytest.mark.parametrize("arguments", [["check"], ["python", "-m", "orchestrator", "check"]])
def test_a_module_of_the_same_name_in_the_users_folder_is_not_ours(checkout, arguments):
    """Students call their program node.py."""
    (checkout.home / "orchestrator.py").write_text("raise SystemExit('not this one')")

    assert checkout.call(*arguments)[0] == 2


def test_python_is_that_of_the_venv_with_the_users_arguments(checkout):
    code, out, _ = checkout.call("python", "-c", "import sys; print(sys.prefix, sys.argv[1:]); sys.exit(7)", "x", "-y")

    assert (code, out) == (7, f"{checkout.venv} ['x', '-y']\n")


def test_live_tests_run_after_the_others(checkout):
    assert checkout.call("test")[0] == 0
    assert checkout.tool_calls == [
        "pytest -m not live and not soak -n auto --maxprocesses 4 --dist worksteal",
        "pytest -m live and not soak -n 3 --dist loadgroup",
    ]


def test_soak_adds_the_long_tests_one_by_one(checkout):
    assert checkout.call("test", "--soak")[0] == 0
    assert checkout.tool_calls[2:] == ["pytest -m soak"]


@pytest.mark.parametrize(("soak", "filtered"), [([], "-m not soak "), (["--soak"], "")])
def test_own_arguments_make_one_plain_call(checkout, soak, filtered):
    assert checkout.call("test", "tests/test_lab.py", *soak, "-x")[0] == 0
    assert checkout.tool_calls == [f"pytest {filtered}tests/test_lab.py -x"]


@pytest.mark.parametrize(("codes", "code"), [("0 0", 0), ("5 0", 0), ("0 5", 0), ("5 5", 5), ("1 0", 1), ("0 1", 1)])
def test_tests_fail_if_either_lane_fails_and_one_lane_may_be_empty(checkout, codes, code):
    assert checkout.call("test", CODES=codes)[0] == code
    assert len(checkout.tool_calls) == 2


@pytest.mark.parametrize(("codes", "code"), [("0 0 0", 0), ("1 0 0", 1), ("0 0 2", 2)])
def test_lint_runs_every_tool_and_fails_if_one_does(checkout, codes, code):
    assert checkout.call("lint", CODES=codes)[0] == code
    assert checkout.tool_calls == ["ruff check", "ruff format --check", "mypy --strict node orchestrator"]


def test_ctrl_c_in_the_tests_is_130_without_a_traceback(checkout, ctrl_c_is_heard):
    checkout.call("bench")

    assert checkout.call("test", MOOD="ctrl-c") == (130, "", "lab.py: interrupted\n")


def test_clean_removes_the_venv_and_with_runs_the_runs(checkout):
    checkout.set_up()
    (checkout.root / "runs").mkdir()

    assert checkout.call("clean")[0] == 0
    assert (checkout.venv.exists(), (checkout.root / "runs").exists()) == (False, True)
    assert checkout.call("clean", "--runs")[0] == 0
    assert not (checkout.root / "runs").exists()


@pytest.mark.parametrize("arguments", [["clean", "--all"], ["lint", "node"]])
def test_a_wrong_argument_is_one_line(checkout, arguments):
    code, out, err = checkout.call(*arguments)

    assert (code, out, err.count("\n")) == (64, "", 1)
    assert arguments[1] in err


# The pins -------------------------------------------------------------------------------------------------------------


def pinned(level: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (ROOT / "requirements" / f"{level}.txt").read_text(), re.MULTILINE))


def test_each_level_holds_the_pins_of_the_one_before():
    """Else installing a level would not bring what is inside it."""
    assert pinned("core") < pinned("lab") < pinned("sim") < pinned("dev") < pinned("browser")


@pytest.mark.parametrize("level", ["core", "lab", "sim", "dev", "browser"])
def test_every_dependency_is_pinned_by_hash(level):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if level == "core" else project["optional-dependencies"][level]
    names = {re.match(r"[\w-]+", line)[0].lower().replace("_", "-") for line in wanted} - {"scale-model"}
    text = (ROOT / "requirements" / f"{level}.txt").read_text()

    assert names <= {pin.split("==")[0] for pin in pinned(level)}
    assert "://" not in text
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=\S)", text))
