"""Exports: each format is read back by its own rules, nothing is lost on the way, and nothing is written over."""

import csv
import io
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from node.event import Delivery, Event, EventId, MessageId
from orchestrator.__main__ import main
from orchestrator.commandline import EXPORTS
from orchestrator.config import load_experiment
from orchestrator.export import FORMATS
from orchestrator.export.chrome import chrome
from orchestrator.export.classic import classic
from orchestrator.export.shiviz import EXPRESSION, shiviz
from orchestrator.export.table import COLUMNS, table
from orchestrator.trace import Trace, parquet, read_trace, trace_of
from orchestrator.trace.order import Order
from tests.clusters import cluster, simulated
from tests.golden_runs import expected
from tests.logs_on_disk import rewrite, write_logs

ROOT = Path(__file__).parents[2]

CLUSTERS = st.builds(
    cluster,
    st.integers(2, 5),
    seed=st.integers(0, 2**63 - 1),
    seconds=st.sampled_from((0.5, 2, 4)),
    rates=st.sampled_from(((1, 6), (3, 3), (1, 50))),
    internal_probability=st.sampled_from((0.0, 0.3, 1.0)),
    delay_ms=st.sampled_from((0, 40, 1500)),
)
FAULTY = ("c3", "c4", "c5")
"""Golden runs with loss, duplicates, links that do not keep the order, partitions and a crash."""


def golden_events(name: str) -> list[Event]:
    """Return a golden run's events, each receive with what its message says."""
    sent: dict[tuple[Any, ...], tuple[int, int, int]] = {}
    events = []
    for node, incarnation, index, tick, due_ns, kind, clock, queue, cause, to in expected(name):
        event = Event(
            node=node,
            incarnation=incarnation,
            index=index,
            tick=tick,
            due_ns=due_ns,
            kind=kind,
            clock=clock,
            queue=queue,
        )
        for recipient, number, arrival_ns, copy in to or ():
            sent[node, incarnation, index, copy, recipient] = number, arrival_ns, clock
        if cause:
            number, arrival_ns, stamp = sent[*cause, node]
            of_message = {"cause": MessageId(*cause), "number": number, "arrival_ns": arrival_ns, "stamp": stamp}
            event = replace(event, **of_message)
        events.append(replace(event, to=tuple(Delivery(*one) for one in to or ())))
    return events


def events_of(machines: Mapping[int, Any]) -> list[Event]:
    return sorted((event for events in simulated(machines).values() for event in events), key=place)


def place(event: Event) -> tuple[int, int, int, int]:
    return event.due_ns, event.node, event.incarnation, event.index


def bare_trace(events: Iterable[Event]) -> Trace:
    """Return the trace of events whose machines nothing else is known of."""
    ours = list(events)
    return trace_of(dict.fromkeys(sorted({event.node for event in ours})), ours)  # type: ignore[arg-type]


def text_of(exported: Any) -> str:
    (pieces,) = exported.files.values()
    return "".join(pieces)


# csv


def read_table(text: str) -> list[tuple[Event, int | None]]:
    """Read the table back as anybody would: each event, and when it happened."""
    return [(event_of(row), number_of(row["wall"])) for row in csv.DictReader(io.StringIO(text, newline=""))]


def event_of(row: dict[str, str]) -> Event:
    whole = {key: int(row[key]) for key in ("node", "incarnation", "index", "tick", "due_ns", "clock", "queue")}
    maybe = {key: number_of(row[key]) for key in ("number", "stamp", "arrival_ns", "seen_ns")}
    cause = None
    if row["from"]:
        node, incarnation, index = re.fullmatch(r"(\d+)(?:\.(\d+))?:(\d+)", row["from"]).groups()  # type: ignore[union-attr]
        cause = MessageId(int(node), int(incarnation or 0), int(index), int(row["from_copy"]))
    to = tuple(delivery_of(one) for one in row["to"].split())
    event = Event(**whole, **maybe, kind=row["kind"], cause=cause, to=to)  # type: ignore[arg-type]
    assert str(event.name) == row["name"]
    return event


