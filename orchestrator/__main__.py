"""python -m orchestrator: parse, do, print, and end with the exit code that scripts rely on (design section 5).

Never decides what an answer is: a command returns it, and this module alone prints.
"""

import json
import os
import sys
import tempfile
import traceback
from argparse import Namespace
from collections.abc import Sequence
from io import TextIOWrapper

from node.errors import ScaleModelError
from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.commandline import OVERVIEW, parse

BUG = 70


def main(arguments: Sequence[str]) -> int:
    """Obey the command line and return the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A path that is no text, or a terminal that lacks a letter, must not cost the answer.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return obey(arguments)
    except ScaleModelError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # a bug of ours must not end with Python's 1, which means "violated"
        complain(report_bug(error))
        return BUG


def obey(arguments: Sequence[str]) -> int:
    """Do what the first word asks."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(OVERVIEW, end="")
        return 0
    if arguments[0] == "--version":
        print(version())
        return 0
    options = parse(arguments)
    return say(perform(options), as_json=getattr(options, "json", False))


def perform(options: Namespace) -> Answer:
    """Perform a command."""
    from orchestrator import commands  # noqa: PLC0415  # help, version and mistyped flags need nothing of it

    return commands.answer(options)


def version() -> str:
    """Return the versions of the program, of the model that a seed's events depend on, and of the log's format."""
    from node.model import MODEL_VERSION  # noqa: PLC0415
    from node.record import FORMAT_VERSION  # noqa: PLC0415
    from orchestrator.version import program_version  # noqa: PLC0415

    return f"Scale Model {program_version()}, model {MODEL_VERSION}, log format {FORMAT_VERSION}"


def say(answer: Answer, *, as_json: bool) -> int:
    """Print an answer and return its exit code."""
    try:
        if not as_json:
            from orchestrator.screen.parts import Screen  # noqa: PLC0415  # rich only where somebody reads

            answer.show(Screen(sys.stdout))
        elif answer.is_data:
            print(json.dumps(answer.data, indent=2, allow_nan=False))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if answer.problem is not None:
        complain(answer.problem)
    return answer.exit_code


def complain(sentence: str) -> None:
    """Say on stderr what is wrong."""
    print(f"error: {sentence}", file=sys.stderr)


def report_bug(error: Exception) -> str:
    """Write the traceback of a bug of ours to a file and return the line that says so."""
    with tempfile.NamedTemporaryFile("w", prefix="scale-model-", suffix=".txt", delete=False) as file:
        file.writelines(traceback.format_exception(error))
    what = str(error).partition("\n")[0]
    return f"a bug of ours: {type(error).__name__}: {what}; please report it with {file.name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
