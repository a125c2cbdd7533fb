"""The form of the code is a test: purity, directions, and what style.md asks of every module.

A rule reads the sources (never imports them) and names each violation as file:line: what is wrong.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The modules of node/ that may touch the world; every other one is core, a new one too.
SHELL = {"journal", "epoch", "flags", "mesh", "daemon", "supervisor", "config", "run", "__main__"}
WORLD = {
    *("asyncio", "concurrent", "multiprocessing", "selectors", "signal", "subprocess", "threading", "uvloop"),
    *("socket", "ssl", "http", "urllib"),
    *("datetime", "time", "random", "secrets", "uuid"),
    *("io", "logging", "os", "pathlib", "shutil", "structlog", "sys", "tempfile"),
}
# secrets may name a temporary file; what happens in a run it may not decide.
CHANCE = {"random", "uuid"}
# hash() and id() differ between processes, the rest is I/O.
IMPURE_CALLS = {"open", "print", "input", "hash", "id", "eval", "exec", "__import__"}

# Who (a module or a package) never comes to know whom, not even through others.
NEVER_REACH: dict[str, tuple[str, ...]] = {
    "node": ("orchestrator",),
    "node.errors": ("node",),
    "node.event": ("node",),
    "node.dice": ("node",),
    # The logic knows no wire, and the wire no logic; machine joins them.
    **dict.fromkeys(
        ("node.model", "node.clock", "node.channel", "node.queue", "node.pace", "node.process", "node.record"),
        ("node.frame", "node.link", "node.greeting", "node.machine"),
    ),
    **dict.fromkeys(
        ("node.frame", "node.link", "node.greeting"),
        ("node.clock", "node.channel", "node.queue", "node.process", "node.record", "node.machine"),
    ),
    "node.mesh": ("node.journal", "node.daemon", "node.supervisor", "node.config", "node.run"),
    "node.journal": ("node.process", "node.link", "node.frame", "node.machine", "node.mesh", "node.daemon"),
    "node.daemon": ("node.supervisor", "node.config", "node.run", "node.__main__"),
    "node.supervisor": ("node.config", "node.run", "node.__main__"),
    "node.config": ("node.journal", "node.daemon", "node.supervisor", "node.run", "node.__main__"),
    "node.run": ("node.__main__",),
    # An observer of traces never sees a process, a link or a socket.
    "orchestrator.trace": (
        *("asyncio", "socket", "subprocess"),
        *("node.process", "node.frame", "node.link", "node.machine", "node.mesh", "node.journal", "node.daemon"),
        *("orchestrator.labs", "orchestrator.run", "orchestrator.commands", "orchestrator.screen"),
    ),
    # The live lab starts nodes as commands.
    "orchestrator.labs.live": (
        *("node.process", "node.link", "node.machine", "node.mesh", "node.journal", "node.daemon", "node.supervisor"),
        *("node.config", "node.run"),
    ),
    "orchestrator.labs": (
        *("node.mesh", "node.daemon", "node.supervisor", "node.config", "node.run"),
        *("orchestrator.trace.check", "orchestrator.run", "orchestrator.commands", "orchestrator.screen"),
    ),
    # The logs of others are read without judging, and judged without knowing how they were written.
    "orchestrator.formats": (
        *(
            "node.process",
            "node.machine",
            "node.daemon",
            "orchestrator.labs",
            "orchestrator.run",
            "orchestrator.rundir",
        ),
        *("orchestrator.audit.check", "orchestrator.audit.pairing", "orchestrator.commands", "orchestrator.screen"),
    ),
    "orchestrator.audit": (
        *(
            "node.process",
            "node.machine",
            "node.daemon",
            "orchestrator.labs",
            "orchestrator.run",
            "orchestrator.rundir",
        ),
        *("orchestrator.formats", "orchestrator.config", "orchestrator.commands", "orchestrator.screen"),
    ),
    "orchestrator.explain": (
        *("orchestrator.labs", "orchestrator.run", "orchestrator.rundir", "orchestrator.formats"),
        *("orchestrator.commands", "orchestrator.screen"),
    ),
    "orchestrator.export": ("orchestrator.labs", "orchestrator.run", "orchestrator.commands", "orchestrator.screen"),
    "orchestrator.report.diagram": (
        *("orchestrator.labs", "orchestrator.run", "orchestrator.rundir", "orchestrator.formats"),
        *("orchestrator.stories", "orchestrator.commands", "orchestrator.screen"),
    ),
    # A story becomes what a log is; it knows no other form of one.
    "orchestrator.stories": (
        *("orchestrator.labs", "orchestrator.run", "orchestrator.rundir", "orchestrator.formats"),
        *("orchestrator.trace.check", "orchestrator.commands", "orchestrator.screen"),
    ),
    # Whoever reports has no part in the run, and whoever runs does not wait for a picture.
    "orchestrator.report": ("orchestrator.labs.live", "orchestrator.run", "orchestrator.commands"),
    "orchestrator.run": ("orchestrator.commands", "orchestrator.report", "orchestrator.__main__"),
    "orchestrator.config": ("orchestrator.labs", "orchestrator.trace", "orchestrator.run", "orchestrator.screen"),
    "orchestrator.rundir": ("orchestrator.labs", "orchestrator.trace", "orchestrator.run", "orchestrator.screen"),
}

FUNCTION_LINES_MAX = 40
# Functions that may be longer, as "path::name", each with its reason.
LONG_FUNCTIONS = {
    # A compiled run is one loop: what it keeps in registers cannot be handed to helpers.
    "orchestrator/labs/kernel/plain.py::run_plain",
    "orchestrator/labs/kernel/general.py::run_general",
    "orchestrator/labs/kernel/seeds.py::run_seeds",
    "orchestrator/labs/kernel/seeds.py::put_in_order",
    "orchestrator/labs/kernel/seeds.py::run_seed",
    "orchestrator/labs/kernel/many.py::measure_plain",
    "orchestrator/labs/kernel/many.py::measure_general",
    "orchestrator/trace/compiled/totals.py::add_up",
    "orchestrator/trace/compiled/measure.py::is_sound",
    "orchestrator/trace/proof/messages.py::judge_messages",
    "orchestrator/trace/proof/events.py::judge_events",
    "orchestrator/trace/proof/numbers.py::count_past",
    # Its columns, one a line.
    "orchestrator/labs/kernel/telling.py::trace_of",
    "orchestrator/trace/columns.py::trace_of_columns",
    "orchestrator/labs/kernel/telling.py::_some_events",
}
# The tops of our programs, where a bug of ours becomes one line and an exit code.
TOPS = {"node/__main__.py", "orchestrator/__main__.py"}
# Where somebody may sleep: between two attempts to reach a peer. Ticks have deadlines.
SLEEPERS = {"node/mesh.py::dial"}
NAMES_THAT_SAY_NOTHING = {"base", "common", "data", "helper", "helpers", "manager", "misc", "util", "utils"}


@dataclass(frozen=True)
class Source:
    """One module, read and never run."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """Its name in an import."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def at(self, node: ast.AST, words: str) -> str:
        """Return a violation: file, line, what is wrong."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {words}"


@dataclass(frozen=True)
class Import:
    """One module that another one imports."""

    node: ast.AST
    module: str
    is_for_types: bool


class House:
    """All modules, and who imports whom."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = [Source(path, text) for path, text in sorted(sources.items())]
        self.modules = {source.module: source for source in self.sources}
        self.imports = {source.module: list(self._imports_of(source)) for source in self.sources}

    def reach(self, module: str, *, with_types: bool = True) -> Iterator[tuple[Import, list[str]]]:
        """Yield, for each module that `module` comes to know, its own import that leads there, and the way."""
        for first in self.imports[module]:
            seen, ways = {first.module}, [[first.module]]
            while ways:
                way = ways.pop()
                if first.is_for_types and not with_types:
                    break
                yield first, way
                for each in self.imports.get(way[-1], []):
                    if each.module not in seen and (with_types or not each.is_for_types):
                        seen.add(each.module)
                        ways.append([*way, each.module])

    def _imports_of(self, source: Source) -> Iterator[Import]:
        for_types = {
            id(each)
            for node in ast.walk(source.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for each in ast.walk(node)
        }
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [self._imported(self._origin(source, node), alias.name) for alias in node.names]
            else:
                continue
            yield from (Import(node, name, id(node) in for_types) for name in dict.fromkeys(names))

    def _imported(self, origin: str, name: str) -> str:
        # "from package import module" imports the module; from anything else it is the module before "import".
        return f"{origin}.{name}" if f"{origin}.{name}" in self.modules else origin

    @staticmethod
    def _origin(source: Source, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = source.path.split("/")[: -node.level]
        return ".".join([*package, *([node.module] if node.module else [])])


def is_in(module: str, package: str) -> bool:
    """Return whether a module is this one or below it."""
    return module == package or module.startswith(f"{package}.")


def is_core(source: Source) -> bool:
    """Return whether a module must be pure."""
    return is_in(source.module, "node") and source.module.removeprefix("node.") not in SHELL


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function, methods and inner ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Yield every call with the last name of what is called, and "" where it has none."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield node, last


# The rules.


def core_is_pure(house: House) -> Iterator[str]:
    """Time and chance come in as arguments; what goes out is returned."""
    for source in filter(is_core, house.sources):
        for each in house.imports[source.module]:
            if each.module.split(".")[0] in WORLD:
                yield source.at(each.node, f"core imports {each.module}")
            if is_in(each.module, "node") and each.module.removeprefix("node.") in SHELL:
                yield source.at(each.node, f"core imports the shell, {each.module}")
        for call, name in calls(source):
            if isinstance(call.func, ast.Name) and name in IMPURE_CALLS:
                yield source.at(call, f"core calls {name}()")


def arrows_point_one_way(house: House) -> Iterator[str]:
    """Who must not know whom does not, not even through others."""
    for who, forbidden in NEVER_REACH.items():
        for module in filter(lambda each: is_in(each, who), house.modules):
            for first, way in house.reach(module):
                if any(is_in(way[-1], each) for each in forbidden) and way[-1] != module:
                    yield house.modules[module].at(first.node, f"{who} must not know {way[-1]} ({' -> '.join(way)})")


def nothing_imports_itself_in_the_end(house: House) -> Iterator[str]:
    """A cycle is two modules that are one; what is imported for its types only does not count."""
    for module, source in house.modules.items():
        for first, way in house.reach(module, with_types=False):
            if way[-1] == module:
                yield source.at(first.node, f"a cycle: {' -> '.join([module, *way])}")


def every_task_has_an_owner(house: House) -> Iterator[str]:
    """create_task is a TaskGroup's, which is called tasks; a loose task dies unseen."""
    for source in house.sources:
        for call, name in calls(source):
            if name in ("ensure_future", "run_coroutine_threadsafe"):
                yield source.at(call, f"{name} starts a task that nobody owns")
            if name == "create_task" and ast.unparse(call.func) not in ("tasks.create_task", "self._tasks.create_task"):
                yield source.at(call, f"{ast.unparse(call.func)} is not of a TaskGroup named tasks")
        for node in ast.walk(source.tree):
            if isinstance(node, ast.withitem) and "TaskGroup" in ast.unparse(node.context_expr):
                owner = ast.unparse(node.optional_vars) if node.optional_vars else "nothing"
                if owner not in ("tasks", "self._tasks"):
                    yield source.at(node.context_expr, f"a TaskGroup is called tasks, not {owner}")


def only_a_main_prints(house: House) -> Iterator[str]:
    """Events are data, words go to the log; stdout belongs to whoever started us."""
    for source in house.sources:
        for call, name in calls(source):
            if isinstance(call.func, ast.Name) and name == "print" and not source.path.endswith("__main__.py"):
                yield source.at(call, "print outside a __main__")


def errors_are_caught_by_name(house: House) -> Iterator[str]:
    """A bare except would swallow our own bugs, and a cancellation must pass through."""
    for source in house.sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler):
                caught = names_in(node.type) if node.type else {"everything"}
                if caught & {"everything", "Exception", "BaseException"} and source.path not in TOPS:
                    yield source.at(node, "catches everything, which only the top of a program may")
                if "CancelledError" in caught and not any(isinstance(each, ast.Raise) for each in ast.walk(node)):
                    yield source.at(node, "a cancellation ends here")
            if isinstance(node, ast.Call) and names_in(node.func) & {"suppress"}:
                caught = set().union(*map(names_in, node.args))
                if caught & {"Exception", "BaseException", "CancelledError"}:
                    yield source.at(node, "suppresses everything, or a cancellation")


def functions_are_short(house: House) -> Iterator[str]:
    """3 to 10 lines are usual, 40 the limit; a docstring does not count."""
    for source in house.sources:
        for function in functions(source):
            first = function.body[0]
            has_docstring = ast.get_docstring(function, clean=False) is not None
            docstring_lines = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
            lines = (function.end_lineno or 0) - function.lineno + 1 - docstring_lines
            if lines > FUNCTION_LINES_MAX and f"{source.path}::{function.name}" not in LONG_FUNCTIONS:
                yield source.at(
                    function, f"{function.name} has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed"
                )


def everything_public_says_what_it_is(house: House) -> Iterator[str]:
    """A module, a class, a function: one sentence first, with its full stop."""
    for source in house.sources:
        for node, name in [(source.tree, source.module), *public(source.tree)]:
            docstring = ast.get_docstring(node)
            if docstring is None:
                yield source.at(node, f"{name} has no docstring")
            elif not docstring.splitlines()[0].rstrip().endswith((".", ":")):
                yield source.at(node, f"the first line of the docstring of {name} is no sentence")


def names_say_something(house: House) -> Iterator[str]:
    """No module is a drawer for the rest."""
    for source in house.sources:
        if set(source.module.split(".")) & NAMES_THAT_SAY_NOTHING:
            yield source.at(source.tree, f"{source.module} is a name that says nothing")


def nobody_sleeps(house: House) -> Iterator[str]:
    """Deadlines, not sleeps: work after a sleep drifts, and a test of it waits."""
    for source in house.sources:
        asleep = {
            id(call): function.name
            for function in functions(source)
            for call in ast.walk(function)
            if isinstance(call, ast.Call)
        }
        for call, name in calls(source):
            if name == "sleep" and f"{source.path}::{asleep.get(id(call), '')}" not in SLEEPERS:
                yield source.at(call, "sleeps; wait for a condition or a deadline")


def chance_is_rolled(house: House) -> Iterator[str]:
    """No random, no hash(): the same seed gives the same run in every process."""
    for source in house.sources:
        for each in house.imports[source.module]:
            if each.module.split(".")[0] in CHANCE:
                yield source.at(each.node, f"imports {each.module}; chance is node.dice")
        for call, name in calls(source):
            if isinstance(call.func, ast.Name) and name == "hash":
                yield source.at(call, "hash() differs from process to process")


def names_in(node: ast.AST) -> set[str]:
    """Return the last names of everything named in an expression."""
    return {
        each.attr if isinstance(each, ast.Attribute) else each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute | ast.Name)
    }


