"""Which files are logs of which machine and run, by what varies in their names.

Never opens a file.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
_TIMESTAMP_DIGITS: Final = 9


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


def name_files(names: Sequence[str], places: Sequence[int]) -> Naming:
    """Return what the names of some files say; the others are none of the logs."""
    ours = [names[place] for place in places]
    tokens = [_TOKEN.findall(name) for name in ours]
    is_all = len(places) == len(names)
    if len({len(each) for each in tokens}) != 1:
        return _by_stem(names, places)
    varying = [at for at in range(len(tokens[0])) if len({each[at] for each in tokens}) > 1]
    best = max(varying, key=lambda at: _says_node(tokens, at), default=None)
    if best is None or _says_node(tokens, best) < -1:
        return _runs_only(names, places, tokens, varying)
    base = _start_of_name(tokens[0])
    rest = [at for at in varying if at != best]
    folders = {name.rpartition("/")[0] for name in ours}
    in_name = [at for at in rest if at > base]
    if len({(name.rpartition("/")[0], each[best]) for name, each in zip(ours, tokens, strict=True)}) == len(ours):
        in_name = []  # the folders tell the runs apart
    if len({tuple(each[at] for at in [best, *rest]) for each in tokens}) < len(ours):
        return _by_stem(names, places)
    expression = _expression(tokens, best, in_name)
    is_stem = best == base and tokens[0][best + 1 : best + 2] and tokens[0][best + 1].startswith(".") and not in_name
    runs = tuple(
        "/".join(
            [*([name.rpartition("/")[0]] if len(folders) > 1 or best > base else []), *(each[at] for at in in_name)]
        )
        for name, each in zip(ours, tokens, strict=True)
    )
    return Naming(tuple(places), "" if is_stem and is_all else expression, tuple(each[best] for each in tokens), runs)


def _shape(name: str) -> tuple[str, ...]:
    folder, _, base = name.rpartition("/")
    tokens = _TOKEN.findall(base)
    classes = tuple("9" if token.isdigit() else "a" if token.isalpha() else token for token in tokens[:-1])
    return str(folder.count("/") + bool(folder)), *classes, tokens[-1] if tokens[-1].isalpha() else "9"


def _start_of_name(tokens: Sequence[str]) -> int:
    return max((at + 1 for at, token in enumerate(tokens) if "/" in token), default=0)


def _says_node(tokens: Sequence[Sequence[str]], at: int) -> float:
    """Return how much speaks for a place in the names telling the machines."""
    words = [token.lower() for token in tokens[0][:at] if token.isalpha()]
    before = next(iter(reversed(words)), "")
    values = {each[at] for each in tokens}
    said = 3.0 * (before in _NODE) - 3.0 * (before in _RUN) + 1.0 * (at >= _start_of_name(tokens[0])) + 0.01 * at
    return said - 4.0 * any(value.isdigit() and len(value) >= _TIMESTAMP_DIGITS for value in values)


def _expression(tokens: Sequence[Sequence[str]], node: int, in_name: Sequence[int]) -> str:
    first = min([node, *in_name])
    start = max((at + 1 for at in range(first) if len({each[at] for each in tokens}) > 1), default=0)
    start = max(start, _start_of_name(tokens[0][: first + 1]))
    start = max([start, *(at + 1 for at in range(first) if tokens[0][at].isdigit() and len(tokens[0][at]) > 5)])
    parts = []
    for at in range(start, len(tokens[0])):
        values = {each[at] for each in tokens}
        pattern = r"\d+" if all(map(str.isdigit, values)) else "[A-Za-z]+"
        if at == node:
            parts.append(f"(?<node>{pattern})")
        elif at in in_name:
            parts.append(f"(?<run>{pattern})" if at == in_name[0] else pattern)
        else:
            parts.append(escaped(tokens[0][at]) if len(values) == 1 else r"[^/]+")
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
    stems = tuple(name.rpartition("/")[2].partition(".")[0] for name in ours)
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