def delivery_of(cell: str) -> Delivery:
    recipient, rest = cell.split("#")
    rest, _, copy = rest.partition("~")
    number, _, arrival_ns = rest.partition("@")
    if number == "lost":
        return Delivery(int(recipient), None, None, int(copy or 0))
    return Delivery(int(recipient), int(number), int(arrival_ns), int(copy or 0))


def number_of(cell: str) -> int | None:
    return int(cell) if cell else None


@given(CLUSTERS)
@settings(deadline=None, max_examples=40)
def test_the_table_reads_back_without_loss(machines: dict[int, Any]) -> None:
    """Every field of every event, in the order of due time and node."""
    events = events_of(machines)

    assert [(event, None) for event in events] == read_table(text_of(table(trace_of(machines, events))))


@pytest.mark.parametrize("name", FAULTY)
def test_the_table_tells_lost_and_doubled_messages(name: str) -> None:
    """A lost copy has neither number nor arrival, a second copy has its mark."""
    events = golden_events(name)

    assert [(event, None) for event in events] == read_table(text_of(table(bare_trace(events))))


def test_the_table_has_wall_time_late_messages_and_later_incarnations() -> None:
    """What simulated runs never have is not lost either."""
    events = in_two_lives(golden_events("c3"))
    late = next(position for position, event in enumerate(events) if event.kind == "receive")
    events[late] = replace(events[late], seen_ns=events[late].due_ns - 1)

    assert events == [event for event, _ in read_table(text_of(table(bare_trace(events))))]
    assert {event.incarnation for event in events} == {0, 1}


def test_the_table_keeps_to_rfc_4180() -> None:
    """CRLF ends each line, each line has as many fields as the header, and no name comes twice."""
    text = text_of(table(bare_trace(golden_events("c3"))))
    lines = text.split("\r\n")

    assert lines[-1] == ""
    assert "\n" not in "".join(lines)
    assert {len(row) for row in csv.reader(lines[:-1])} == {len(set(COLUMNS))}


# classic


CLASSIC = re.compile(r"(-?\d+\.\d{6}), (INTERNAL|SEND\([123]\)|RECEIVE), L=(\d+)(?:, queue=(\d+))?\n")
KIND_OF = {
    "INTERNAL": "internal",
    "SEND(1)": "send-one",
    "SEND(2)": "send-next",
    "SEND(3)": "send-all",
    "RECEIVE": "receive",
}


def seconds(time_ns: int) -> str:
    """Return the nearest microsecond, without a float on the way."""
    microseconds = round(Fraction(time_ns, 1000))
    return f"{microseconds // 10**6}.{microseconds % 10**6:06d}"


@given(CLUSTERS)
@settings(deadline=None, max_examples=20)
def test_classic_logs_have_a_line_an_event(machines: dict[int, Any]) -> None:
    """A file a machine, in its order; a queue where a message was received, and there only."""
    files = classic(trace_of(machines, events_of(machines))).files

    assert [f"machine-{node}.log" for node in machines] == list(files)
    for node, events in simulated(machines).items():
        read = [CLASSIC.fullmatch(line) for line in files[f"machine-{node}.log"]]
        assert [
            (seconds(event.due_ns), event.kind, str(event.clock), str(event.queue) if event.cause else None)
            for event in events
        ] == [(match[1], KIND_OF[match[2]], match[3], match[4]) for match in read if match]


def test_classic_logs_have_the_wall_clock_of_a_live_run(tmp_path: Path) -> None:
    """Unix seconds with six digits: the nearest microsecond of `wall`."""
    machines = cluster(2, seconds=1)
    logs = write_logs(tmp_path, machines, wall=lambda event: 1_700_000_000_123_456_499 + event.due_ns)
    first = simulated(machines)[1][0]
    (line, *_) = classic(read_trace(logs)).files["machine-1.log"]

    assert line.startswith(f"{seconds(1_700_000_000_123_456_499 + first.due_ns)}, ")


# shiviz


class Host(TypedDict):
    """A log event as ShiViz has it."""

    host: str
    clock: dict[str, int]
    event: str


def opened(text: str) -> list[Host]:
    """Read a file as ShiViz opens one: expression, delimiter, log; the expression is searched in the whole log."""
    expression, delimiter, log = text.split("\n", 2)
    assert delimiter.strip() == ""
    found = re.finditer(expression.replace("(?<", "(?P<"), log.strip(), re.MULTILINE)
    return [Host(host=one["host"], clock=json.loads(one["clock"]), event=one["event"]) for one in found]


