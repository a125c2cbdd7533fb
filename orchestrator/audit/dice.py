"""Whether the machines of a run roll one die: for machines that tick, at the ticks that receive nothing.

Never takes a difference for odd that chance makes more than once in a million runs. The bound is exact: what each
machine rolled, under a mixture of all dice, divided by what all rolled together, under the one die that fits best, is
at most a martingale whose mean is 1 if they roll one die, however many rolls the run turns out to have and whatever
they depend on. That it reaches 1 / p has at most the probability p; it is multiplied by the number of ways in which
the machines and the faces that are compared may have been chosen.
Source: the mixture of Krichevsky & Trofimov (1981), the inequality of Ville (1939).
"""

from collections.abc import Iterable, Iterator, Sequence
from math import comb, floor, lgamma, log, sqrt
from typing import Final, TypeAlias

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import INTERNAL, ONE, SEND, ForeignTrace
from orchestrator.trace.store import Column

PROBABILITY_MAX: Final = 1e-6
"""At most one false alarm in a million logs."""

FACES: Final = ("internal events", "sends to one", "sends to several")

Rolls: TypeAlias = tuple[int, ...]
"""How often a machine rolled each face."""


def dice_remarks(trace: ForeignTrace) -> Iterator[str]:
    """Yield a sentence if the machines' frequencies differ by more than chance."""
    rolls = {node: _rolls(trace, rows) for node, rows in enumerate(trace.programs) if _may_roll(trace, rows)}
    # A machine without peers has nothing to send, and rolls in vain.
    senders = {node: found for node, found in rolls.items() if sum(found[1:])}
    if len(senders) < 2:
        return
    faces: Sequence[str] = FACES
    if not _can_tell_one_from_several(trace, senders):
        faces = ("internal events", "sends")
        senders = {node: (found[0], sum(found[1:])) for node, found in senders.items()}
    choices = 2 * (len(rolls) + 1) * comb(len(rolls), len(senders))
    exponent = evidence_against_one_die(list(senders.values())) - log(choices)
    if exponent > -log(PROBABILITY_MAX):
        yield _difference(trace, senders, faces, exponent)


def evidence_against_one_die(rolls: Sequence[Rolls]) -> float:
    """Return the natural logarithm of a number that reaches x with probability at most 1 / x if all roll one die."""
    together = [sum(face) for face in zip(*rolls, strict=True)]
    return sum(map(_mixture, rolls)) - _likelihood(together)


def _mixture(rolls: Rolls) -> float:
    """Return the log-probability of a sequence with these counts under all dice, weighed by Jeffreys' prior."""
    faces = len(rolls)
    return (
        sum(lgamma(count + 0.5) - lgamma(0.5) for count in rolls) + lgamma(faces / 2) - lgamma(sum(rolls) + faces / 2)
    )


def _likelihood(rolls: Sequence[int]) -> float:
    """Return the log-probability of a sequence with these counts under the die that makes it most probable."""
    return sum(count * log(count / sum(rolls)) for count in rolls if count)


def _may_roll(trace: ForeignTrace, rows: Column) -> bool:
    """Whether a machine ticks, and its log says what its events are."""
    return len(rows) > 0 and Rhythm(trace, rows).is_regular


def _rolls(trace: ForeignTrace, rows: Column) -> Rolls:
    kind, to = trace.kind[rows], trace.to[rows]
    faces = (kind == INTERNAL, (kind == SEND) & (to >= ONE), (kind == SEND) & (to < ONE))
    return tuple(int(np.count_nonzero(face)) for face in faces)


def _can_tell_one_from_several(trace: ForeignTrace, nodes: Iterable[int]) -> bool:
    """Whether a send to several is one for every machine: none has but a single peer, which is one and all."""
    return not trace.may_be_some and all(_peers_named(trace, trace.programs[node]) != 1 for node in nodes)


def _peers_named(trace: ForeignTrace, rows: Column) -> int:
    """Return how many recipients a machine's sends name; more than 1 if a send says that it went to all or several."""
    sends = rows[trace.is_send[rows]]
    if (trace.to[sends] < ONE).any():
        return 2
    return len(np.unique(trace.to[sends][trace.to[sends] >= 0]))


def _difference(trace: ForeignTrace, rolls: dict[int, Rolls], faces: Sequence[str], exponent: float) -> str:
    """Say where the frequencies differ most, by the standard deviations of one machine from the others."""
    totals = [sum(column) for column in zip(*rolls.values(), strict=True)]
    whole = sum(totals)

    def distance(node: int, face: int) -> float:
        mine, others = sum(rolls[node]), whole - sum(rolls[node])
        share = totals[face] / whole
        apart = rolls[node][face] / mine - (totals[face] - rolls[node][face]) / others
        return float(abs(apart) / sqrt(share * (1 - share) * (1 / mine + 1 / others)))

    places = [(node, face) for node in rolls for face, total in enumerate(totals) if 0 < total < whole]
    node, face = max(places, key=lambda place: distance(*place))
    mine = sum(rolls[node])
    return (
        f"the machines do not roll one die: of the {words.counted(mine, 'event')} without a receive of machine "
        f"{words.machine(trace, node)} {words.percent(rolls[node][face], mine)} are {faces[face]}, and of the "
        f"{whole - mine:,} of the others {words.percent(totals[face] - rolls[node][face], whole - mine)}; chance does "
        f"that with a probability below 10^{-floor(exponent / log(10))}"
    )
