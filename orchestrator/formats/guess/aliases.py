"""What machines are called by others where that is not their name, such as a port: each is called so by all but itself.

Never takes a name for a machine's that several could have.
"""

from collections import defaultdict
from collections.abc import Mapping

from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Study
from orchestrator.formats.names import everyone_in

SAID_MIN = 1.6
"""So much words must speak for a sender or a recipient."""


def find_aliases(study: Study) -> dict[str, str]:
    """Return the machine of each name that others use, none if it is not clear; the frame's kinds need not be known."""
    callers = {name: who for name, who in _callers(study).items() if study.machine_of(name) < 0}
    everybody = set(range(len(study.names)))
    if len(callers) != len(everybody) or len(everybody) < 2:
        return {}
    silent = {name: everybody - who for name, who in callers.items()}
    owners = {name: who.pop() for name, who in silent.items() if len(who) == 1}
    if set(owners.values()) != everybody or len(owners) != len(everybody):
        return {}
    return {name: study.names[owner] for name, owner in owners.items()}


def _callers(study: Study) -> Mapping[str, set[int]]:
    """Return which machines name each sender or recipient."""
    found: dict[str, set[int]] = defaultdict(set)
    for at, group in enumerate(study.groups):
        nodes = study.node[group.rows].tolist()
        for slot in study.slots(at).values():
            if slot.type != "time" and max(map(slot.label.said, ("from", "to"))) > SAID_MIN and not study.is_rare(at):
                for node, value in zip(nodes, slot.values, strict=True):
                    for name in (everyone_in(value) or ()) if is_said(value) else ():
                        found[name].add(node)
    return found
