"""From a log back to its machine, on the fake wire: killed at every line, and restarted from what was written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import LogError
from node.event import Event
from node.frame import WIRE_VERSION, Data, Hello, Row, Welcome
from node.journal import Journal, read_unsealed
from node.lives import Outlet
from node.machine import Machine
from node.model import Model
from node.record import Line, event_line, start_line
from node.recovery import Past, recover
from tests.clusters import cluster, simulated
from tests.fake_wire import FakeCluster
from tests.fault_mixes import EACH, HALF_A_SECOND, half_a_second, machines_of, mixes

MACHINES = cluster(3, seconds=4, internal_probability=0.3)
WITH_CRASHES = ("crash", "amnesia", "amnesia twice", "crash to the end")


def log_of(node: int) -> list[Line]:
    """Return the log of a machine to its end."""
    fake = FakeCluster(MACHINES, seed=1, cut_probability=0)
    assert fake.run()
    return fake.lines[node]


def again(lines: list[Line], **changes: Any) -> Past:
    """Recover machine 2, or one that differs from it."""
    told = {"run": "fake", "pace": "fast", "name": "log"} | changes
    return recover(lines, told.pop("model", MACHINES[2]), **told)


@pytest.mark.parametrize("place", range(1, len(log_of(2)) + 1))
def test_a_machine_killed_at_any_line_goes_on_as_if_nothing_had_happened(place: int) -> None:
    """Whatever line was the last: the log is the state, and the windows of the others hold the rest."""
    fake = FakeCluster(MACHINES, seed=1, cut_probability=0, kill_at={2: place})

    assert fake.run()
    assert fake.kills == 1
    assert simulated(MACHINES) == fake.events()


@pytest.mark.parametrize("seed", range(20))
def test_machines_killed_again_and_again_give_the_same_events(seed: int) -> None:
    """Every machine, at any turn, beside cuts of the wire."""
    fake = FakeCluster(MACHINES, seed=seed, kill_probability=0.02)

    assert fake.run()
    assert fake.kills >= 3
    assert simulated(MACHINES) == fake.events()


@pytest.mark.parametrize("name", WITH_CRASHES)
@pytest.mark.parametrize("seed", range(5))
def test_crashes_of_the_model_beside_kills_that_it_does_not_know(name: str, seed: int) -> None:
    """Amnesia forgets what the model says and nothing else: the log has the windows of every incarnation."""
    machines = half_a_second(name)
    fake = FakeCluster(machines, seed=seed, kill_probability=0.02)

    assert fake.run()
    assert fake.downs >= 1
    assert simulated(machines) == fake.events()


# What a log gives back, whatever went wrong before the kill and will go wrong behind it.


def past_of(model: Model, events: Iterable[Event]) -> Past:
    """Return what a machine knows by a log of these events."""
    start = start_line(model, run="fake", incarnation=0, pace="fast", epoch_ns=0, wall=0)
    return again([start, *(event_line(event, wall=0) for event in events)], model=model)


def windows(events: Iterable[Event], recipient: int) -> dict[int, list[Row]]:
    """Return, by incarnation, whatever a machine has ever sent to another."""
    found = defaultdict(list)
    for event in events:
        for to in event.to:
            if to.recipient == recipient and to.arrival_ns is not None:
                found[event.incarnation].append((event.tick, event.index, to.copy, event.clock, to.arrival_ns))
    return dict(found)


def sent_again(outlet: Outlet) -> dict[int, list[Row]]:
    """Return, by incarnation, what goes to a recipient that has nothing."""
    outlet.greet()
    outlet.connect(Welcome(type="welcome", incarnation=0, have=0, done=0))
    found: dict[int, list[Row]] = defaultdict(list)
    for frame in outlet.take(leaves=False):
        assert frame["type"] == "data"
        rows = found[frame.get("incarnation", 0)]
        assert len(rows) + 1 == frame["first"]
        rows += frame["messages"]
    return {incarnation: rows for incarnation, rows in found.items() if rows}


def goes_on(past: Past, events: Mapping[int, Sequence[Event]]) -> list[Event]:
    """Return what a machine does to whom everybody sends again all that they have ever sent, and the rest besides."""
    process = past.process
    for sender, inlet in past.incoming.items():
        for incarnation, rows in windows(events[sender], process.model.node).items():
            messages, _ = inlet.accept(Data(type="data", first=1, messages=rows, promise=None, incarnation=incarnation))
            for message in messages:
                process.deliver(message, was_here=True)
    found = []
    while process.next_tick is not None:
        found.append(process.tick().event)
    return found


def assert_killed_behind(place: int, model: Model, events: Mapping[int, Sequence[Event]]) -> None:
    """Assert that a machine whose log ends behind so many events knows all that it needs, and nothing else."""
    before, behind = events[model.node][:place], events[model.node][place:]
    past = past_of(model, before)

    assert {peer: windows(before, peer) for peer in model.peers} == {
        peer: sent_again(outlet) for peer, outlet in past.outgoing.items()
    }
    assert behind == goes_on(past, events)


@pytest.mark.parametrize("name", EACH)
def test_with_each_fault_a_machine_killed_anywhere_is_whole_again_by_its_log_and_its_senders(name: str) -> None:
    """It sends again what any of its lives has sent, receives nothing twice, and numbers and orders as before."""
    machines = half_a_second(name)
    events = simulated(machines)

    for node, model in machines.items():
        for place in range(len(events[node]) + 1):
            assert_killed_behind(place, model, events)


@given(mixes(crashes=True), st.data())
@settings(deadline=None, max_examples=40)
def test_with_any_mix_of_faults_a_machine_killed_anywhere_is_whole_again(
    fields: dict[str, Any], data: st.DataObject
) -> None:
    """The same, wherever hypothesis has it killed."""
    machines = machines_of(fields)
    events = simulated(machines)
    node = data.draw(st.sampled_from(sorted(machines)))

    assert_killed_behind(data.draw(st.integers(0, len(events[node]))), machines[node], events)


@given(mixes(crashes=True, duration_ms=1000), st.integers(0, 2**32))
@settings(deadline=None, max_examples=12)
def test_faults_of_the_model_beside_kills_that_it_does_not_know(fields: dict[str, Any], seed: int) -> None:
    """Every machine, at any turn, whatever the model does to its messages and to itself."""
    machines = machines_of(fields)
    fake = FakeCluster(machines, seed=seed, kill_probability=0.02)

    assert fake.run(steps=60_000)
    assert simulated(machines) == fake.events()


@pytest.mark.parametrize("seed", range(5))
def test_a_machine_that_is_yet_to_crash_writes_no_stop_record_before(seed: int) -> None:
    """However late the crash is: all have ended, and still it goes down first."""
    machines = machines_of(HALF_A_SECOND | {"faults": ({"from": "499ms", "to": "900ms", "crash": 2},)})
    fake = FakeCluster(machines, seed=seed)

    assert fake.run()
    assert ["end", "down", "boot", "stop"] == [
        line["event"] for line in fake.lines[2] if line["event"] in ("end", "down", "boot", "stop")
    ]


def met(model: Model, lines: Sequence[Line] = ()) -> Machine:
    """Return machine 1 of two at the pace free, with or without a past, when machine 2 has greeted it."""
    past = recover(lines, model, run="fake", pace="free", name="log") if lines else None
    machine = Machine(model, run="fake", pace="free", past=past)
    greeting = {"version": WIRE_VERSION, "run": "fake", "sender": 2, "recipient": 1, "incarnation": 0, "epoch_ns": 0}
    machine.greet(Hello(type="hello", base=1, **greeting), wall=0)  # type: ignore[typeddict-item]
    return machine


def frame(*numbers: int) -> Data:
    """Return messages of machine 2, which arrive in their order before the first tick of machine 1."""
    rows = [(number, number, 0, 1, number) for number in numbers]
    return Data(type="data", first=numbers[0], messages=rows, promise=None)


def down(model: Model) -> list[Line]:
    """Return the log of machine 1: it received the first message, the second waits, the third came too late."""
    machine = met(model)
    machine.start(0, wall=0)
    machine.receive(2, frame(1, 2))
    machine.tick(model.due_ns(0), wall=0)
    machine.receive(2, frame(3))
    machine.go_down(wall=0)
    return machine.take_lines()


def test_at_free_a_message_is_as_late_after_a_restart_as_it_was_before() -> None:
    """What waited is in time, what was late stays so, and what came in between had a tick that it missed."""
    model = cluster(2, seconds=2)[1]
    machine = met(model, down(model))
    machine.boot(wall=0)
    machine.receive(2, frame(1, 2, 3, 4))
    for tick in (1, 2, 3):
        machine.tick(model.due_ns(tick), wall=0)
    seen_ns = [line.get("seen_ns") for line in machine.take_lines() if line["event"] == "receive"]

    assert [None, model.due_ns(1), model.due_ns(1)] == seen_ns


def test_at_free_no_tick_comes_after_a_restart_before_all_that_was_here_is_here_again() -> None:
    """Every sender must have greeted, and what waited must wait again."""
    model = cluster(2, seconds=2)[1]
    machine = met(model, down(model))
    machine.boot(wall=0)
    answers = [machine.may_tick(model.duration_ns)]
    for numbers in ((1, 2), (3,)):
        machine.receive(2, frame(*numbers))
        answers.append(machine.may_tick(model.duration_ns))

    assert [False, False, True] == answers


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    """What a kill inside a write leaves: its bytes are counted, and gone before anything is added."""
    path, line = tmp_path / "log", log_of(2)[0]
    journal = Journal(path)
    journal.write(line)
    journal.flush()
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event":"int')
    reading = read_unsealed(path)
    journal = Journal(path, whole_bytes=reading.whole_bytes, file=reading.open)
    journal.close()

    assert ([line], 13) == (reading.lines, reading.torn_bytes)
    assert whole == path.read_bytes()


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    """Exit 74: only the last line may be torn."""
    path = tmp_path / "log"
    path.write_bytes(b'{"event":"int\n')

    with pytest.raises(LogError, match=r"log:1: "):
        read_unsealed(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run": "another"}, "log:1: a log of the run 'fake'"),
        ({"pace": "exact"}, "log:1: a log at the pace fast"),
        ({"model": replace(MACHINES[2], seed=1)}, "log:1: a log of the seed 262, and this is 1"),
        ({"model": replace(MACHINES[2], rate_hz=5)}, "log:1: a log of another configuration"),
        ({"model": MACHINES[1]}, "log:1: a line of machine 2, and this is machine 1"),
    ],
    ids=str,
)
def test_the_log_of_another_is_refused(changes: dict[str, Any], words: str) -> None:
    """Another run, pace, seed, configuration or machine: nothing of it can be continued."""
    with pytest.raises(LogError, match=words):
        again(log_of(2), **changes)


@pytest.mark.parametrize("event", ["start", "send", "receive"])
def test_a_log_that_lacks_a_line_is_refused_where_it_lacks(event: str) -> None:
    """Every event has its number and its tick: one that is missing is seen at the next."""
    lines = log_of(2)
    place = next(place for place, line in enumerate(lines) if line["event"] == event)

    with pytest.raises(LogError, match=r"comes where|begins with"):
        again(lines[:place] + lines[place + 1 :])


@pytest.mark.parametrize("event", ["start", "send", "receive", "stop"])
def test_a_line_that_is_there_twice_is_refused(event: str) -> None:
    """Nothing happens twice."""
    lines = log_of(2)
    place = next(place for place, line in enumerate(lines) if line["event"] == event)

    with pytest.raises(LogError, match=f"log:{place + 2}: "):
        again([*lines[: place + 1], lines[place], *lines[place + 1 :]])


def test_a_log_without_a_whole_line_is_refused() -> None:
    """It names no run."""
    with pytest.raises(LogError, match="not one whole line"):
        again([])
