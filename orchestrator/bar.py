"""The progress of an experiment on stderr: a bar with the remaining time on a terminal, plain lines elsewhere.

Never on stdout: that is for the answer.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from orchestrator.labs.progress import Progress, Watcher, nobody

Bar: TypeAlias = Callable[[int], Watcher]
"""Takes the number of a run, and returns what its lab tells how far it is."""


@contextmanager
def progress_bar(runs: int, duration_ns: int, stream: TextIO | None = None) -> Iterator[Bar]:
    """Show the progress of `runs` runs of `duration_ns` each while the block lasts."""
    stream = stream or sys.stderr
    with (_drawn if stream.isatty() else _lines)(runs, duration_ns, stream) as bar:
        yield bar


@contextmanager
def _lines(runs: int, duration_ns: int, stream: TextIO) -> Iterator[Bar]:
    def run(k: int) -> Watcher:
        if runs > 1:
            stream.write(f"run {k} of {runs}\n")
            stream.flush()
        return nobody

    yield run


@contextmanager
def _drawn(runs: int, duration_ns: int, stream: TextIO) -> Iterator[Bar]:
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415  # only where somebody looks
    from rich.progress import Progress as Drawing  # noqa: PLC0415

    from orchestrator.screen.parts import make_console  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TimeRemainingColumn(), TextColumn("left"))
    drawing = Drawing(*columns, console=make_console(stream), transient=True, redirect_stdout=False)
    task = drawing.add_task("", total=runs * duration_ns)

    def run(k: int) -> Watcher:
        def watch(progress: Progress) -> None:
            over_ns = duration_ns if progress.phase == "ending" else min(progress.over_ns, duration_ns)
            done_ns = (k - 1) * duration_ns + over_ns
            drawing.update(task, description=f"run {k} of {runs}, {progress.phase}", completed=done_ns)

        return watch

    with drawing:
        yield run
