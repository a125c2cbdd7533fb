"""`python -m node`: one machine of a scale model. Whatever is wrong is one line on stderr."""

import gc
import os
import sys
import tempfile
import traceback
from contextlib import suppress


def main() -> int:
    """Run one node and return its exit code (design section 5)."""
    # structlog would import rich if it is there, which doubles the time to start.
    sys.modules["rich"] = None  # type: ignore[assignment]  # exactly so Python says "there is none"
    # Nothing that is imported becomes garbage; looking for it is a fifth of the time to start.
    gc.disable()
    try:
        from node.errors import ScaleModelError  # noqa: PLC0415  # a missing package must be one line
        from node.run import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _complain(f"{error.name} is missing here; run it as:  python3 lab.py python -m node …", 69)
    gc.freeze()
    gc.enable()
    try:
        return run(sys.argv[1:])
    except ScaleModelError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001  # the top: a bug of ours is one line, too
        with tempfile.NamedTemporaryFile("w", prefix="scale-model-", suffix=".txt", delete=False) as file:
            file.write(traceback.format_exc())
        return _complain(f"a bug of ours; the traceback is in {file.name}", 70)


def _complain(words: str, exit_code: int) -> int:
    with suppress(OSError):  # Where the disk is full, the exit code says it alone.
        os.write(
            sys.stderr.fileno(), f"error: {words}\n".encode(errors="backslashreplace")
        )  # Unbuffered: nothing is left to fail at the end.
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
