"""What `demo` tells: a short lesson about a run, its largest jump, and a mistake."""

from pathlib import Path

import numpy as np

from orchestrator.commandline import PROGRAM
from orchestrator.executions import shown
from orchestrator.run import Performed
from orchestrator.screen.check import examples, sentence
from orchestrator.screen.parts import Screen, plural
from orchestrator.story import Jump
from orchestrator.trace import Trace
from orchestrator.trace.store import KINDS, RECEIVE


def begin(screen: Screen) -> None:
    """Say what will happen."""
    screen.say("Three machines, three clocks, ten seconds", style="bold")
    screen.say(
        "\nThe machines tick 6, 4 and 2 times a second. At each tick a machine does one thing: "
        "it takes the first message from its queue; if none waits, it works for itself or sends. "
        "Its Lamport clock counts what it does, and jumps forward when a message comes from a machine "
        "that has counted further."
    )
    screen.say("\n1. Live", style="bold")
    screen.say("Three processes that talk TCP. Nobody waits for anybody; each message takes 10 ms.\n")


def explain_live(screen: Screen, trace: Trace, performed: Performed) -> None:
    """Show what each machine did, and what the record proves."""
    columns = ("machine", "ticks/s", "events", "internal", "sent", "received", "clock", "queue", "jump")
    screen.table(columns, [_machine(trace, node, performed) for node in trace.machines])
    screen.say("clock: at the end; queue and jump: the largest", style="dim")
    screen.space()
    screen.headline(performed.report.verdict, sentence(performed.report))
    fidelity, late = performed.data["fidelity"], performed.data["late_messages"]
    if fidelity == 1:
        screen.say(f"All {len(trace)} events are those of the simulation of the same seed.")
    else:
        equal = round(fidelity * len(trace))
        screen.say(
            f"{equal} of {len(trace)} events are those of the simulation of the same seed; the others follow from "
            f"{plural(late, 'message')} that came too late, as nobody waited."
        )


def explain_jump(screen: Screen, jump: Jump | None) -> None:
    """Tell which send made which clock jump, and by which rule."""
    if jump is None:
        screen.say("\nNo message was received, so no clock jumped.")
        return
    sender, receiver = jump.send.node, jump.receive.node
    screen.say(
        f"\nThe largest jump: machine {sender} sent when its clock was {jump.stamp} (its event {jump.send}, at "
        f"{_seconds(jump.send_due_ns)}). Machine {receiver} had only counted to {jump.before} when it received that "
        f"message ({jump.receive}, at {_seconds(jump.receive_due_ns)}). A receive is later than its send, so its clock "
        f"became max({jump.before}, {jump.stamp}) + 1 = {jump.after}: a jump of {jump.size}. "
        "Whoever ticks slowly falls behind until a message brings it up to date."
    )


def introduce_mistake(screen: Screen) -> None:
    """Say what is wrong with the second half."""
    screen.say("\n2. The same, with a mistake", style="bold")
    screen.say('The same seed, simulated, with a clock that follows the exercise to the letter: "send, then update".\n')


def explain_mistake(screen: Screen, performed: Performed) -> None:
    """Show the verdict, the first pair, and the cure."""
    screen.headline(performed.report.verdict, sentence(performed.report))
    screen.bullets(examples(performed.report)[:1])
    screen.say("\nThe cure is one line, moved: update the clock first, then send it.")
    screen.say("clock += 1; send(clock)        and not        send(clock); clock += 1", indent=4)


def end(screen: Screen, good: Path, bad: Path, report: Path | None) -> None:
    """Say where both records are, where the page of the first is if there is one, and what to type next."""
    screen.say("\nWhat next", style="bold")
    if report is not None:
        screen.say("the first half as a page; open it in a browser:")
        screen.say(shown(report), indent=4)
    for what, arguments in (
        ("every check of the first half", f"check {shown(good)}"),
        ("and of the second", f"check {shown(bad)}"),
        ("the second as a page", f"report {shown(bad)}"),
        ("an experiment of your own", "run configs/exercise.yaml --runs 1 --duration 20s"),
    ):
        screen.say(f"{what}:")
        screen.say(f"{PROGRAM} {arguments}", indent=4)


def _machine(trace: Trace, node: int, performed: Performed) -> tuple[str, ...]:
    rows = trace.logs[node]
    model, measures = trace.machines[node].model, performed.report.measures["machines"][str(node)]
    assert model is not None, "a run of ours has its models"
    kinds = np.bincount(trace.kind[rows], minlength=len(KINDS))
    internal, received = int(kinds[KINDS.index("internal")]), int(kinds[RECEIVE])
    counts = (node, model.rate_hz, len(rows), internal, len(rows) - internal - received, received)
    measured = (measures[key] for key in ("final_clock", "queue_max", "jump_max"))
    return (*map(str, counts), *("-" if value is None else str(value) for value in measured))


def _seconds(time_ns: int) -> str:
    return f"{time_ns / 1e9:.2f} s"
