#!/usr/bin/env python3
"""The front door of Scale Model: set up .venv once, then run what is asked.

Parses on every Python 3, so that a too old one gets a sentence and not a SyntaxError: no f-strings, no annotations.
Never imports node or orchestrator, and never writes to stdout: with --json that belongs to the command.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python") if os.name == "posix" else os.path.join(VENV, "Scripts", "python.exe")
STAMP = os.path.join(VENV, "scale-model.stamp")  # written last: a .venv without it is not complete
WHEELS = os.path.join(VENV, "wheels")
LOG = os.path.join(VENV, "set-up.log")

OLDEST, NEWEST = (3, 11), (3, 14)
PIP_OLDEST = (22, 3)  # the first that knows --python
LEVELS = ["core", "lab", "sim", "dev", "browser"]  # each one's requirements hold those of the one before
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]  # or the one that SCALE_MODEL_BROWSER names
LEVEL_OF = {"test": "dev", "lint": "dev", "bench": "dev"}  # every other command needs "lab"

# With -P the user's folder stays off the import path: a student's own node.py must not be taken for ours.
OURS = [["-m", "node"], ["-m", "orchestrator"]]
CHECKS = [["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--strict", "node", "orchestrator"]]
NO_TESTS = 5  # pytest's word for a lane that selects nothing

USAGE, MISSING, CANNOT_CREATE, INTERRUPTED = 64, 69, 73, 130


class LabError(Exception):
    """What is wrong and what to do about it, in one line, with the exit code."""

    def __init__(self, code, sentence):
        Exception.__init__(self, sentence)
        self.code = code


def main(arguments):
    """Do what the first word asks and return the exit code."""
    try:
        return obey(arguments)
    except LabError as error:
        say(str(error))
        return error.code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except OSError as error:
        say("cannot write %s: %s" % (VENV, error))
        return CANNOT_CREATE


def obey(arguments):
    """Set up what the command needs, then run it."""
    refuse_other_pythons(arguments)
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "clean":
        return clean(rest)
    if command == "lint" and rest:
        raise LabError(USAGE, "lint takes no arguments, but was given %s" % " ".join(rest))
    set_up(level_of(command, rest))
    if command == "test":
        return test(rest)
    if command == "lint":
        return worst([run([PYTHON, "-m"] + check, cwd=ROOT) for check in CHECKS])
    if command == "bench":
        return become(["-P", "-m", "tests.bench"] + rest)
    if command == "python":
        return become((["-P"] if rest[:2] in OURS else []) + rest)
    return become(["-P", "-m", "orchestrator"] + arguments)


def level_of(command, rest):
    """Return the level that a command needs: a simulated run may be a long one, which numba makes short.

    What drives a browser is fetched only where there is one to test in.
    """
    if command in ("test", "bench") and has_browser():
        return "browser"
    is_simulated = command == "run" and ("simulated" in rest or "--lab=simulated" in rest)
    return "sim" if is_simulated else LEVEL_OF.get(command, "lab")


def has_browser():
    """Tell whether there is a browser."""
    named = os.environ.get("SCALE_MODEL_BROWSER")
    return any(shutil.which(name) for name in (BROWSERS if named is None else [named]))


def refuse_other_pythons(arguments):
    """Say which Python is needed, and which one of this machine would do."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    found, needed = "%d.%d.%d" % tuple(sys.version_info[:3]), "%d.%d to %d.%d" % (OLDEST + NEWEST)
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    fitting = [name for name in names if runs(name)]
    advice = " ".join(["type", fitting[0], sys.argv[0]] + arguments) if fitting else "install one of them"
    raise LabError(MISSING, "this is Python %s, and Scale Model needs %s: %s" % (found, needed, advice))


def runs(python):
    """Tell whether this command starts: a version manager leaves commands on PATH that do not."""
    with open(os.devnull, "r+b") as null:
        try:
            return subprocess.call([python, "-c", ""], stdin=null, stdout=null, stderr=null) == 0
        except OSError:
            return False


