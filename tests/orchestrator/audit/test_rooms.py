"""Rooms: every line that is missing has one, and what a log shows of itself closes the others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from orchestrator.audit.rooms import FOREVER, Rooms, find_rooms, machines_without_log
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.store import NULL
from tests.clusters import cluster
from tests.foreign import foreign, unreadable, without
from tests.foreign_traces import foreign_trace
from tests.logs_on_disk import simulated_run

SECOND_NS = 1_000_000_000


def logs(
    *clocks: Sequence[int],
    index: Sequence[Sequence[int]] = (),
    times: Sequence[Sequence[float]] = (),
    is_complete: bool = False,
    unit_ns: int = 1,
) -> ForeignTrace:
    """Return the logs of machines a, b, ... by the clocks of their events, of which the very first is a send."""
    node = [machine for machine, mine in enumerate(clocks) for _ in mine]
    count = len(node)
    return replace(
        foreign_trace(node, is_complete=is_complete),
        clock_kind="scalar",
        kind=np.array([SEND, *[INTERNAL] * (count - 1)]),
        clock=np.concatenate([np.array(mine) for mine in clocks]),
        index=np.array([number for mine in index for number in mine] or [NULL] * count),
        time_ns=np.array([round(time * SECOND_NS) for mine in times for time in mine] or [NULL] * count),
        unit_ns=unit_ns,
        file=np.array(node),
        line=np.concatenate([np.arange(1, len(mine) + 1) for mine in clocks]),
        files=tuple(f"{machine}.log" for machine in "abcde"),
    )


def of(rooms: Rooms, node: int) -> list[tuple[int, int, int, int]]:
    """Return low, high, events and position of each room of a machine, in its order."""
    mine = rooms.of(node)
    return sorted(zip(*(column.tolist() for column in (mine.low, mine.high, mine.events, mine.position)), strict=True))


def behind(clock: int, position: int) -> tuple[int, int, int, int]:
    """Return the room behind the last event."""
    return (clock, FOREVER, FOREVER, position)


def test_a_jump_of_the_clock_may_hide_events_and_a_step_of_1_cannot() -> None:
    """Between 2 and 5 two events may be missing, before 1 and between 1 and 2 none."""
    assert [(2, 5, 2, 2), behind(5, 3)] == of(find_rooms(logs([1, 2, 5])), 0)


def test_before_the_first_event_as_many_may_be_missing_as_its_clock_tells() -> None:
    """Clocks start at 0, so that the first event has 1; where some event has 0, that is the first."""
    assert [(0, 4, 3, 0), behind(4, 1)] == of(find_rooms(logs([4])), 0)
    assert [(-1, 4, 4, 0), behind(4, 1)] == of(find_rooms(logs([4], [0])), 0)


def test_a_fraction_that_is_but_a_name_leaves_no_room() -> None:
    """1.2 and 2.2 are neighbours if all of a machine's clocks end in .2; 1.0 and 2.5 are not."""
    named = replace(logs([12, 22, 52]), clock_scale=10)

    assert [(22, 52, 2, 2), behind(52, 3)] == of(find_rooms(named), 0)
    assert [(0, 10, 9, 0), (10, 25, 14, 1), behind(25, 2)] == of(find_rooms(replace(logs([10, 25]), clock_scale=10)), 0)


def test_an_index_that_counts_on_closes_a_room() -> None:
    """Where it leaps, as many may be missing as it leaves out, if the clock has room for them."""
    assert [behind(9, 2)] == of(find_rooms(logs([4, 9], index=[[1, 2]])), 0)
    assert [(0, 4, 1, 0), (4, 9, 2, 1), behind(9, 2)] == of(find_rooms(logs([4, 9], index=[[2, 5]])), 0)


def test_an_index_counts_from_0_if_any_log_does() -> None:
    """So the other machine's first event is not its first."""
    rooms = find_rooms(logs([4], [4], index=[[0], [1]]))

    assert [behind(4, 1)] == of(rooms, 0)
    assert [(0, 4, 1, 0), behind(4, 1)] == of(rooms, 1)


def test_an_index_that_some_events_lack_or_that_does_not_rise_shows_nothing() -> None:
    """That of another machine's log may be whole all the same."""
    assert [(0, 4, 3, 0), (4, 9, 4, 1), behind(9, 2)] == of(find_rooms(logs([4, 9], [4], index=[[1, NULL], [1]])), 0)
    assert [behind(4, 1)] == of(find_rooms(logs([4, 9], [4], index=[[1, NULL], [1]])), 1)
    assert 3 == len(of(find_rooms(logs([4, 9], [4], index=[[7, 7], [1]])), 0))


