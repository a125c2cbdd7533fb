"""The settings of an experiment: what each value may be, and what is said if it is not.

Never looks at two settings together; Experiment does.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from node.model import DURATION_NS_MAX, RATE_HZ_MAX
from orchestrator.config.duration import PATTERN, format_duration, parse_duration

NODES_MAX: Final = 1_000
QUESTION_LENGTH_MAX: Final = 500
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""A name becomes a directory."""


class Border(BaseModel):
    """Everything is checked once, where it enters, and never changes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


def expected(what: str) -> PydanticCustomError:
    """Return the error of a value that is not `what`; whoever reports it adds what came."""
    return PydanticCustomError("expected", "{what}", {"what": what})


def refused(why: str, *trail: str | int) -> PydanticCustomError:
    """Return the error of a value that cannot be, in a whole sentence; `trail` leads to it from where it is found."""
    return PydanticCustomError("refused", "{why}", {"why": why, "trail": trail})


def _duration(*, least_ns: int, example: str) -> tuple[Any, ...]:
    """Return what lets a field of whole ns be read, written and described as a duration such as `10ms`."""

    def read(value: object) -> int:
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise refused(f"a duration needs a unit; did you mean {value}{example.lstrip('0123456789')}?")
        if not isinstance(value, str):
            raise expected(f"a duration such as {example}")
        try:
            time_ns = parse_duration(value)
        except ValueError as error:
            raise expected(str(error)) from None
        if not least_ns <= time_ns <= DURATION_NS_MAX:
            raise expected(f"at least {least_ns}ns and at most {DURATION_NS_MAX}ns (104 days)")
        return time_ns

    schema = {"type": "string", "pattern": PATTERN, "examples": [example]}
    return BeforeValidator(read), PlainSerializer(format_duration, return_type=str), WithJsonSchema(schema)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable():
        raise expected("text that can be shown")
    return line


def _kind_of_rates(value: object) -> str | None:
    return "range" if isinstance(value, dict | RateRange) else "list" if isinstance(value, tuple) else None


def _kind_of_topology(value: object) -> str | None:
    return "named" if value == "full" else "lists" if isinstance(value, dict) else None


def _refuse_later_topologies(value: object) -> object:
    if isinstance(value, str) and value in ("ring", "star", "random"):
        raise refused(f"{value} is not built yet; write full, or lists such as {{1: [2], 2: [3], 3: [1]}}")
    return value


def _by(kind: Any, what: str) -> Discriminator:
    return Discriminator(
        kind, custom_error_type="expected", custom_error_message="{what}", custom_error_context={"what": what}
    )


Name: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]
Question: TypeAlias = Annotated[str, Field(max_length=QUESTION_LENGTH_MAX), AfterValidator(_one_line)]
NodeNumber: TypeAlias = Annotated[int, Field(ge=1, le=NODES_MAX)]
Rate: TypeAlias = Annotated[int, Field(ge=1, le=RATE_HZ_MAX)]
DurationNs: TypeAlias = Annotated[int, *_duration(least_ns=1, example="60s")]
DelayNs: TypeAlias = Annotated[int, *_duration(least_ns=0, example="10ms")]


class RateRange(Border):
    """Each machine draws its rate from this range."""

    min: Rate = 1
    """The slowest rate that a machine may draw, in ticks a second."""
    max: Rate = 6
    """The fastest rate that a machine may draw, in ticks a second."""

    @model_validator(mode="after")
    def _rises(self) -> "RateRange":
        if self.min > self.max:
            raise refused(f"min {self.min} is above max {self.max}", "min")
        return self


class Network(Border):
    """What every message goes through."""

    delay_ns: DelayNs = Field(default=0, alias="delay", json_schema_extra={"default": "0ms"})
    """How long every message travels."""


_RATES: TypeAlias = Annotated[tuple[Rate, ...], Field(max_length=NODES_MAX)]
_LISTS: Final = {
    "type": "object",
    "patternProperties": {
        "^[1-9][0-9]{0,3}$": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": NODES_MAX}}
    },
    "additionalProperties": False,
    "examples": [{"1": [2], "2": [3], "3": [1]}],
}

TickRate: TypeAlias = Annotated[
    Annotated[RateRange, Tag("range")] | Annotated[_RATES, Tag("list")],
    _by(_kind_of_rates, "a range such as {min: 1, max: 6}, or one rate per machine such as [3, 5, 2]"),
]
Topology: TypeAlias = Annotated[
    Annotated[Literal["full"], Tag("named")]
    | Annotated[Mapping[NodeNumber, tuple[NodeNumber, ...]], Tag("lists"), WithJsonSchema(_LISTS)],
    _by(_kind_of_topology, "full, or whom each machine sends to, such as {1: [2], 2: [3], 3: [1]}"),
    BeforeValidator(_refuse_later_topologies),
]
