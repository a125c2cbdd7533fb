"""What holds for all tests: what was imported becomes no garbage, and nobody looks for it again and again."""

import gc


def pytest_collection_finish() -> None:
    gc.freeze()
