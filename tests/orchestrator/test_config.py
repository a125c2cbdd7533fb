"""Experiments from YAML: what a file means, and what is said where it means nothing."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from node.dice import roll
from node.errors import ConfigurationError, NoInputError, ScaleModelError, UsageError
from node.model import DURATION_NS_MAX, SECOND_NS, SEED_MAX, draw_phase_ns, draw_rate_hz
from node.model import Network as MachineNetwork
from node.network import Inbound, Link, Uniform
from node.window import Cut
from orchestrator.config import Experiment, experiment_schema, load_experiment, parse_experiment, yamlfile
from orchestrator.config.duration import format_duration, parse_duration
from tests.golden_runs import ALL, GOLDEN
from tests.golden_runs import machines as golden_machines
from tests.shipped import CONFIGS, LARGE

EXERCISE = (CONFIGS / "exercise.yaml").read_text()
SHOWN_KEYS = [
    "name", "question", "nodes", "tick_rate", "phase", "internal_probability", "clock", "topology", "duration", "runs",
    "seed", "network", "faults",
]  # fmt: skip
KEYS = [*SHOWN_KEYS[:7], "machines", *SHOWN_KEYS[7:]]
RANGE = {"min": 1, "max": 6}
# notebook-claims: rates, probability of an internal event, seconds, machines
SHIPPED: dict[str, tuple[Any, float, int, int]] = {
    "exercise": (RANGE, 0.7, 60, 3),
    "low-internal": (RANGE, 0.3, 60, 3),
    "rates-1-12": ({"min": 1, "max": 12}, 0.7, 60, 3),
    "rates-4-6": ({"min": 4, "max": 6}, 0.3, 60, 3),
    "rates-1-3": ({"min": 1, "max": 3}, 0.3, 60, 3),
    "fixed-3-5-2": ([3, 5, 2], 0.7, 60, 3),
    "fixed-4-2-6": ([4, 2, 6], 0.3, 60, 3),
    "fixed-11-3-8": ([11, 3, 8], 0.7, 60, 3),
    "fixed-5-4-6": ([5, 4, 6], 0.3, 60, 3),
    "extended": (RANGE, 0.7, 75, 3),
    "five-machines": (RANGE, 0.7, 60, 5),
}


WITH_FAULTS = [
    "amnesia", "crash-and-return", "duplicates", "far-site", "flaky-link", "healed-partition", "long-pause",
    "lossy-network", "one-way-partition",
    "reordering", "ring-of-ten", "slow-down", "slow-machine", "split-brain",
]  # fmt: skip


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds with libyaml and without."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML has no libyaml here")
    monkeypatch.setattr(yamlfile, "LOADER", getattr(yaml, request.param))


def error_of(text: str, *, name: str = "x.yaml") -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_experiment(text, name=name)
    assert caught.value.exit_code == 78

    return str(caught.value)


def refusal_of(text: str) -> str | None:
    try:
        parse_experiment(text, name="x.yaml")
    except ConfigurationError as error:
        return str(error)
    return None


def edited(old: str, new: str) -> str:
    assert EXERCISE.count(old) == 1, "an edit has one place"

    return EXERCISE.replace(old, new)


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# What is shipped


def test_the_configurations_of_the_notebooks_are_shipped_those_with_faults_and_the_large_ones() -> None:
    """Every configuration whose figures are to be judged is there under its name."""
    assert sorted([*SHIPPED, *WITH_FAULTS, *LARGE]) == sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    assert (len(SHIPPED), len(WITH_FAULTS), len(LARGE)) == (11, 14, 3)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_experiment_has_a_bounded_fan_out(name: str) -> None:
    """It answers a question, and an editor shows no error in it."""
    experiment, schema = load_experiment(CONFIGS / f"{name}.yaml"), experiment_schema()

    assert (experiment.name, experiment.question[-1], experiment.nodes) == (name, "?", LARGE[name])
    assert not isinstance(experiment.topology, str)
    assert is_valid(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()), schema, schema)


@pytest.mark.parametrize("name", WITH_FAULTS)
def test_a_question_about_faults_is_one(name: str) -> None:
    """All labs run it, and an editor shows no error in it."""
    experiment, schema = load_experiment(CONFIGS / f"{name}.yaml"), experiment_schema()

    assert (experiment.name, experiment.question[-1], experiment.runs, experiment.seed) == (name, "?", 5, 262)
    assert is_valid(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()), schema, schema)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_configuration_says_what_the_notebooks_ran(name: str) -> None:
    """Rates, probability, duration, runs and machines are those of the claims; the seed is ours."""
    rates, probability, seconds, nodes = SHIPPED[name]
    experiment = load_experiment(CONFIGS / f"{name}.yaml")
    found = experiment.model_dump(by_alias=True, mode="json")

    assert found["tick_rate"] == rates
    assert (found["internal_probability"], found["duration"]) == (probability, f"{seconds}s")
    assert (found["name"], found["nodes"], found["runs"], found["seed"]) == (name, nodes, 5, 262)
    assert experiment.question.endswith("?")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_configuration_writes_every_key_at_column_1(name: str) -> None:
    """A newcomer sees every setting that there is, in the order of the design."""
    first, *lines = (CONFIGS / f"{name}.yaml").read_text().splitlines()

    assert first == "# yaml-language-server: $schema=./schema.json"
    assert [line.partition(":")[0] for line in lines] == SHOWN_KEYS


def test_an_absent_key_has_the_value_that_the_exercise_shows() -> None:
    """Every default is the one that the design shows."""
    assert parse_experiment("question: How far do the clocks drift when machines differ up to six-fold?",
                            name="exercise.yaml") == load_experiment(CONFIGS / "exercise.yaml")  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.yaml", "b"),
        ("my test.yml", "my-test"),
        ("-übung-.yaml", "ubung"),
        ("試.yaml", "experiment"),
        ("x" * 99, "x" * 64),
    ],
)
def test_an_experiment_without_a_name_takes_that_of_its_file(path: str, name: str) -> None:
    """The name becomes a directory: what a directory should not have is left out."""
    assert name == parse_experiment("nodes: 3", name=path).name


# The machines of a run


def test_run_k_has_the_seed_of_the_experiment_plus_k_minus_1() -> None:
    """Model section 1."""
    experiment = parse_experiment(EXERCISE, name="x.yaml")

    assert [262, 263, 266] == [experiment.machines(run)[1].seed for run in (1, 2, 5)]


def test_rates_and_phases_are_what_the_dice_say_for_the_runs_seed() -> None:
    """Model section 2: drawn in [min, max] and in [0, 10^9 // rate) for this seed and machine."""
    machines = parse_experiment(edited("max: 6", "max: 60"), name="x.yaml").machines(2)

    for node, machine in machines.items():
        rate_hz = draw_rate_hz(263, node, least=1, most=60)
        assert (machine.rate_hz, machine.phase_ns) == (rate_hz, draw_phase_ns(263, node, rate_hz=rate_hz))


def test_given_rates_are_each_machines_own_and_aligned_phases_are_0() -> None:
    """Model section 2: a rate may be given, and `phase: aligned` makes the phase 0."""
    text = edited("{min: 1, max: 6}", "[3, 5, 2]").replace("phase: random", "phase: aligned")

    machines = parse_experiment(text, name="x.yaml").machines(1)

    assert {1: (3, 0), 2: (5, 0), 3: (2, 0)} == {n: (m.rate_hz, m.phase_ns) for n, m in machines.items()}


def test_every_setting_reaches_every_machine() -> None:
    """A machine is given the experiment's clock, duration, probability and delay."""
    text = edited("0.7", "0.25").replace("lamport", "lamport-literal").replace("60s", "1.5s").replace("0ms", "10ms")

    for machine in parse_experiment(text, name="x.yaml").machines(1).values():
        assert (machine.clock, machine.duration_ns) == ("lamport-literal", 1_500_000_000)
        assert (machine.internal_probability, machine.network.delay_ns) == (0.25, 10_000_000)


def test_in_a_full_topology_everybody_sends_to_everybody_else() -> None:
    """Model section 3."""
    machines = parse_experiment(EXERCISE, name="x.yaml").machines(1)

    assert {1: (2, 3), 2: (1, 3), 3: (1, 2)} == {node: machine.peers for node, machine in machines.items()}
    assert all(machine.peers == machine.senders for machine in machines.values())


def test_a_directed_topology_gives_peers_ascending_and_senders_turned_round() -> None:
    """A machine that is left out, or has an empty list, has no peers; who lists it sends to it."""
    text = edited("nodes: 3", "nodes: 4").replace("topology: full", "topology: {3: [4, 1, 2], 1: [2], 2: []}")

    machines = parse_experiment(text, name="x.yaml").machines(1)

    assert {1: (2,), 2: (), 3: (1, 2, 4), 4: ()} == {node: machine.peers for node, machine in machines.items()}
    assert {1: (3,), 2: (1, 3), 3: (), 4: (3,)} == {node: machine.senders for node, machine in machines.items()}


def test_in_a_ring_each_machine_sends_to_both_neighbours() -> None:
    """The last and the first are neighbours; two machines are each other's."""
    ring = parse_experiment("{nodes: 5, topology: ring}", name="x.yaml").machines(1)
    pair = parse_experiment("{nodes: 2, topology: ring}", name="x.yaml").machines(1)

    assert {1: (2, 5), 2: (1, 3), 3: (2, 4), 4: (3, 5), 5: (1, 4)} == {node: ring[node].peers for node in ring}
    assert all(machine.peers == machine.senders for machine in ring.values())
    assert {1: (2,), 2: (1,)} == {node: pair[node].peers for node in pair}


def test_in_a_star_everybody_sends_to_the_first_and_the_first_to_everybody() -> None:
    star = parse_experiment("{nodes: 4, topology: star}", name="x.yaml").machines(1)

    assert {1: (2, 3, 4), 2: (1,), 3: (1,), 4: (1,)} == {node: star[node].peers for node in star}
    assert all(machine.peers == machine.senders for machine in star.values())


def test_random_peers_are_drawn_without_putting_back_and_anew_for_each_run() -> None:
    """docs/faults.md: the shuffle of Fisher and Yates over the others, purpose 5, at tick 0, `other` the draw."""
    experiment = parse_experiment("{nodes: 7, topology: {random: 3}, seed: 262}", name="x.yaml")

    for run in (1, 2):
        for node, machine in experiment.machines(run).items():
            left, drawn = [other for other in range(1, 8) if other != node], []
            for place in range(3):
                chosen = place + (roll(261 + run, node, 0, 5, place) * (6 - place) >> 64)
                left[place], left[chosen] = left[chosen], left[place]
                drawn.append(left[place])
            assert machine.peers == tuple(sorted(drawn))
    assert [m.peers for m in experiment.machines(1).values()] != [m.peers for m in experiment.machines(2).values()]


def test_every_machine_is_drawn_as_a_peer_about_as_often() -> None:
    """700 machines draw 2 of 6 others: each of them 233 times, give or take 5 standard deviations."""
    experiment = parse_experiment("{nodes: 7, topology: {random: 2}, runs: 700}", name="x.yaml")
    drawn = [peer for run in range(1, 701) for peer in experiment.machines(run)[4].peers]

    assert all(abs(drawn.count(peer) - 700 / 3) < 5 * (700 * 2 / 9) ** 0.5 for peer in (1, 2, 3, 5, 6, 7))


def test_a_machine_may_have_a_rate_and_a_probability_of_its_own() -> None:
    """The others are as without it; its phase is drawn for its own rate."""
    plain = parse_experiment(EXERCISE, name="x.yaml").machines(1)
    special = parse_experiment(EXERCISE + "machines: {2: {tick_rate: 40, internal_probability: 0}}", name="x.yaml")
    machines = special.machines(1)

    assert (machines[1], machines[3]) == (plain[1], plain[3])
    assert (machines[2].rate_hz, machines[2].internal_probability) == (40, 0)
    assert machines[2].phase_ns == draw_phase_ns(262, 2, rate_hz=40)


def test_a_link_has_what_it_says_and_the_rest_from_all() -> None:
    """The sender is told the whole network of the link, the receiver its smallest delay; nobody else anything."""
    text = edited(
        "{delay: 0ms}", "{delay: 10ms, loss: 0.1, links: {1->2: {delay: {uniform: [5ms, 20ms]}}, 2<->3: {fifo: false}}}"
    )
    machines = parse_experiment(text, name="x.yaml").machines(1)
    drawn = Uniform(least_ns=5_000_000, most_ns=20_000_000)

    assert {machine.network for machine in machines.values()} == {MachineNetwork(delay_ns=10_000_000, loss=0.1)}
    assert machines[1].links == (Link(peer=2, delay_ns=drawn, loss=0.1),)
    assert machines[2].links == (Link(peer=3, delay_ns=10_000_000, loss=0.1, fifo=False),)
    assert machines[3].links == (Link(peer=2, delay_ns=10_000_000, loss=0.1, fifo=False),)
    assert machines[2].inbound == (Inbound(sender=1, delay_ns_min=5_000_000),)
    assert machines[1].inbound == machines[3].inbound == ()


def test_a_machine_is_told_only_the_faults_that_concern_it() -> None:
    """Its own windows, and from which of its peers it is cut when."""
    machines = parse_experiment(
        """
nodes: 4
faults:
  - {from: 10s, to: 20s, partition: [[1], [2, 3]]}
  - {from: 30s, to: 40s, partition: [[1], [2], [3]], messages: lose, one_way: true}
  - {from: 5s, to: 6s, pause: 2}
  - {from: 6s, to: 7s, slow: 2, factor: 3}
  - {from: 7s, to: 8s, crash: 3, amnesia: true}
""",
        name="x.yaml",
    ).machines(1)
    held, lost = (
        {"from_ns": 10 * SECOND_NS, "to_ns": 20 * SECOND_NS, "messages": "hold"},
        {"from_ns": 30 * SECOND_NS, "to_ns": 40 * SECOND_NS, "messages": "lose"},
    )

    assert machines[1].cuts == (Cut(**held, peers=(2, 3)), Cut(**lost, peers=(2, 3)))
    assert machines[2].cuts == (Cut(**held, peers=(1,)), Cut(**lost, peers=(3,)))
    assert machines[3].cuts == (Cut(**held, peers=(1,)),)
    assert machines[4].cuts == ()
    assert [len(machines[node].pauses + machines[node].slow_downs) for node in machines] == [0, 2, 0, 0]
    assert machines[2].slow_downs[0].factor == 3
    assert [machines[node].crashes for node in (1, 2, 4)] == [()] * 3
    assert machines[3].crashes[0].amnesia


@pytest.mark.parametrize("topology", ["ring", "star", "{2: [3], 3: [2]}"])
def test_a_network_for_a_link_that_the_topology_has_not_is_refused(topology: str) -> None:
    """A mistake that nobody would see; where peers are drawn, a link may be there in one run and not in another."""
    text = "{nodes: 4, topology: TOPOLOGY, network: {links: {2->4: {loss: 1}}}}"

    assert (
        error_of(text.replace("TOPOLOGY", topology))
        .partition(": ")[2]
        .startswith("network.links.2->4: machine 2 does not send to machine 4 in this topology\n")
    )
    parse_experiment(text.replace("TOPOLOGY", "{random: 1}"), name="x.yaml")


def test_without_faults_an_experiment_has_the_same_machines_that_nothing_happens_to() -> None:
    """Rates, dice, peers and the common delay stay; loss, copies, order, single links and windows go."""
    experiment = parse_experiment(
        """
machines: {2: {tick_rate: 9}}
topology: star
network: {delay: {uniform: [1ms, 2ms]}, loss: 0.1, duplicate: 0.1, fifo: false, links: {1->2: {loss: 1, delay: 9ms}}}
faults: [{from: 5s, to: 6s, pause: 2}, {from: 5s, to: 6s, partition: [[1], [2]]}]
""",
        name="x.yaml",
    )
    network = MachineNetwork(delay_ns=Uniform(least_ns=1_000_000, most_ns=2_000_000))

    for node, machine in experiment.undisturbed().machines(1).items():
        disturbed = experiment.machines(1)[node]
        assert machine == replace(disturbed, network=network, links=(), inbound=(), pauses=(), cuts=())


def test_faults_that_touch_or_are_of_different_machines_do_not_overlap() -> None:
    """[from, to) ends where the next may begin; a partition may overlap anything."""
    parse_experiment(
        """
faults:
  - {from: 5s, to: 6s, pause: 2}
  - {from: 6s, to: 7s, crash: 2}
  - {from: 5s, to: 9s, slow: 1, factor: 2}
  - {from: 0s, to: 60s, partition: [[1], [2, 3]]}
  - {from: 5s, to: 6s, partition: [[1, 2], [3]], messages: lose}
""",
        name="x.yaml",
    )


@pytest.mark.parametrize("name", ALL)
def test_an_experiment_gives_the_machines_of_a_golden_run(name: str) -> None:
    """What YAML says is what the conformance traces were made from."""
    given = json.loads((GOLDEN / f"{name}.json").read_text())
    least, most = map(format_duration, given["network"]["delay_ns"])
    topology = given["topology"]
    fields = {
        **{key: given[key] for key in ("nodes", "phase", "internal_probability", "seed", "clock")},
        "tick_rate": tuple(given["tick_rate"]) if isinstance(given["tick_rate"], list) else given["tick_rate"],
        "topology": topology
        if isinstance(topology, str)
        else {int(node): tuple(peers) for node, peers in topology.items()},
        "duration": format_duration(given["duration_ns"]),
        "network": {
            **{key: given["network"][key] for key in ("loss", "duplicate", "fifo")},
            "delay": least if least == most else {"uniform": (least, most)},
        },
        "faults": tuple(
            {key: value for key, value in fault.items() if not key.endswith("_ns")}
            | {"from": format_duration(fault["from_ns"]), "to": format_duration(fault["to_ns"])}
            | ({"partition": tuple(map(tuple, fault["partition"]))} if "partition" in fault else {})
            for fault in given["faults"]
        ),
    }

    assert Experiment.model_validate(fields).machines(1) == golden_machines(name)


def test_an_experiment_cannot_be_changed() -> None:
    """What was checked stays true."""
    with pytest.raises(ValueError, match="frozen"):
        parse_experiment(EXERCISE, name="x.yaml").nodes = 4  # type: ignore[misc]


# Durations


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("60s", 60 * 10**9), ("5m", 300 * 10**9), ("2h", 7200 * 10**9), ("500ms", 5 * 10**8), ("250us", 250_000),
        ("3ns", 3), ("1.5s", 15 * 10**8), ("0ms", 0), ("0.000000001s", 1), ("9007199.254740991s", 2**53 - 1),
    ],
)  # fmt: skip
def test_a_duration_is_read_exactly(text: str, time_ns: int) -> None:
    """Whole nanoseconds, without a float between."""
    assert time_ns == parse_duration(text)


