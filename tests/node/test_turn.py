"""A turn: the machine acts, its lines are written, and only then anything goes out."""

from collections.abc import Callable

import pytest

from node.connections import Connections
from node.errors import LogError
from node.machine import Machine
from node.model import Model
from node.record import Line
from node.turn import TURN_NS_MAX, Turn
from tests.clusters import cluster
from tests.fault_mixes import half_a_second


class Diary:
    """Log and connections at once: keeps what is done, in its order."""

    def __init__(self, *, fails: bool = False) -> None:
        self.done: list[str] = []
        self._fails = fails

    def write(self, line: Line) -> None:
        self.done.append(line["event"])

    def flush(self) -> None:
        self.done.append("written")
        if self._fails:
            raise LogError("the disk is full")


class Sender(Connections):
    """Connections that say when they send."""

    def __init__(self, machine: Machine, diary: Diary) -> None:
        super().__init__(machine)
        self._diary = diary

    def flush(self) -> None:
        self._diary.done.append("sent")


def turn(machine: Machine, diary: Diary, *, now_ns: Callable[[], int] = lambda: 0) -> Turn:
    """Return the turn of a machine, which notes in a diary what it does."""

    def go_down() -> None:
        diary.done.append("dead")
        raise SystemExit

    return Turn(machine, diary, Sender(machine, diary), now_ns=now_ns, wall=lambda: 0, go_down=go_down)


def begun(model: Model) -> Machine:
    """Return a machine that has begun its run."""
    machine = Machine(model, run="test", pace="free")
    machine.start(0, 0)
    return machine


LONE = cluster(1, seconds=2, rates=(5, 5))[1]


def test_all_lines_are_written_before_anything_is_sent() -> None:
    machine, diary = begun(LONE), Diary()
    each = turn(machine, diary, now_ns=lambda: 10**9)
    each.act(may_go_down=True)
    each.flush()

    assert ["start", *["internal"] * machine.process.index, "written", "sent"] == diary.done
    assert machine.process.index >= 4


def test_nothing_is_sent_if_the_disk_took_less() -> None:
    diary = Diary(fails=True)
    with pytest.raises(LogError):
        turn(begun(LONE), diary).flush()

    assert ["start", "written"] == diary.done


def test_a_turn_ends_however_many_ticks_are_due() -> None:
    """A node that is far behind listens in between."""
    machine = begun(LONE)
    times = iter(range(10**10, 2 * 10**10, TURN_NS_MAX // 2))
    turn(machine, Diary(), now_ns=lambda: next(times)).act(may_go_down=True)

    assert machine.process.index == 2


def test_the_stop_record_comes_behind_the_last_tick() -> None:
    machine, diary = begun(LONE), Diary()
    each = turn(machine, diary, now_ns=lambda: 10**10)
    each.act(may_go_down=True)
    each.flush()

    assert ["end", "stop", "written", "sent"] == diary.done[-4:]


def test_a_machine_that_goes_down_sends_nothing_more() -> None:
    """It dies once its last line is on the disk, and not before it may."""
    model = half_a_second("crash")[2]
    machine, diary = begun(model), Diary()
    machine._crashes = [model.crashes[0]]
    each = turn(machine, diary, now_ns=lambda: model.crashes[0].from_ns)
    each.act(may_go_down=False)
    each.flush()
    assert "down" not in diary.done

    each.act(may_go_down=True)
    with pytest.raises(SystemExit):
        each.flush()
    assert ["down", "written", "dead"] == diary.done[-3:]
