"""A queue of messages on their way to one machine: a pairing heap in flat columns, ordered as the model says.

Never takes room of its own: `child` and `sibling` are columns beside the messages, -1 where there is none.
Source: Fredman, Sedgewick, Sleator & Tarjan, The Pairing Heap (1986).
"""

from typing import Any, Final

from orchestrator.labs.kernel.compiled import inlined

NONE: Final = -1


@inlined
def meld(a: Any, b: Any, arrival_ns: Any, sender: Any, child: Any, sibling: Any) -> Any:
    """Return the root of two heaps made one; neither may be empty."""
    # Of one sender the message sent first has the lower row, and so has copy 0.
    if arrival_ns[b] < arrival_ns[a] or (
        arrival_ns[b] == arrival_ns[a] and (sender[b] < sender[a] or (sender[b] == sender[a] and b < a))
    ):
        root, other = b, a
    else:
        root, other = a, b
    sibling[other] = child[root]
    child[root] = other
    return root


@inlined
def without_root(root: Any, arrival_ns: Any, sender: Any, child: Any, sibling: Any) -> Any:
    """Return the root of what is left of a heap without its first message."""
    each, pairs = child[root], NONE
    while each != NONE:
        other = sibling[each]
        following = NONE
        if other != NONE:
            following = sibling[other]
            each = meld(each, other, arrival_ns, sender, child, sibling)
        sibling[each] = pairs
        pairs = each
        each = following
    root = NONE
    while pairs != NONE:
        following = sibling[pairs]
        root = pairs if root == NONE else meld(root, pairs, arrival_ns, sender, child, sibling)
        pairs = following
    return root
