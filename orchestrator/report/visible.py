"""The words of others as they may stand on a page: what cannot be seen, or turns what is around it, is shown.

Never decides what is HTML: that is the template's, which escapes everything.
"""

import unicodedata
from typing import Final

NAME_LENGTH_MAX: Final = 40
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_PLAIN: Final = "\n\t"


def visible(text: str) -> str:
    """Return a text in which each letter that cannot be seen stands by its number: `⟨U+202E⟩`."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def short(name: str) -> str:
    """Return a name for a label: visible, on one line, and not too long."""
    shown = visible(name.replace("\n", " ").replace("\t", " "))
    return shown if len(shown) <= NAME_LENGTH_MAX else f"{shown[: NAME_LENGTH_MAX - 1]}…"


def _shown(letter: str) -> str:
    is_unseen = unicodedata.category(letter) in _UNSEEN and letter not in _PLAIN
    return f"⟨U+{ord(letter):04X}⟩" if is_unseen else letter
