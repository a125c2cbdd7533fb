"""What a node is told, by flags, environment and model file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.config import NodeConfig, parse
from node.errors import ConfigurationError, NoInputError, ScaleModelError, UsageError
from node.flags import BY_HAND, parser
from node.mesh import Address
from node.model import MODEL_JSON, SECOND_NS, Model, Network, draw_phase_ns, draw_rate_hz

MODEL = Model(
    node=7,
    seed=3,
    rate_hz=2,
    phase_ns=5,
    internal_probability=0.5,
    duration_ns=9,
    peers=(8,),
    senders=(8, 9),
)


def by_hand(*arguments: str, **environment: str) -> NodeConfig:
    """Return what machine 1 is told."""
    return parse(["--id", "1", *arguments], environment)


def write_model(tmp_path: Path, **changes: Any) -> str:
    """Write a model file; return its path."""
    content = {"run": "demo", "pace": "exact", "model": orjson.loads(MODEL_JSON.dump_json(MODEL)), **changes}
    path = tmp_path / "model.json"
    path.write_bytes(orjson.dumps(content))
    return str(path)


def refuse(kind: type[ScaleModelError], arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return the one line with which a command line is refused."""
    with pytest.raises(kind) as refusal:
        parse(arguments, environment or {})
    words = str(refusal.value)
    assert len(words.splitlines()) == 1
    return words


# What is told, and what is not.


def test_a_machine_by_hand_needs_its_number_alone() -> None:
    """Every default is that of the contract: design section 5."""
    rate_hz = draw_rate_hz(262, 1, least=1, most=6)

    assert by_hand() == NodeConfig(
        run=BY_HAND,
        token="",
        model=Model(
            node=1,
            seed=262,
            rate_hz=rate_hz,
            phase_ns=draw_phase_ns(262, 1, rate_hz=rate_hz),
            internal_probability=0.7,
            clock="lamport",
            duration_ns=60 * SECOND_NS,
            peers=(),
            senders=(),
            network=Network(delay_ns=0),
        ),
        pace="free",
        listen=Address("127.0.0.1", 0),
        peers={},
        epoch_ns=None,
        epoch_file=None,
        start_deadline_s=600.0,
        log_dir=Path("logs"),
        is_controlled=False,
        continues=False,
    )


def test_the_example_of_the_contract_is_understood() -> None:
    """Design section 5, the second line of a node by hand."""
    config = by_hand("--port", "5001", "--peers", "2=127.0.0.1:5002", "3=127.0.0.1:5003")

    assert config.listen == Address("127.0.0.1", 5001)
    assert config.peers == {2: Address("127.0.0.1", 5002), 3: Address("127.0.0.1", 5003)}
    assert config.model.peers == config.model.senders == (2, 3)


# A flag, a value of it, where it goes, and what it is there; none is the default.
FLAGS: list[tuple[str, str, str, Any]] = [
    ("--host", "::", "listen.host", "::"),
    ("--port", "5001", "listen.port", 5001),
    ("--peers", "3=b:2 2=a:1", "peers", {3: Address("b", 2), 2: Address("a", 1)}),
    ("--tick-rate", "9", "model.rate_hz", 9),
    ("--phase", "aligned", "model.phase_ns", 0),
    ("--internal-probability", "0.25", "model.internal_probability", 0.25),
    ("--clock", "lamport-literal", "model.clock", "lamport-literal"),
    ("--delay-ms", "10", "model.network.delay_ns", 10_000_000),
    ("--seed", "5", "model.seed", 5),
    ("--duration", "2.5", "model.duration_ns", 2_500_000_000),
    ("--epoch-ns", "77", "epoch_ns", 77),
    ("--epoch-file", "an epoch", "epoch_file", Path("an epoch")),
    ("--start-deadline", "0.5", "start_deadline_s", 0.5),
    ("--log-dir", "a directory", "log_dir", Path("a directory")),
    ("--run", "demo", "run", "demo"),
    ("--token", "a secret", "token", "a secret"),
]


def value_of(config: NodeConfig, place: str) -> Any:
    """Return what a configuration has at a place like `model.seed`."""
    value: Any = config
    for part in place.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(("flag", "text", "place", "expected"), FLAGS, ids=str)
