"""The machine: process, promises and links joined, on a fake wire that loses, cuts and delays as a seed will."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import node.link
from node.errors import ProtocolError, RefusedError, RemoteProtocolError
from node.event import Event, Message
from node.frame import Ack, Data, Hello, Welcome
from node.link import Outgoing
from node.machine import Machine
from node.pace import END_NS, Horizon, Promise
from node.record import Line, parse_event
from tests.clusters import cluster, simulated
from tests.fake_wire import FakeCluster
from tests.fault_mixes import machines_of, mixes
from tests.golden_runs import as_array, expected
from tests.golden_runs import machines as golden_machines

SEEDS = 40


def play(seed: int, **how: object) -> str:
    """Play one cluster and say how it went: "equal", "different", "hangs", or what was raised."""
    machines = cluster(3 + seed % 3, seed=seed, seconds=8, internal_probability=0.3, delay_ms=20 * (seed % 2))
    fake = FakeCluster(machines, seed=seed, **how)  # type: ignore[arg-type]
    try:
        has_stopped = fake.run(steps=20_000)
    except (ProtocolError, AssertionError) as error:
        return type(error).__name__
    if not has_stopped:
        return "hangs"
    return "equal" if fake.events() == simulated(machines) else "different"


@pytest.mark.parametrize("rows_max", [1, 128])
def test_connections_that_break_leave_no_mark_in_the_trace(rows_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the pace fast every cluster does what its simulation does, wherever its connections are cut."""
    monkeypatch.setattr(node.link, "ROWS_MAX", rows_max)

    outcomes = {seed: play(seed) for seed in range(SEEDS)}

    assert dict.fromkeys(range(SEEDS), "equal") == outcomes


def test_a_directed_topology_needs_no_connection_back() -> None:
    """Start, promises and end run along the edges of the topology only."""
    machines = cluster(4, seconds=8, topology={1: (2, 4), 2: (3,), 3: (1,)})
    fake = FakeCluster(machines, seed=3)

    assert fake.run()
    assert simulated(machines) == fake.events()