def shiviz_complaints(log: list[Host]) -> list[str]:
    """Return what ShiViz says against a log: its own rules, in its own order."""
    if missing := [one["host"] for one in log if one["host"] not in one["clock"]]:
        return [f"Local host {missing[0]} is missing from timestamp"]
    programs: dict[str, list[Host]] = defaultdict(list)
    for one in sorted(log, key=lambda one: one["clock"][one["host"]]):
        programs[one["host"]].append(one)
    return (
        list(bad_steps(programs))
        or [said for one in log for said in bad_entries(one, programs)]
        or list(impermissible_vectors(log, programs))
    )


def bad_steps(programs: Mapping[str, list[Host]]) -> Iterator[str]:
    for host, program in programs.items():
        for position, one in enumerate(program, 1):
            if one["clock"][host] != position:
                rule = "start at 1" if position == 1 else "increase monotonically by 1"
                yield f"Clock values for host {host} must {rule}"


def bad_entries(one: Host, programs: Mapping[str, list[Host]]) -> Iterator[str]:
    for other, count in one["clock"].items():
        if other not in programs:
            yield f"an entry for an unrecognized host {other}"
        elif not 1 <= count <= len(programs[other]):
            yield f"an invalid clock value {count} for host {other}"


def impermissible_vectors(log: list[Host], programs: Mapping[str, list[Host]]) -> Iterator[str]:
    """Yield vectors that are not what the events they name know together: ShiViz's last step."""
    at = {(host, count): one["clock"] for host, program in programs.items() for count, one in enumerate(program, 1)}
    for one in log:
        host, clock = one["host"], one["clock"]
        known: dict[str, int] = {host: clock[host]}
        for other, count in clock.items():
            named = at.get((other, count - (other == host)), {})
            if other != host and named.get(host, 0) >= clock[host]:
                yield "the log is intransitive"
            for each, entry in named.items():
                known[each] = max(entry, known.get(each, 0))
        if known != clock:
            yield f"the following event has an impermissible vector clock: {one['event']}"


def in_two_lives(events: list[Event], *, node: int = 1) -> list[Event]:
    """Return the events with a machine that, halfway, became a new incarnation."""
    middle = sum(event.node == node for event in events) // 2

    def life(of: int, index: int) -> tuple[int, int]:
        return (1, index - middle) if of == node and index > middle else (0, index)

    lives = []
    for event in events:
        incarnation, index = life(event.node, event.index)
        cause = event.cause
        if cause:
            of_cause, index_of_cause = life(cause.node, cause.index)
            cause = replace(cause, incarnation=of_cause, index=index_of_cause)
        lives.append(replace(event, incarnation=incarnation, index=index, cause=cause))
    return lives


@given(CLUSTERS)
@settings(deadline=None, max_examples=40)
def test_shiviz_has_nothing_to_say_against_our_export(machines: dict[int, Any]) -> None:
    """A host's own entry is 1, 2, 3 …, every other names an event that exists, and knows what that one knows."""
    trace = trace_of(machines, events_of(machines))
    exported = shiviz(trace)
    log = opened(text_of(exported))

    assert shiviz_complaints(log) == []
    assert len(trace) == len(log)
    assert exported.remarks == ()


@pytest.mark.parametrize("name", FAULTY)
@pytest.mark.parametrize("change", [list, in_two_lives])
def test_shiviz_takes_faults_and_incarnations(name: str, change: Callable[[list[Event]], list[Event]]) -> None:
    """To ShiViz a machine is one process: the vector goes on, also where the machine began anew."""
    events = change(golden_events(name))
    log = opened(text_of(shiviz(bare_trace(events))))

    assert shiviz_complaints(log) == []
    for node in {event.node for event in events}:
        program = sorted(event.name for event in events if event.node == node)
        assert list(map(str, program)) == [one["event"].split()[1] for one in log if one["host"] == f"machine-{node}"]