def test_every_flag_is_obeyed(flag: str, text: str, place: str, expected: object) -> None:
    """Where a flag goes, and that it is not its default."""
    values = text.split() if flag == "--peers" else [text]

    assert value_of(by_hand(flag, *values), place) == expected != value_of(by_hand(), place)


@pytest.mark.parametrize(("flag", "text", "place", "expected"), FLAGS, ids=str)
def test_every_flag_may_be_given_by_the_environment(flag: str, text: str, place: str, expected: object) -> None:
    """SCALE_MODEL_<FLAG>."""
    name = "SCALE_MODEL_" + flag.removeprefix("--").replace("-", "_").upper()

    assert value_of(by_hand(**{name: text}), place) == expected


def test_the_number_and_the_pace_may_be_given_by_the_environment() -> None:
    """Those two cannot be given alone."""
    config = parse([], {"SCALE_MODEL_ID": "4", "SCALE_MODEL_PACE": "fast", "SCALE_MODEL_EPOCH_NS": "7"})

    assert (config.model.node, config.pace, config.epoch_ns) == (4, "fast", 7)


def test_every_flag_is_tried() -> None:
    """A new flag needs a line above."""
    flags = {action.option_strings[-1] for action in parser()._actions}

    assert flags == {flag for flag, *_ in FLAGS} | {"--help", "--id", "--pace", "--model", "--control", "--continue"}


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("YES", True), ("0", False), ("", False)])
def test_a_switch_may_be_given_by_the_environment(value: str, expected: bool) -> None:
    """Compose can only write values."""
    assert by_hand(SCALE_MODEL_CONTROL=value).is_controlled is expected


@pytest.mark.parametrize("text", ["2=a:1,3=b:2", "2=a:1, 3=b:2", " 2=a:1  3=b:2 "])
def test_peers_in_the_environment_are_a_list_with_commas_or_spaces(text: str) -> None:
    """One variable holds them all."""
    assert by_hand(SCALE_MODEL_PEERS=text).peers == {2: Address("a", 1), 3: Address("b", 2)}


def test_the_command_line_wins_over_the_environment() -> None:
    """What is nearer to the person counts."""
    config = by_hand("--seed", "5", "--peers", "2=a:1", SCALE_MODEL_SEED="6", SCALE_MODEL_PEERS="3=b:2")

    assert (config.model.seed, config.peers) == (5, {2: Address("a", 1)})


def test_what_else_is_in_the_environment_does_not_matter() -> None:
    """Neither other programs' variables, nor a question for help."""
    assert by_hand(SEED="6", SCALE_MODEL_HELP="1", SCALE_MODEL_COLOUR="red") == by_hand()


def test_the_rate_is_drawn_from_its_range() -> None:
    """By the dice of seed and number, as the orchestrator does it."""
    rates_hz = [parse(["--id", str(node), "--tick-rate", "10-99"], {}).model.rate_hz for node in range(1, 9)]

    assert rates_hz == [draw_rate_hz(262, node, least=10, most=99) for node in range(1, 9)]
    assert len(set(rates_hz)) > 1


def test_the_phase_is_drawn_for_the_rate_that_was_drawn() -> None:
    """Within one period."""
    model = by_hand("--seed", "9", "--tick-rate", "5").model

    assert model.phase_ns == draw_phase_ns(9, 1, rate_hz=5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2=127.0.0.1:5002", Address("127.0.0.1", 5002)),
        ("2=host.example:1", Address("host.example", 1)),
        ("2=[::1]:65535", Address("::1", 65535)),
    ],
)
def test_a_peer_is_a_number_and_where_it_listens(text: str, expected: Address) -> None:
    """Names, IPv4, and IPv6 in brackets."""
    assert by_hand("--peers", text).peers == {2: expected}


def test_peers_are_sent_to_in_order_of_their_numbers() -> None:
    """Not in the order in which they were named."""
    assert by_hand("--peers", "9=a:1", "2=b:1", "10=c:1").model.peers == (2, 9, 10)


# Described by an orchestrator.


