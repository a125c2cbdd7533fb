"""The layouts that some logs may have: JSON, tables, pairs, blocks of lines, text; each makes a frame.

Never decides which one is right; whoever asks compares what can be made of each.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from orchestrator.formats.format import LogFormat
from orchestrator.formats.guess.frame import Frame, Group, is_said
from orchestrator.formats.guess.lines import Sample
from orchestrator.formats.guess.table import table_frames
from orchestrator.formats.guess.templates import OPAQUE, Template, templates_of, uniform_template
from orchestrator.formats.guess.words import is_field
from orchestrator.formats.jsonlines import object_in, objects_in
from orchestrator.formats.pairs import PAIR, pairs_in
from orchestrator.formats.records import Lines

SHARE_MIN: Final = 0.6
BLOCK_LINES_MAX: Final = 12
_PARAGRAPH: Final = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_FRAMED: Final = re.compile(r"^(?:-{2,}|={2,}|\*{2,}|#{2,})(?: .* (?:-{2,}|={2,}|\*{2,}|#{2,}))?$", re.MULTILINE)
LONG: Final = 40
"""A line of a block that has more words and signs is not looked at."""
_WORD: Final = re.compile(r"\w+|[^\w\s]")
_VECTOR: Final = re.compile(r"\{[^{}]*\d[^{}]*\}|\[\s*\d+(?:\s*[,;\s]\s*\d+)+\s*\]")


def frames_of(sample: Sample, known: Iterable[str]) -> Iterator[Frame]:
    """Yield the frames that these logs may be, the strictest layout first."""
    if frame := _json(sample):
        yield frame
        return
    yield from table_frames(sample)
    if frame := _pairs(sample):
        yield frame
    if frame := _blocks(sample, known):
        yield frame
    yield _text(sample, known)


def _json(sample: Sample) -> Frame | None:
    layout = LogFormat(layout="json")
    found = [
        (file, number, line, one)
        for file, text in enumerate(sample.texts)
        for number, line, one in objects_in(text, layout, Lines(), 1)
    ]
    count = sum(line.count("\n") + 1 for _, _, line, _ in found)
    if not found or count < SHARE_MIN * sample.count:
        return None
    objects = [dict(_flat(one)) for *_, one in found]
    columns = _columns(objects)
    lines = [line for _, _, line, _ in found]
    prefix = _prefix([line[: line.find("{")] for line in lines])
    files = np.array([file for file, *_ in found], np.int64)
    numbers = np.array([number for _, number, *_ in found], np.int64)
    frame = Frame("json", {}, files, sample.runs[files], numbers, lines, columns, prefix=prefix)
    _add_prefix(frame)
    return frame


def _flat(one: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in one.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and not _is_vector(value):
            yield from _flat(value, f"{name}.")
            continue
        yield name, value
        if isinstance(value, list) and 1 < len(value) <= 4 and len(set(map(type, value))) > 1:
            yield from ((f"{name}.{at}", part) for at, part in enumerate(value))


def _is_vector(value: dict[str, Any]) -> bool:
    are_counts = all(isinstance(count, int) and not isinstance(count, bool) for count in value.values())
    return bool(value) and are_counts and sum(map(is_field, value)) <= len(value) / 2


def _columns(records: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _prefix(texts: Sequence[str]) -> Template | None:
    """Return what stands before pairs or objects in nearly every line."""
    if sum(bool(text.strip()) for text in texts) < 0.9 * len(texts):
        return None
    return uniform_template(texts)


def _add_prefix(frame: Frame) -> None:
    if frame.prefix is not None:
        more = {}
        for at, slot in enumerate(frame.prefix.slots):
            column: list[Any] = [None] * len(frame)
            for row, value in zip(frame.prefix.rows, slot.values, strict=True):
                column[row] = value
            more[f"^{at}"] = column
        frame.columns = {**frame.columns, **more}


def _pairs(sample: Sample) -> Frame | None:
    found = [one for one in sample.lines if "=" in one[2] and pairs_in(one[2])]
    if len(found) < SHARE_MIN * sample.count:
        return None
    lines = [line for _, _, line in found]
    rests = [PAIR.sub("", line[_start(line) :]) for line in lines]
    if sum(bool(re.search(r"\w", rest)) for rest in rests) > 0.1 * len(rests):
        return None  # words stand between the pairs: a text
    befores = [line[: _start(line)] for line in lines]
    prefix = _prefix(befores)
    if prefix is None and sum(bool(re.search(r"\w", text)) for text in befores) > 0.1 * len(lines):
        return None
    files = np.array([file for file, _, _ in found], np.int64)
    numbers = np.array([number for _, number, _ in found], np.int64)
    columns = _columns([dict(pairs_in(line)) for line in lines])
    frame = Frame("pairs", {}, files, sample.runs[files], numbers, lines, columns, prefix=prefix)
    _add_prefix(frame)
    return frame


def _start(line: str) -> int:
    match = PAIR.search(line)
    return match.start() if match else len(line)


def _text(sample: Sample, known: Iterable[str]) -> Frame:
    return _of_texts(sample, sample.lines, known)


def _of_texts(sample: Sample, found: Sequence[tuple[int, int, str]], known: Iterable[str]) -> Frame:
    files, numbers = (np.array([one[at] for one in found], np.int64) for at in (0, 1))
    texts = [text for _, _, text in found]
    frame = Frame("text", {}, files, sample.runs[files], numbers, texts)
    frame.groups = [
        Group(
            np.array(template.rows, np.int64),
            {str(at): slot for at, slot in enumerate(template.slots)},
            words,
            template,
        )
        for template, words in _telling(templates_of(texts, known))
    ]
    return frame


def _telling(templates: Sequence[Template]) -> Iterator[tuple[Template, str]]:
    """Yield templates with their words, but for those with which all begin: they tell nothing."""
    total = sum(len(template.rows) for template in templates)
    often = [template.words.split() for template in templates if len(template.rows) > 0.03 * total]
    common = 0
    for words in zip(*often, strict=False) if len(often) > 1 else ():
        if len(set(words)) > 1:
            break
        common += 1
    start = often[0][:common] if often else []
    for template in templates:
        own = template.words.split()
        yield template, " ".join(own[common:] if own[:common] == start else own)


def _blocks(sample: Sample, known: Iterable[str]) -> Frame | None:
    """Return records of several lines: each has a line with a vector, and as many beside it."""
    found: list[tuple[int, int, str]] = []
    for file, text in enumerate(sample.texts):
        found += [(file, number, block) for number, block in _blocks_of(text)]
    count = sum(block.count("\n") + 1 for _, _, block in found)
    if count < SHARE_MIN * sample.count:
        return None
    blocks = [block for _, _, block in found]
    shown = zip(found, _without_long_lines(blocks), strict=True)
    frame = _of_texts(sample, [(file, number, block) for (file, number, _), block in shown], known)
    frame.lines = blocks
    return frame


def _without_long_lines(blocks: Sequence[str]) -> list[str]:
    """Return blocks without what stands at the same place in each and is too long to be looked at."""
    parts = [block.split("\n") for block in blocks]
    long = {at for at in range(min(map(len, parts))) if _is_wild([part[at] for part in parts])}
    return ["\n".join(OPAQUE if at in long else line for at, line in enumerate(part)) for part in parts]


def _is_wild(lines: Sequence[str]) -> bool:
    """Return whether lines that stand at the same place have little in common."""
    if _VECTOR.search(lines[0]):
        return False
    shapes = {re.sub(r"\w+", "", line) for line in lines}
    return sum(len(_WORD.findall(line)) for line in lines) > LONG * len(lines) or len(shapes) > max(
        20, 0.3 * len(lines)
    )


def _blocks_of(text: str) -> list[tuple[int, str]]:
    if paragraphs := _paragraphs(text):
        return paragraphs
    lines = text.split("\n")
    has = [at for at, line in enumerate(lines) if _VECTOR.search(line)]
    gaps = Counter(b - a for a, b in pairwise(has))
    if len(has) < 4 or not gaps:
        return []
    size, times = gaps.most_common(1)[0]
    if size < 2 or times < SHARE_MIN * len(has):
        return []
    alike = [
        (match.start(), match[0])
        for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text)
        if match[0].count("\n") == size - 2 and _VECTOR.search(match[0])
    ]
    if len(alike) > SHARE_MIN * len(has):  # blank lines stand between
        return [(text.count("\n", 0, start) + 1, block) for start, block in alike]
    return _cut(lines, has, size)


def _paragraphs(text: str) -> list[tuple[int, str]]:
    """Return blocks with blank lines between them, or a framed line before each; none if the text has no such form."""
    blocks = [(match.start(), match[0]) for match in _PARAGRAPH.finditer(text)]
    if not _are_alike([block for _, block in blocks]):
        starts = [match.start() for match in _FRAMED.finditer(text)]
        blocks = [(a, text[a:b].rstrip("\n")) for a, b in pairwise([*starts, len(text)]) if text[a:b].strip()]
        if not _are_alike([block for _, block in blocks]):
            return []
    return [(text.count("\n", 0, start) + 1, block) for start, block in blocks if block.count("\n")]


def _are_alike(blocks: Sequence[str]) -> bool:
    sizes = [block.count("\n") + 1 for block in blocks]
    firsts = Counter(re.sub(r"\w+", "", block.partition("\n")[0]) for block in blocks)
    return (
        len(blocks) > 5
        and sum(1 < size <= BLOCK_LINES_MAX for size in sizes) > 0.9 * len(sizes)
        and firsts.most_common(1)[0][1] > 0.8 * len(blocks)
    )


def _cut(lines: Sequence[str], has: Sequence[int], size: int) -> list[tuple[int, str]]:
    """Return blocks that begin, or end, with the line that has a vector; a block is never begun in another."""
    first, last = has[0], has[-1]
    is_first = first < size - 1 or (last + size <= len(lines) and not lines[first - 1].strip())
    offset = 0 if is_first else size - 1
    starts = [at - offset for at in has]
    ends = [*starts[1:], len(lines)]
    blocks = [(a, lines[a : a + size]) for a, b in zip(starts, ends, strict=True) if a >= 0 and b - a >= size]
    return [(a + 1, "\n".join(block)) for a, block in blocks if all(line.strip() for line in block)]


def is_json_line(line: str) -> bool:
    """Return whether a line is or ends with an object that says something."""
    one = object_in(line)
    return one is not None and any(map(is_said, one.values()))
