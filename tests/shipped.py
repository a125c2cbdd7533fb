"""The experiments that come with us, by what a test may do with them."""

from pathlib import Path
from typing import Final

CONFIGS: Final = Path(__file__).parents[1] / "configs"
LARGE: Final = {"hundred-machines": 100, "ten-thousand": 10_000, "hundred-thousand": 100_000}
"""Those for the compiled simulation, and how many machines each has."""
RUN_BY_TESTS: Final = sorted(path for path in CONFIGS.glob("*.yaml") if path.stem not in LARGE)
"""Those that are short enough for the readable reference and the plain checks."""