def test_a_model_file_describes_the_machine(tmp_path: Path) -> None:
    """Then no flag about the model counts, and no number is needed."""
    config = parse(["--control", "--seed", "99", "--model", write_model(tmp_path)], {})

    assert (config.run, config.pace, config.model, config.is_controlled) == ("demo", "exact", MODEL, True)


@pytest.mark.parametrize(("flags", "expected"), [([], 30.0), (["--start-deadline", "5"], 5.0)])
def test_an_orchestrated_node_waits_half_a_minute_for_its_peers(
    tmp_path: Path, flags: list[str], expected: float
) -> None:
    """Unless it is told otherwise; by hand it is ten minutes."""
    config = parse(["--control", "--model", write_model(tmp_path), *flags], {})

    assert config.start_deadline_s == expected


@pytest.mark.parametrize("path", ["nothing.json", "."])
def test_a_model_file_that_cannot_be_read_is_named(tmp_path: Path, path: str) -> None:
    """66."""
    words = refuse(NoInputError, ["--model", str(tmp_path / path)])

    assert words.startswith(f"{tmp_path / path}: cannot read this model: ")
    assert NoInputError.exit_code == 66


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"{", b"[]", b"null", b"node: 1", b"{}", b"\x00" * 1000], ids=repr
)
def test_a_model_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """78, with the path, in one short line."""
    path = tmp_path / "model.json"
    path.write_bytes(content)
    words = refuse(ConfigurationError, ["--model", str(path)])

    assert words.startswith(f"{path}: ")
    assert len(words) < len(str(path)) + 200
    assert ConfigurationError.exit_code == 78


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"run": 7}, "run"),
        ({"pace": "slow"}, "pace"),
        ({"colour": "red"}, "colour"),
        ({"model": None}, "model"),
        ({"model": {**orjson.loads(MODEL_JSON.dump_json(MODEL)), "rate_hz": "2"}}, "model.rate_hz"),
        ({"model": {**orjson.loads(MODEL_JSON.dump_json(MODEL)), "peers": [0]}}, "model.peers.0"),
        (
            {"model": {**orjson.loads(MODEL_JSON.dump_json(MODEL)), "network": {"delay_ns": -1}}},
            "model.network.delay_ns.constrained-int",
        ),
    ],
    ids=lambda part: str(part)[:32],
)
def test_a_wrong_value_in_a_model_file_is_named(tmp_path: Path, changes: dict[str, Any], place: str) -> None:
    """78, with its place in the file."""
    path = write_model(tmp_path, **changes)

    assert refuse(ConfigurationError, ["--model", path]).startswith(f"{path}: {place}: ")


def test_by_hand_a_model_that_is_to_crash_is_refused(tmp_path: Path) -> None:
    """78: nobody would start the node again; whoever leads it does."""
    crash = {"from_ns": 1, "to_ns": 2, "amnesia": False}
    model = {**orjson.loads(MODEL_JSON.dump_json(MODEL)), "crashes": [crash]}

    path = write_model(tmp_path, model=model)

    assert "by hand nobody restarts it" in refuse(ConfigurationError, ["--model", path])
    assert parse(["--control", "--model", path], {}).model.crashes
    assert "--continue" in refuse(UsageError, ["--continue", "--model", write_model(tmp_path)])


