"""Which files are logs of which machine and run, by what varies in their names.

Never opens a file.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.formats.names import stem_of

_TOKEN: Final = re.compile(r"\d+|[A-Za-z]+|[^A-Za-z\d]+")
_NODE: Final = frozenset(
    (
        *(
            "machine",
            "vm",
            "node",
            "process",
            "proc",
            "p",
            "server",
            "m",
            "client",
            "host",
            "id",
            "peer",
            "replica",
            "port",
        ),
        *(
            "n",
            "worker",
            "site",
            "actor",
            "svc",
            "service",
            "virtualmachine",
            "instance",
            "s",
            "rechner",
            "member",
            "agent",
        ),
    )
)
_RUN: Final = frozenset(
    (
        *("run", "runs", "trial", "exp", "experiment", "test", "sim", "simulation", "round", "case", "seed", "t", "r"),
        *("session", "attempt", "iteration", "epoch", "batch", "config", "rate", "scenario"),
    )
)
_LOG: Final = frozenset(("log", "logs", "trace", "traces", "out", "output", "events", "file", "data", "result"))
_TIMESTAMP_DIGITS: Final = 9
_PORT_DIGITS: Final = 4
PARTS_MAX: Final = 8
"""So many parts of a file's name may be a machine's: the numbers and dots of an address."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What names say: the expression for `files`, empty if none is needed, and each file's machine and run."""

    places: tuple[int, ...]
    """Which of the files are logs."""
    expression: str
    nodes: tuple[str, ...]
    """Each log's machine; empty if the names do not say it."""
    runs: tuple[str, ...]


