"""The command line: every command with its flags; a mistake is answered in one line that says what was meant.

Never imports what a command needs: the help must be there at once.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn

from typing_extensions import override

from node.errors import UsageError

PROGRAM: Final = "python3 lab.py"
LABS: Final = ("live", "in-process", "simulated")
PACES: Final = ("exact", "free", "fast")
EXPORTS: Final = ("classic", "csv", "jsonl", "shiviz", "chrome")
EVENT_HELP: Final = "MACHINE:NUMBER, such as 2:41, or FILE:LINE, such as events-2.jsonl:43"

OVERVIEW: Final = f"""\
Scale Model, a laboratory for logical time: small clusters with Lamport clocks,
run for real, recorded, and proved right or wrong from the record alone.

  {PROGRAM} demo
      the whole story in 15 seconds
  {PROGRAM} run configs/exercise.yaml --runs 1
      three processes that talk TCP for a minute; verdict and numbers
  {PROGRAM} run configs/exercise.yaml --lab simulated
      the same events, now
  {PROGRAM} check runs/exercise/latest
      did causality hold? in a run of ours, or in anybody's logs
  {PROGRAM} measure runs/exercise/latest
      drift, queues, jumps and gaps, overall and of each machine

Also: write a report, a page for the browser; explain an event's clock, order
two events, draw a run or a story, compare two runs, export one for other
programs, ask one questions (sql), and list or prune runs.
lab.py's own commands: test, lint, bench [NAME], clean [--runs], python ARGS...
{PROGRAM} COMMAND --help lists a command's flags.
"""


class Parser(argparse.ArgumentParser):
    """An argparse parser whose mistakes are a UsageError: argparse's own exit code 2 means "unknown" with us."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"{PROGRAM} {command}",
            description=description,
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30, width=80),
        )
        self.command = command
        self.set_defaults(command=command)

    @override
    def error(self, message: str) -> NoReturn:
        """Raise what argparse found."""
        raise UsageError(f"{message.removeprefix('argument ')} ({self.prog} --help says more)")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse all of the arguments.

        Raises UsageError, with the nearest flag that exists.
        """
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            flag = unknown[0].partition("=")[0]
            what = "flag" if flag.startswith("-") else "argument"
            self.error(f"unknown {what} {flag}{did_you_mean(flag, self._option_string_actions)}")
        options.words = [*PROGRAM.split(), self.command, *arguments]
        return options


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint at the nearest word, or nothing."""
    nearest = get_close_matches(word, list(words), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Return what reads one of these words."""

    def read(word: str) -> str:
        if word in words:
            return word
        raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(words)}{did_you_mean(word, words)}")

    return read


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command and its flags.

    Raises UsageError.
    """
    command = arguments[0]
    if command in PARSERS:
        return PARSERS[command]().parse(arguments[1:])
    hint = did_you_mean(command, [*PARSERS, "--help", "--version"]) or f"; there are {', '.join(PARSERS)}"
    raise UsageError(f"unknown {'flag' if command.startswith('-') else 'command'} {command}{hint}")


def _run() -> Parser:
    parser = Parser("run", "Run an experiment; check, measure and record every run.")
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the experiment's YAML file")
    parser.add_argument(
        "--lab", type=one_of(LABS), metavar="LAB", default="live", help="live: processes and TCP; in-process; simulated"
    )
    parser.add_argument(
        "--pace",
        type=one_of(PACES),
        metavar="PACE",
        help="exact: by the clock, nothing ever late; free: nobody waits; fast: without the clock (exact)",
    )
    parser.add_argument("--runs", metavar="N", help="how many runs")
    parser.add_argument("--seed", metavar="N", help="the seed of run 1; run k has seed N + k - 1")
    parser.add_argument("--duration", metavar="TIME", help="of each run: 5s, 500ms, 2m")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="any key: network.delay=10ms")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the directory to make (runs/NAME/TIME)")
    parser.add_argument("--twin", action="store_true", help="also the same seeds without faults: what they changed")
    return _with_json(parser)


def _check() -> Parser:
    parser = Parser("check", "Say whether causality held, from the record alone: of a run, or in anybody's logs.")
    _add_logs(parser)
    parser.add_argument("--guess", action="store_true", help="print a first format file for logs of an unknown format")
    parser.add_argument(
        "--require-proof", action="store_true", help="exit 2 where nothing speaks against it, but nothing proves it"
    )
    return _with_json(parser)


def _measure() -> Parser:
    return _with_json(_add_logs(Parser("measure", "Measure drift, queues, jumps and gaps: of a run, or in any logs.")))


def _compare() -> Parser:
    parser = Parser("compare", "Compare two runs event by event; directories of several runs pair by number.")
    parser.add_argument("a", type=Path, metavar="RUN_A", help="a run")
    parser.add_argument("b", type=Path, metavar="RUN_B", help="another run")
    return _with_json(parser)


