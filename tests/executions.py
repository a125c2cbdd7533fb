"""Executions with vector clocks for tests: who happened before whom is known, since the test made them."""

from dataclasses import dataclass

from hypothesis import strategies as st

Vector = tuple[int, ...]


@dataclass(frozen=True)
class Execution:
    """Some events in an order in which they can happen: their machines, causes on other machines, and vectors."""

    machines: int
    node: tuple[int, ...]
    causes: tuple[frozenset[int], ...]
    vectors: tuple[Vector, ...]

    def past(self, event: int) -> set[int]:
        """Return all that happened before an event, by walking every way back."""
        past: set[int] = set()
        ways = [event]
        while ways:
            now = ways.pop()
            before = {other for other in range(now) if self.node[other] == self.node[now]}
            found = (before | self.causes[now]) - past
            past |= found
            ways += found
        return past


@st.composite
def executions(draw: st.DrawFn, machines_max: int = 4, events_max: int = 12) -> Execution:
    """Draw events that each happen after any others on other machines, with the vectors of the textbook."""
    machines = draw(st.integers(2, machines_max))
    node = tuple(draw(st.lists(st.integers(0, machines - 1), max_size=events_max)))
    clocks = [(0,) * machines for _ in range(machines)]
    causes: list[frozenset[int]] = []
    vectors: list[Vector] = []
    for event, machine in enumerate(node):
        others = [other for other in range(event) if node[other] != machine]
        chosen = draw(st.frozensets(st.sampled_from(others), max_size=3)) if others else frozenset()
        merged = [max(known) for known in zip(clocks[machine], *(vectors[other] for other in chosen), strict=True)]
        merged[machine] += 1
        clocks[machine] = tuple(merged)
        causes.append(chosen)
        vectors.append(clocks[machine])
    return Execution(machines, node, tuple(causes), tuple(vectors))
