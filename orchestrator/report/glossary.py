"""What the words of a report mean, each in a sentence or two: shown where a word stands, and together at the end.

Never defines a number in another way than `docs/measures.md`, which has the formulas.
"""

from typing import Final

TERMS: Final[dict[str, str]] = {
    "clock": "A Lamport clock: a counter that each event of a machine raises by 1, and that a receive first raises to "
    "the timestamp that the message carries, if that is larger.",
    "tick": "The moment at which a machine does one thing: it takes the first message from its queue; if none waits, "
    "it works for itself or sends.",
    "drift": "At one instant, the largest clock of all machines minus the smallest. Its mean is weighted by time.",
    "pair drift": "The mean of the differences between the clocks of any two machines, weighted by time.",
    "queue": "The messages that have arrived at a machine and wait. Its mean is weighted by time; its largest value "
    "is that recorded at a receive, after the take.",
    "jump": "By how much a receive raised its machine's clock. A jump of 1 is none: every event adds at least 1.",
    "gap": "A jump minus 1: how many numbers the clock left out.",
    "final clock": "The clock of a machine's last event; over all machines, the mean.",
    "clock rate": "The final clock by the length of the run.",
    "busy": "The share of ticks that take a message from the queue.",
    "happened before": "One event happened before another if it came earlier on the same machine, or is the send of "
    "what the other received, or if a chain of such steps leads from the one to the other. No clock is asked.",
    "concurrent": "Neither of two events happened before the other: no message can have told the one of the other.",
    "longest chain": "The largest number of events of which each happened before the next.",
    "seed": "The number that decides every throw of dice: the same configuration and seed give the same events.",
    "agreement": "The share of places (machine, incarnation, tick) at which the run has the very event that the "
    "simulation of the same seed has: the same kind, clock, queue, cause and recipients. Also called fidelity.",
    "held back": "A tick that was due, and waited until every sender had promised that nothing earlier would come.",
    "late message": "A message whose bytes came after a tick that should have seen it. Only at the pace free, where "
    "nobody waits; it is counted, and never a violation.",
    "late tick": "A tick that was executed after the next one was due. Its event is the right one all the same.",
    "lab": "Where a run takes place: live (processes that talk TCP), in-process (one event loop), simulated.",
    "pace": "exact: by the wall clock, and no tick before everything that could matter is there; free: nobody waits; "
    "fast: exact, but without the wall clock.",
    "incarnation": "One life of a machine. A machine that crashed and lost its memory begins a new one.",
}

EVIDENCE: Final[dict[str, str]] = {
    "by id": "Each receive names its message, and so does the send: nothing is left open.",
    "by order": "A receive names its sender, and a link keeps the order of its messages.",
    "by stamp": "A receive tells the timestamp that its message carried.",
    "by counting": "No receive names anything: there must be enough sends with small enough clocks.",
}

CHECKS: Final[dict[str, str]] = {
    "clock-condition": "The clock of each receive is larger than that of its send.",
    "clock-rises": "The clock of each event is larger than that of the machine's event before.",
    "exactly-once": "Each receive names a send that was addressed to it, and none is received twice.",
    "in-order": "The messages of a link are received in the order in which they were sent.",
    "one-event-per-tick": "Every tick that exists is one event, once, in rising order.",
    "queue-first": "Nothing else happens while a message waits, and the first is taken.",
    "queue-length": "The recorded length of a queue is the counted one.",
    "every-message-accounted": "What was sent was received, waits, is on its way, or was lost, and nothing else.",
    "equals-simulated": "The run has exactly the events of the simulation of its configuration and seed.",
    "vector-valid": "Each entry of a vector clock names an event, and knows all that this event knew.",
}

VERDICTS: Final[dict[str, str]] = {
    "CAUSALITY HOLDS": "A proof: each receive was traced to its send, and every check that applies is in order.",
    "NOTHING AGAINST IT": "No check found a violation, but the log does not say enough to prove that there is none.",
    "BROKEN": "A proof: whatever the record may lack, a rule is broken, and the events are named.",
    "CANNOT TELL": "No check found a violation, but what is missing from the record might have been one.",
}