TICKS = tuple(range(1, 21))


def test_ticks_at_equal_intervals_close_a_room_and_a_longer_one_opens_it() -> None:
    """The clock jumps at each event; only where two intervals would fit may one be missing."""
    clocks = [3 * tick for tick in TICKS]
    times = [tick + (2 if tick > 10 else 1) for tick in TICKS]

    assert [(30, 33, 2, 10), behind(60, 20)] == of(find_rooms(logs(clocks, times=[times])), 0)[1:]


def test_ticks_that_are_not_quite_equal_leave_room_for_two_short_ones() -> None:
    """If some intervals are of 0.7 s, nearly two of them stand in one of 1.3 s."""
    clocks = [3 * tick for tick in TICKS]
    times = np.cumsum([(0.7, 1.0, 1.3)[tick % 3] for tick in TICKS]).tolist()
    rooms = of(find_rooms(logs(clocks, times=[times])), 0)

    assert [3 * tick for tick in TICKS[:-1] if tick % 3 == 1] == [low for low, high, *_ in rooms[1:] if high < FOREVER]


@pytest.mark.parametrize("times", [[1, 2, 3, 4, 5, 6, 7], [*range(1, 20), 40, 90, 170, 300], [*range(1, 20), NULL]])
def test_few_events_and_no_rhythm_and_no_time_show_nothing(times: list[float]) -> None:
    """Then every jump of the clock is a room."""
    trace = logs([2 * tick for tick, _ in enumerate(times, 1)], times=[[0] * len(times)])
    trace = replace(trace, time_ns=np.array([NULL if time == NULL else time * SECOND_NS for time in times]))

    assert len(times) + 1 == len(of(find_rooms(trace), 0))


def test_in_whole_seconds_ticks_are_bursts_and_a_small_one_has_room() -> None:
    """Three ticks a second, but for the tenth second, which lacks one; the first and the last need not be whole."""
    seconds = [second for second in range(30) for _ in range(2 if second == 10 else 3)]
    clocks = [2 * place for place in range(1, len(seconds) + 1)]
    rooms = of(find_rooms(logs(clocks, times=[seconds], unit_ns=SECOND_NS)), 0)
    places = [position for _, _, _, position in rooms]

    assert [0, 30, 31, 32, len(seconds)] == places


def test_bursts_some_of_which_are_larger_show_nothing() -> None:
    """Nobody knows then whether one of the usual size lacks an event."""
    seconds = [second for second in range(30) for _ in range(4 if second == 10 else 3)]
    clocks = [2 * place for place in range(1, len(seconds) + 1)]

    assert len(seconds) + 1 == len(of(find_rooms(logs(clocks, times=[seconds], unit_ns=SECOND_NS)), 0))


def test_pauses_in_which_an_event_would_fit_do_not_part_bursts() -> None:
    """Two at a distance of 0.6 s, then a pause of 1.2 s: that is a rhythm that lacks every third."""
    times = [time for tick in TICKS for time in (1.8 * tick, 1.8 * tick + 0.6)]
    clocks = [2 * place for place in range(1, len(times) + 1)]

    assert len(times) + 1 == len(of(find_rooms(logs(clocks, times=[times])), 0))


def starting(first: float, clock: int = 5, unit_ns: int = 1) -> ForeignTrace:
    """Return two machines that tick: a each 0.25 s from 0.2 s on, with clock 1; b each second, with some clock."""
    ticks = np.arange(12)
    return logs(
        (ticks + 1).tolist(),
        (ticks + clock).tolist(),
        times=[(0.2 + ticks / 4).tolist(), (first + ticks).tolist()],
        unit_ns=unit_ns,
    )


def test_before_a_machine_that_begins_with_the_others_nothing_is_missing() -> None:
    """A tick before b's first would have come before a began, whose first tick is within its first 0.25 s."""
    assert [behind(16, 12)] == of(find_rooms(starting(0.9)), 1)
    assert [(0, 5, 4, 0), behind(16, 12)] == of(find_rooms(starting(1.0)), 1)


