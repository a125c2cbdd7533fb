"""The laws, each a bit of what is in doubt of a run.

Never says what is wrong where.

A queue is judged without filling it. Messages are ordered by arrival first, so whatever arrives later stands behind
all that arrived before: a machine takes the first of its queue iff it takes its messages in their order, leaves none
out, and receives exactly while more have arrived than it has taken. How many arrive from one of its ticks to the next
is counted beforehand.
"""

from typing import Final

CLOCK_CONDITION, CLOCK_RISES, IN_ORDER, TICKS_EXIST, QUEUE_FIRST, QUEUE_LENGTH, DIFFERS = (1 << bit for bit in range(7))
"""`DIFFERS`: it is not the record of its twin."""
STRUCTURE: Final = 1 << 7
"""Nothing can be said: the record is not in the order that all laws are judged in, or a receive names what is not on
its way to it."""
QUEUES: Final = QUEUE_FIRST | QUEUE_LENGTH