def _explain() -> Parser:
    parser = Parser(
        "explain",
        "Explain a clock: the chain of events that forced it, hop by hop, with the waits of messages in queues.",
    )
    _add_trace(parser)
    parser.add_argument("event", metavar="EVENT", help=EVENT_HELP)
    return _with_json(parser)


def _order() -> Parser:
    parser = Parser(
        "order", "Say which of two events happened before the other, or that they are concurrent; and show the way."
    )
    _add_trace(parser)
    parser.add_argument("a", metavar="A", help=EVENT_HELP)
    parser.add_argument("b", metavar="B", help="another event")
    return _with_json(parser)


def _draw() -> Parser:
    parser = Parser("draw", "Draw a run, somebody's logs or a story: in characters, or as an SVG that fits a slide.")
    _add_trace(parser)
    parser.add_argument("--svg", action="store_true", help="print an SVG document")
    parser.add_argument("--from", dest="first", metavar="WHEN", help="a time, such as 2.5s, or an event, such as 2:41")
    parser.add_argument("--to", dest="until", metavar="WHEN", help="a later one (50 events are drawn)")
    parser.add_argument("--machines", metavar="A,B", help="only these, in this order (as many as there is room for)")
    parser.add_argument("--ascii", action="store_true", help="no letters but those of ASCII")
    return parser


def _export() -> Parser:
    parser = Parser("export", "Write a run in a format that other programs read.")
    parser.add_argument(
        "run", type=Path, nargs="?", metavar="RUN", help="a run, its run-1, or a folder of event logs (the newest)"
    )
    parser.add_argument(
        "--format",
        type=one_of(EXPORTS),
        required=True,
        metavar="FORMAT",
        help="classic: text logs; csv; jsonl: event logs; shiviz; chrome: for Perfetto",
    )
    parser.add_argument(
        "--out", type=Path, metavar="PATH", help="the file or directory to make, - for stdout (here, named after RUN)"
    )
    return parser


def _report() -> Parser:
    parser = Parser("report", "Write a page, one file for the browser: the verdict, the diagram, plots, tables.")
    _add_logs(parser)
    parser.add_argument(
        "--compare", type=Path, nargs="+", default=[], metavar="RUN", help="put another run beside it, or these two"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the page to write (report.html in the run; here for others' logs)"
    )
    return _with_json(parser)


def _sql() -> Parser:
    parser = Parser("sql", "Ask a question about one run in SQL, of the views events, messages and machines.")
    parser.add_argument("run", type=Path, metavar="RUN", help="one run: its run-1, or a folder of event logs")
    parser.add_argument("query", metavar="QUERY", help='a SELECT: "select kind, count(*) from events group by kind"')
    parser.add_argument("--csv", action="store_true", help="comma-separated, with a line of names")
    return _with_json(parser)


def _runs() -> Parser:
    parser = Parser(
        "runs",
        "List what is recorded below runs/, newest first. With prune: remove all but the N newest of each "
        "experiment (each NAME in runs/NAME); a run that is still being written stays, and so does what is not ours.",
    )
    parser.add_argument("action", nargs="?", type=one_of(("prune",)), metavar="prune", help="remove old runs")
    parser.add_argument(
        "--keep", type=_count, metavar="N", help="how many of each experiment prune keeps; with 0 none is kept"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what prune would remove, and remove nothing")
    return _with_json(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"{text} is no number of runs: 0, 1, 2 and so on")
    return int(text)


def _demo() -> Parser:
    return Parser("demo", "Ten seconds of a live cluster, explained; then a mistake, found.")


def _add_logs(parser: Parser) -> Parser:
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="a run, its run-1, or logs: files together, folders, - for stdin (the newest run)",
    )
    parser.add_argument(
        "--log-format", metavar="NAME|FILE", help="how others' logs are written (the one that lies there, or fits)"
    )
    return parser


def _add_trace(parser: Parser) -> None:
    parser.add_argument(
        "trace", type=Path, metavar="TRACE", help="one run: its run-1, or logs: a folder, a file, - for stdin"
    )
    parser.add_argument(
        "--log-format", metavar="NAME|FILE", help="how others' logs are written (the one that lies there, or fits)"
    )


def _with_json(parser: Parser) -> Parser:
    parser.add_argument("--json", action="store_true", help="exactly one JSON object on stdout, words on stderr")
    return parser


PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "run": _run,
    "check": _check,
    "measure": _measure,
    "compare": _compare,
    "explain": _explain,
    "order": _order,
    "draw": _draw,
    "report": _report,
    "demo": _demo,
    "export": _export,
    "sql": _sql,
    "runs": _runs,
}
