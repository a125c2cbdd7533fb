"""`report`: a run, or anybody's logs, as one HTML file that needs no network: verdict, diagram, plots, tables."""

from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.errors import UnavailableError
from orchestrator.answer import Answer
from orchestrator.executions import shown
from orchestrator.rundir.space import in_words

if TYPE_CHECKING:
    from orchestrator.report.write import Written
    from orchestrator.screen.parts import Screen

LIBRARIES: Final = ("matplotlib", "jinja2")


def answer(options: Namespace) -> Answer:
    """Write a page; the exit code says that it is written, and `check` says whether causality held.

    Raises UsageError, NoInputError, NoLogError, OutputError, UnavailableError, or ConfigurationError for a format.
    """
    written = write(options.paths, log_format=options.log_format, out=options.out, beside=options.compare)

    def show(screen: "Screen") -> None:
        screen.said_of(written.word, "bold", f": {shown(written.path)} ({in_words(written.size_bytes)})")
        if written.pictures:
            screen.say(
                f"its {written.pictures} plots as PNG: {shown(written.path.parent / 'report-plots')}", style="dim"
            )

    data = {
        "report": str(written.path.resolve()),
        "bytes": written.size_bytes,
        "pictures": written.pictures,
        "verdict": written.verdict,
    }
    return Answer(data=data, show=show)


def write(
    paths: list[Path], *, log_format: str | None = None, out: Path | None = None, beside: tuple[Path, ...] = ()
) -> "Written":
    """Write a report.

    Raises what `answer` raises.
    """
    if not is_possible():
        missing = next(name for name in LIBRARIES if find_spec(name) is None)
        raise UnavailableError(f"a report needs {missing}: python3 lab.py report fetches it")
    from orchestrator.report.write import write_report  # noqa: PLC0415  # what draws is half a second

    return write_report(paths, log_format=log_format, out=out, beside=beside)


def is_possible() -> bool:
    """Return whether what draws is installed."""
    return all(find_spec(name) for name in LIBRARIES)