@given(CLUSTERS)
@settings(deadline=None, max_examples=20)
def test_the_vectors_say_what_happened_before_what(machines: dict[int, Any]) -> None:
    """They are the order itself, computed another way: a is before b iff b knows as many of a's events."""
    trace = trace_of(machines, events_of(machines))
    order = Order.of(trace)
    clocks = {one["event"].split()[1]: (one["host"], one["clock"]) for one in opened(text_of(shiviz(trace)))}
    rows = range(0, len(trace), 1 + len(trace) // 25)
    for a in rows:
        host, mine = clocks[str(trace.name(a))]
        for b in rows:
            knows = clocks[str(trace.name(b))][1].get(host, 0) >= mine[host]
            assert order.happened_before(a, b) is (knows and a != b)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda log: log[1:], "must start at 1"),
        (lambda log: log[:40] + log[41:], "increase monotonically by 1"),
        (lambda log: [one for one in log if one["host"] != "machine-2"], "unrecognized host machine-2"),
        (
            lambda log: [
                one if one["host"] == "machine-2" else one | {"clock": one["clock"] | {"machine-2": 999}} for one in log
            ],
            "invalid clock value 999",
        ),
        (lambda log: [one | {"clock": {"machine-9": 1}} for one in log], "is missing from timestamp"),
        (
            lambda log: [
                *log[:-1],
                log[-1] | {"clock": {key: count for key, count in log[-1]["clock"].items() if key == log[-1]["host"]}},
            ],
            "impermissible vector clock",
        ),
    ],
)
def test_what_shiviz_refuses_is_refused_here(change: Callable[[list[Host]], list[Host]], says: str) -> None:
    """The rules above are rules: each finds what breaks it."""
    log = opened(text_of(shiviz(bare_trace(golden_events("c3")))))

    assert says in " ".join(shiviz_complaints(change(log)))


def test_the_expression_stands_in_the_file_and_never_matches_itself() -> None:
    """Pasted as a whole the file works too: its first line is no event."""
    text = text_of(shiviz(bare_trace(golden_events("c3"))))
    pattern = EXPRESSION.replace("(?<", "(?P<")

    assert text.startswith(f"{EXPRESSION}\n\n")
    assert not re.search(pattern, EXPRESSION)
    assert len(expected("c3")) == len(re.findall(pattern, text))


def small(*changes: tuple[int, dict[str, Any]]) -> list[Event]:
    """Return two machines that write to each other, with changes by position."""
    events = [
        Event(
            node=1, incarnation=0, index=1, tick=0, due_ns=0, kind="send-one", clock=1, queue=0, to=(Delivery(2, 1, 0),)
        ),
        received(node=2, index=1, due_ns=10, cause=MessageId(1, 0, 1)),
        Event(
            node=2,
            incarnation=0,
            index=2,
            tick=1,
            due_ns=20,
            kind="send-one",
            clock=3,
            queue=0,
            to=(Delivery(1, 1, 20),),
        ),
        received(node=1, index=2, due_ns=30, cause=MessageId(2, 0, 2)),
    ]
    for position, change in changes:
        events[position] = replace(events[position], **change)
    return events


def received(*, node: int, index: int, due_ns: int, cause: MessageId) -> Event:
    return Event(
        node=node, incarnation=0, index=index, tick=index - 1, due_ns=due_ns, kind="receive", clock=2 * index, queue=0,
        cause=cause, number=1, stamp=1, arrival_ns=due_ns - 1,
    )  # fmt: skip


def test_a_send_that_is_not_there_is_said_and_drawn_without() -> None:
    """An arrow from nowhere would be a lie: the rest is exported, with a remark."""
    trace = bare_trace(small((3, {"cause": MessageId(7, 0, 1)})))
    for exported in (shiviz(trace), chrome(trace)):
        assert exported.remarks == ("receives whose send is not in the record: 1; no arrow leads there",)
    assert shiviz_complaints(opened(text_of(shiviz(trace)))) == []
    assert chrome_complaints(text_of(chrome(trace)), trace) == []