@given(mixes(crashes=True), st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_faults_of_the_model_leave_no_mark_beside_those_of_the_wire(fields: dict[str, Any], seed: int) -> None:
    """Whatever the model loses, doubles, holds or lets overtake: cuts of the wire change none of it."""
    machines = machines_of(fields)
    fake = FakeCluster(machines, seed=seed)

    assert fake.run(steps=60_000)
    assert simulated(machines) == fake.events()


@pytest.mark.parametrize("name", ["c3", "c4", "c5"])
def test_a_golden_run_with_faults_over_a_wire_that_is_cut(name: str) -> None:
    """A machine that crashes is gone, and is made again from its lines."""
    fake = FakeCluster(golden_machines(name), seed=5)

    assert fake.run(steps=400_000)
    assert expected(name) == [
        as_array(event)
        for event in sorted(chain(*fake.events().values()), key=lambda event: (event.due_ns, event.node))
    ]


def test_the_fake_wire_cuts_often_enough_to_matter() -> None:
    """A test of cuts without cuts would prove nothing."""
    fake = FakeCluster(cluster(seconds=8), seed=1)

    assert fake.run()
    assert fake.cuts >= 10


# The mistakes with promises: each planted in the shipped code, each found within the seeds above.


def promise_before_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise overtakes the messages that it covers, and the receiver believes it at once."""
    take = Outgoing.take

    def take_promise_first(self: Outgoing) -> Iterator[Data]:
        frames = list(take(self))
        promises = [frame["promise"] for frame in frames if frame["promise"] is not None]
        first = frames[0]["first"] if frames else 1
        for due_ns, _ in promises[-1:]:
            yield Data(type="data", first=first, messages=[], promise=(due_ns, first - 1))
        for frame in frames:
            yield Data(type="data", first=frame["first"], messages=frame["messages"], promise=None)

    monkeypatch.setattr(Outgoing, "take", take_promise_first)


def promise_unchecked_before_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise is sent ahead, and dropped by a receiver that has not what it covers."""
    take = Outgoing.take

    def take_reversed(self: Outgoing) -> Iterator[Data]:
        frames = list(take(self))
        first = frames[0]["first"] if frames else 1
        for frame in frames:
            if frame["promise"] is not None:
                yield Data(type="data", first=first, messages=[], promise=frame["promise"])
        for frame in frames:
            yield Data(type="data", first=frame["first"], messages=frame["messages"], promise=None)

    monkeypatch.setattr(Outgoing, "take", take_reversed)


def promise_on_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of a split window carries the promise, as if nothing followed it."""
    monkeypatch.setattr(node.link, "ROWS_MAX", 1)
    take = Outgoing.take

    def take_with_promise_each(self: Outgoing) -> Iterator[Data]:
        frames = list(take(self))
        promises = [frame["promise"] for frame in frames if frame["promise"] is not None]
        for frame in frames:
            if promises:
                last = frame["first"] + len(frame["messages"]) - 1
                frame["promise"] = (promises[-1][0], last)
            yield frame

    monkeypatch.setattr(Outgoing, "take", take_with_promise_each)


def promise_with_acknowledgements(monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise travels with the acknowledgements, on the other connection, beside its messages."""
    promised: dict[tuple[int, int], list[Promise]] = {}
    answers, acknowledge = Machine.take_answers, Machine.acknowledge

    def answer(self: Machine, sender: int) -> Iterator[Ack]:
        for ack in answers(self, sender):
            if sender in self.outgoing and (promise := self.outgoing[sender].newest._promise) is not None:
                promised.setdefault((self.model.node, sender), []).append(promise)
            yield ack

    def apply(self: Machine, recipient: int, frame: Ack) -> None:
        acknowledge(self, recipient, frame)
        for promise in promised.pop((recipient, self.model.node), []):
            self._horizon.apply(recipient, promise, have=END_NS)

    monkeypatch.setattr(Machine, "take_answers", answer)
    monkeypatch.setattr(Machine, "acknowledge", apply)


def promise_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reconnect an unchanged promise is not sent again."""
    connect = Outgoing.connect

    def connect_and_remember(self: Outgoing, welcome: object) -> None:
        promise_sent = self._promise_sent
        connect(self, welcome)  # type: ignore[arg-type]
        self._promise_sent = promise_sent

    monkeypatch.setattr(Outgoing, "connect", connect_and_remember)


def promise_believed_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver applies a promise although messages that it covers are missing."""
    promise_unchecked_before_window(monkeypatch)
    apply = Horizon.apply

    def apply_all(self: Horizon, sender: int, promise: Promise, *, have: int) -> None:
        apply(self, sender, promise, have=END_NS)

    monkeypatch.setattr(Horizon, "apply", apply_all)


def finished_machine_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine closes its links once its own last tick is over."""
    take_frames = Machine.take_frames
    gone: set[tuple[int, int]] = set()

    def take_frames_until_finished(self: Machine, recipient: int) -> Iterator[object]:
        if (self.model.node, recipient) in gone:
            return
        if self.is_finished:
            gone.add((self.model.node, recipient))
        yield from take_frames(self, recipient)

    monkeypatch.setattr(Machine, "take_frames", take_frames_until_finished)


def window_trimmed_at_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written to a connection counts as delivered."""
    take = Outgoing.take

    def take_and_trim(self: Outgoing) -> Iterator[Data]:
        yield from take(self)
        self.acknowledge(self.last)

    monkeypatch.setattr(Outgoing, "take", take_and_trim)


@pytest.mark.parametrize(
    "plant",
    [
        promise_before_window,
        promise_unchecked_before_window,
        promise_on_every_piece,
        promise_with_acknowledgements,
        promise_not_repeated,
        promise_believed_too_early,
        finished_machine_exits,
        window_trimmed_at_send,
    ],
)
def test_each_mistake_makes_a_run_hang_or_differ(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake with promises or windows cannot hide for forty seeds."""
    plant(monkeypatch)

    assert any(play(seed) != "equal" for seed in range(SEEDS))


# What one machine says and hears.


def hello(**changes: object) -> Hello:
    """Return the greeting of machine 2 to machine 1, changed in places."""
    greeting = {
        "type": "hello",
        "version": 1,
        "run": "r",
        "sender": 2,
        "recipient": 1,
        "incarnation": 0,
        "epoch_ns": 1000,
        "base": 1,
    }
    return greeting | changes  # type: ignore[return-value]


def machine(**how: object) -> Machine:
    """Return machine 1 of two, at the pace free."""
    return Machine(cluster(2, seconds=2, **how)[1], run="r", pace="free")  # type: ignore[arg-type]


def data(*rows: tuple[int, int, int, int, int], first: int = 1) -> Data:
    """Return a frame of messages."""
    return Data(type="data", first=first, messages=list(rows), promise=None)


def _event(line: Line) -> Event | None:
    return parse_event(line) if line["event"] in ("internal", "send", "receive") else None  # type: ignore[arg-type]


def drain(one: Machine) -> list[Event]:
    """Tick to the end and return the events."""
    while one.may_tick(10**18):
        one.tick(10**18, wall=0)
    return [event for event in map(_event, one.take_lines()) if event is not None]


@pytest.mark.parametrize(
    "changes",
    [{"version": 2}, {"run": "another"}, {"token": "another"}, {"recipient": 3}, {"sender": 7}, {"sender": 1}],
)
def test_a_stranger_is_refused_by_name(changes: dict[str, object]) -> None:
    """Wrong version, run or node: refused, with what is wrong."""
    with pytest.raises(RefusedError, match="is refused: "):
        machine().greet(hello(**changes), wall=0)


def test_an_older_incarnation_is_refused() -> None:
    """What a newer incarnation has replaced must not come back."""
    one = machine()
    one.greet(hello(incarnation=1), wall=0)

    with pytest.raises(RefusedError, match="incarnation 1 was here"):
        one.greet(hello(incarnation=0), wall=0)


def test_a_refusal_ends_the_dialler_for_good() -> None:
    """Who is refused says by whom and why, and does not dial again."""
    with pytest.raises(RefusedError, match="node 2 refuses node 1: no"):
        machine().welcome(2, {"type": "refusal", "reason": "no"}, wall=0)


def test_a_window_that_starts_too_late_is_refused() -> None:
    """Messages that were never received here and are gone there can only be another run's."""
    one = machine()
    one.greet(hello(base=1), wall=0)

    with pytest.raises(RefusedError, match="begins at message 5"):
        one.greet(hello(base=5), wall=0)


def test_a_receiver_that_has_what_was_never_sent_is_a_fault_of_ours() -> None:
    """A peer that claims messages we never sent knows another run of ours."""
    with pytest.raises(ProtocolError, match="only 0 were sent"):
        machine().welcome(2, Welcome(type="welcome", incarnation=0, have=3, done=0), wall=0)


def test_frames_before_the_start_wait_for_it() -> None:
    """A peer may begin before this machine does; nothing of it is lost."""
    one = machine(internal_probability=1.0)
    one.greet(hello(), wall=0)
    one.receive(2, data((0, 1, 0, 1, 10)))
    one.start(1000, wall=0)

    assert "receive" == drain(one)[0].kind


def test_times_of_another_epoch_are_shifted() -> None:
    """A message's arrival is told in its sender's epoch and kept in the receiver's."""
    one = machine(internal_probability=1.0)
    one.greet(hello(epoch_ns=1_000), wall=0)
    one.start(400, wall=0)
    one.receive(2, data((0, 1, 0, 1, 10)))

    assert 610 == drain(one)[0].arrival_ns


def test_data_before_an_epoch_breaks_the_rules() -> None:
    """Times without an epoch mean nothing."""
    one = machine()
    one.greet(hello(epoch_ns=None), wall=0)

    with pytest.raises(RemoteProtocolError, match="before the epoch"):
        one.receive(2, data())


def test_a_jump_breaks_the_rules_and_nothing_of_its_frame_is_taken_in() -> None:
    """The clock is not carried off, and the number is free for what the sender really sent."""
    one = machine()
    one.greet(hello(), wall=0)
    one.start(1000, wall=0)
    with pytest.raises(RemoteProtocolError, match="more than 2"):
        one.receive(2, data((0, 1, 0, 1, 1), (1, 2, 0, 2**41, 2)))
    one.receive(2, data((0, 1, 0, 1, 1)))
    one.receive(2, data((1, 2, 0, 2, 2), first=2))

    assert [1, 2] == [event.stamp for event in drain(one) if event.kind == "receive"]


def test_a_gap_breaks_the_rules() -> None:
    """Message 2 cannot come before message 1."""
    one = machine()
    one.greet(hello(), wall=0)
    one.start(1000, wall=0)

    with pytest.raises(RemoteProtocolError, match="a gap"):
        one.receive(2, data((0, 1, 0, 1, 10), first=2))


def test_a_gap_before_the_start_is_one_already_then() -> None:
    """Whoever breaks the rules early loses his connection early, and nobody else is hurt by it."""
    one = machine()
    one.greet(hello(), wall=0)

    with pytest.raises(RemoteProtocolError, match="a gap"):
        one.receive(2, data((0, 1, 0, 1, 10), first=2))
    one.start(1000, wall=0)


def test_a_promise_is_believed_once_the_windows_of_older_incarnations_are_here() -> None:
    """Frames of an old connection may come first on a new one: of the newest incarnation, and with its promise."""
    one = Machine(cluster(2, seconds=2)[1], run="r", pace="fast")
    one.greet(hello(incarnation=1, older=[(0, 2)]), wall=0)
    one.start(1000, wall=0)
    promise = Data(type="data", first=1, messages=[], promise=(10**9, 0), incarnation=1)
    may_tick = []
    for frame in (promise, data((0, 1, 0, 1, 10)), promise, data((1, 2, 0, 2, 20), first=2), promise):
        one.receive(2, frame)
        may_tick.append(one.may_tick(0))

    assert [False, False, False, False, True] == may_tick


def test_a_greeting_names_the_windows_of_older_incarnations() -> None:
    """Those that are not empty, each with its last number, so that the receiver knows what is to come."""
    one = machine()
    for incarnation, number in ((0, 1), (0, 2), (1, 1)):
        place = {"arrival_ns": 0, "sender": 1, "tick": 0, "copy": 0, "stamp": 1}
        message = Message(**place, incarnation=incarnation, index=number, number=number)
        one.outgoing[2].push(message)

    assert [(0, 2)] == one.hello(2)["older"]
    one.outgoing[2].acknowledge({"type": "ack", "done": 2, "stopped": False})
    assert "older" not in one.hello(2)


def test_nobody_has_two_epochs() -> None:
    """A second epoch would move messages in time that are already there."""
    one = machine()
    one.greet(hello(epoch_ns=1000), wall=0)
    one.receive(2, {"type": "epoch", "epoch_ns": 1000})

    with pytest.raises(RemoteProtocolError, match="epoch 2000 after epoch 1000"):
        one.receive(2, {"type": "epoch", "epoch_ns": 2000})


def test_nothing_is_said_before_it_is_written() -> None:
    """Before its start line a machine has neither lines nor frames to give away."""
    one = machine()
    one.welcome(2, Welcome(type="welcome", incarnation=0, have=0, done=0), wall=0)

    assert [] == one.take_lines()
    assert [] == list(one.take_frames(2))


def test_the_first_line_is_the_start_even_if_links_were_there_before() -> None:
    """The log's first line says whose it is."""
    one = machine()
    one.greet(hello(), wall=0)
    one.start(1000, wall=0)

    assert ["start", "link"] == [line["event"] for line in one.take_lines()]


def test_an_interrupted_machine_seals_its_log_and_lets_its_peers_go() -> None:
    """Ctrl-C: an end line that says so, a last promise, and no stop record."""
    one = machine()
    one.welcome(2, Welcome(type="welcome", incarnation=0, have=0, done=0), wall=0)
    one.start(1000, wall=0)
    one.interrupt(wall=5)
    lines, frames = one.take_lines(), list(one.take_frames(2))

    assert ("end", True) == (lines[-1]["event"], lines[-1].get("interrupted"))
    assert (None, 0) == frames[-1].get("promise")
    assert not one.may_stop


def test_a_machine_interrupted_after_its_last_tick_still_seals_its_log() -> None:
    """Between the end of the ticks and the stop record a log is not sealed until somebody does it."""
    one = machine()
    one.start(1000, wall=0)
    drain(one)
    one.interrupt(wall=5)
    one.interrupt(wall=6)

    assert [("end", True)] == [(line["event"], line.get("interrupted")) for line in one.take_lines()]


def test_a_machine_without_ticks_still_ends() -> None:
    """A duration shorter than the phase leaves no tick, but an end line and a promise."""
    one = Machine(cluster(2, seconds=0.000_001)[1], run="r", pace="fast")
    one.start(0, wall=0)

    assert ["start", "end"] == [line["event"] for line in one.take_lines()]
