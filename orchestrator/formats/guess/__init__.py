"""A first format file for logs in a format that nobody has described, and what was recognised in them.

Never asks a user: what is not clear is said, and left out.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from node.errors import NoLogError, one_line
from orchestrator.formats.format import LogFormat, compiled
from orchestrator.formats.guess.alike import generalised
from orchestrator.formats.guess.expression import shortest
from orchestrator.formats.guess.files import Naming, escaped, groups_of_files, name_files
from orchestrator.formats.guess.frames import frames_of
from orchestrator.formats.guess.grouping import grouped
from orchestrator.formats.guess.interpret import interpretations
from orchestrator.formats.guess.lines import LINES_MAX, Sample, cut, names_in_vectors, words_in
from orchestrator.formats.guess.readback import Reading, read_back
from orchestrator.formats.guess.splits import find_split, parts_by_split
from orchestrator.formats.guess.study import Study
from orchestrator.formats.guess.table import COMMENT, RULE
from orchestrator.formats.guess.tell import recognised, unrecognised
from orchestrator.formats.guess.templates import templates_of
from orchestrator.formats.guess.write import keys_of
from orchestrator.formats.guess.yamltext import yaml_of
from orchestrator.formats.shipped import parse_format
from orchestrator.formats.sources import Source

BETTER_BY: Final = 0.15
"""By so much a later, looser layout must be better."""
FILES_MAX: Final = 60
IGNORED_MAX: Final = 10

_Way: TypeAlias = tuple[dict[str, Any], LogFormat, Reading]
"""The keys of a file, its format, and what it reads."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A format, the text of its file, and what was recognised in the logs and what not, a sentence each."""

    layout: LogFormat
    yaml: str
    recognised: tuple[str, ...]
    unrecognised: tuple[str, ...]


def guess(sources: Sequence[Source]) -> Guess:
    """Return a first format for these files.

    Raises NoLogError if not even that can be made.
    """
    names = [source.name for source in sources]
    best: tuple[float, Study, Naming, Sample] | None = None
    for places in groups_of_files(names)[:3]:
        naming = name_files(names, places, [words_in(sources[place].text) for place in places[:FILES_MAX]])
        sample = _sample(sources, naming)
        for study in _studies(sample, naming):
            margin = BETTER_BY if best is not None and best[1].frame.layout != study.frame.layout else 0.0
            if best is None or study.quality > best[0] + margin:
                best = study.quality, study, naming, sample
        if best is not None and best[0] > 3:
            break
    if best is None or not _tells_events(best[1]):
        raise _no_events(sources[0])
    _, study, naming, sample = best
    split = find_split(study, sample)
    if split:
        study = _divided(study, split, naming, sample)
    return _written(study, naming, [sources[place] for place in naming.places], split)


def _tells_events(study: Study) -> bool:
    """Whether there is something to audit: a clock, or sends and receives."""
    return study.clock != "none" or bool(len(study.of_kind("receive")) and len(study.of_kind("send")))