def test_events_that_would_be_their_own_past_are_said_and_drawn_without() -> None:
    """Each machine receives before it sends what the other receives: no vector can say that."""
    circle = small(
        (0, {"index": 2, "due_ns": 40, "tick": 1}),
        (3, {"index": 1, "due_ns": 30, "tick": 0}),
        (1, {"cause": MessageId(1, 0, 2)}),
    )
    trace = bare_trace(circle)
    exported = shiviz(trace)

    assert exported.remarks == (
        "receives that happened before their own send, which no vector can say: 1; no arrow leads there",
    )
    assert shiviz_complaints(opened(text_of(exported))) == []
    assert chrome(trace).remarks == ("receives due no later than their send: 1; no arrow leads there",)
    assert chrome_complaints(text_of(chrome(trace)), trace) == []


# chrome

Microseconds: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number: TypeAlias = Annotated[int, Field(ge=1)]


class Record(TypedDict):
    """What every record has."""

    name: str
    pid: Number
    tid: Number


class Slice(Record):
    """A complete event."""

    ph: Literal["X"]
    cat: str
    ts: Microseconds
    dur: Microseconds
    args: dict[str, int | float | str]


class FlowStart(Record):
    """The beginning of an arrow."""

    ph: Literal["s"]
    cat: str
    id: Number
    ts: Microseconds


class FlowEnd(Record):
    """The end of an arrow; "e" binds it to the slice around it."""

    ph: Literal["f"]
    bp: Literal["e"]
    cat: str
    id: Number
    ts: Microseconds


class Counter(Record):
    """A value from here on."""

    ph: Literal["C"]
    ts: Microseconds
    args: dict[str, int]


class Metadata(Record):
    """The name or the place of a process or a thread."""

    ph: Literal["M"]
    args: dict[Literal["name", "sort_index"], str | int]


RECORDS: TypeAdapter[list[Slice | FlowStart | FlowEnd | Counter | Metadata]] = TypeAdapter(
    list[Annotated[Slice | FlowStart | FlowEnd | Counter | Metadata, Field(discriminator="ph")]],
    config=ConfigDict(extra="forbid", strict=True),
)


def chrome_complaints(text: str, trace: Trace) -> list[str]:
    """Return what is wrong with a trace by the format's rules, and by the run that it shows."""
    whole = json.loads(text)
    if whole.keys() != {"displayTimeUnit", "otherData", "traceEvents"} or whole["displayTimeUnit"] not in ("ms", "ns"):
        return ["not the JSON object format"]
    try:
        records = RECORDS.validate_python(whole["traceEvents"])
    except ValidationError as error:
        return [str(error)]
    by_phase: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        by_phase[record["ph"]].append(record)
    slices = {(one["pid"], one["args"]["event"]): one for one in by_phase["X"]}
    counts = [len(by_phase["X"]), len(by_phase["C"])]
    return [
        *([] if counts == [len(trace)] * 2 else [f"{counts} slices and counters of {len(trace)} events"]),
        *overlaps(by_phase["X"]),
        *bad_flows(by_phase, slices),
    ]


def overlaps(slices: list[Any]) -> Iterator[str]:
    """Yield slices of one thread that are not over when the next begins."""
    threads: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for one in slices:
        threads[one["pid"], one["tid"]].append(one)
    for thread in threads.values():
        thread.sort(key=lambda one: one["ts"])
        for one, following in pairwise(thread):
            if one["ts"] + one["dur"] >= following["ts"]:
                yield f"{one['args']['event']} is not over when {following['args']['event']} begins"
        yield from (f"{one['args']['event']} cannot be seen" for one in thread if one["dur"] == 0)


def bad_flows(by_phase: Mapping[str, list[Any]], slices: Mapping[Any, Any]) -> Iterator[str]:
    """Yield arrows without two ends, with an end in no slice, backwards, or from another send than the receive's."""
    starts, ends = ({one["id"]: one for one in by_phase[phase]} for phase in "sf")
    if not len(by_phase["s"]) == len(starts) == len(by_phase["f"]) == len(ends) or starts.keys() != ends.keys():
        yield "flow ids do not match"
        return
    for flow, start in starts.items():
        end = ends[flow]
        send, receive = enclosing(start, slices), enclosing(end, slices)
        if send is None or receive is None:
            yield f"flow {flow} has an end in no slice"
        elif receive["args"].get("from", "nobody").partition(",")[0] != send["args"]["event"]:
            yield f"flow {flow} leads from {send['args']['event']} to {receive['args']['event']}"
        if (start["name"], start["cat"]) != (end["name"], end["cat"]) or start["ts"] >= end["ts"]:
            yield f"flow {flow} does not lead forwards under one name"