@given(st.integers(min_value=0, max_value=DURATION_NS_MAX))
def test_a_duration_is_written_as_it_is_read(time_ns: int) -> None:
    """Nothing is lost in experiment.yaml."""
    assert time_ns == parse_duration(format_duration(time_ns))


# Round trip

numbers = st.integers(min_value=1, max_value=10**6)
spans = st.integers(min_value=0, max_value=10**12)
delays = (
    spans.map(format_duration)
    | st.tuples(spans, spans).map(lambda ends: {"uniform": tuple(map(format_duration, sorted(ends)))})
    | spans.map(lambda mean_ns: {"exponential": format_duration(mean_ns)})
)
probabilities = st.floats(min_value=0, max_value=1)
networks = st.fixed_dictionaries(
    {}, optional={"delay": delays, "loss": probabilities, "duplicate": probabilities, "fifo": st.booleans()}
)
links = st.dictionaries(st.sampled_from(["1->2", "2->1"]), networks) | st.dictionaries(st.just("1<->2"), networks)
overrides = st.fixed_dictionaries({}, optional={"tick_rate": numbers, "internal_probability": probabilities})


@st.composite
def faults(draw: st.DrawFn, nodes: int, duration_ns: int) -> dict[str, Any]:
    from_ns = draw(st.integers(min_value=0, max_value=duration_ns - 2))
    window = {
        "from": format_duration(from_ns),
        "to": format_duration(draw(st.integers(min_value=from_ns + 1, max_value=duration_ns))),
    }
    node = draw(st.integers(min_value=1, max_value=nodes))
    others = tuple(other for other in range(1, nodes + 1) if other != node)
    messages = draw(st.sampled_from(["lose", "hold"]))
    return window | draw(
        st.sampled_from(
            [
                {"pause": node},
                {"slow": node, "factor": 3},
                {"crash": node, "amnesia": True},
                {"partition": ((node,), others), "messages": messages, "one_way": draw(st.booleans())},
            ]
        )
    )


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    nodes = draw(st.integers(min_value=2, max_value=6))
    least, most = sorted((draw(numbers), draw(numbers)))
    lists = st.lists(numbers, min_size=nodes, max_size=nodes).map(tuple)
    peers = st.lists(st.integers(min_value=1, max_value=nodes), unique=True)
    topology = draw(
        st.sampled_from(["full", "ring", "star"])
        | st.integers(min_value=1, max_value=nodes - 1).map(lambda count: {"random": count})
        | st.dictionaries(st.integers(min_value=1, max_value=nodes), peers)
    )
    duration_ns = draw(st.integers(min_value=10, max_value=10**15))
    has_all_links = topology == "full"
    keys = {
        "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        "question": draw(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=100)),
        "nodes": nodes,
        "tick_rate": draw(st.just({"min": least, "max": most}) | lists),
        "phase": draw(st.sampled_from(["random", "aligned"])),
        "internal_probability": draw(st.floats(min_value=0, max_value=1)),
        "clock": draw(st.sampled_from(["lamport", "lamport-literal", "lamport-no-increment"])),
        "topology": topology
        if isinstance(topology, str) or "random" in topology
        else {node: tuple(peer for peer in listed if peer != node) for node, listed in topology.items()},
        "machines": draw(st.dictionaries(st.integers(min_value=1, max_value=nodes), overrides)),
        "duration": format_duration(duration_ns),
        "runs": draw(st.integers(min_value=1, max_value=1000)),
        "seed": draw(st.integers(min_value=0, max_value=SEED_MAX - 1000)),
        "network": {**draw(networks), "links": draw(links) if has_all_links else {}},
        "faults": tuple(draw(st.lists(faults(nodes, duration_ns), max_size=1))),
    }
    return Experiment.model_validate(keys)