def groups_of_files(names: Sequence[str]) -> list[list[int]]:
    """Return the files that are named alike, the most first."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        groups[_shape(name)].append(place)
    return sorted(groups.values(), key=len, reverse=True)


def name_files(names: Sequence[str], places: Sequence[int], words: Sequence[frozenset[str]] = ()) -> Naming:
    """Return what the names of some files say; the others are none of the logs.

    `words` are those in each log: of `run_vm1.log` the machine is `vm1` if they speak of it, else `1`.
    """
    said = frozenset[str]().union(*words)
    ours = [names[place] for place in places]
    tokens = _parted([_TOKEN.findall(name) for name in ours])
    if len({len(each) for each in tokens}) != 1:
        return _by_stem(names, places)
    varying = [at for at in range(len(tokens[0])) if len({each[at] for each in tokens}) > 1]
    best = max(varying, key=lambda at: _says_node(tokens, at, words), default=None)
    if best is None or _says_node(tokens, best, words) < -1:
        return _runs_only(names, places, tokens, varying)
    base = _start_of_name(tokens[0])
    rest = [at for at in varying if at != best]
    in_name = [at for at in rest if at > base]
    folders = {_folder(each, best) for each in tokens}
    if len({(_folder(each, best), each[best]) for each in tokens}) == len(ours):
        in_name = []  # the folders tell the runs apart
    if len({tuple(each[at] for at in [best, *rest]) for each in tokens}) < len(ours):
        return _by_stem(names, places)
    span = _span(tokens, best, varying, said)
    nodes = tuple("".join(each[span.start : span.stop]) for each in tokens)
    is_stem = nodes == tuple(map(stem_of, ours)) and not in_name
    expression = "" if is_stem and len(places) == len(names) else _expression(tokens, span, in_name)
    runs = tuple(
        "/".join([_folder(each, best) if len(folders) > 1 else "", *(each[at] for at in in_name)]) for each in tokens
    )
    return Naming(tuple(places), expression, nodes, runs)


def _span(tokens: Sequence[Sequence[str]], node: int, varying: Sequence[int], said: frozenset[str]) -> range:
    """Return which parts of the names are what the logs call the machines: the most of which they speak."""
    best = range(node, node + 1)
    for first in range(node, max(-1, node - PARTS_MAX), -1):
        if first != node and (first in varying or "/" in tokens[0][first]):
            break
        for last in range(node, min(len(tokens[0]), node + PARTS_MAX)):
            if last != node and (last in varying or "/" in tokens[0][last]):
                break
            forms = {"".join(each[first : last + 1]) for each in tokens}
            if last - first >= len(best) and len(forms - said) <= len(forms) // 4:
                best = range(first, last + 1)
    return best


def _parted(tokens: Sequence[list[str]]) -> Sequence[list[str]]:
    """Return the parts of names, with what words at a place all begin with as a part: `log` of logA, logB."""
    if len({len(each) for each in tokens}) != 1:
        return tokens
    for at in range(len(tokens[0]) - 1, -1, -1):
        words = [each[at] for each in tokens]
        if len(set(words)) > 1 and all(map(str.isalpha, words)) and (start := _common_start(words)):
            tokens = [[*each[:at], start, each[at][len(start) :], *each[at + 1 :]] for each in tokens]
    return tokens


def _common_start(words: Sequence[str]) -> str:
    """Return what words begin with where the rest of each is a name: a letter, or a word of its own."""
    first, last = min(words), max(words)
    start = first[: next((at for at, letter in enumerate(first) if last[at : at + 1] != letter), len(first))]
    rests = [word[len(start) :] for word in words]
    is_word = (
        start.lower() in _NODE
        or start.lower() in _LOG
        or (start[-1:].islower() and all(rest[:1].isupper() for rest in rests))
    )
    return start if len(start) > 1 and all(rests) and (is_word or all(len(rest) == 1 for rest in rests)) else ""


def _shape(name: str) -> tuple[str, ...]:
    folder, _, base = name.rpartition("/")
    tokens = _TOKEN.findall(base)
    classes = tuple("9" if token.isdigit() else "a" if token.isalpha() else token for token in tokens[:-1])
    return str(folder.count("/") + bool(folder)), *classes, tokens[-1] if tokens[-1].isalpha() else "9"


def _start_of_name(tokens: Sequence[str]) -> int:
    return max((at + 1 for at, token in enumerate(tokens) if "/" in token), default=0)


def _says_node(tokens: Sequence[Sequence[str]], at: int, words: Sequence[frozenset[str]]) -> float:
    """Return how much speaks for a place in the names telling the machines."""
    if _speak_of_each_other(tokens, at, words):
        return 5.0
    known = [token.lower() for token in tokens[0][:at] if token.isalnum()]
    before = known[-1] if known else ""
    values = {each[at] for each in tokens}
    said = 3.0 * (before in _NODE) - 3.0 * (before in _RUN) + 1.0 * (at >= _start_of_name(tokens[0])) + 0.01 * at
    return said - 4.0 * any(value.isdigit() and len(value) >= _TIMESTAMP_DIGITS for value in values)


def _speak_of_each_other(tokens: Sequence[Sequence[str]], at: int, words: Sequence[frozenset[str]]) -> bool:
    """Return whether the logs call one another by what their names say there: machines do, and runs do not."""
    first = at - 1 if at and tokens[0][at].isdigit() and tokens[0][at - 1].isalpha() else at
    names = {"".join(each[first : at + 1]) for each in tokens}
    if len(names) < 2 or len(words) < len(tokens) or all(name.isdigit() and len(name) < _PORT_DIGITS for name in names):
        return False
    return all(sum(name in some for some in words) > len(words) / 2 for name in names)


def _folder(tokens: Sequence[str], node: int) -> str:
    """Return the path above what names the machine."""
    return "".join(tokens[:node]).rpartition("/")[0]


def _expression(tokens: Sequence[Sequence[str]], span: range, in_name: Sequence[int]) -> str:
    first = min([span.start, *in_name])
    start = max((at + 1 for at in range(first) if len({each[at] for each in tokens}) > 1), default=0)
    start = max(start, _start_of_name(tokens[0][: first + 1]))
    start = max([start, *(at + 1 for at in range(first) if tokens[0][at].isdigit() and len(tokens[0][at]) > 5)])
    parts = []
    for at in range(start, len(tokens[0])):
        values = {each[at] for each in tokens}
        pattern = r"\d+" if all(map(str.isdigit, values)) else "[A-Za-z]+"
        is_node = at in span
        if at == span.start:
            parts.append("(?<node>")
        if at in in_name:
            parts.append(f"(?<run>{pattern})" if at == in_name[0] else pattern)
        elif len(values) == 1:
            parts.append(escaped(tokens[0][at]))
        else:
            parts.append(pattern if is_node else r"[^/]+")
        if at == span.stop - 1:
            parts.append(")")
    return "".join(parts).lstrip("_-").removeprefix(r"\.") + "$"


def _runs_only(
    names: Sequence[str], places: Sequence[int], tokens: Sequence[Sequence[str]], varying: Sequence[int]
) -> Naming:
    """Return what names say that tell runs and no machines."""
    ours = [names[place] for place in places]
    runs = tuple("/".join(each[at] for at in varying) for each in tokens)
    base = _start_of_name(tokens[0])
    in_name = [at for at in varying if at >= base]
    if not in_name:
        expression = "" if len(places) == len(names) else _ending(ours)
        return Naming(tuple(places), expression, ("",) * len(ours), runs)
    parts = [
        r"(?<run>\d+)" if at == in_name[0] else r"\w+" if at in in_name else escaped(token)
        for at, token in enumerate(tokens[0])
        if at >= base
    ]
    return Naming(tuple(places), "".join(parts) + "$", ("",) * len(ours), runs)


def _by_stem(names: Sequence[str], places: Sequence[int]) -> Naming:
    ours = [names[place] for place in places]
    stems = tuple(stem_of(name) for name in ours)
    folders = tuple(name.rpartition("/")[0] for name in ours)
    expression = "" if len(places) == len(names) else _ending(ours)
    return Naming(tuple(places), expression, stems if len(ours) > 1 else ("",), folders)


def _ending(names: Sequence[str]) -> str:
    endings = {name.rpartition(".")[2] for name in names if "." in name}
    if len(names) == 1:
        return escaped(names[0].rpartition("/")[2]) + "$"
    return rf"\.{escaped(endings.pop())}$" if len(endings) == 1 else ""


def escaped(text: str) -> str:
    """Return a text as an expression, escaped no more than it must be."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)
