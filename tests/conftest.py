"""What holds for all tests: nobody looks for garbage in what was imported, and Ctrl-C is heard."""

import gc
import signal


def pytest_collection_finish() -> None:
    gc.freeze()


# What is started in the background of a script is started deaf to Ctrl-C, and so is whatever it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