def _no_events(source: Source) -> NoLogError:
    lines = [line for line in source.text.split("\n") if line and not line.isspace()]
    first, middle = (one_line(line.strip(), 80) for line in (lines[0], lines[len(lines) // 2]))
    if len(lines) < 2:
        return NoLogError(f"{source.path}: nothing in it looks like events; its first line is {first!r}")
    return NoLogError(
        f"{source.path}: nothing in it looks like events, neither its first line, {first!r}, nor one from its middle, "
        f"{middle!r}; events have a clock, or words for sent and received"
    )


def _divided(study: Study, split: str, naming: Naming, sample: Sample) -> Study:
    """Return the best reading of the same records as several executions."""
    frame = copy(study.frame)
    frame.runs = parts_by_split(study, split, sample)
    frame.groups = [copy(group) for group in frame.groups]
    return max(interpretations(frame, list(naming.nodes), sample.count), key=lambda one: one.quality)


def _sample(sources: Sequence[Source], naming: Naming) -> Sample:
    places = naming.places[:FILES_MAX]
    runs = {run: at for at, run in enumerate(dict.fromkeys(naming.runs))}
    texts = [cut(sources[place].text, LINES_MAX // len(places)) for place in places]
    return Sample(texts, np.array([runs[run] for run in naming.runs[: len(places)]], np.int64))


def _studies(sample: Sample, naming: Naming) -> Iterator[Study]:
    nodes = list(naming.nodes)
    known = [*filter(None, nodes), *sorted(names_in_vectors(sample))]
    for frame in frames_of(sample, known):
        is_block = frame.layout == "text" and len(frame) < sample.count / 1.5
        for one in grouped(frame, known):
            for study in interpretations(one, nodes, sample.count):
                yield study
                if is_block and study.clock == "vector" and study.facts["clock"] > 0.9:
                    return  # a line of such a block would say less


def _written(study: Study, naming: Naming, sources: Sequence[Source], split: str) -> Guess:
    """Return the guess as a file that reads what was understood, or the nearest to it that can be written."""
    keys, layout, reading = min(_ways(study, naming, sources, split), key=lambda way: way[2].faults)
    text = yaml_of(keys)
    said = tuple(recognised(study, naming, sources[0].name, reading))
    not_said = (*unrecognised(study), *_left(study, reading))
    comments = [f"# {sentence}\n" for sentence in said] + [f"# not recognised: {sentence}\n" for sentence in not_said]
    return Guess(layout, "".join(comments) + text, said, not_said)


def _ways(study: Study, naming: Naming, sources: Sequence[Source], split: str) -> Iterator[_Way]:
    """Yield files that may say what was understood, and what each reads, up to the first that reads just that."""
    for is_short in (True, False):
        keys = keys_of(study, naming, is_short=is_short) | ({"split": split} if split else {})
        way = _read_with(keys, study, sources)
        general = generalised(keys.get("kinds", {}))
        if general != keys.get("kinds", {}):
            other = _read_with({**keys, "kinds": general}, study, sources)
            way = other if other[2].faults <= way[2].faults else way
            keys = way[0]
        if ignore := _ignore(study, way[2]):
            way = _read_with({**keys, "ignore": ignore if len(ignore) > 1 else ignore[0]}, study, sources)
            if way[2].missing:
                yield way
                way = _read_with(keys, study, sources)
        yield way
        if not way[2].faults:
            return


def _read_with(keys: dict[str, Any], study: Study, sources: Sequence[Source]) -> _Way:
    layout = parse_format(yaml_of(keys), name="guessed.format.yaml")
    return keys, layout, read_back(layout, study, sources)


def _ignore(study: Study, reading: Reading) -> list[str]:
    """Return expressions for lines that are no events."""
    events = [
        study.frame.lines[row]
        for at in study.of_kind("receive", "send", "internal", "")
        for row in study.groups[at].rows.tolist()
    ]
    lines = [line for line in (*reading.unmatched, *reading.extra) if not _may_be_damaged(study, line)]
    rules = [line for line in study.frame.dropped if RULE.match(line)]
    lines += [line for line in study.frame.dropped if line not in rules and COMMENT.match(line)]
    expressions = [
        shortest(template, [lines[row] for row in template.rows], events)
        for template in templates_of(lines, study.names)
    ]
    expressions += [
        shortest(group.template, [study.frame.lines[row] for row in group.rows.tolist()], events)
        for group in study.groups
        if not group.is_event and group.template is not None and study.frame.layout == "text"
    ]
    if rules:
        expressions.append(r"^[\s|+:=*_-]+$")
    found = list(dict.fromkeys(expressions))
    if len(found) > IGNORED_MAX:
        found = _without_marker(study, lines) or found
    # What would take an event away is worse than a line that is counted as matching nothing.
    return [one for one in found if not any(map(compiled(one).search, events))]


def _without_marker(study: Study, lines: Sequence[str]) -> list[str]:
    """Return the expression of all lines that lack what stands in every event; none if nothing does."""
    templates = [group.template for group in study.groups if group.is_event and group.template is not None]
    firsts = {template.pieces[0] for template in templates}
    if len(firsts) == 1 and isinstance(first := firsts.pop(), str) and len(first.strip()) > 2:
        word = first.split()[0]
        if not any(line.startswith(word) for line in lines if not line.startswith(first)):
            return [f"^(?!{escaped(word)})"]
    return []


def _may_be_damaged(study: Study, line: str) -> bool:
    """Return whether a line that matches nothing may be half of an event."""
    if study.frame.layout == "json":
        return "{" in line
    if study.frame.layout == "table":
        first = next(iter(study.frame.columns.values()))
        return bool(line[:1].isdigit()) and any(str(value)[:1].isdigit() for value in first[:5])
    return False


def _left(study: Study, reading: Reading) -> Iterator[str]:
    executions = len(set(study.frame.runs.tolist()))
    if len(reading.executions) != executions:
        yield f"what is one execution: this file reads {len(reading.executions)}, and they looked like {executions}"
    if reading.unmatched:
        yield f"{len(reading.unmatched)} lines, such as {one_line(reading.unmatched[0], 80)!r}"
    if reading.extra:
        yield f"that {len(reading.extra)} lines are no events, such as {one_line(reading.extra[0], 80)!r}"
    if reading.missing or reading.wrong:
        yield f"{len(reading.missing) + len(reading.wrong)} events that this file does not read as what they are"


__all__ = ["Guess", "guess"]
