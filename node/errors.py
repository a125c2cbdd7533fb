"""The exception tree of the scale model; every class says how a program ends because of it.

Never raised for a failed check of a trace: that is a value.
"""

from typing import ClassVar, TypeVar, cast

Failure = TypeVar("Failure", bound=BaseException)


def one_line(words: str, length_max: int = 160) -> str:
    """Return foreign words as they can stand in a message: printable, on one line, and not too long."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in words[: length_max + 1])
    return shown if len(shown) <= length_max else shown[: length_max - 1] + "…"


def first_of(group: "BaseExceptionGroup[Failure]") -> "Failure":
    """Return the first error of a TaskGroup's failure, however deep it lies."""
    first: object = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return cast(Failure, first)


class ScaleModelError(Exception):
    """Something of the world's is wrong; the message says what, where and what to do, in one line."""

    exit_code: ClassVar[int] = 70


class UsageError(ScaleModelError):
    """The command line cannot be obeyed."""

    exit_code = 64


class NoLogError(ScaleModelError):
    """The input is there, but it is no log."""

    exit_code = 65


class NoInputError(ScaleModelError):
    """The input does not exist."""

    exit_code = 66


class UnavailableError(ScaleModelError):
    """Peers or a dependency are missing."""

    exit_code = 69


class OutputError(ScaleModelError):
    """An output exists already or cannot be created."""

    exit_code = 73


class LogError(ScaleModelError):
    """A log is damaged, belongs to another run or process, or could not be written."""

    exit_code = 74


class PortTakenError(ScaleModelError):
    """Somebody else listens on the port."""

    exit_code = 75


class ConfigurationError(ScaleModelError):
    """A configuration is impossible."""

    exit_code = 78


class ProtocolError(ScaleModelError):
    """The rules of the wire were broken; only the two subclasses are raised."""

    exit_code = 74


class LocalProtocolError(ProtocolError):
    """We broke the rules: a bug of ours, or a log that does not fit its peers."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules; its connection ends."""


class RefusedError(ProtocolError):
    """A peer refused our greeting, or we refused its, for good."""