def test_times_that_are_cut_off_do_not_show_when_a_machine_began() -> None:
    """What is written as 0.9 s may have been almost a second, and the period is as uncertain."""
    assert [(0, 5, 4, 0), behind(16, 12)] == of(find_rooms(starting(0.9, unit_ns=SECOND_NS // 10)), 1)


def test_if_every_log_begins_late_nothing_shows_when_the_run_began() -> None:
    """All may have been cut at one moment."""
    trace = starting(0.9)
    rooms = find_rooms(replace(trace, clock=trace.clock + 10))

    assert (0, 11, 10, 0) == of(rooms, 0)[0]
    assert (0, 15, 14, 0) == of(rooms, 1)[0]


def test_behind_the_last_event_nothing_shows_that_none_is_missing() -> None:
    """Neither times nor an index nor the clock can: a log may have been cut."""
    trace = logs(list(TICKS), index=[TICKS], times=[TICKS])

    assert [behind(20, 20)] == of(find_rooms(trace), 0)


def test_a_log_that_is_declared_complete_has_no_room() -> None:
    """Whoever wrote the format knows it."""
    assert 0 == len(find_rooms(logs([4, 9], [7], is_complete=True)))


@pytest.mark.parametrize("is_complete", [False, True])
def test_a_line_that_cannot_be_read_has_room_whatever_was_declared(is_complete: bool) -> None:
    """It may have been an event: where it stands, and if the clock has room for it."""
    trace = logs([2, 4, 6], [7], index=[[1, 2, 3], [1]], is_complete=is_complete)
    behind_all = replace(trace, unread_file=np.array([0]), unread_line=np.array([9]))

    assert [behind(6, 3)] == of(find_rooms(behind_all), 0)
    assert (2, 6, 1, 1) in of(find_rooms(unreadable(trace, [1])), 0)
    assert ([] if is_complete else [behind(7, 1)]) == of(find_rooms(unreadable(trace, [1])), 1)


def test_an_event_of_unknown_kind_may_have_been_a_send() -> None:
    """Also in a log that is declared complete."""
    trace = logs([1, 2, 3], is_complete=True)

    assert [(1, 3, 1, 1)] == of(find_rooms(replace(trace, kind=np.array([SEND, OTHER, INTERNAL]))), 0)


def test_logs_in_which_nobody_ever_sends_do_not_say_sends() -> None:
    """All machines are nothing but room then, however complete their lines are."""
    trace = logs([1, 2], [2, 3], is_complete=True)
    silent = replace(trace, kind=np.array([INTERNAL, INTERNAL, RECEIVE, RECEIVE]))

    assert [[(0, FOREVER, FOREVER, 0)]] * 2 == [of(find_rooms(silent), node) for node in (0, 1)]


def test_a_machine_that_is_only_named_is_nothing_but_room() -> None:
    """Whoever declares his logs complete does not speak of those that he has not."""
    trace = replace(logs([1, 2], is_complete=True), nodes=("a", "b"), absent=1)

    assert [(0, FOREVER, FOREVER, 0)] == of(find_rooms(trace), 1)


def test_an_empty_log_may_have_lost_everything_unless_it_is_declared_complete() -> None:
    """Its machine is known, and named by nobody."""
    trace = replace(logs([1, 2]), nodes=("a", "b"))

    assert [(0, FOREVER, FOREVER, 0)] == of(find_rooms(trace), 1)
    assert [] == of(find_rooms(replace(trace, is_declared_complete=True)), 1)


def test_without_a_clock_a_room_has_no_walls() -> None:
    """What an index shows to be whole is whole there, too."""
    trace = replace(logs([1, 2], index=[[1, 2]]), clock_kind="none", clock=np.array([NULL, NULL]))
    rooms = of(find_rooms(trace), 0)

    assert [(-FOREVER, FOREVER, FOREVER, 2)] == rooms


NAMES: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "a number is left out": (("node-1", "node-3"), True),
    "the first is left out": (("2.log", "3.log"), True),
    "numbers from 0": (("m0", "m1"), False),
    "numbers from 1": (("m1", "m2"), False),
    "the second of 0, 1, 2": (("m0", "m2"), True),
    "ports in a row": (("5001", "5002"), False),
    "a port is left out": (("5001", "5003"), True),
    "two are left out": (("1", "4"), False),
    "no numbers": (("a", "b"), False),
    "one name without a number": (("1", "3", "main"), False),
    "one number twice": (("a-1", "b-1"), False),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_machine_is_missed_if_one_number_in_a_row_is(case: str) -> None:
    """It is called len(nodes), since it has no name."""
    names, is_missed = NAMES[case]
    trace = replace(logs(*([1] for _ in names)), nodes=names, to=np.full(len(names), ALL))

    assert ([len(names)] if is_missed else []) == machines_without_log(trace)


def test_two_machines_that_tell_one_from_all_have_others() -> None:
    """Not if sends name their recipients; and not if the logs are declared complete."""
    trace = replace(logs([1], [1]), kind=np.array([SEND, SEND]))

    assert [2] == machines_without_log(replace(trace, to=np.array([ALL, ONE])))
    assert [] == machines_without_log(replace(trace, to=np.array([ALL, ONE]), is_declared_complete=True))
    assert [] == machines_without_log(replace(trace, to=np.array([ALL, ALL])))
    assert [] == machines_without_log(replace(trace, to=np.array([MANY, 0]), recipients={0: (1,)}))


@pytest.mark.parametrize("kind", [SEND, RECEIVE, INTERNAL])
def test_who_sends_or_receives_is_not_alone(kind: int) -> None:
    """Whatever is declared: a machine does not talk to itself."""
    trace = replace(logs([1], is_complete=True), kind=np.array([kind]))

    assert ([] if kind == INTERNAL else [1]) == machines_without_log(trace)


@pytest.mark.parametrize("is_complete", [False, True])
def test_a_file_of_which_nothing_can_be_read_may_be_the_log_of_somebody(is_complete: bool) -> None:
    """Its machine has no name."""
    trace = logs([1, 2], [1], is_complete=is_complete)

    assert [] == machines_without_log(unreadable(trace, [1]))
    assert [1] == machines_without_log(unreadable(trace, [2]))


def test_who_is_named_is_missed_beside_who_is_evident() -> None:
    """Machine 4 is named by somebody; 3 must have been there, since there is a 4."""
    trace = replace(logs([1], [1]), nodes=("1", "2", "4"), absent=1)

    assert [2, 3] == machines_without_log(trace)


def test_the_earliest_clocks_are_those_of_the_lowest_rooms() -> None:
    """Each unseen event has a clock of its own, and a room holds no more than its events."""
    rooms = find_rooms(logs([3, 9], index=[[2, 9]])).of(0)

    assert [1, 4, 5] == rooms.earliest(3).tolist()
    assert [1, 4, 5, 6, 7, 8, 10, 11] == rooms.earliest(8).tolist()
    assert [0, 1, 0, 1, 0, 1] == rooms.may_hold(np.array([0, 1, 3, 8, 9, 99])).astype(int).tolist()
    assert [0, 0, 1] == rooms.may_hold_below(np.array([0, 1, 2])).astype(int).tolist()


@pytest.mark.parametrize("part", range(4))
def test_every_line_that_is_missing_has_room(part: int) -> None:
    """Whatever a clean log says of itself, and whatever of it is lost: the rooms hold it."""
    for seed in range(part * 500, part * 500 + 500):
        random = Random(seed)
        machines = cluster(
            random.randint(2, 4),
            seed=seed,
            seconds=random.choice([2, 5, 12]),
            rates=random.choice([(1, 6), (1, 1), (4, 12)]),
            internal_probability=random.choice([0.1, 0.5]),
            delay_ms=random.choice([0, 300]),
        )
        has_times = random.random() < 0.8
        whole = foreign(
            simulated_run(machines)[0],
            grade="by-counting",
            has_times=has_times,
            has_index=not has_times or random.random() < 0.2,
            unit_ns=random.choice([1, 1, 1_000_000, SECOND_NS]),
        )
        lost = lines_of(random, whole)
        assert (seed, []) == (seed, homeless(whole, lost, find_rooms(without(whole, lost))))


def lines_of(random: Random, trace: ForeignTrace) -> list[int]:
    """Return some rows to lose: the head of a log, or of all, a block, or any; of each log something is left."""
    rows = trace.programs[random.randrange(len(trace.nodes) - trace.absent)].tolist()
    first = random.randrange(len(rows))
    way = random.choice(["head", "heads", "block", "any"])
    if way == "head":
        return list(rows[: random.choice([1, 1, 2, first])][: len(rows) - 1])
    if way == "heads":
        return [
            row for mine in trace.programs for row in mine[: random.randint(0, min(3, max(0, len(mine) - 1)))].tolist()
        ]
    if way == "block":
        return list(rows[first : first + random.randint(1, 4)][: len(rows) - 1])
    return sorted(random.sample(rows, random.randint(1, max(1, len(rows) // 10)))[: len(rows) - 1])


def homeless(whole: ForeignTrace, lost: Sequence[int], rooms: Rooms) -> list[int]:
    """Return the lost rows that have no room, each having taken one place of the first that holds it."""
    left = rooms.events.tolist()
    found = []
    for row in lost:
        holds = (rooms.node == whole.node[row]) & (rooms.low < whole.clock[row]) & (whole.clock[row] < rooms.high)
        place = next((place for place in np.flatnonzero(holds).tolist() if left[place]), None)
        if place is None:
            found.append(row)
        else:
            left[place] -= 1
    return found
