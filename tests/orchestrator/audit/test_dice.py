"""One die for all: the bound is exact where it can be worked out, and what differs is named."""

from dataclasses import replace
from itertools import product
from math import comb, exp, log

import numpy as np
import pytest

from orchestrator.audit.dice import PROBABILITY_MAX, dice_remarks, evidence_against_one_die
from orchestrator.audit.store import ALL
from tests.clusters import cluster
from tests.foreign_runs import foreign_run, less


@pytest.mark.parametrize("chance", [0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("rolls", [(1, 1), (6, 6), (3, 12), (2, 4, 5)])
def test_with_one_die_the_evidence_has_a_mean_of_at_most_1(chance: float, rolls: tuple[int, ...]) -> None:
    """So it reaches x with probability at most 1 / x (Markov): every outcome of a few rolls, weighed by its chance."""
    mean = 0.0
    for heads in product(*(range(count + 1) for count in rolls)):
        pairs = list(zip(heads, rolls, strict=True))
        weight = 1.0
        for head, count in pairs:
            weight *= comb(count, head) * chance**head * (1 - chance) ** (count - head)
        mean += weight * exp(evidence_against_one_die([(head, count - head) for head, count in pairs]))

    assert 0 < mean <= 1


def test_with_one_die_the_evidence_has_a_mean_of_at_most_1_whenever_one_stops() -> None:
    """A machine that rolls until it is ahead gains nothing: how often it rolls may depend on what it rolled."""

    def mean(mine: tuple[int, int], other: tuple[int, int], chance: float) -> float:
        if mine[0] > mine[1] or sum(mine) == 9:
            return exp(evidence_against_one_die([mine, other]))
        head, tail = (mine[0] + 1, mine[1]), (mine[0], mine[1] + 1)
        return chance * mean(head, other, chance) + (1 - chance) * mean(tail, other, chance)

    for chance in (0.1, 0.5, 0.8):
        others = ((comb(8, k) * chance**k * (1 - chance) ** (8 - k), (k, 8 - k)) for k in range(9))
        assert sum(weight * mean((0, 0), other, chance) for weight, other in others) <= 1


def test_another_die_is_named_with_both_shares() -> None:
    """The machine, the face, and how improbable that is."""
    machines = cluster(3, seconds=60, rates=(6, 6))
    machines[2] = replace(machines[2], internal_probability=0.2)

    (remark,) = dice_remarks(foreign_run(machines)[0])

    assert remark.startswith("the machines do not roll one die: of the ")
    assert "events without a receive of machine b" in remark
    assert "are internal events, and of the" in remark


def test_sends_to_several_are_a_face_of_the_die() -> None:
    """Machine c never sends to both others, where the others do."""
    trace, _ = foreign_run(cluster(3, seconds=600, rates=(6, 6), internal_probability=0.4))
    alone = replace(trace, to=np.where((trace.node == 2) & (trace.to == ALL), 0, trace.to))

    (remark,) = dice_remarks(alone)

    assert "of machine c" in remark
    assert "0.0 % are sends to several" in remark or "are sends to one" in remark


def test_a_machine_with_one_peer_sends_to_one_and_to_all_at_once() -> None:
    """In a star nobody differs, though only the centre can send to several; a machine without peers is left out."""
    star = cluster(3, seconds=600, rates=(6, 6), topology={1: (2, 3), 2: (1,), 3: (1,)})
    sink = cluster(3, seconds=600, rates=(6, 6), topology={1: (2,), 2: (1,), 3: ()})

    assert list(dice_remarks(foreign_run(star)[0])) == []
    assert list(dice_remarks(foreign_run(sink)[0])) == []


def test_without_kinds_or_times_nothing_is_said_of_dice() -> None:
    """A machine rolls at its ticks."""
    machines = cluster(2, seconds=60)
    trace, _ = foreign_run(machines | {2: replace(machines[2], internal_probability=0.0)})

    assert [len(list(dice_remarks(each))) for each in (trace, less(trace, "kind"), less(trace, "time_ns"))] == [1, 0, 0]


def test_little_evidence_is_no_remark() -> None:
    """Differences that chance makes once in a hundred thousand runs are its affair."""
    assert evidence_against_one_die([(40, 10), (10, 40)]) > -log(PROBABILITY_MAX)
    assert evidence_against_one_die([(20, 5), (5, 20)]) < -log(PROBABILITY_MAX)
    assert evidence_against_one_die([(70, 30), (71, 29)]) < 0