def enclosing(flow: Any, slices: Mapping[Any, Any]) -> Any:
    return next(
        (
            one
            for (pid, _), one in slices.items()
            if pid == flow["pid"] and one["tid"] == flow["tid"] and one["ts"] <= flow["ts"] < one["ts"] + one["dur"]
        ),
        None,
    )


@given(CLUSTERS)
@settings(deadline=None, max_examples=25)
def test_the_chrome_trace_keeps_to_its_schema(machines: dict[int, Any]) -> None:
    """A slice and a counter an event, flows inside slices with matching ids: one for each receive."""
    trace = trace_of(machines, events_of(machines))
    exported = chrome(trace)
    text = text_of(exported)

    assert chrome_complaints(text, trace) == []
    assert text.count('"ph":"f"') == int(trace.is_receive.sum())
    assert exported.remarks == ()


@pytest.mark.parametrize("name", FAULTY)
def test_the_chrome_trace_takes_faults(name: str) -> None:
    """Holes in the ticks, doubled and lost messages: one arrow for each copy received, none for a lost one."""
    trace = bare_trace(golden_events(name))

    assert chrome_complaints(text_of(chrome(trace)), trace) == []


def test_the_chrome_trace_says_what_an_event_was() -> None:
    """The clock and what else the log knows are arguments; the names of machines are metadata."""
    machines = cluster(2, rates=(4, 4))
    records = json.loads(text_of(chrome(trace_of(machines, events_of(machines)))))["traceEvents"]
    receive = next(one for one in records if one["name"] == "receive")

    assert {"event", "clock", "tick", "queue", "from", "stamp", "waited_ms"} == set(receive["args"])
    assert [one["args"]["name"] for one in records if one["name"] == "process_name"] == [
        "machine-1 (4 Hz)",
        "machine-2 (4 Hz)",
    ]


def test_several_events_of_one_instant_share_their_time() -> None:
    """A machine that claims two events in one tick is wrong, and shown all the same."""
    trace = bare_trace(small((2, {"due_ns": 10}), (3, {"due_ns": 2000})))
    text = text_of(chrome(trace))

    assert chrome_complaints(text, trace) == []


@pytest.mark.parametrize(
    ("pattern", "new", "says"),
    [
        ('"bp":"e",', "", "bp"),
        ('"ph":"X"', '"ph":"Y"', "does not match any of the expected tags"),
        ('"pid":1', '"pid":"one"', "valid integer"),
        ('"ph":"s","id":', '"ph":"s","id":7', "flow ids do not match"),
        ('(?<="dur":)', "9999999", "is not over when"),
        ('(?<="dur":)[0-9.]+', "0", "cannot be seen"),
        ('("ph":"f".*?"ts":)[0-9.]+', r"\g<1>9e9", "has an end in no slice"),
        ('("ph":"s".*?"pid":)[12](,"tid":)[12](.*?"ts":)[0-9.]+', r"\g<1>1\g<2>1\g<3>9000.0", "leads from 1:2"),
        ('("ph":"f".*?"name":)"message"', r'\g<1>"other"', "under one name"),
        ('{"ph":"C".*,\n', "", "slices and counters of 4 events"),
    ],
)
def test_what_the_format_forbids_is_refused_here(pattern: str, new: str, says: str) -> None:
    """The rules above are rules: each finds what breaks it."""
    trace = bare_trace(small((2, {"due_ns": 5_000_000}), (3, {"due_ns": 9_000_000})))
    text = text_of(chrome(trace))
    changed = re.sub(pattern, new, text)

    assert chrome_complaints(text, trace) == []
    assert says in " ".join(chrome_complaints(changed, trace))


# The command.


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Work in a directory with an experiment of two simulated runs, the newest there is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "quick.yaml").write_text("duration: 5s\nruns: 2\n")
    monkeypatch.setattr(parquet, "is_there", lambda: False)  # so that there are logs to be damaged
    assert main(["run", "quick.yaml", "--lab", "simulated"]) == 0
    capsys.readouterr()
    return tmp_path


