"""What `bench evidence --json` found, made into the file that we ship and the tables of docs/evidence.md.

`python3 lab.py bench evidence --rounds 500 --json > found.json`, then
`python3 lab.py python -m tests.bench.publish found.json`. In the same way what `bench simulated --json` found is made
into the table of docs/simulation.md. Never measures.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from orchestrator.audit.revealed import FILE
from tests.bench import simulated
from tests.bench.evidence import REMARKED, TOPICS, Found, Grid, Kind, grids

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "evidence.md"
OF_SIMULATION: Final = DOCUMENT.with_name("simulation.md")
BEGIN: Final = "<!-- by tests.bench.publish: do not edit -->\n"
END: Final = "<!-- end -->\n"


def main(arguments: Sequence[str]) -> None:
    """Write what was found where it belongs."""
    whole = json.loads(Path(arguments[0]).read_bytes())
    (bench,) = whole["benches"]
    if bench["bench"] == simulated.BENCH.name:
        _write(OF_SIMULATION, _speeds(whole["context"], bench))
        return
    FILE.write_text(as_file(map(_found, bench["rows"])))
    _write(DOCUMENT, as_markdown(in_file(FILE.read_text())))


def _write(document: Path, tables: str) -> None:
    before, _, rest = document.read_text().partition(BEGIN)
    _, _, behind = rest.partition(END)
    document.write_text(f"{before}{BEGIN}{tables}{END}{behind}")


def _speeds(context: Mapping[str, Any], bench: Mapping[str, Any]) -> str:
    """Return the table of the compiled simulation, and what it depends on."""
    rows = [simulated.from_json(row) for row in bench["rows"]]
    grid = Grid("", simulated.heads()[1:], list(simulated.lines(rows)))
    load = ", ".join(map(str, context["load"] or ["unknown"]))
    missed = [f"{row.machines:,} machines: {limit}" for row in rows for limit, met in row.limits.items() if not met]
    return (
        f"\n| {simulated.heads()[0]} | {' | '.join(grid.heads)} |\n"
        "|---:|"
        + "---:|" * len(grid.heads)
        + "\n"
        + "".join(f"| {' | '.join(line)} |\n" for line in grid.lines)
        + f"\nPython {context['versions']['python']}, {context['cores']} cores, load before: {load}; "
        + f"{bench['rounds']} rounds at most.\n"
        + (f"Limits missed in this run: {'; '.join(missed)}.\n" if missed else "Every limit was met in this run.\n")
        + "\n"
    )


def as_file(found: Iterable[Found]) -> str:
    """Return the text of the file that we ship: a line for each setting and mistake, its counts by kind of log."""
    rows = list(found)
    (runs,) = {row.runs for row in rows}
    lines = []
    for internal, mistake in dict.fromkeys((row.internal, row.mistake) for row in rows):
        some = [row for row in rows if (row.internal, row.mistake) == (internal, mistake)]
        line = {
            "internal": internal,
            "mistake": mistake,
            "violated": [row.violated for row in some],
            "unknown": [row.unknown for row in some],
            "remarked": {topic: [row.remarked[topic] for row in some if row.kind in REMARKED] for topic in TOPICS},
        }
        lines.append(json.dumps(line))
    head = {
        "made_by": f"python3 lab.py bench evidence --rounds {runs} --json",
        "runs": runs,
        "kinds": [list(kind) for kind in dict.fromkeys(row.kind for row in rows)],
    }
    return (
        "{\n"
        + "".join(f'"{key}": {json.dumps(value)},\n' for key, value in head.items())
        + ('"found": [\n' + ",\n".join(lines) + "\n]\n}\n")
    )


def in_file(text: str) -> list[Found]:
    """Return what such a text holds."""
    held = json.loads(text)
    return [
        Found(
            internal=line["internal"],
            kind=Kind(*kind),
            mistake=line["mistake"],
            runs=held["runs"],
            violated=line["violated"][column],
            unknown=line["unknown"][column],
            remarked=_remarked(line, Kind(*kind)),
            must_be=None,
        )
        for line in held["found"]
        for column, kind in enumerate(held["kinds"])
    ]


def _remarked(line: Mapping[str, Any], kind: Kind) -> dict[str, int]:
    """Return the remarks on a kind of log, if it is one of which they are told."""
    if kind not in REMARKED:
        return {}
    return {topic: counts[REMARKED.index(kind)] for topic, counts in line["remarked"].items()}


def as_markdown(found: Sequence[Found]) -> str:
    """Return the tables of the document."""
    return "\n" + "".join(f"{line}\n" for grid in grids(found) for line in _markdown(grid))


def _markdown(grid: Grid) -> Iterator[str]:
    yield f"*{grid.title[0].upper()}{grid.title[1:]}*"
    yield ""
    yield f"| | {' | '.join(grid.heads)} |"
    yield "|---|" + "---:|" * len(grid.heads)
    yield from (f"| {' | '.join(line)} |" for line in grid.lines)
    yield ""


def _found(row: Mapping[str, Any]) -> Found:
    kind = Kind(*(row[name] for name in Kind._fields))
    return Found(kind=kind, **{name: row[name] for name in Found.__slots__ if name != "kind"})


if __name__ == "__main__":
    main(sys.argv[1:])
