"""The fault simulator: whatever a seed does to the nodes, the logs are those of the simulation."""

import pytest

from tests.sim.__main__ import main
from tests.sim.mistakes import MISTAKES
from tests.sim.plan import draw
from tests.sim.play import FAULTS, play
from tests.sim.summary import Summary, add_up, lines_of

SEEDS, PART = 1_000, 100
SEEDS_SOAK, PART_SOAK = 25_000, 1_000
MISTAKE = "clock restarts at 0"
FOUND = {14334: "a promise of the new incarnation, replayed, was believed before the window of the old one came again"}
"""Seeds that went wrong once, and why."""


def seeds(first: int, count: int) -> Summary:
    """Play so many seeds, and say what was wrong with the line that replays it."""
    found = add_up(play(draw(seed)) for seed in range(first, first + count))
    print("\n".join(lines_of(found)))
    if found.wrong:
        pytest.fail("\n".join(f"{outcome.words}\n  {outcome.again}" for outcome in found.wrong), pytrace=False)
    return found


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_fault_leaves_a_mark_in_the_trace(first: int) -> None:
    """Every log equal to the simulation, every check valid, nothing sent unwritten; and enough was tried."""
    found = seeds(first, PART)

    assert {name for name in FAULTS if found.counts[name]} == set(FAULTS)
    assert found.faults >= 5 * PART
    assert found.at_risk >= PART
    assert found.counts["found half-open"] >= PART // 2


@pytest.mark.parametrize("seed", FOUND)
def test_what_went_wrong_once_does_not_again(seed: int) -> None:
    """A found seed stays."""
    seeds(seed, 1)


@pytest.mark.soak  # 20 minutes of one core
@pytest.mark.parametrize("first", range(0, SEEDS_SOAK, PART_SOAK))
def test_no_fault_leaves_a_mark_in_many_traces(first: int) -> None:
    found = seeds(first, PART_SOAK)

    assert found.faults >= 5 * PART_SOAK


def test_a_seed_is_the_same_run_every_time() -> None:
    """A line that replays a seed is worth nothing if the next run is another one."""
    assert play(draw(3)) == play(draw(3))


def test_a_seed_that_goes_wrong_prints_the_line_that_plays_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """That line does what the test has done, and with the same mistake it comes to the same end."""
    MISTAKES[MISTAKE](monkeypatch)
    with pytest.raises(
        pytest.fail.Exception, match=r"^the trace differs: .*\n  python3 lab\.py python -m tests\.sim 0$"
    ):
        seeds(0, 1)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["0"], 0), (["0", "2"], 0), (["0", "--mistake", MISTAKE], 1)], ids=str
)
def test_a_seed_can_be_played_again(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert code == main(arguments)
    assert (code == 1) == ("python3 lab.py python -m tests.sim 0" in capsys.readouterr().out)