# Refused.


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--id", "x"),
        ("--id", "0"),
        ("--id", "-1"),
        ("--id", "1.5"),
        ("--id", str(2**31)),
        ("--port", "x"),
        ("--port", ""),
        ("--port", "-1"),
        ("--port", "65536"),
        ("--port", "9" * 5_000),
        ("--peers", "2"),
        ("--peers", "2=5002"),
        ("--peers", "2=:5002"),
        ("--peers", "2=host"),
        ("--peers", "2=host:0"),
        ("--peers", "2=host:65536"),
        ("--peers", "=host:5002"),
        ("--peers", "two=host:5002"),
        ("--peers", "0=host:5002"),
        ("--peers", "1=host:5002"),
        ("--tick-rate", "0"),
        ("--tick-rate", "-1"),
        ("--tick-rate", "1.5"),
        ("--tick-rate", "6-1"),
        ("--tick-rate", "0-6"),
        ("--tick-rate", "1-1000001"),
        ("--tick-rate", "1-2-3"),
        ("--tick-rate", "fast"),
        ("--phase", "0"),
        ("--internal-probability", "1.1"),
        ("--internal-probability", "-0.1"),
        ("--internal-probability", "nan"),
        ("--internal-probability", "often"),
        ("--clock", "vector"),
        ("--delay-ms", "-1"),
        ("--delay-ms", "1.5"),
        ("--delay-ms", "99999999999"),
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--seed", str(2**63)),
        ("--duration", "0"),
        ("--duration", "-1"),
        ("--duration", "nan"),
        ("--duration", "inf"),
        ("--duration", "1e-10"),
        ("--duration", "1e7"),
        ("--duration", "5s"),
        ("--pace", "slow"),
        ("--epoch-ns", "now"),
        ("--start-deadline", "0"),
        ("--start-deadline", "nan"),
        ("--start-deadline", "-3"),
    ],
    ids=lambda part: part[:24] or "nothing",
)
@pytest.mark.parametrize("way", ["flag", "environment"])
def test_an_impossible_value_is_refused_by_the_name_of_its_flag(flag: str, text: str, way: str) -> None:
    """64, one line, whichever way it came."""
    name = "SCALE_MODEL_" + flag.removeprefix("--").replace("-", "_").upper()
    if way == "flag":
        words = refuse(UsageError, ["--id=1", f"{flag}={text}"])
    else:
        words = refuse(UsageError, [] if flag == "--id" else ["--id=1"], {name: text})

    assert flag in words
    assert UsageError.exit_code == 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--id is missing: this machine's number, from 1"),
        (["--id"], "argument --id: expected one argument"),
        (["--id", "1", "--colour", "red"], "unrecognized arguments: --colour red"),
        (["--id", "1", "extra"], "unrecognized arguments: extra"),
        (["--id", "1", "--control=yes"], "argument --control: ignored explicit argument 'yes'"),
        (["--id", "1", "--peers", "1=a:1"], "--peers: machine 1 is this one itself"),
    ],
    ids=repr,
)
def test_a_command_line_that_cannot_be_obeyed_is_refused_in_words(arguments: list[str], words: str) -> None:
    """64, not argparse's 2, which is our word for "unknown"."""
    assert words in refuse(UsageError, arguments)


@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_a_pace_that_needs_promises_needs_a_common_epoch(pace: str) -> None:
    """By hand every node would begin at a moment of its own."""
    words = refuse(UsageError, ["--id", "1", "--pace", pace])

    assert words.startswith(f"--pace {pace} needs the same --epoch-ns at every node")
    assert by_hand("--pace", pace, "--epoch-ns", "7").pace == pace
    assert by_hand("--pace", pace, "--epoch-file", "an epoch").pace == pace


def test_a_run_begins_at_one_moment() -> None:
    """A time and a file to agree on one would be two."""
    words = refuse(UsageError, ["--id", "1", "--epoch-ns", "7", "--epoch-file", "an epoch"])

    assert words == "--epoch-ns and --epoch-file both say when the run begins: give one of them"


FILE_MODEL = Model(
    node=7, seed=3, rate_hz=2, phase_ns=5, internal_probability=0.5, duration_ns=9, peers=(8,), senders=(8,)
)


@pytest.mark.parametrize(
    ("flag", "text"),
    [("--seed", str(2**64)), ("--id", str(2**64)), ("--delay-ms", str(10**15)), ("--delay-ms", "9" * 20)],
)
def test_an_integer_beyond_64_bits_is_a_usage_error(flag: str, text: str) -> None:
    """What no machine can be is refused, however many digits it has."""
    with pytest.raises(UsageError):
        parse(["--id=1", f"{flag}={text}"], {})


@pytest.mark.parametrize(
    "arguments",
    [["--run", "x" * 201], ["--run", "\udcff"], ["--epoch-ns", str(2**62 + 1)], ["--epoch-ns", str(10**30)]],
    ids=["long run", "no UTF-8", "epoch", "64 bits"],
)
def test_what_the_wire_cannot_carry_is_a_usage_error(arguments: list[str]) -> None:
    """What the wire cannot carry is refused before anything starts."""
    with pytest.raises(UsageError):
        parse(["--id=1", *arguments], {})


