"""`python -m node`: one machine of a scale model."""

import sys

MISSING = "{name} is missing here; run it as:  python3 lab.py python -m node …"


def main() -> int:
    """Run one node and return its exit code; whatever is wrong is one line on stderr."""
    # structlog would import rich if it is there, which doubles the time to start.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        from node.run import run
    except ModuleNotFoundError as error:
        print(MISSING.format(name=error.name), file=sys.stderr)
        return 69
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
