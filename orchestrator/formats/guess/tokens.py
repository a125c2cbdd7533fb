"""The tokens of a line: what is said in every line alike, and what varies: times, numbers, names, vectors.

Never knows what a token means.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, TypeAlias

from orchestrator.formats.guess.words import is_field

Type: TypeAlias = Literal["time", "vector", "list", "id", "number", "name", "quote", "word", "space", "other", "rest"]

TOKENS_MAX: Final = 120
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*"
_HMS: Final = r"\d{1,2}:\d{2}:\d{2}(?:[.,:]\d+)?(?:\s?[AaPp][Mm]\b)?"
_ZONE: Final = r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})(?![\w:]))?"
_ZONE_NAME: Final = r"(?: (?:[A-Z]{2,3}T|UTC|GMT|MSK)\b)?"
_TIMES: Final = (
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}[T_ ]+{_HMS}{_ZONE}",
    rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}},?[T_ ]+{_HMS}{_ZONE}",
    rf"\d{{1,2}}/{_MONTH}/\d{{4}}:{_HMS}{_ZONE}",
    rf"(?:[A-Z][a-z]{{2}},? +)?\d{{1,2}}[- ]{_MONTH}[- ]\d{{4}},? +{_HMS}{_ZONE}",
    rf"(?:[A-Z][a-z]{{2}},? +)?{_MONTH} +\d{{1,2}},?(?: +\d{{4}},?)? +{_HMS}{_ZONE_NAME}(?: \d{{4}})?",
    r"\d{8}[-T_ ]\d{6}(?:[.,]\d+)?Z?",
    rf"\d{{8}} {_HMS}",
    rf"(?<![\w.:]){_HMS}{_ZONE}",
    r"(?<![\w.:])\d{1,2}:\d{2}\.\d+",
    r"(?<![\w.\-/])\d{4}-\d{2}-\d{2}(?![\w\-])",
)
_ENTRY: Final = r"""(?:\\?["'])?[\w.\-]+(?:\\?["'])?\s*(?:=>|[:=])\s*\d+(?![\w.:])"""
_VECTORS: Final = (
    r"\{\s*\}",
    rf"\{{\s*{_ENTRY}(?:\s*[,;\s]\s*{_ENTRY})*\s*\}}",
    rf"map\[(?:[\w.\-]+:\d+\s?)+\]|\[{_ENTRY}(?:\s*[,;\s]\s*{_ENTRY})*\s*\]|\({_ENTRY}(?:\s*[,;\s]\s*{_ENTRY})+\s*\)",
)
_NAMED: Final = r"[\w.\-]*[A-Za-z][\w.\-]*"
_LISTS: Final = (
    r"\[\s*\d+(?:\s*[,;\s]\s*\d+)+\s*\]",
    r"\(\s*\d+(?:\s*[,;]\s*\d+)+\s*,?\s*\)|<\s*\d+(?:\s*[,;\s]\s*\d+)+\s*>|\{\s*\d+(?:\s*[,;\s]\s*\d+)+\s*\}",
    rf"\[\s*['\"]?{_NAMED}['\"]?(?:\s*,\s*['\"]?{_NAMED}['\"]?)+\s*\]",
)
_ID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<![\w.])0x[0-9a-fA-F]+\b"
_NUMBER: Final = r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]\d+)?(?![\w]|\.\d|[-/:#@]\w)"
_UNIT: Final = r"(?<![\w.])\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|sec|secs|s)\b"
_NAME: Final = r"(?:[A-Za-z_][\w]*|\d[\w]*)(?:[.\-/#@]\w+|(?<=\d):\d+(?!\w)|(?<=localhost):\d+)*"
_QUOTE: Final = r"\"(?=[^\":{}]*\"(?!\s*:))(?<![:{,]\")(?<![:{,] \")[^\":{}]*\""

_TOKEN: Final = re.compile(
    "|".join(
        f"(?P<{type_}>{pattern})"
        for type_, pattern in (
            ("time", "|".join(_TIMES)),
            ("vector", "|".join(_VECTORS)),
            ("list", "|".join(_LISTS)),
            ("id", _ID),
            ("number", f"{_UNIT}|{_NUMBER}"),
            ("quote", _QUOTE),
            ("name", _NAME),
            ("space", r"\s+"),
            ("other", r"."),
        )
    ),
    re.DOTALL,
)
_ARROW: Final = re.compile(r"<?[-=]+>|<[-=]+|[←→⇒⇐]")
_DIGIT: Final = re.compile(r"\d")
_KEY_OF: Final = re.compile(r"""([A-Za-z_][\w.\-]*)\\?["']?\s*(?:=>|[:=])""")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line, and what it looks like."""

    type: Type
    text: str


def tokens_of(line: str) -> Sequence[Token]:
    """Return the tokens of a line, without space around it; what is behind the first hundred is one."""
    found = list(islice(_merged(_tokens(line.strip())), TOKENS_MAX + 1))
    if len(found) <= TOKENS_MAX:
        return found
    start = sum(len(token.text) for token in found[:TOKENS_MAX])
    return [*found[:TOKENS_MAX], Token("rest", line.strip()[start:])]


def _tokens(line: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(line):
        type_, text = match.lastgroup or "other", match[0]
        if type_ == "name" and not _DIGIT.search(text):
            type_ = "word"
        if type_ == "vector" and _are_fields(_KEY_OF.findall(text)):
            # What looks like a vector is a list of fields: {from=3, ts=1}.
            yield Token("other", text[0])
            yield from _tokens(text[1:])
        else:
            yield Token(type_, text)  # type: ignore[arg-type]


def _are_fields(keys: Sequence[str]) -> bool:
    return sum(map(is_field, keys)) > len(keys) / 2


def _merged(tokens: Iterator[Token]) -> Iterator[Token]:
    """Take signs that stand side by side for one: an arrow is a word, and so is `>` that closes nothing."""
    run, is_open = "", False
    for token in tokens:
        if token.type == "other" and token.text in "<>-=←→⇒⇐":
            run += token.text
            continue
        if run:
            yield from _signs(run, is_arrow=token.type == "space" and not is_open)
            run, is_open = "", is_open or "<" in run
        yield token
    if run:
        yield from _signs(run, is_arrow=False)


def _signs(run: str, *, is_arrow: bool) -> Iterator[Token]:
    if (len(run) > 1 and _ARROW.fullmatch(run)) or run in "←→⇒⇐" or (is_arrow and run in ("<", ">", "<<", ">>")):
        yield Token("word", run)
    else:
        yield from (Token("other", sign) for sign in run)