def test_the_run_of_a_model_file_has_the_limit_of_the_wire(tmp_path: Path) -> None:
    """The name of a run goes over the wire, whoever gives it."""
    path = tmp_path / "m.json"
    path.write_bytes(
        orjson.dumps({"run": "x" * 201, "pace": "fast", "model": orjson.loads(MODEL_JSON.dump_json(FILE_MODEL))})
    )
    with pytest.raises(ConfigurationError):
        parse(["--control", "--model", str(path)], {})


def test_a_peer_that_is_named_twice_is_a_usage_error() -> None:
    """Two addresses of one machine are a slip of the pen; neither is taken."""
    with pytest.raises(UsageError):
        parse(["--id=1", "--peers", "2=a:1", "2=b:2"], {})


def test_a_foreign_key_in_a_model_file_is_named_in_one_short_line(tmp_path: Path) -> None:
    """A key is foreign text, too."""
    path = tmp_path / "m.json"
    path.write_bytes(
        orjson.dumps(
            {"run": "r", "pace": "fast", "model": orjson.loads(MODEL_JSON.dump_json(FILE_MODEL)), "k\n" * 5_000: 1}
        )
    )
    with pytest.raises(ConfigurationError) as error:
        parse(["--control", "--model", str(path)], {})
    assert len(str(error.value).splitlines()) == 1


def test_a_model_by_hand_needs_the_addresses_of_its_peers(tmp_path: Path) -> None:
    """Without an orchestrator the addresses come with --peers."""
    path = tmp_path / "m.json"
    path.write_bytes(
        orjson.dumps({"run": "r", "pace": "free", "model": orjson.loads(MODEL_JSON.dump_json(FILE_MODEL))})
    )
    with pytest.raises(UsageError):
        parse(["--model", str(path)], {})


def test_a_model_by_hand_at_exact_needs_a_common_epoch(tmp_path: Path) -> None:
    """Whoever describes the machine, at exact all must begin at one moment."""
    path = tmp_path / "m.json"
    path.write_bytes(
        orjson.dumps({"run": "r", "pace": "exact", "model": orjson.loads(MODEL_JSON.dump_json(FILE_MODEL))})
    )
    with pytest.raises(UsageError):
        parse(["--model", str(path), "--peers", "8=a:1"], {})


def test_a_value_in_the_environment_is_no_flag() -> None:
    """A variable holds the value of its flag, and nothing else."""
    with pytest.raises(UsageError):
        parse(["--id=1"], {"SCALE_MODEL_PEERS": "--seed=7"})


@pytest.mark.parametrize("words", [["--bogus\nline"], ["--seed", "9" * 5_000]], ids=["newline", "5000 digits"])
def test_what_was_typed_is_quoted_in_one_short_line(words: list[str]) -> None:
    """Foreign text is shown short and on one line."""
    with pytest.raises(UsageError) as error:
        parse(["--id=1", *words], {})
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("change", [{"peers": [8, 8]}, {"peers": [9, 8]}, {"peers": [7, 8]}, {"senders": [8, 8]}])
def test_peers_of_a_model_file_are_others_each_once_ascending(tmp_path: Path, change: dict[str, list[int]]) -> None:
    """The n peers in the order of their ids are what the dice choose from."""
    model = {**orjson.loads(MODEL_JSON.dump_json(FILE_MODEL)), **change}
    path = tmp_path / "m.json"
    path.write_bytes(orjson.dumps({"run": "r", "pace": "fast", "model": model}))
    with pytest.raises(ConfigurationError):
        parse(["--control", "--model", str(path)], {})


@pytest.mark.parametrize(("value", "is_on"), [("on", True), ("1", True), ("no", False), ("", False)])
def test_a_switch_in_the_environment_is_on_or_off(value: str, is_on: bool) -> None:
    """Words of several dialects are understood."""
    assert is_on == parse(["--id=1"], {"SCALE_MODEL_CONTROL": value}).is_controlled


def test_a_switch_with_another_word_is_refused() -> None:
    """What is neither on nor off is not silently off."""
    with pytest.raises(UsageError, match="SCALE_MODEL_CONTROL: 'perhaps' is neither on nor off"):
        parse(["--id=1"], {"SCALE_MODEL_CONTROL": "perhaps"})
