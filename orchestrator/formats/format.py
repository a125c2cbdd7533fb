"""A log format as data: which files are which node, what a record looks like, and what its fields mean.

Never opens a log. `docs/formats.md` describes every key.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, cast, get_args

from pydantic import AfterValidator, BeforeValidator, model_validator

from orchestrator.config.settings import Border, expected, refused
from orchestrator.formats.filling import is_there

Field: TypeAlias = Literal[
    "node",
    "thread",
    "kind",
    "event",
    "from",
    "to",
    "peer",
    "message",
    "stamp",
    "clock",
    "queue",
    "time",
    "index",
    "run",
]
"""What a record can say; any other name of a group or a column is carried along and means nothing."""

Kind: TypeAlias = Literal["internal", "send", "send-all", "send-some", "receive", "ignore"]
"""`send`: to the recipients it names, or to one that it does not name; `send-some`: to one or several, nobody knows
whom; `ignore`: no event."""

ClockKind: TypeAlias = Literal["scalar", "fractional", "vector", "none"]

FIELDS: Final[tuple[str, ...]] = get_args(Field)
SYNONYMS: Final = {
    "host": "node",
    "date": "time",
    "timestamp": "time",
    "sender": "from",
    "recipient": "to",
    "id": "message",
}
"""Other names of fields, as ShiViz and people write them."""

KINDS: Final[Mapping[Kind, str]] = {
    "receive": r"rece?i?e?ve?d?|receiving|recv|rcvd?|rx|deliver(ed|y)?|consumed?|got|in(coming|bound)?",
    "send-all": r"(send|sent|sending)?[-_ ]*(to[-_ ]*)?(all|both|everyone|broadcast(ed|ing)?|bcast|multicast)",
    "send": r"send(ing)?|sent|snd|tx|publish(ed)?|produced?|emit(ted)?|out(going|bound)?|sen[dt][-_( ]?\w*\)?",
    "internal": r"internal|local|int|compute|work|step|idle|event|other",
}
"""What kinds are called where the format does not say; matched against the whole field, in any case."""

DELIMITERS: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}

_NAMED_GROUP: Final = re.compile(r"\(\?<(?![=!])")
_PYTHON_GROUP: Final = re.compile(r"\(\?P?<(?![=!])")
_CANNOT_BE_JOINED: Final = re.compile(r"\\[1-9]|\(\?P=|\(\?\(|\(\?[aiLmsux]+\)")


@dataclass(frozen=True, slots=True)
class Search:
    """An expression that finds records, the names of its groups, and the kind of what it finds, where it says so."""

    kind: str
    text: str
    expression: "re.Pattern[str]"

    @property
    def groups(self) -> list[str]:
        """The names of its groups."""
        return list(self.expression.groupindex)


def compiled(expression: str, flags: int = 0) -> "re.Pattern[str]":
    r"""Return a regular expression in ShiViz's syntax: `(?<name>…)`; `^` and `$` stand at lines, `.` stays in one.

    Raises re.error.
    """
    return re.compile(_NAMED_GROUP.sub("(?P<", expression), re.MULTILINE | flags)


def _expression(text: str) -> str:
    try:
        compiled(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise expected(f"a regular expression ({error})") from None
    return text


def _listed(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (value,) if isinstance(value, str) else value


def _texts(value: object) -> object:
    """Take a number for the text that somebody wrote."""
    if isinstance(value, tuple):
        return tuple(str(item) if type(item) is int else item for item in value)
    return value


Expression: TypeAlias = Annotated[str, AfterValidator(_expression)]
Expressions: TypeAlias = Annotated[tuple[Expression, ...], BeforeValidator(_texts), BeforeValidator(_listed)]
Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_texts), BeforeValidator(_listed)]


def _delimiter(value: object) -> object:
    return DELIMITERS.get(value, value) if isinstance(value, str) else value


class LogFormat(Border):
    """What the key of a format file says; the class is the schema."""

    name: str = ""
    """How the format is called; the file's name if absent."""
    about: str = ""
    """One sentence: whose logs these are."""
    files: Expression = ""
    """Which files: searched in the path below the folder given; its groups `node`, `thread` and `run` name these."""
    layout: Literal["text", "pairs", "table", "json"] = "text"
    """Text is searched for records; lines of `key=value` pairs, of a table, or of JSON are a record each."""
    record: Expressions = ()
    """Layout text: what a record looks like, named groups are fields; several are tried in their order; without it the
    expressions of `kinds` find the records. Layouts pairs and json: what stands before the pairs or the object."""
    delimiter: Annotated[str, BeforeValidator(_delimiter)] = ","
    """Layout table: what stands between cells: tab, comma, semicolon, pipe, space, or a character."""
    columns: Texts = ()
    """Layout table: the columns' names where there is no header line."""
    fields: Mapping[Field, Texts] = {}
    """Which column, JSON path (`a.b.0`) or group says what: `clock: LOGICAL_TIME`; of several the first that is there.
    Braces put values together: `{node}:{index}`. What is not named here means what it is called."""
    kinds: Mapping[Kind, Expressions] = {}
    """How kinds are told: matched against the whole field `kind`, or searched in `event`, or in the line where a record
    has neither; groups are fields."""
    ignore: Expressions = ()
    """Lines that are known to be no events."""
    split: Expression = ""
    """A line that begins another execution; its group `run` or `trace` names it."""
    clock: ClockKind = "scalar"
    """Scalar: whole numbers; fractional: decimals; vector: JSON, list or text; none: there is none."""
    time: str = "auto"
    """auto, none, `s`, `ms`, `us`, `ns`, `iso`, or how strptime reads it: `%d/%b/%Y:%H:%M:%S`."""
    ids: Literal["all", "sender", "link"] = "all"
    """Among which messages an id, the field `message`, names one: all, those of one sender, or those of one link."""
    broadcast: Literal["line", "lines"] = "line"
    """Whether a send to several is one line, or a line for each of them, one behind the other and with one clock."""
    nodes: Texts = ()
    """All machines, in the order of a vector that is a list."""
    aliases: Mapping[str, str] = {}
    """What else a node is called by others: `{localhost:5001: a}`."""
    fifo: bool = True
    """Whether a message never overtakes another of its link, as over TCP."""
    complete: bool = False
    """Whether it is known that no line is missing."""

    @model_validator(mode="after")
    def _has_what_its_layout_needs(self) -> Self:
        if self.layout == "text" and not self.record and not self.kinds:
            raise refused("a text format needs record, or kinds: the regular expressions of what is an event")
        if self.layout == "table" and len(self.delimiter) != 1:
            raise refused("a delimiter is one character, or tab, comma, semicolon, pipe or space", "delimiter")
        return self

    @cached_property
    def file_expression(self) -> "re.Pattern[str] | None":
        """The expression that a file's path must hold, if there is one."""
        return compiled(self.files) if self.files else None

    @property
    def is_told_by_search(self) -> bool:
        """Whether the expressions of `kinds` find the records."""
        return self.layout == "text" and not self.record

    @property
    def is_told_by_line(self) -> bool:
        """Whether the expressions of `kinds` may be searched in whole lines."""
        return bool(self.kinds) and not self.is_told_by_search

    @cached_property
    def searches(self) -> tuple[Search, ...]:
        """What finds the records, in the order in which it is tried."""
        by_kind = [(kind, text) for kind, texts in self.kinds.items() for text in texts]
        given = by_kind if self.is_told_by_search else [("", text) for text in self.record]
        return tuple(Search(kind, text, compiled(text)) for kind, text in given)

    @cached_property
    def joined(self) -> "re.Pattern[str] | None":
        """All of `searches` in one, as groups `_0`, `_1` and so on with `_0_clock` in them; None if it cannot be."""
        if any(_CANNOT_BE_JOINED.search(search.text) for search in self.searches):
            return None
        parts = [
            f"(?P<_{which}>{_PYTHON_GROUP.sub(f'(?P<_{which}_', search.text)})"
            for which, search in enumerate(self.searches)
        ]
        return re.compile("|".join(parts), re.MULTILINE)

    @cached_property
    def kind_expressions(self) -> "tuple[tuple[Kind, re.Pattern[str]], ...]":
        """The kinds in the order in which they are tried."""
        given = self.kinds or {kind: (text,) for kind, text in KINDS.items()}
        return tuple((kind, compiled(text, re.IGNORECASE)) for kind, texts in given.items() for text in texts)

    @cached_property
    def ignored(self) -> "tuple[re.Pattern[str], ...]":
        """The expressions of lines that are no events."""
        return tuple(compiled(one) for one in self.ignore)

    def sources(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return, by field, which of these columns or groups say it; of several the first that is there counts."""
        names = list(names)
        claimed = {source for sources in self.fields.values() for source in sources}
        found = {field: [one for one in sources if is_there(one, names)] for field, sources in self.fields.items()}
        for name in names:
            field = SYNONYMS.get(name.lower(), name.lower())
            if name not in claimed and field in FIELDS and field not in self.fields:
                found.setdefault(cast(Field, field), []).append(name)
        return {field: sources for field, sources in found.items() if sources}

    def as_data(self) -> dict[str, Any]:
        """Return the keys that differ from their defaults."""
        return self.model_dump(exclude_defaults=True)
