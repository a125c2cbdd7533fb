"""Where one file holds several executions: the lines at which the clocks of all machines begin again.

Never divides a file at a line that is an event.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np

from orchestrator.formats.clocks import read_vector
from orchestrator.formats.format import compiled
from orchestrator.formats.guess.evidence import Floats
from orchestrator.formats.guess.expression import joined, parts_of
from orchestrator.formats.guess.lines import Sample
from orchestrator.formats.guess.study import Study
from orchestrator.formats.guess.templates import templates_of
from orchestrator.formats.names import resolve
from orchestrator.trace.store import Column, Mask

LINES_MAX: Final = 20_000
_FRAMED: Final = re.compile(r"\s*(={2,}|-{2,}|\*{2,}|#{2,}|~{2,})\s*(\S.*?)\s*\1\s*\Z")


def find_split(study: Study, sample: Sample) -> str:
    """Return the expression of the lines that begin another execution; empty if a file holds one."""
    begins_again = _falls(study)
    count = int(begins_again.sum())
    if count < max(1, len(study.names) - 1) or study.clock == "none":
        return ""
    best: tuple[int, int, str] = (count, 0, "")
    for expression, places in _candidates(study, sample):
        left = int((begins_again & ~_is_first(study, places)).sum())
        best = min(best, (left, len(places), expression))
    return best[2] if best[0] <= 0.1 * count else ""


def _values(study: Study) -> Floats:
    choice = study.roles["clock"]
    if study.clock != "vector":
        return study.column(choice)
    own = np.full(len(study.nodes), np.nan)
    for row, value in enumerate(study.texts(choice)):
        vector = read_vector(value) if value is not None else None
        if isinstance(vector, dict):
            name = resolve(study.nodes[row], list(vector))
            own[row] = vector.get(name, np.nan)
        elif vector is not None and study.node[row] >= 0 and study.nodes[row] in study.order:
            own[row] = vector[study.order.index(study.nodes[row])]
    return own


def _falls(study: Study) -> Mask:
    """Return the records whose clock is far below that of their machine's record before."""
    if study.clock == "none":
        return np.zeros(len(study.nodes), np.bool_)
    values = _values(study)
    before = study.rows.before(values)
    falls: Mask = (values < before) & (values <= np.maximum(3, 0.3 * before))
    return falls


def _candidates(study: Study, sample: Sample) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yield expressions that may divide the files, with the places of their lines."""
    is_event = study.rows_of([at for at, group in enumerate(study.groups) if group.is_event])
    used: set[tuple[int, int]] = set()
    for row in np.flatnonzero(is_event).tolist():
        first = int(study.frame.numbers[row])
        used |= {(int(study.frame.files[row]), first + at) for at in range(study.frame.lines[row].count("\n") + 1)}
    rest = [one for one in sample.lines if (one[0], one[1]) not in used][:LINES_MAX]
    framed: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for file, number, line in rest:
        if match := _FRAMED.match(line):
            framed[match[1]].append((file, number))
    for frame, places in framed.items():
        yield rf"^\s*{re.escape(frame)} *(?<run>.*?) *{re.escape(frame)}\s*$", places
    for template in templates_of([line for _, _, line in rest]):
        places = [(rest[row][0], rest[row][1]) for row in template.rows]
        roles = {str(next(at for at, slot in enumerate(template.slots))): "run"} if template.slots else {}
        yield joined(parts_of(template, roles), [rest[row][2] for row in template.rows]), places


def _is_first(study: Study, places: list[tuple[int, int]]) -> Mask:
    """Return the records that are the first of their machine behind one of some places."""
    by_file: dict[int, list[int]] = defaultdict(list)
    for file, number in places:
        by_file[file].append(number)
    part: Column = np.zeros(len(study.nodes), np.int64)
    for file, numbers in by_file.items():
        is_in = study.frame.files == file
        part[is_in] = np.searchsorted(np.array(sorted(numbers)), study.frame.numbers[is_in])
    first = np.zeros(len(study.nodes), np.bool_)
    seen: set[tuple[int, int, int]] = set()
    for row, key in enumerate(zip(study.frame.files.tolist(), part.tolist(), study.node.tolist(), strict=True)):
        if key not in seen:
            seen.add(key)
            first[row] = True
    return first


def parts_by_split(study: Study, expression: str, sample: Sample) -> Column:
    """Return a number for the execution of each record, where an expression divides the files."""
    pattern = compiled(expression)
    runs = np.zeros(len(study.nodes), np.int64)
    shift = 0
    for file, text in enumerate(sample.texts):
        starts = [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]
        is_in = study.frame.files == file
        runs[is_in] = shift + np.searchsorted(np.array(starts, np.int64), study.frame.numbers[is_in], side="right")
        shift += len(starts) + 1
    return runs