def public(parent: ast.Module | ast.ClassDef) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef, str]]:
    """Yield every class and function that others may use."""
    for node in parent.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node, node.name  # type: ignore[misc]
            if isinstance(node, ast.ClassDef):
                yield from public(node)


RULES: tuple[Callable[[House], Iterator[str]], ...] = (
    core_is_pure,
    arrows_point_one_way,
    nothing_imports_itself_in_the_end,
    every_task_has_an_owner,
    only_a_main_prints,
    errors_are_caught_by_name,
    functions_are_short,
    everything_public_says_what_it_is,
    names_say_something,
    nobody_sleeps,
    chance_is_rolled,
)


# The tests.


@pytest.fixture(scope="module")
def ours() -> House:
    """Every module that we ship."""
    paths = [path for package in ("node", "orchestrator") for path in (ROOT / package).rglob("*.py")]
    return House({path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_obeys(rule: Callable[[House], Iterator[str]], ours: House) -> None:
    """Each rule's docstring is the law; what is listed broke it."""
    assert list(rule(ours)) == []


def test_the_lists_of_exceptions_name_what_exists(ours: House) -> None:
    """A rule about a module that was renamed protects nothing."""
    modules = {f"node.{name}" for name in SHELL} | set(NEVER_REACH) | {path[:-3].replace("/", ".") for path in TOPS}
    named = {f"{source.path}::{function.name}" for source in ours.sources for function in functions(source)}

    assert modules - set(ours.modules) == set()
    assert (LONG_FUNCTIONS | SLEEPERS) - named == set()


DOC = '"""A module."""\n'


@pytest.mark.parametrize(
    ("rule", "sources", "expected"),
    [
        (core_is_pure, {"node/clock.py": "import time\n"}, ["node/clock.py:1: core imports time"]),
        (core_is_pure, {"node/new.py": "\nfrom os import path\n"}, ["node/new.py:2: core imports os"]),
        (
            core_is_pure,
            {"node/new.py": "def f():\n import asyncio.tasks\n"},
            ["node/new.py:2: core imports asyncio.tasks"],
        ),
        (core_is_pure, {"node/new.py": "x = hash(1)\n"}, ["node/new.py:1: core calls hash()"]),
        (
            core_is_pure,
            {"node/link.py": "from node.mesh import x\n"},
            ["node/link.py:1: core imports the shell, node.mesh"],
        ),
        (
            core_is_pure,
            {"node/link.py": "from node import mesh\n", "node/mesh.py": ""},
            ["node/link.py:1: core imports the shell, node.mesh"],
        ),
        (core_is_pure, {"node/mesh.py": "import asyncio, time\nprint()\n", "orchestrator/run.py": "import os\n"}, []),
        (
            arrows_point_one_way,
            {"node/journal.py": "import orchestrator\n"},
            ["node/journal.py:1: node must not know orchestrator (orchestrator)"],
        ),
        (
            arrows_point_one_way,
            {
                "orchestrator/trace/store.py": "\nfrom orchestrator.between import x\n",
                "orchestrator/between.py": "import orchestrator.further\n",
                "orchestrator/further.py": "from node import process\n",
                "node/process.py": "",
            },
            [
                (
                    "orchestrator/trace/store.py:2: orchestrator.trace must not know node.process "
                    "(orchestrator.between -> orchestrator.further -> node.process)"
                )
            ],
        ),
        (
            arrows_point_one_way,
            {"orchestrator/trace/store.py": "from .. import labs\n", "orchestrator/labs/__init__.py": ""},
            ["orchestrator/trace/store.py:1: orchestrator.trace must not know orchestrator.labs (orchestrator.labs)"],
        ),
        (arrows_point_one_way, {"orchestrator/run.py": "import asyncio, orchestrator.trace.store\n"}, []),
        (
            nothing_imports_itself_in_the_end,
            {"node/a.py": "import node.b\n", "node/b.py": "import node.a\n"},
            ["node/a.py:1: a cycle: node.a -> node.b -> node.a", "node/b.py:1: a cycle: node.b -> node.a -> node.b"],
        ),
        (
            nothing_imports_itself_in_the_end,
            {"node/a.py": "if TYPE_CHECKING:\n    import node.b\n", "node/b.py": "import node.a\n"},
            [],
        ),
        (
            every_task_has_an_owner,
            {"node/mesh.py": "asyncio.create_task(x)\nloop.create_task(x)\nself.group.create_task(x)\n"},
            [
                "node/mesh.py:1: asyncio.create_task is not of a TaskGroup named tasks",
                "node/mesh.py:2: loop.create_task is not of a TaskGroup named tasks",
                "node/mesh.py:3: self.group.create_task is not of a TaskGroup named tasks",
            ],
        ),
        (
            every_task_has_an_owner,
            {"node/mesh.py": "asyncio.ensure_future(x)\n"},
            ["node/mesh.py:1: ensure_future starts a task that nobody owns"],
        ),
        (
            every_task_has_an_owner,
            {"node/mesh.py": "async def f():\n async with asyncio.TaskGroup() as group:\n  pass\n"},
            ["node/mesh.py:2: a TaskGroup is called tasks, not group"],
        ),
        (every_task_has_an_owner, {"node/mesh.py": "tasks.create_task(x)\nself._tasks.create_task(x)\n"}, []),
        (only_a_main_prints, {"node/run.py": "\nprint(1)\n"}, ["node/run.py:2: print outside a __main__"]),
        (only_a_main_prints, {"node/__main__.py": "print(1)\n", "node/run.py": "console.print(1)\n"}, []),
        *(
            (
                errors_are_caught_by_name,
                {"node/run.py": f"try:\n f()\nexcept{caught}:\n pass\n"},
                ["node/run.py:3: catches everything, which only the top of a program may"],
            )
            for caught in ("", " Exception", " BaseException as error", " (OSError, Exception)")
        ),
        (
            errors_are_caught_by_name,
            {"node/run.py": "try:\n f()\nexcept asyncio.CancelledError:\n pass\n"},
            ["node/run.py:3: a cancellation ends here"],
        ),
        (
            errors_are_caught_by_name,
            {"node/run.py": "with suppress(OSError, Exception):\n f()\n"},
            ["node/run.py:1: suppresses everything, or a cancellation"],
        ),
        (
            errors_are_caught_by_name,
            {
                "node/__main__.py": "try:\n f()\nexcept Exception:\n pass\n",
                "node/run.py": "try:\n f()\nexcept (OSError, CancelledError):\n raise\n",
            },
            [],
        ),
        (
            functions_are_short,
            {"node/run.py": "\ndef f():\n" + "    g()\n" * 40},
            ["node/run.py:2: f has 41 lines, at most 40 are allowed"],
        ),
        (
            functions_are_short,
            {"node/run.py": "class C:\n    async def f(self):\n" + "        g()\n" * 40},
            ["node/run.py:2: f has 41 lines, at most 40 are allowed"],
        ),
        (functions_are_short, {"node/run.py": 'def f():\n    """One.\n\n    Two.\n    """\n' + "    g()\n" * 39}, []),
        (everything_public_says_what_it_is, {"node/run.py": ""}, ["node/run.py:1: node.run has no docstring"]),
        (
            everything_public_says_what_it_is,
            {"node/run.py": f"{DOC}def f():\n pass\n\nclass C:\n  {DOC}  async def g(self):\n   pass\n"},
            ["node/run.py:2: f has no docstring", "node/run.py:7: g has no docstring"],
        ),
        (
            everything_public_says_what_it_is,
            {"node/run.py": '"""a list of\n\nthings."""\n'},
            ["node/run.py:1: the first line of the docstring of node.run is no sentence"],
        ),
        (
            everything_public_says_what_it_is,
            {"node/run.py": f"{DOC}def _f():\n def g():\n  pass\nclass _C:\n pass\n"},
            [],
        ),
        (names_say_something, {"node/utils.py": ""}, ["node/utils.py:1: node.utils is a name that says nothing"]),
        (
            names_say_something,
            {"orchestrator/data/x.py": ""},
            ["orchestrator/data/x.py:1: orchestrator.data.x is a name that says nothing"],
        ),
        (names_say_something, {"node/database.py": ""}, []),
        (
            nobody_sleeps,
            {"node/mesh.py": "async def dial():\n await asyncio.sleep(1)\nasync def f():\n await asyncio.sleep(1)\n"},
            ["node/mesh.py:4: sleeps; wait for a condition or a deadline"],
        ),
        (
            nobody_sleeps,
            {"node/run.py": "time.sleep(1)\n"},
            ["node/run.py:1: sleeps; wait for a condition or a deadline"],
        ),
        (
            chance_is_rolled,
            {"orchestrator/run.py": "import random\nx = hash('a')\n"},
            [
                "orchestrator/run.py:1: imports random; chance is node.dice",
                "orchestrator/run.py:2: hash() differs from process to process",
            ],
        ),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_each_rule_names_the_line_that_breaks_it(
    rule: Callable[[House], Iterator[str]], sources: dict[str, str], expected: list[str]
) -> None:
    """A rule that nothing can break protects nothing: file, line, what is wrong, and nothing else."""
    assert list(rule(House(sources))) == expected