@settings(deadline=None)
@given(experiments())
def test_a_resolved_configuration_loads_back_as_an_equal_one(experiment: Experiment) -> None:
    """The experiment.yaml of a run directory repeats the run, and says every key in the design's order."""
    text = experiment.to_yaml()

    assert experiment == parse_experiment(text, name="other.yaml")
    assert KEYS == re.findall("^[a-z_]+", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["on", "1e3", "010", "1_000", "null", "3", "2026-01-01", "0x1F", "y", "1.5"])
def test_a_name_that_yaml_takes_for_something_else_is_written_in_quotes(name: str) -> None:
    """A text stays a text, by the rules of YAML 1.1 and of 1.2."""
    experiment = Experiment.model_validate({"name": name})

    assert experiment == parse_experiment(experiment.to_yaml(), name="x.yaml")


# Impossible values. Each row: what is replaced in exercise.yaml, by what, where the error is, what it says.

IMPOSSIBLE = [
    ("tick_rate:", "tick_rat:", "5:1", 'unknown key "tick_rat"; did you mean "tick_rate"?'),
    ("min: 1", "mni: 1", "5:13", 'unknown key "mni"; did you mean "min"?'),
    ("delay: 0ms", "dealy: 0ms", "13:11", 'unknown key "dealy"; did you mean "delay"?'),
    ("network: {delay: 0ms}", "delay: 0ms", "13:1", 'unknown key "delay" here; did you mean "network.delay"?'),
    ("phase: random", "zzz: 1", "6:1", 'unknown key "zzz"; known here: name, question, nodes,'),
    ("phase: random", "5: 1", "6:1", 'unknown key "5"; known here: name, question, nodes,'),
    ("delay: 0ms", "5: 0ms", "13:11", 'unknown key "5"; known here: delay, loss, duplicate, fifo, links'),
    ("network: {delay: 0ms}", "loss: 0.1", "13:1", 'unknown key "loss" here; did you mean "network.loss"?'),
    ("0.7", "1.2", "7:23", "internal_probability: expected at most 1, got the number 1.2"),
    ("0.7", "-0.1", "7:23", "internal_probability: expected at least 0, got the number -0.1"),
    ("0.7", "high", "7:23", 'internal_probability: expected a number, got the text "high"'),
    ("0.7", ".inf", "7:23", ".inf is not a finite number"),
    ("0.7", "-.INF", "7:23", "-.INF is not a finite number"),
    ("0.7", ".nan", "7:23", ".nan is not a finite number"),
    ("0.7", "1e999", "7:23", "this number is too large"),
    ("nodes: 3", "nodes: 1", "4:8", "nodes: expected at least 2, got the number 1"),
    ("nodes: 3", 'nodes: "3"', "4:8", 'nodes: expected a whole number, got the text "3"'),
    ("nodes: 3", "nodes: true", "4:8", "nodes: expected a whole number, got true"),
    ("nodes: 3", "nodes: 3.0", "4:8", "nodes: expected a whole number, got the number 3.0"),
    ("nodes: 3", "nodes: [3]", "4:8", "nodes: expected a whole number, got a list"),
    ("nodes: 3", "nodes:", "4:1", "nodes: expected a whole number, got nothing"),
    ("nodes: 3", "nodes: 1_000", "4:8", 'YAML reads 1_000 as 1000; write 1000, or "1_000" in quotes if text is meant'),
    ("nodes: 3", "nodes: 010", "4:8", "YAML reads 010 as 8; write 8, or"),
    ("nodes: 3", "nodes: 0x10", "4:8", "YAML reads 0x10 as 16; write 16, or"),
    ("nodes: 3", "nodes: " + "9" * 4000, "4:8", "a number of 4000 digits is too large; at most 9223372036854775807"),
    ("nodes: 3", "nodes: " + "9" * 5000, "4:8", "a number of 5000 digits is too large; at most 9223372036854775807"),
    ("nodes: 3", "nodes: " + "1_" * 4000 + "1", "4:8", "YAML makes something else of 1_1_1_"),
    ("min: 1", "min: 8", "5:18", "tick_rate.min: min 8 is above max 6"),
    ("{min: 1, max: 6}", "{min: 7}", "5:18", "tick_rate.min: min 7 is above max 6"),
    ("{min: 1, max: 6}", "{max: 0}", "5:18", "tick_rate.max: expected at least 1, got the number 0"),
    ("{min: 1, max: 6}", "[1, 2]", "5:12", "tick_rate: 2 rates for 3 machines; give one for each"),
    ("{min: 1, max: 6}", "[1, 0, 2]", "5:16", "tick_rate: expected at least 1, got the number 0"),
    ("{min: 1, max: 6}", "[1, 2, 1000001]", "5:19", "tick_rate: expected at most 1000000, got the number 1000001"),
    ("{min: 1, max: 6}", "3", "5:12", "tick_rate: expected a range such as {min: 1, max: 6}, or one rate per machine"),
    (
        "phase: random",
        "phase: alligned",
        "6:8",
        'expected random or aligned, got the text "alligned"; did you mean "ali',
    ),
    (
        "clock: lamport",
        "clock: lampert",
        "8:8",
        "clock: expected lamport, lamport-literal or lamport-no-increment, got",
    ),
    ("clock: lamport", "clock: lampert", "8:8", 'the text "lampert"; did you mean "lamport"?'),
    ("clock: lamport", "clock: on", "8:8", 'YAML reads on as true; write true, or "on" in quotes if text is meant'),
    (
        "60s",
        "0s",
        "10:11",
        'duration: expected at least 1ns and at most 9007199254740991ns (104 days), got the text "0s"',
    ),
    ("60s", "9999h", "10:11", "duration: expected at least 1ns and at most"),
    ("60s", "60", "10:11", "duration: a duration needs a unit; did you mean 60s?"),
    ("60s", "1:30", "10:11", "YAML reads 1:30 as 90; write 90, or"),
    (
        "60s",
        "60 s",
        "10:11",
        "duration: expected a number and a unit (ns, us, ms, s, m, h), such as 10ms or 1.5s, got the",
    ),
    ("60s", "0.5ns", "10:11", "duration: expected a whole number of nanoseconds, got"),
    ("60s", "[60s]", "10:11", "duration: expected a duration such as 60s, got a list"),
    ("0ms", "10", "13:18", "network.delay: a duration needs a unit; did you mean 10ms?"),
    ("0ms", "2.5", "13:18", "network.delay: a duration needs a unit; did you mean 2.5ms?"),
    ("0ms", "-5ms", "13:18", "network.delay: expected a number and a unit"),
    ("0ms", "true", "13:18", "network.delay: expected a duration such as 10ms, got true"),
    ("0ms", "[5ms, 20ms]", "13:18", "network.delay: expected a duration such as 10ms, {uniform: [5ms, 20ms]} or"),
    ("0ms", "{normal: 5ms}", "13:18", "network.delay: expected a duration such as 10ms, {uniform: [5ms, 20ms]} or"),
    ("0ms", "{uniform: [20ms, 5ms]}", "13:29", "network.delay.uniform: the smaller delay comes first"),
    ("0ms", "{uniform: [5ms]}", "13:28", "network.delay.uniform: expected a list of at least 2, got one of 1"),
    ("0ms", "{uniform: [1ms, 2ms, 3ms]}", "13:28", "network.delay.uniform: expected a list of at most 2, got one of 3"),
    ("0ms", "{uniform: [5, 20ms]}", "13:29", "network.delay.uniform: a duration needs a unit; did you mean 5ms?"),
    ("0ms", "{exponential: [5ms]}", "13:32", "network.delay.exponential: expected a duration such as 10ms, got"),
    ("0ms", "{uniform: [1ms, 2ms], exp: 1}", "13:40", 'unknown key "exp"; known here: uniform, exponential'),
    ("0ms}", "0ms, loss: 1.2}", "13:29", "network.loss: expected at most 1, got the number 1.2"),
    ("0ms}", "0ms, duplicate: -1}", "13:34", "network.duplicate: expected at least 0, got the number -1"),
    ("0ms}", "0ms, duplicate: 1.2}", "13:34", "network.duplicate: expected at most 1, got the number 1.2"),
    ("phase: random", "machines: {2: {internal_probability: 1.2}}", "6:38", "machines: expected at most 1, got the"),
    ("0ms}", "0ms, fifo: 0}", "13:29", "network.fifo: expected true or false, got the number 0"),
    ("0ms}", "0ms, links: {1-2: {loss: 1}}}", "13:31", "network.links: expected a link such as 1->2, or 1<->2 for"),
    ("0ms}", "0ms, links: {1->4: {loss: 1}}}", "13:37", "network.links.1->4: there is no machine 4; there are 3"),
    ("0ms}", "0ms, links: {2->2: {loss: 1}}}", "13:37", "network.links.2->2: machine 2 has no link to itself"),
    ("0ms}", "0ms, links: {1->2: {loss: 2}}}", "13:44", "network.links.1->2.loss: expected at most 1, got the number"),
    ("0ms}", "0ms, links: {1->2: {lost: 1}}}", "13:38", 'unknown key "lost"; did you mean "loss"?'),
    ("0ms}", "0ms, links: {1->2: {}, 2<->1: {}}}", "13:48", "2<->1 and 1->2 both say what 1->2 is like"),
    ("phase: random", "machines: {4: {tick_rate: 3}}", "6:15", "machines: there is no machine 4; there are 3"),
    ("phase: random", "machines: {2: {tick_rate: 0}}", "6:27", "machines: expected at least 1, got the number 0"),
    ("phase: random", "machines: {2: {tick_rat: 3}}", "6:16", 'unknown key "tick_rat"; did you mean "tick_rate"?'),
    ("phase: random", "machines: {2: 3}", "6:15", "machines: expected a mapping of keys to values, got the number 3"),
    ("{delay: 0ms}", "10ms", "13:10", 'network: expected a mapping of keys to values, got the text "10ms"'),
    ("full", "fool", "9:11", 'topology: expected full, ring or star, got the text "fool"'),
    ("full", "[1]", "9:11", "topology: expected full, ring, star, {random: 2}, or whom each machine sends to, such as"),
    ("full", "random", "9:11", "topology: expected how many peers each machine draws, such as {random: 2}, got the"),
    ("full", "{random: 3}", "9:20", "topology.random: a machine has only 2 others to send to"),
    ("full", "{random: 0}", "9:20", "topology.random: expected at least 1, got the number 0"),
    ("full", "{1: [4]}", "9:16", "topology: machine 1 cannot send to machine 4; there are 3, numbered from 1"),
    ("full", "{1: [2, 1]}", "9:19", "topology: machine 1 cannot send to itself"),
    ("full", "{1: [2, 3, 2]}", "9:22", "topology: machine 1 lists machine 2 twice"),
    ("full", "{4: [1]}", "9:15", "topology: there is no machine 4; there are 3"),
    ("full", "{one: [2]}", "9:12", 'topology: expected a whole number, got the text "one"'),
    ("full", "{0: [2]}", "9:12", "topology: expected at least 1, got the number 0"),
    ("full", "{1: 2}", "9:15", "topology: expected a list, got the number 2"),
    ("full", "{1: [true]}", "9:16", "topology: expected a whole number, got true"),
    (
        "name: exercise",
        "name: ../../etc",
        "2:7",
        "name: expected a letter or digit, then at most 63 letters, digits, '.',",
    ),
    ("name: exercise", "name: 3", "2:7", "name: expected text, got the number 3"),
    (
        "name: exercise",
        "name: 2026-01-01",
        "2:7",
        'YAML makes something else of 2026-01-01; write "2026-01-01" in quotes',
    ),
    ("runs: 5", "runs: 0", "11:7", "runs: expected at least 1, got the number 0"),
    ("seed: 262", "seed: -1", "12:7", "seed: expected at least 0, got the number -1"),
    (
        "seed: 262",
        "seed: 9223372036854775808",
        "12:7",
        "a number of 19 digits is too large; at most 9223372036854775807",
    ),
    (
        "seed: 262",
        "seed: 9223372036854775804",
        "12:7",
        "seed: the last of 5 runs would have a seed above 9223372036854775",
    ),
    *(
        ("faults: []", f"faults: [{{from: 10s, to: 20s, {fault}}}]", place, f"faults: {says}")
        for fault, place, says in [
            ("pasue: 2", "14:10", "expected a partition, pause, slow or crash, such as {from: 10s, to: 20s, pause: 2}"),
            ("pause: 4", "14:38", "there is no machine 4; there are 3, numbered from 1"),
            ("crash: 4", "14:38", "there is no machine 4; there are 3"),
            ("slow: 4, factor: 2", "14:37", "there is no machine 4; there are 3"),
            ("slow: 2", "14:10", 'the key "factor" is missing'),
            ("slow: 2, factor: 0", "14:48", "expected at least 1, got the number 0"),
            ("pause: two", "14:38", 'expected a whole number, got the text "two"'),
            ("crash: 2, amnesia: 1", "14:50", "expected true or false, got the number 1"),
            ("partition: [[1], [2, 4]]", "14:52", "there is no machine 4; there are 3"),
            ("partition: [[1, 2], [2]]", "14:52", "machine 2 stands twice in this partition"),
            ("partition: [[1, 2]]", "14:42", "expected a list of at least 2, got one of 1"),
            ("partition: [[1], []]", "14:48", "expected a list of at least 1, got an empty list"),
            ("partition: [[1], [2]], messages: drop", "14:64", 'expected lose or hold, got the text "drop"'),
        ]
    ),
    ("faults: []", "faults: [{from: 10s, to: 10s, pause: 2}]", "14:26", "faults: it would be over before it begins,"),
    ("faults: []", "faults: [{from: 10s, pause: 2}]", "14:10", 'faults: the key "to" is missing'),
    ("faults: []", "faults: [{from: 10, to: 20s, pause: 2}]", "14:17", "faults: a duration needs a unit; did you mean"),
    (
        "faults: []",
        "faults: [{from: 10s, to: 20s, pause: 2, cause: 1}]",
        "14:41",
        'unknown key "cause"; did you mean "pause"?',
    ),
    (
        "faults: []",
        "faults: [{from: 10s, to: 20s, pause: 2, crash: 1}]",
        "14:41",
        'the key "crash" does not go with the others here: they are of another kind',
    ),
    (
        "faults: []",
        "faults: [{from: 50s, to: 61s, partition: [[1], [2]], messages: hold}]",
        "14:26",
        "faults: messages would be held beyond the end of the run, at 60s; end it there, or lose them",
    ),
    (
        "faults: []",
        "faults: [{from: 50s, to: 60000000001ns, partition: [[1], [2]]}]",
        "14:26",
        "faults: messages would be held beyond the end of the run, at 60s; end it there, or lose them",
    ),
    *(
        (
            "faults: []",
            f"faults: [{{from: 10s, to: 20s, pause: 2}}, {{from: {ends[0]}, to: {ends[1]}, crash: 2}}]",
            "14:49",
            "machine 2 would have this crash during its pause from 10s to 20s",
        )
        for ends in [("10s", "20s"), ("12s", "18s"), ("9s", "21s"), ("9s", "10001ms")]
    ),
    *(
        (
            "faults: []",
            f"faults: [{{from: 5s, to: 20s, {first}}}, {{from: 19s, to: 30s, {second}}}]",
            place,
            f"machine 2 would have this {says} from 5s to 20s",
        )
        for first, second, place, says in [
            ("pause: 2", "pause: 2", "14:48", "pause during its pause"),
            ("pause: 2", "crash: 2", "14:48", "crash during its pause"),
            ("pause: 2", "slow: 2, factor: 2", "14:48", "slow-down during its pause"),
            ("crash: 2", "pause: 2", "14:48", "pause during its crash"),
            ("crash: 2", "crash: 2, amnesia: true", "14:48", "crash during its crash"),
            ("crash: 2", "slow: 2, factor: 2", "14:48", "slow-down during its crash"),
            ("slow: 2, factor: 2", "pause: 2", "14:58", "pause during its slow-down"),
            ("slow: 2, factor: 2", "crash: 2", "14:58", "crash during its slow-down"),
            ("slow: 2, factor: 2", "slow: 2, factor: 3", "14:58", "slow-down during its slow-down"),
        ]
    ),
    ("faults: []", "faults:", "14:1", "faults: expected a list, got nothing"),
    ("six-fold?", "six-\u202efold?", "3:11", "question: expected text that can be shown, got"),
]
NOT_OURS = [
    ("runs: 5", "runs: 5\nnodes: 4", "12:1", 'duplicate key "nodes"; it stands in line 4 already'),
    ("max: 6", "min: 6", "5:21", 'duplicate key "min"; it stands in line 5 already'),
    ("full", "{1: [2], 1: [3]}", "9:20", 'duplicate key "1"; it stands in line 9 already'),
    ("runs: 5", "runs: &five 5", "11:7", "anchors (&) and aliases (*) are not understood here; write the value out"),
    ("runs: 5", "runs: *five", "11:7", "anchors (&) and aliases (*) are not understood here; write the value out"),
    ("runs: 5", "runs: !!int 5", "11:7", "tags (!) are not understood here; write the value alone"),
    (
        "runs: 5",
        "runs: 5\n<<: {nodes: 2}",
        "12:1",
        'YAML makes something else of <<; write "<<" in quotes if text is meant',
    ),
    ("runs: 5", "true: 5", "11:1", "a key must be a word or a whole number"),
    ("runs: 5", "? [1]\n: 5", "11:3", "a key must be a word or a whole number"),
    ("runs: 5", "runs: 5\n---\nname: other", "12:1", "a second document starts here; write one"),
    ("faults: []", "faults: [", "14:9", "this [ is not closed, or a comma is missing before line 1"),
    ("max: 6}", "max: 6", "5:12", "this { is not closed, or a comma is missing before line"),
    ("phase: random", "\tphase: random", "6:1", "not YAML: a tab; indent with spaces"),
    ("phase: random", 'phase: "random', "6:8", "this quotation mark is not closed"),
    (
        "name: exercise",
        "name: a: b",
        "2:8",
        "not YAML: a second colon; is the indentation right, or does a text need quotes?",
    ),
    ("phase: random", "phase: @random", "6:8", "not YAML: found character"),
    ("name: exercise", "name: \x1b[31m", "2:7", "not a text: it holds the character '\\x1b'"),
    ("name: exercise", "name: a\x00b", "2:8", "not a text: it holds the character '\\x00'"),
    ("name: exercise", 'name: "\\e[31m"', "2:7", "this text holds a character that cannot be shown"),
    ("faults: []", "faults: " + "[" * 100_000, "14:24", "nested more than 16 deep"),
]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(("old", "new", "place", "says"), [*IMPOSSIBLE, *NOT_OURS], ids=lambda value: value[:30])
def test_an_error_names_file_line_and_column_and_points_at_the_place(old: str, new: str, place: str, says: str) -> None:
    """One error: where, what was expected, what came; then the line, and a caret under the place."""
    text = edited(old, new)

    first, quote, caret = error_of(text).split("\n")

    assert first.startswith(f"x.yaml:{place}: ")
    assert says in first
    line, column = map(int, place.split(":"))
    assert caret.strip() == "^"
    assert (
        quote[caret.index("^") :][:3]
        == "".join(
            character if character.isprintable() or character == "\t" else "?"
            for character in text.split("\n")[line - 1]
        )[column - 1 :][:3]
    )
    assert max(len(first.replace(new, "")), len(quote)) < 240


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["", "\n", "# nothing but a comment\n", "---\n", "null\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    """Every key has a default, but a file without any is a mistake."""
    assert error_of(text).startswith("x.yaml: the file is empty")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "what"), [("- a\n- b\n", "a list"), ("nodes", 'the text "nodes"'), ("3", "the number 3")]
)
def test_a_file_that_is_no_mapping_is_refused(text: str, what: str) -> None:
    """An experiment is keys and values."""
    assert error_of(text).startswith(f"x.yaml:1:1: expected keys and values such as nodes: 3, got {what}\n")


def test_that_a_value_might_be_absent_as_well_is_no_second_error() -> None:
    """What is wrong with a setting that may be left out is one thing."""
    assert error_of("machines: {2: {internal_probability: 1.2}}").split("\n")[0].endswith("got the number 1.2")


def test_only_the_first_error_is_told_and_the_others_are_counted() -> None:
    """The first in the order of the text, whatever order they were found in."""
    text = edited("nodes: 3", "nodes: 1").replace("runs: 5", "rums: 0").replace("0.7", "7")

    assert error_of(text).startswith("x.yaml:4:8: nodes: expected at least 2, got the number 1 (and 2 more)\n")


def test_the_caret_stands_below_its_place_behind_tabs_and_wide_characters() -> None:
    """A tab stays a tab and a wide character takes two columns."""
    quote, caret = error_of("{日本: 1,\tnodes: 1, 名: 2, seed: -1}").split("\n")[1:]

    assert (quote, caret) == ("  {日本: 1,\tnodes: 1, 名: 2, seed: -1}", "   ^")
    assert error_of("{name: a,\tquestion: 日本, seed: -1}").split("\n")[2] == "           \t" + " " * 22 + "^"


def test_a_long_line_is_quoted_around_the_place() -> None:
    """A quote fits a terminal."""
    first, quote, caret = error_of("{question: " + "y" * 400 + ", nodes: 1, name: " + "z" * 50 + "}").split("\n")

    assert first.startswith("x.yaml:1:421: nodes:")
    assert quote[caret.index("^") :].startswith("1, name")
    assert len(quote) <= 80


@given(st.text(max_size=60) | st.text("{}[]:,-&*!|>'\"%@`#?\n\t a1.~e_x", max_size=40))
def test_no_text_whatever_gives_a_traceback(text: str) -> None:
    """What is no experiment is refused with a sentence."""
    assert (refusal_of(text) or "x.yaml").startswith("x.yaml")


@given(st.integers(min_value=0, max_value=len(EXERCISE)), st.integers(min_value=0, max_value=9), st.text(max_size=4))
def test_no_slip_of_the_pen_gives_a_traceback(start: int, length: int, instead: str) -> None:
    """A shipped file with any few characters replaced is an experiment or an error with its place."""
    says = refusal_of(EXERCISE[:start] + instead + EXERCISE[start + length :])

    assert says is None or re.match(r"x\.yaml:\d+:\d+: ", says)


# Files


def test_a_file_that_is_not_utf8_is_refused_with_the_place_of_the_byte(tmp_path: Path) -> None:
    """Columns are characters, not bytes."""
    path = write(tmp_path, "nodes: 3\nname: é".encode() + b"\xe9\n")

    with pytest.raises(ConfigurationError, match=r"x\.yaml:2:8: not UTF-8: it holds the byte 0xe9; save it as UTF-8\n"):
        load_experiment(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    """Some editors write one."""
    assert load_experiment(write(tmp_path, b"\xef\xbb\xbfnodes: 4\r\n")).nodes == 4
    with pytest.raises(ConfigurationError, match=r"x\.yaml:1:8: nodes: .*\n  nodes: 1\n         \^$"):
        load_experiment(write(tmp_path, b"\xef\xbb\xbfnodes: 1\r\n"))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """More than 1 MiB is no experiment."""
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        load_experiment(write(tmp_path, "#" * (1 << 20) + "\n"))


def test_an_absent_file_is_no_input_and_names_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run exercise` and `run configs/exercize.yaml` mean configs/exercise.yaml."""
    monkeypatch.chdir(CONFIGS.parent)
    for meant in ("exercise", "configs/exercize.yaml", "exercise.yml"):
        with pytest.raises(NoInputError, match=r"no such file; did you mean configs/exercise\.yaml\?\n") as caught:
            load_experiment(Path(meant))
        assert caught.value.exit_code == 66

    with pytest.raises(NoInputError, match=r"no such file\n"):
        load_experiment(tmp_path / "quite-different.yaml")


def test_a_directory_is_no_experiment(tmp_path: Path) -> None:
    """Whoever names a directory means a file in it."""
    with pytest.raises(NoInputError, match="a directory; name an experiment's file in it"):
        load_experiment(tmp_path)


# Overrides


def test_an_override_is_put_where_its_key_says() -> None:
    """`--set a.b=VALUE` reads VALUE as YAML; the last one wins, and the rest of the file stays."""
    experiment = load_experiment(
        CONFIGS / "exercise.yaml",
        [
            "network.delay=10ms",
            "tick_rate=[3,5,2]",
            "runs=2",
            "runs=3",
            "question=Is it = so?",
            "topology={1: [2]}",
        ],
    )

    assert experiment.network.delay == 10_000_000
    assert (experiment.tick_rate, experiment.runs, experiment.topology) == ((3, 5, 2), 3, {1: (2,)})
    assert (experiment.question, experiment.name) == ("Is it = so?", "exercise")


def test_an_override_may_change_one_part_of_a_range(tmp_path: Path) -> None:
    """The other part keeps the file's value, or the default."""
    assert load_experiment(CONFIGS / "rates-4-6.yaml", ["tick_rate.min=2"]).tick_rate == \
        load_experiment(write(tmp_path, "tick_rate: {min: 2}"), []).tick_rate  # fmt: skip
    assert load_experiment(write(tmp_path, "nodes: 3"), ["tick_rate.max=9"]).model_dump()["tick_rate"]["max"] == 9


def test_the_flags_for_seed_duration_and_runs_come_last() -> None:
    """They are overrides with names of their own."""
    experiment = load_experiment(CONFIGS / "exercise.yaml", ["seed=1", "runs=9"], seed=7, duration="5s", runs="2")

    assert (experiment.seed, experiment.duration_ns, experiment.runs) == (7, 5 * 10**9, 2)


@pytest.mark.parametrize(
    ("override", "says", "column"),
    [
        ("network.delay=10", "--set network.delay=10: network.delay: a duration needs a unit; did you mean 10ms?", 14),
        ("network.dely=10ms", '--set network.dely=10ms: unknown key "dely"; did you mean "delay"?', 8),
        ("netwrk.delay=10ms", '--set netwrk.delay=10ms: unknown key "netwrk"; did you mean "network"?', 0),
        ("tick_rate=[3, 0, 2]", "--set tick_rate=[3, 0, 2]: tick_rate: expected at least 1, got the number 0", 14),
        ("tick_rate=[3,5]", "--set tick_rate=[3,5]: tick_rate: 2 rates for 3 machines; give one for each", 10),
        ("tick_rate.min=7", "--set tick_rate.min=7: tick_rate.min: min 7 is above max 6", 14),
        ("nodes.x=3", "--set nodes.x=3: nodes is the number 3 here; give all of it: nodes=VALUE", 0),
        ("topology.1=[2]", '--set topology.1=[2]: topology is the text "full" here; give all of it: topology=VALUE', 0),
        ("nodes=[1,", "--set nodes=[1,: this [ is not closed, or a comma is missing", 6),
        ("nodes=", "--set nodes=: nodes: expected a whole number, got nothing", 6),
        ("nodes=yes", "--set nodes=yes: YAML reads yes as true; write true, or", 6),
        ("x.y.z=1", '--set x.y.z=1: unknown key "x"; known here:', 0),
    ],
)
@pytest.mark.usefixtures("loader")
def test_an_error_in_an_override_points_into_it(override: str, says: str, column: int) -> None:
    """The place of an error is what was typed, not the file."""
    with pytest.raises(ConfigurationError) as caught:
        load_experiment(CONFIGS / "exercise.yaml", [override])

    first, quote, caret = str(caught.value).split("\n")
    assert first.startswith(says)
    assert (quote, caret) == (f"  {override}", " " * (2 + column) + "^")


def test_an_error_in_a_flag_names_the_flag() -> None:
    """Nobody is told of a --set that they did not write."""
    with pytest.raises(ConfigurationError, match=r"^--seed abc: seed: expected a whole number, got the text \"abc\"\n"):
        load_experiment(CONFIGS / "exercise.yaml", seed="abc")


def test_an_error_of_the_file_comes_before_those_of_the_overrides(tmp_path: Path) -> None:
    """Errors are told in the order in which they were written."""
    with pytest.raises(ConfigurationError, match=r"x\.yaml:2:1: unknown key .* \(and 2 more\)\n"):
        load_experiment(write(tmp_path, "seed: 1\nzzz: 1\n"), ["nodes=1", "runs=0"])


@pytest.mark.parametrize("override", ["nodes", "=3", "a..b=3", ""])
def test_an_override_without_a_key_or_a_value_is_a_usage_error(override: str) -> None:
    """Exit 64: the command line cannot be obeyed."""
    with pytest.raises(UsageError, match=f"^--set {re.escape(override)}: expected KEY=VALUE, such as"):
        load_experiment(CONFIGS / "exercise.yaml", [override])


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_override_whatever_gives_a_traceback(key: str, value: str) -> None:
    """It is obeyed, or refused with a sentence that starts with it."""
    says = "--set "
    try:
        load_experiment(CONFIGS / "exercise.yaml", [f"{key}={value}", f"nodes={value}"])
    except ScaleModelError as error:
        says = str(error)

    assert says.startswith("--set ")


# The schema for editors


def is_valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Judge by those words of JSON Schema that ours uses; an unknown one fails."""
    silent = {"title", "description", "default", "examples", "$defs", "$schema"}
    judges = {
        "$ref": lambda path: is_valid(value, root["$defs"][path.rpartition("/")[2]], root),
        "type": lambda kind: kind == kind_of(value) or (kind == "number" and kind_of(value) == "integer"),
        "enum": lambda known: value in known,
        "const": lambda known: value == known,
        "pattern": lambda pattern: re.search(pattern, value) is not None,
        "minimum": lambda least: value >= least,
        "maximum": lambda most: value <= most,
        "maxLength": lambda most: len(value) <= most,
        "maxItems": lambda most: len(value) <= most,
        "minItems": lambda least: len(value) >= least,
        "required": lambda keys: set(keys) <= value.keys(),
        "items": lambda each: all(is_valid(item, each, root) for item in value),
        "oneOf": lambda options: sum(is_valid(value, option, root) for option in options) == 1,
        "properties": lambda known: all(is_valid(value[key], known[key], root) for key in known.keys() & value.keys()),
        "patternProperties": lambda known: all(
            re.search(pattern, str(key)) and is_valid(item, schema, root)
            for pattern, schema in known.items()
            for key, item in value.items()
        ),
        "additionalProperties": lambda allowed: all(
            key in schema.get("properties", ())
            or any(re.search(pattern, str(key)) for pattern in schema.get("patternProperties", ()))
            for key in value
        ),
    }
    order = sorted(schema.keys() - silent, key=lambda word: word != "type")
    return all(judges[word](schema[word]) for word in order)


def kind_of(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def test_the_schema_beside_the_configurations_is_current() -> None:
    """`python -m orchestrator.config > configs/schema.json` writes it."""
    assert (CONFIGS / "schema.json").read_text() == json.dumps(experiment_schema(), indent=2) + "\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_configuration_is_valid_by_the_schema(name: str) -> None:
    """An editor shows no error in what we ship."""
    schema = experiment_schema()

    assert is_valid(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()), schema, schema)


@settings(deadline=None)
@given(experiments())
def test_whatever_loads_is_valid_by_the_schema(experiment: Experiment) -> None:
    """An editor never contradicts the program."""
    schema = experiment_schema()

    assert is_valid(json.loads(experiment.model_dump_json(by_alias=True, exclude_none=True)), schema, schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tick_rat": 3}, {"nodes": 1}, {"nodes": "3"}, {"tick_rate": 3}, {"tick_rate": {"mni": 1}}, {"seed": -1},
        {"tick_rate": [0, 1]}, {"clock": "vector"}, {"phase": "none"}, {"duration": 60}, {"duration": "60"},
        {"network": {"delay": "10 ms"}}, {"internal_probability": 1.2}, {"topology": "rings"}, {"faults": [1]},
        {"topology": {"one": [2]}}, {"name": "../x"}, {"topology": "random"}, {"topology": {"random": 0}},
        {"network": {"loss": 1.2}}, {"network": {"links": {"1-2": {}}}}, {"network": {"links": {"1->2": {"los": 1}}}},
        {"network": {"delay": {"uniform": ["1ms"]}}}, {"machines": {"x": {}}}, {"machines": {"2": {"rate": 3}}},
        {"faults": [{"from": "1s", "to": "2s"}]}, {"faults": [{"from": "1s", "pause": 2}]},
        {"faults": [{"from": "1s", "to": "2s", "pause": 2, "amnesia": True}]},
    ],
)  # fmt: skip
def test_what_does_not_load_is_not_valid_by_the_schema(wrong: dict[str, Any]) -> None:
    """An editor shows these before anything runs."""
    schema = experiment_schema()

    assert not is_valid(wrong, schema, schema)


def test_every_key_is_explained_to_an_editor() -> None:
    """Hovering over a key says what it means."""
    schema = experiment_schema()

    assert list(schema["properties"]) == KEYS
    for key, described in schema["properties"].items():
        assert described.get("description") or "$ref" in described, key