def test(arguments):
    """Run the tests: the plain ones, the live ones, which mostly wait, and at last the long ones; or as asked."""
    soak = "--soak" in arguments
    asked = [argument for argument in arguments if argument != "--soak"]
    pytest = [PYTHON, "-m", "pytest"]
    if asked:
        return run(pytest + ([] if soak else ["-m", "not soak"]) + asked, cwd=ROOT)
    lanes = [
        ["-m", "not live and not soak", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"],
        ["-m", "live and not soak", "-n", "3", "--dist", "loadgroup"],
        ["-m", "soak"],
    ]
    codes = [run(pytest + lane, cwd=ROOT) for lane in (lanes if soak else lanes[:2])]
    return worst([code for code in codes if code != NO_TESTS] or codes)


def worst(codes):
    """Return the first exit code that is a failure, else 0."""
    return ([code for code in codes if code] or [0])[0]


def clean(arguments):
    """Remove .venv, and with --runs what was recorded in this checkout."""
    if arguments not in ([], ["--runs"]):
        raise LabError(USAGE, "clean takes --runs or nothing, but was given %s" % " ".join(arguments))
    with lock():
        for folder in [VENV] + ([os.path.join(ROOT, "runs")] if arguments else []):
            if os.path.isdir(folder):
                shutil.rmtree(folder)
                say("removed %s" % folder)
    return 0


def set_up(level):
    """Bring .venv to this level; nothing to do, and no network needed, if it is there already."""
    if is_current(level):
        return
    with lock() as held:
        if not is_current(level):  # not done by whoever had the lock before us
            install(level, held)


def is_current(level):
    """Tell whether .venv holds exactly what the level pins."""
    return is_usable() and pins(level) in stamp()


def is_usable():
    """Tell whether .venv was completed once, by this Python on this kind of machine."""
    return os.path.exists(PYTHON) and stamp()[:1] == [interpreter()]


def stamp():
    """Return the lines of the stamp: the interpreter, then every level installed; none if there is no stamp."""
    try:
        with open(STAMP) as file:
            return file.read().splitlines()
    except OSError:
        return []


def interpreter():
    """Name what wheels depend on."""
    import sysconfig

    return "python %d.%d %s" % (sys.version_info[0], sys.version_info[1], sysconfig.get_platform())


def pins(level):
    """Name a level by the hash of its requirements."""
    import hashlib

    with open(requirements(level), "rb") as file:
        return "%s %s" % (level, hashlib.sha256(file.read()).hexdigest())


def requirements(level):
    """Return the file that pins a level."""
    return os.path.join(ROOT, "requirements", level + ".txt")


def install(level, held):
    """Fetch, then install; only the second touches what already works, and a kill in it leaves no stamp."""
    started = time.time()
    pip = find_pip()
    say("setting up .venv (once): fetching what requirements/%s.txt pins" % level)
    if not is_usable():
        make_venv()
    shutil.rmtree(WHEELS, ignore_errors=True)
    pinned = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", requirements(level)]
    with open(LOG, "wb") as log:
        use_pip(pip + ["download", "--dest", WHEELS] + pinned, held, log)
        fetched, count = megabytes(WHEELS), len(os.listdir(WHEELS))
        discard(STAMP)
        use_pip(pip + ["install", "--no-index", "--find-links", WHEELS] + pinned, held, log)
    shutil.rmtree(WHEELS)
    put_checkout_on_path()
    write_stamp(level)
    facts = (time.time() - started, count, fetched, megabytes(VENV))
    say("set up in %.0f s: %d packages, %.0f MB fetched, %.0f MB on disk" % facts)


def find_pip():
    """Return the command of a pip that can install into another environment: Debian's python3 cannot make one."""
    import re

    version = None
    for python in (sys.executable, sys._base_executable):  # the second, if the first is that of a .venv without pip
        command = [python, "-P", "-m", "pip"]
        asked = subprocess.Popen(command + ["--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        words = asked.communicate()[0].decode("utf-8", "replace").split()
        if asked.returncode == 0 and words[:1] == ["pip"]:
            version = words[1]
            if tuple(int(number) for number in re.findall("[0-9]+", version)[:2]) >= PIP_OLDEST:
                return command + ["--disable-pip-version-check", "--no-input", "--no-color", "--python", PYTHON]
    found = "pip %s is too old" % version if version else "pip is missing"
    advice = "install pip %d.%d or newer (Debian, Ubuntu: apt install python3-pip), then repeat" % PIP_OLDEST
    raise LabError(MISSING, "%s for %s: %s" % (found, sys.executable, advice))


def make_venv():
    """Make an empty .venv in place of whatever is there."""
    import venv

    if os.path.islink(VENV):  # venv would empty the folder it leads to
        raise LabError(CANNOT_CREATE, "%s is a link: remove it, then repeat" % VENV)
    discard(STAMP)
    try:
        venv.create(VENV, clear=True, symlinks=os.name == "posix", with_pip=False)
    except ValueError as error:  # the checkout's path has a colon
        raise LabError(CANNOT_CREATE, "cannot make %s: %s" % (VENV, error))


def use_pip(command, held, log):
    """Run pip, its words in the log; if it fails, say why in one line."""
    # A pip that outlives us, killed, keeps the lock: nobody rebuilds .venv under its hands.
    keep = {"pass_fds": [held.fileno()]} if os.name == "posix" else {}
    variables = dict(os.environ, PIP_USER="0")  # a user install, set for other uses, cannot be made into a .venv
    streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
    if run(command + ["--progress-bar", "off"], env=variables, **dict(keep, **streams)):
        raise LabError(MISSING, "%s (all of it: %s); then repeat" % (explain(LOG), LOG))


def explain(log):
    """Return what a failed pip meant."""
    import re

    with open(log, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    errors = [line.strip() for line in text.splitlines() if line.startswith("ERROR:")]
    reason = (errors or text.split("\n")[-2:-1] or ["it said nothing"])[-1]
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "pip does not trust who answers; if that is your proxy, name its certificates in PIP_CERT"
    offline = "(?i)connection (broken|error)|max retries|name resolution|unreachable|timed out"
    return ("no network? pip cannot fetch the packages: " if re.search(offline, text) else "pip failed: ") + reason


def put_checkout_on_path():
    """Let node and orchestrator be imported from any folder; relative, so that the checkout may be moved."""
    import sysconfig

    packages = sysconfig.get_path("purelib", "venv", {"base": VENV, "platbase": VENV})
    with open(os.path.join(packages, "scale-model.pth"), "w") as file:
        file.write(os.path.relpath(ROOT, packages) + "\n")


def write_stamp(level):
    """Say, at once and last of all, that the level and those inside it are complete."""
    with open(STAMP + ".new", "w") as file:
        file.write("\n".join([interpreter()] + [pins(name) for name in LEVELS[: LEVELS.index(level) + 1]]) + "\n")
    os.replace(STAMP + ".new", STAMP)


def megabytes(folder):
    """Return the size of everything in a folder."""
    files = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]
    return sum(os.lstat(file).st_size for file in files) / 1e6


def discard(file):
    """Remove a file that may not be there."""
    if os.path.exists(file):
        os.remove(file)


@contextlib.contextmanager
def lock():
    """Hold the set-up lock, which is on this file, so that it litters nothing; wait for it, and say so."""
    with open(os.path.join(ROOT, "lab.py"), "r+b") as held:
        if not take(held):
            say("another call is setting up .venv: waiting for it")
            while not take(held):
                time.sleep(0.1)
        yield held


def take(held):
    """Try to take the lock."""
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            held.seek(1 << 30)  # far behind the end: a locked byte cannot be read
            msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True


def become(arguments):
    """Turn into .venv's Python, so that signals and exit codes are its own."""
    if os.name == "posix":
        os.execv(PYTHON, [PYTHON] + arguments)
    return run([PYTHON] + arguments)


def run(command, **options):
    """Run a command to its end; Ctrl-C reaches it too, so let it tidy up."""
    process = subprocess.Popen(command, **options)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def say(sentence):
    """Tell the user one thing."""
    sys.stderr.write("lab.py: %s\n" % sentence)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