def stamp(here: Path) -> Path:
    return (here / "runs/quick/latest").resolve()


def test_the_command_line_names_every_format() -> None:
    """The help must be there at once, so that it has a list of its own."""
    assert EXPORTS == tuple(FORMATS)


@pytest.mark.parametrize("name", EXPORTS)
def test_without_more_words_the_newest_runs_are_exported_here(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One output for each run, named after it; the record itself stays as its manifest says."""
    assert main(["export", "--format", name]) == 0
    out, err = capsys.readouterr()
    output = here / f"quick-{stamp(here).name}-{name}"
    made = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    logs = {"classic": "/machine-{}.log", "jsonl": "/events-{}.jsonl"}
    files = [logs[name].format(node) for node in (1, 2, 3)] if name in logs else [FORMATS[name].suffix]

    assert made == [f"run-{number}{file}" for number in (1, 2) for file in files]
    assert str(Path(output.name, "run-2")) in out
    assert err == ""
    assert main(["check", "--require-proof"]) == 0


@pytest.mark.parametrize("name", EXPORTS)
def test_one_run_is_one_output_named_after_it(here: Path, name: str) -> None:
    """A file, or for classic a directory of one file a machine."""
    assert main(["export", str(stamp(here) / "run-2"), "--format", name]) == 0
    made = [path.name for path in here.iterdir() if path.name not in ("runs", "quick.yaml")]

    assert made == [f"quick-{stamp(here).name}-run-2{FORMATS[name].suffix or f'-{name}'}"]


@pytest.mark.parametrize("name", [name for name in EXPORTS if not FORMATS[name].is_directory])
def test_out_says_where_and_a_dash_is_stdout(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes either way, and nothing else on stdout."""
    run = str(stamp(here) / "run-1")
    assert main(["export", run, "--format", name, "--out", "below/this"]) == 0
    capsys.readouterr()
    assert main(["export", run, "--format", name, "--out", "-"]) == 0

    assert (here / "below/this").read_bytes() == capsys.readouterr().out.encode()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--format", "chrom"], 64, "chrom is none of classic, csv, jsonl, shiviz, chrome; did you mean chrome?"),
        ([], 64, "--format"),
        (["--format", "csv", "--out", "-"], 64, "name one, such as runs"),
        (["--format", "classic", "--out", "-", "RUN-1"], 64, "name a directory"),
        (["absent", "--format", "csv"], 66, "absent: no such file"),
        (["quick.yaml", "--format", "csv"], 65, "not an event log"),
        (["empty", "--format", "csv"], 66, "empty: no event log"),
        (["--format", "csv", "--out", "empty"], 73, "empty: exists already"),
        (["RUN-1", "--format", "csv", "--out", "quick.yaml"], 73, "quick.yaml: exists already"),
        (["RUN-1", "--format", "csv", "--out", "broken"], 73, "broken: exists already"),
        (["RUN-1", "--format", "csv", "--out", "quick.yaml/below"], 73, "cannot create"),
        (["RUN-1", "--format", "csv", "--out", "RUN-1/table.csv"], 73, "would no longer be what its manifest says"),
        (["RUN-1", "--format", "classic", "--out", f"{'x' * 300}"], 73, "cannot create"),
        (["RUN-1", "--format", "csv", "--out", f"{'x' * 300}"], 73, "cannot be written"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    here: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: what, where, what to do; an existing output is 73 and stays as it was."""
    (here / "empty").mkdir()
    (here / "broken").symlink_to("nowhere")
    run = stamp(here).relative_to(here).as_posix() + "/run-1"
    before = sorted(here.rglob("*"))

    assert main(["export", *(word.replace("RUN-1", run) for word in arguments)]) == code
    out, err = capsys.readouterr()
    (line,) = err.splitlines()

    assert out == ""
    assert line.startswith("error: ")
    assert says in line
    assert sorted(here.rglob("*")) == before
    assert (here / "quick.yaml").read_text() == "duration: 5s\nruns: 2\n"


@pytest.mark.parametrize("name", EXPORTS)
def test_a_cut_log_is_exported_as_far_as_it_goes(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is exported; stderr says what is not, one remark a line."""
    run = stamp(here) / "run-1"
    rewrite(run / "events-2.jsonl", lambda lines: [*lines[: len(lines) // 2], lines[len(lines) // 2][:30]])
    kept = len((run / "events-2.jsonl").read_bytes().splitlines()) - 2

    assert main(["export", str(run), "--format", name, "--out", "out"]) == 0
    remarks = capsys.readouterr().err.splitlines()
    files = sorted((here / "out").iterdir()) if FORMATS[name].is_directory else [here / "out"]
    text = "".join(path.read_text() for path in files)
    marks = {"classic": "L=", "csv": "\n2:", "jsonl": '"queue":', "shiviz": "\nmachine-2 ", "chrome": '"X","name":'}
    others = sum(len(read) - 3 for node in (1, 3) if (read := (run / f"events-{node}.jsonl").read_bytes().splitlines()))

    assert all(one.startswith("remark: ") for one in remarks)
    assert any("the last line is cut short" in one for one in remarks)
    assert any("events-2.jsonl: changed" in one for one in remarks)
    assert any("machine 2 has no end line" in one for one in remarks)
    assert text.count(marks[name]) == kept + (others if name in ("classic", "jsonl", "chrome") else 0)


def test_a_log_without_its_peers_is_exported_with_remarks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One machine's log alone, from a folder of logs made by hand: what the others sent has no arrow."""
    alone = here / "alone"
    alone.mkdir()
    shutil.copy(stamp(here) / "run-1/events-1.jsonl", alone)

    assert main(["export", "alone", "--format", "shiviz"]) == 0
    assert "no arrow leads there" in capsys.readouterr().err
    assert shiviz_complaints(opened((here / "alone.shiviz.log").read_text())) == []


def test_a_run_without_logs_is_left_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An experiment that was stopped early has runs with nothing in them."""
    (stamp(here) / "run-3").mkdir()

    assert main(["export", "--format", "csv", "--out", "out"]) == 0
    assert "run-3: no event log; left out" in capsys.readouterr().err
    assert sorted(path.name for path in (here / "out").iterdir()) == ["run-1.csv", "run-2.csv"]


@pytest.mark.parametrize("name", EXPORTS)
def test_a_run_without_events_is_an_export_without_events(here: Path, name: str) -> None:
    """A machine killed before its first tick has a log with one line."""
    empty = here / "by-hand"
    empty.mkdir()
    for node in (1, 2):
        lines = (stamp(here) / f"run-1/events-{node}.jsonl").read_bytes().splitlines(keepends=True)
        (empty / f"events-{node}.jsonl").write_bytes(lines[0])

    assert main(["export", "by-hand", "--format", name, "--out", "out"]) == 0
    if name == "chrome":
        assert chrome_complaints((here / "out").read_text(), read_trace({})) == []


def test_events_are_named_alike_in_every_format() -> None:
    """Whoever finds an event in one picture finds it in the others: `2:41`."""
    trace = bare_trace(in_two_lives(golden_events("c3")))
    names = {str(trace.name(row)) for row in range(len(trace))}

    assert names == {str(event.name) for event, _ in read_table(text_of(table(trace)))}
    assert names == {one["event"].split()[1] for one in opened(text_of(shiviz(trace)))}
    assert names == set(re.findall(r'"event":"([^"]+)"', text_of(chrome(trace))))
    assert str(EventId(1, 1, 5)) in names


def test_the_examples_in_the_documentation_are_what_the_program_writes() -> None:
    """A reader compares what they see with docs/export.md, line by line."""
    blocks = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
    machines = load_experiment(ROOT / "configs/exercise.yaml").machines(1)
    trace = trace_of(machines, events_of(machines))
    written = {
        "log": "".join(classic(trace).files["machine-2.log"]),
        "csv": text_of(table(trace)).replace("\r\n", "\n"),
        "shiviz": text_of(shiviz(trace)),
        "json": text_of(chrome(trace)),
    }

    assert {*written, "python"} == {language for language, _ in blocks}
    for language, block in blocks:
        lines = [] if language == "python" else block.splitlines(keepends=True)
        assert [line for line in lines if line not in written[language]] == []
