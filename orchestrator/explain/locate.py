"""From what a person types to an event: its name, such as `2:41`, or its place, such as `events-2.jsonl:43`.

Never guesses: where there is no such event, the nearest ones are named.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Final

from node.errors import NoInputError, UsageError, one_line
from orchestrator.explain.history import History

DIGITS_MAX: Final = 18
NAMED_MAX: Final = 6


def locate(history: History, text: str) -> int:
    """Return the row of the event that a text names; the last colon parts a name that holds colons itself.

    Raises UsageError for what is no name, NoInputError for an event that is not in the record.
    """
    name, _, digits = text.rpartition(":")
    if not name or not (digits.isascii() and digits.isdecimal() and len(digits) <= DIGITS_MAX):
        raise UsageError(f"{one_line(text) or repr(text)}: an event is {_how_to_name(history)}")
    number = int(digits)
    if name in history.machines:
        return _named(history, name, number)
    files = list(_called(history.files, name))
    if len(files) > 1:
        raise UsageError(f"{one_line(text)}: {' and '.join(files[:2])} are called so; write more of the path")
    if not files:
        raise NoInputError(f"{one_line(text)}: nothing is called {one_line(name)}; {_what_there_is(history)}")
    return _placed(history, files[0], number)


def _named(history: History, machine: str, number: int) -> int:
    rows = history.events_of(machine)
    place = _place(rows, history.number, number)
    if place < len(rows) and history.number(rows[place]) == number:
        return int(rows[place])
    raise NoInputError(
        f"{machine}:{number}: no such event in {history.name}; {_extent(history, machine)}"
        + (f", and next to it {_neighbours(history, rows, place, history.event)}" if 0 < place < len(rows) else "")
    )


def _placed(history: History, file: str, line: int) -> int:
    rows = history.events_in(file)
    place = _place(rows, history.line, line)
    if place < len(rows) and history.line(rows[place]) == line:
        return int(rows[place])

    def with_place(row: int) -> str:
        return f"{history.place(row)} ({history.event(row)})"

    if not len(rows):
        raise NoInputError(f"{file}:{line}: there is no event in this file")
    raise NoInputError(
        f"{file}:{line}: no event begins in this line; the nearest: {_neighbours(history, rows, place, with_place)}"
    )


def _place(rows: Sequence[int], key: Callable[[int], int], wanted: int) -> int:
    return bisect_left(rows, wanted, key=key)


def _neighbours(history: History, rows: Sequence[int], place: int, say: Callable[[int], str]) -> str:
    return " and ".join(say(int(row)) for row in rows[max(0, place - 1) : place + 1])


def _extent(history: History, machine: str) -> str:
    rows = history.events_of(machine)
    if not len(rows):
        return f"machine {machine} has no events"
    first, last = history.event(int(rows[0])), history.event(int(rows[-1]))
    return (
        f"machine {machine} has only {first}" if len(rows) == 1 else f"machine {machine} has events {first} to {last}"
    )


def _called(files: Sequence[str], name: str) -> Iterator[str]:
    """Yield the files that a path may mean: seen from here, or from further in or out."""
    if name in files:
        yield name
        return
    wanted = PurePath(name).parts
    for file in files:
        parts = PurePath(file).parts
        shared = min(len(parts), len(wanted))
        if shared and parts[-shared:] == wanted[-shared:]:
            yield file


def _how_to_name(history: History) -> str:
    if not len(history):
        return f"MACHINE:NUMBER or FILE:LINE, and there is none in {history.name}"
    last = len(history) - 1
    place = history.place(last)
    return f"MACHINE:NUMBER, such as {history.event(last)}" + (f", or FILE:LINE, such as {place}" if place else "")


def _what_there_is(history: History) -> str:
    machines, files = list(history.machines), list(history.files)
    return "there are " + "; ".join(
        f"the {what} {', '.join(names[:NAMED_MAX])}"
        + (f" and {len(names) - NAMED_MAX} more" * (len(names) > NAMED_MAX))
        for what, names in (("machines", machines), ("files", files))
        if names
    )
