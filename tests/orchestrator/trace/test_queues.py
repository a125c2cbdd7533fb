"""The laws of the queue: planted in the shipped queue, each is found, and no other check fires before it."""

from dataclasses import replace
from heapq import heapify

import pytest

from node.event import Message
from node.queue import Queue
from orchestrator.trace import check, queues, trace_of
from tests.clusters import cluster
from tests.logs_on_disk import simulated_run


def test_a_message_that_overtakes_another_senders_is_not_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is by arrival, whoever sent it; each link alone may be in order all the same."""

    def largest_sender_first(self: Queue) -> Message:
        entry = min(self._waiting, key=lambda entry: (-entry[1].sender, entry[0]))
        self._waiting.remove(entry)
        heapify(self._waiting)
        return entry[1]

    monkeypatch.setattr(Queue, "take", largest_sender_first)
    machines = cluster(3, seconds=20, internal_probability=0.3)

    report = check(trace_of(machines, *simulated_run(machines)))

    assert report.first_violated is not None
    assert report.first_violated.name == "queue-first"
    assert "was first in its queue" in report.first_violated.examples[0]


def test_a_message_received_at_the_instant_of_its_arrival_is_received_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message waits strictly after its arrival: two ticks at one instant never see each other."""
    machines = {node: replace(model, phase_ns=0) for node, model in cluster(3, internal_probability=0.0).items()}
    advance = Queue.advance
    monkeypatch.setattr(Queue, "advance", lambda self, due_ns: advance(self, due_ns + 1))

    report = check(trace_of(machines, *simulated_run(machines)))

    assert report.first_violated is not None
    assert report.first_violated.name == "queue-first"
    assert any("can be received only later" in example for example in report.first_violated.examples)


def test_each_queue_is_filled_once_for_both_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = cluster(3, seconds=5)
    replayed: list[int] = []
    replay = queues._replay
    monkeypatch.setattr(
        queues, "_replay", lambda trace, node, since_ns: replayed.append(node) or replay(trace, node, since_ns)
    )

    report = check(trace_of(machines, *simulated_run(machines)))

    assert replayed == [1, 2, 3]
    assert report.verdict == "valid"
