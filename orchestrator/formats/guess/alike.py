"""One expression for several that differ in one word: a word that varies will be another one in the next run.

Never joins what differs in a field or in more than one place.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

VARIANTS_MIN: Final = 3
"""So many words at one place are values, and no part of what is said."""
_PART: Final = re.compile(r"\(\?<\w+>|\\.|[^\W\d_]+|\d+|.", re.DOTALL)
_ANY_WORD: Final = r"\w+"


def generalised(kinds: dict[str, Any]) -> dict[str, Any]:
    """Return what tells kinds with a pattern in the place of words that vary."""
    found = {}
    for kind, texts in kinds.items():
        joined = _joined(texts) if isinstance(texts, list) else [texts]
        found[kind] = joined[0] if len(joined) == 1 else joined
    return found


def _joined(texts: Sequence[str]) -> list[str]:
    parts = [_PART.findall(text) for text in texts]
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, each in enumerate(parts):
        for place, part in enumerate(each):
            if part.isalpha() or part.isdigit():
                alike[*each[:place], "", *each[place + 1 :]].append(row)
    joined: dict[int, str] = {}
    for pattern, rows in sorted(alike.items(), key=lambda one: -len(one[1])):
        free = [row for row in rows if row not in joined]
        if len(free) >= VARIANTS_MIN:
            text = "".join(part or _ANY_WORD for part in pattern)
            joined |= dict.fromkeys(free, text)
    return list(dict.fromkeys(joined.get(row, text) for row, text in enumerate(texts)))
