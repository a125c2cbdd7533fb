"""What `check` shows: the verdict and how it is known, the table of checks, the first examples, the remarks."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from orchestrator.screen.parts import Screen, at_most, check_text, plural, verdict_text
from orchestrator.trace.check import Report
from orchestrator.trace.findings import Check
from orchestrator.trace.verdict import WORST_FIRST, worst

EXAMPLES_MAX: Final = 3
REMARKS_MAX: Final = 8
SHARED_REMARKS_MAX: Final = 16
RUNS_NAMED_MAX: Final = 4


def show_check(screen: Screen, reports: Sequence[Report]) -> None:
    """Show a report whole; of several, a row of each, and those whole that are not valid."""
    _show_understood(screen, reports)
    if len(reports) == 1:
        _show_one(screen, reports[0])
        return
    screen.headline(worst(report.verdict for report in reports), _together(reports))
    screen.space()
    folders = {Path(report.name).parent for report in reports}
    if len(folders) == 1:
        screen.say(str(*folders), style="bold")
    columns = ("run", "verdict", "events", "receives", "violations")
    screen.table(columns, (_summary(report, whole_name=len(folders) > 1) for report in reports), left=2)
    _show_shared_remarks(screen, [report for report in reports if report.verdict == "valid"])
    for report in reports:
        if report.verdict != "valid":
            screen.space()
            _show_one(screen, report)


def _show_understood(screen: Screen, reports: Sequence[Report]) -> None:
    """Say first what was made of the logs of others."""
    understood = [report for report in reports if report.understood]
    if len(understood) == 1:
        screen.say(understood[0].understood)
    elif understood:
        names = ", ".join(dict.fromkeys(report.format for report in understood))
        events = sum(report.events for report in understood)
        screen.say(f"understood as {names}: {len(understood)} executions, {events} events in all")


def sentence(report: Report) -> str:
    """Return how the verdict is known; of a log without a clock, that none was judged."""
    if not report.nodes:
        # The last remark is on the record itself, those before it on the manifest.
        return f"there is no event log{f' that can be read: {report.remarks[-1]}' if report.remarks else ''}."
    return _known(report) + (" No clock was judged: by its format, the log has none." if _is_clockless(report) else "")


def _is_clockless(report: Report) -> bool:
    verdicts = {check.name: check.verdict for check in report.checks}
    names = ("clock-condition", "clock-rises")
    return "vector-valid" not in verdicts and all(verdicts.get(name) == "not-applicable" for name in names)


def _known(report: Report) -> str:
    match report.verdict:
        case "valid" if any(check.name == "vector-valid" for check in report.checks):
            return "every entry of every vector clock names an event that is there, and knows what that event knew."
        case "valid":
            return (
                f"each of the {report.receives} receives was traced to its send, "
                "and every check that applies is proved from the record."
            )
        case "violated":
            check = report.first_violated
            assert check is not None, "a verdict of violated comes from a check"
            times = "once" if check.violations == 1 else f"{check.violations} times"
            return f"{check.name} is violated {times}; the first check that fails names the mistake."
        case "consistent":
            names = _names(report, "consistent")
            return f"no check found a violation, but the log does not say enough to prove all: {names}."
        case _:
            names = _names(report, "unknown")
            spoiled = "lines of it cannot be read." if report.understood else "the files are not what they were."
            why = f"the record does not say enough for {names}." if names else spoiled
            return f"no check found a violation, but {why}"


def examples(report: Report) -> list[str]:
    """Return the first examples of the check that names the mistake, or else of those that cannot be decided."""
    if not report.nodes:
        return []
    named = report.first_violated
    checks = [named] if named else [check for check in report.checks if check.verdict == "unknown"]
    return [example for check in checks for example in check.examples][:EXAMPLES_MAX]


def _show_one(screen: Screen, report: Report) -> None:
    screen.say(report.name, style="bold")
    screen.headline(report.verdict, sentence(report))
    if not report.nodes:
        return
    screen.say(
        f"{plural(report.nodes, 'machine')}, {plural(report.events, 'event')}, {plural(report.receives, 'receive')}; "
        f"the longest chain of causes: {plural(report.longest_chain, 'event')}"
    )
    screen.space()
    screen.table(("check", "verdict", "known", "violations"), map(_row, _shown(report.checks)), left=3)
    _say_not_applicable(screen, report)
    if found := examples(report):
        screen.say("\nFor example:" if report.first_violated else "\nWhat is missing, for example:")
        screen.bullets(found)
    if report.remarks:
        screen.say("\nRemarks:")
        screen.bullets(at_most(report.remarks, REMARKS_MAX))


def _show_shared_remarks(screen: Screen, reports: Sequence[Report]) -> None:
    """Show each remark on these runs once; behind it, unless it is on all of them, the runs that it is on."""
    runs: dict[str, list[str]] = {}
    for report in reports:
        for remark in report.remarks:
            runs.setdefault(remark, []).append(Path(report.name).name)
    if runs:
        screen.say("\nRemarks:")
        lines = [
            remark if len(names) == len(reports) else f"{remark} ({', '.join(at_most(names, RUNS_NAMED_MAX))})"
            for remark, names in runs.items()
        ]
        screen.bullets(at_most(lines, SHARED_REMARKS_MAX))
    ours = [check for report in reports if not report.understood for check in report.checks]
    for line in dict.fromkeys(_why_not_applicable(ours)):
        screen.say(line, style="dim")


def _say_not_applicable(screen: Screen, report: Report) -> None:
    """Say why a check was left out; the logs of others leave out many, for reasons that a document gives."""
    left_out = [check for check in report.checks if check.verdict == "not-applicable" and check.examples]
    if report.understood and left_out:
        names = ", ".join(check.name for check in left_out)
        screen.say(f"not applicable to this log: {names} (why: docs/evidence.md)", style="dim")
        return
    for line in _why_not_applicable(left_out):
        screen.say(line, style="dim")


def _why_not_applicable(checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        if check.verdict == "not-applicable" and check.examples:
            yield f"{check.name}: not applicable, {check.examples[0]}"


def _shown(checks: Sequence[Check]) -> list[Check]:
    """Return the checks that the record is subject to; why the others are not is said below the table."""
    return [check for check in checks if check.verdict != "not-applicable" or not check.examples]


def _row(check: Check) -> tuple[str | Text, ...]:
    known = (check.evidence or "").replace("-", " ")
    return check.name, check_text(check.verdict), known, "" if check.violations is None else str(check.violations)


def _summary(report: Report, *, whole_name: bool) -> tuple[str | Text, ...]:
    violations = sum(check.violations or 0 for check in report.checks)
    name = report.name if whole_name else Path(report.name).name
    return name, verdict_text(report.verdict), str(report.events), str(report.receives), str(violations)


def _names(report: Report, verdict: str) -> str:
    return ", ".join(check.name for check in report.checks if check.verdict == verdict)


def _together(reports: Sequence[Report]) -> str:
    """Return how many runs have which verdict, worst first."""
    verdicts = [report.verdict for report in reports]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in WORST_FIRST if verdict in verdicts]
    return f"{plural(len(reports), 'run')}: {', '.join(counts)}."
