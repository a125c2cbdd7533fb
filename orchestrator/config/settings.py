"""The settings of an experiment: what each value may be, and what is said if it is not.

Never looks at two settings together; Experiment does.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias

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

NODES_MAX: Final = 100_000
LINKS_MAX: Final = 4_000_000
"""So many are in memory at once, with every machine at both their ends."""
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


def duration(*, least_ns: int, example: str) -> tuple[Any, ...]:
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


def by(kind: Any, what: str) -> Discriminator:
    """Return what chooses between kinds of values by `kind`; a value of none of them was expected to be `what`."""
    # The words are the message and not its context: then the type can be part of a union.
    return Discriminator(kind, custom_error_type="expected_kind", custom_error_message=what)


def keyed(pattern: str) -> Callable[[dict[str, Any]], None]:
    """Return what tells an editor that the keys of a mapping look like `pattern`, and that there are no others."""

    def change(schema: dict[str, Any]) -> None:
        schema.pop("propertyNames", None)
        (values,) = (schema.pop(word) for word in ("additionalProperties", "patternProperties") if word in schema)
        schema |= {"patternProperties": {pattern: values}, "additionalProperties": False}

    return change


def without_defaults(schema: dict[str, Any]) -> None:
    """Tell an editor nothing of what an absent setting is: it is that of all."""
    for described in schema["properties"].values():
        described.pop("default", None)


Name: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]
Question: TypeAlias = Annotated[str, Field(max_length=QUESTION_LENGTH_MAX), AfterValidator(_one_line)]
NodeNumber: TypeAlias = Annotated[int, Field(ge=1, le=NODES_MAX)]
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Rate: TypeAlias = Annotated[int, Field(ge=1, le=RATE_HZ_MAX)]
DurationNs: TypeAlias = Annotated[int, *duration(least_ns=1, example="60s")]
DelayNs: TypeAlias = Annotated[int, *duration(least_ns=0, example="10ms")]


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


_RATES: TypeAlias = Annotated[tuple[Rate, ...], Field(max_length=NODES_MAX)]
TickRate: TypeAlias = Annotated[
    Annotated[RateRange, Tag("range")] | Annotated[_RATES, Tag("list")],
    by(_kind_of_rates, "a range such as {min: 1, max: 6}, or one rate per machine such as [3, 5, 2]"),
]
