"""What our containers may do is a test: 18 rules over Dockerfile, docker-compose.yml and .dockerignore.

A rule reads the three files and yields a sentence for each violation. Each is broken once below, and must say so.
"""

import re
from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.docker.files import ROOT, Containers, keys_in

Rule = Callable[[Containers], Iterator[str]]

NODES = {"node-1", "node-2", "node-3"}

# What Compose v2 or docker-compose 1.29 refuses, ignores or complains about.
NOT_IN_BOTH = {"version", "name", "start_interval", "required", "develop", "include", "attach", "additional_contexts"}
# What only BuildKit's parser understands.
BUILDKIT_ONLY = re.compile(r"--mount|--network|--security|--link|--chmod|--parents|--exclude|<<-?['\"]?\w+")
SECRET = re.compile(r"(?i)passw|secret|token|credential|api_?key|private")
HOST = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup_parent")


# The rules: what an image holds.


def the_base_image_is_an_argument_with_a_version(ours: Containers) -> Iterator[str]:
    """1. One place to change it, and nothing that moves under our feet."""
    defaults = [each.rest.partition("=")[2] for each in ours.said("ARG") if each.rest.startswith("BASE_IMAGE=")]
    for default in defaults or ["nothing"]:
        if not re.search(r":[^:/]*\d", default):
            yield f"BASE_IMAGE is {default} by default, which is no version"
    stages = {each.stage for each in ours.said("FROM")}
    for each in ours.said("FROM"):
        if each.rest.split()[0] not in {"${BASE_IMAGE}", *stages}:
            yield f"the stage {each.stage} begins from {each.rest.split()[0]}, not from BASE_IMAGE"
    in_compose = re.findall(r"BASE_IMAGE:-([^}]*)\}", ours.compose)
    if set(in_compose) != set(defaults):
        yield f"docker-compose.yml has the default {in_compose}, the Dockerfile {defaults}"


def a_final_image_installs_nothing(ours: Containers) -> Iterator[str]:
    """2. Several stages: what only an installation needs is in none that runs."""
    for stage in ours.final_stages:
        for each in ours.said("RUN", stage=stage):
            yield f"the image {stage} is made by running {each.rest}"
        if not any("--from=" in each.rest for each in ours.said("COPY", stage=stage)):
            yield f"the image {stage} takes nothing from a build stage"


def what_is_installed_is_pinned_by_hash(ours: Containers) -> Iterator[str]:
    """3. Wheels that requirements/ names, and no program of a package runs."""
    for each in ours.said("RUN"):
        for wanted in ("--require-hashes", "--only-binary :all:", "--no-deps", "-r /requirements/"):
            if re.search(r"\bpip\b.*\binstall\b", each.rest) and wanted not in each.rest:
                yield f"the stage {each.stage} installs without {wanted}"
        if re.search(r"\b(apt|apt-get|apk|curl|wget)\b", each.rest):
            yield f"the stage {each.stage} fetches what no hash pins: {each.rest}"


def a_node_has_core_requirements_only(ours: Containers) -> Iterator[str]:
    """4. What it does not need cannot be attacked in it."""
    for stage in {each for target in targets(ours) for each in ours.parents(target)}:
        for each in ours.instructions:
            if each.stage == stage and re.search(r"requirements/(?!core\.txt)\w|\borchestrator\b", each.rest):
                yield f"the node's image holds more than a node needs: {each.word} {each.rest}"


def files_are_copied_by_name(ours: Containers) -> Iterator[str]:
    """5. Neither a checkout's history nor its runs come into an image by accident."""
    for each in ours.said("ADD"):
        yield f"ADD {each.rest} may fetch or unpack; COPY does not"
    for each in ours.said("COPY"):
        sources = [word for word in each.rest.split() if not word.startswith("--")][:-1]
        if "--from=" not in each.rest and {".", "./", "/"} & set(sources):
            yield f"COPY {each.rest} takes everything"
    lines = [line for line in ours.dockerignore.splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["*"]:
        yield ".dockerignore does not begin with *, so that the build is sent everything"


def nothing_is_secret(ours: Containers) -> Iterator[str]:
    """6. What stands in an image's history or a container's environment, anybody may read."""
    for each in [*ours.said("ARG"), *ours.said("ENV")]:
        if SECRET.search(each.rest):
            yield f"{each.word} {each.rest} would stand in the image's history"
    for name, service in ours.services.items():
        variables = [*service.get("environment", {}), *service.get("build", {}).get("args", {})]
        for variable in variables:
            if SECRET.search(variable):
                yield f"{name} is given {variable} by its environment"
        if "env_file" in service:
            yield f"{name} is given whatever stands in {service['env_file']}"


def any_builder_builds_it(ours: Containers) -> Iterator[str]:
    """7. The legacy builder, too, and no parser is fetched from a registry."""
    if re.match(r"#\s*(syntax|escape)\s*=", ours.dockerfile):
        yield "the Dockerfile names a parser of its own"
    for each in ours.instructions:
        if each.word in {"RUN", "COPY"} and (found := BUILDKIT_ONLY.search(each.rest)):
            yield f"{each.word} {found[0]} is understood by BuildKit only"


def any_compose_reads_it(ours: Containers) -> Iterator[str]:
    """8. Compose v2 and docker-compose 1.29."""
    whole = yaml.safe_load(ours.compose)
    for key in keys_in({**whole, "services": ours.services, "volumes": None}):
        if key in NOT_IN_BOTH:
            yield f"{key} is not understood by both"
    for key in whole:
        if key not in {"services", "networks", "volumes"} and not key.startswith("x-"):
            yield f"{key} at the top is not understood by both"


# The rules: what a container may do.


def nobody_is_root(ours: Containers) -> Iterator[str]:
    """9. A number, so that whoever starts it can tell."""
    for stage in ours.final_stages:
        users = [each.rest for each in ours.said("USER", stage=stage)]
        if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
            yield f"the image {stage} runs as {users[-1] if users else 'root'}"
    for name, service in ours.services.items():
        if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", str(service.get("user", "1"))):
            yield f"{name} runs as {service['user']}"


def the_root_is_read_only(ours: Containers) -> Iterator[str]:
    """10. Nothing can be left behind in it, and nothing that is left in /tmp can be run."""
    for name, service in ours.services.items():
        if service.get("read_only") is not True:
            yield f"{name} may change its own programs"
        for mount in service.get("tmpfs", ["/tmp: missing"]):
            for option in ("size=", "noexec", "nosuid", "nodev"):
                if option not in mount:
                    yield f"{name} has {mount} without {option}"


def no_capability_is_left(ours: Containers) -> Iterator[str]:
    """11. Not even those that Docker leaves to everybody."""
    for name, service in ours.services.items():
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name} keeps capabilities"
        if service.get("cap_add"):
            yield f"{name} is given {service['cap_add']}"


def no_privilege_is_gained(ours: Containers) -> Iterator[str]:
    """12. No program changes its user, and the filters that Docker sets stay on."""
    for name, service in ours.services.items():
        options = service.get("security_opt", [])
        if "no-new-privileges:true" not in options:
            yield f"{name} may gain privileges"
        for option in options:
            if "unconfined" in option or "disable" in option:
                yield f"{name} has {option}"
        if service.get("privileged"):
            yield f"{name} is privileged"


def nothing_of_the_host_is_shared(ours: Containers) -> Iterator[str]:
    """13. No directory, no socket of Docker's, no device, no namespace."""
    named = yaml.safe_load(ours.compose).get("volumes", {})
    for name, service in ours.services.items():
        for volume in service.get("volumes", []):
            if not isinstance(volume, str) or volume.partition(":")[0] not in named:
                yield f"{name} mounts {volume}, which is no named volume"
        for key in HOST:
            if key in service and service[key] != "none":
                yield f"{name} shares with the host: {key} is {service[key]}"
        for key in ("devices", "group_add", "volumes_from", "extra_hosts"):
            if key in service:
                yield f"{name} has {key}"


def nothing_is_reached_from_outside(ours: Containers) -> Iterator[str]:
    """14. The wire is neither encrypted nor authenticated: it stays in a network that leads nowhere."""
    networks = yaml.safe_load(ours.compose).get("networks", {})
    for name, service in ours.services.items():
        for port in service.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} publishes {port} beyond this machine"
        used = [] if service.get("network_mode") == "none" else service.get("networks", ["default"])
        for network in used:
            if not (networks.get(network) or {}).get("internal"):
                yield f"{name} is in the network {network}, which leads outside"


def resources_are_limited(ours: Containers) -> Iterator[str]:
    """15. A mistake of ours costs the cluster, not the machine."""
    for name, service in ours.services.items():
        for key in ("mem_limit", "memswap_limit", "cpus", "pids_limit"):
            if not service.get(key):
                yield f"{name} has no {key}"
        if service.get("memswap_limit") != service.get("mem_limit"):
            yield f"{name} may swap"
        if "max-size" not in service.get("logging", {}).get("options", {}):
            yield f"{name} may fill the disk with its words"


def only_nodes_write_logs(ours: Containers) -> Iterator[str]:
    """16. Whoever judges the record cannot change it, and whoever writes it owns its place."""
    for name, service in ours.services.items():
        is_read_only = service.get("volumes") == ["logs:/logs:ro"]
        if is_read_only == (name in NODES):
            yield f"{name} mounts {service.get('volumes')}"
    for stage in ours.final_stages:
        users = [each.rest for each in ours.said("USER", stage=stage)]
        owners = [each.rest for each in ours.said("COPY", stage=stage) if each.rest.endswith(" /logs")]
        if not any(f"--chown={user} " in owner for user in users for owner in owners):
            yield f"the image {stage} leaves /logs to root, and so a new volume"


def signals_arrive(ours: Containers) -> Iterator[str]:
    """17. The polite kill seals a log, and has the time to; nobody comes back unasked."""
    for word in ("ENTRYPOINT", "CMD"):
        for each in ours.said(word):
            if not each.rest.startswith("["):
                yield f"{word} {each.rest} runs in a shell, which keeps signals to itself"
    for name, service in ours.services.items():
        if service.get("init") is not True:
            yield f"{name} has no init"
        if not service.get("stop_grace_period") or service.get("stop_signal", "SIGTERM") != "SIGTERM":
            yield f"{name} is killed before it can seal its log"
        if service.get("restart") != "no":
            yield f"{name} is restarted, and would find its own log unsealed"


def a_node_says_whether_it_is_well(ours: Containers) -> Iterator[str]:
    """18. With the standard library alone, and without a shell."""
    for stage in targets(ours):
        checks = [each.rest for each in ours.said("HEALTHCHECK", stage=stage)]
        if not checks:
            yield f"the image {stage} has no HEALTHCHECK"
        for check in checks:
            if not re.search(r'CMD \["python", "-IS", "/app/docker/\w+\.py"\]$', check):
                yield f"the health of {stage} is asked by {check}"
    for name, service in ours.services.items():
        if "healthcheck" in service:
            yield f"{name} has another healthcheck than its image"


def targets(ours: Containers) -> set[str]:
    """Return the stages that nodes are made of."""
    return {ours.services[name]["build"]["target"] for name in NODES if "build" in ours.services[name]}


RULES: tuple[Rule, ...] = (
    the_base_image_is_an_argument_with_a_version,
    a_final_image_installs_nothing,
    what_is_installed_is_pinned_by_hash,
    a_node_has_core_requirements_only,
    files_are_copied_by_name,
    nothing_is_secret,
    any_builder_builds_it,
    any_compose_reads_it,
    nobody_is_root,
    the_root_is_read_only,
    no_capability_is_left,
    no_privilege_is_gained,
    nothing_of_the_host_is_shared,
    nothing_is_reached_from_outside,
    resources_are_limited,
    only_nodes_write_logs,
    signals_arrive,
    a_node_says_whether_it_is_well,
)

# The tests.


@pytest.fixture(scope="module")
def ours() -> Containers:
    """The files that we ship."""
    return Containers(
        *((ROOT / name).read_text("utf-8") for name in ("Dockerfile", "docker-compose.yml", ".dockerignore"))
    )


def test_there_are_18_rules() -> None:
    """And each says which it is."""
    assert [f"{number}." for number in range(1, 19)] == [str(rule.__doc__).split()[0] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_containers_obey(rule: Rule, ours: Containers) -> None:
    """Each rule's docstring is the law; what is listed broke it."""
    assert [] == list(rule(ours))


# By rule: the file that is spoilt, what is taken out of it and put in, and what the rule must say.
SPOILT: dict[Rule, list[tuple[str, str, str, str]]] = {
    the_base_image_is_an_argument_with_a_version: [
        ("dockerfile", ":3.13-slim", ":latest", "is python:latest by default"),
        ("dockerfile", "FROM ${BASE_IMAGE} AS lab", "FROM debian AS lab", "from debian"),
        ("compose", ":-python:3.13-slim", ":-python:3.14-slim", "3.14"),
    ],
    a_final_image_installs_nothing: [
        ("dockerfile", "USER 10001", "RUN pip list\nUSER 10001", "by running pip list"),
        ("dockerfile", "COPY --from=build-", "COPY build-", "takes nothing from a build stage"),
    ],
    what_is_installed_is_pinned_by_hash: [
        ("dockerfile", "--require-hashes ", "", "installs without --require-hashes"),
        ("dockerfile", "--no-deps ", "", "installs without --no-deps"),
        ("dockerfile", "RUN mkdir", "RUN apt-get install -y curl; mkdir", "no hash pins"),
    ],
    a_node_has_core_requirements_only: [
        ("dockerfile", "core.txt", "lab.txt", "more than a node needs: COPY requirements/lab"),
        ("dockerfile", "COPY node", "COPY orchestrator node", "more than a node needs"),
    ],
    files_are_copied_by_name: [
        ("dockerfile", "COPY node", "ADD node", "ADD node /app/node may fetch"),
        ("dockerfile", "COPY node /app/node", "COPY . /app", "COPY . /app takes everything"),
        ("dockerignore", "*\n!docker/h", ".git\n!docker/h", "the build is sent everything"),
    ],
    nothing_is_secret: [
        ("dockerfile", "WORKDIR", "ARG INDEX_TOKEN\nWORKDIR", "ARG INDEX_TOKEN would stand"),
        ("compose", "SCALE_MODEL_ID: 1", "DB_PASSWORD: 1", "node-1 is given DB_PASSWORD"),
        ("compose", "pids_limit: 32", "env_file: .env", "whatever stands in .env"),
    ],
    any_builder_builds_it: [
        ("dockerfile", "# Two", "# syntax=docker/dockerfile:1\n# Two", "a parser of its own"),
        ("dockerfile", "RUN mkdir", "RUN --mount=type=cache mkdir", "RUN --mount is understood"),
        ("dockerfile", "RUN mkdir /logs", "RUN <<EOF\nEOF\nRUN mkdir /logs", "RUN <<EOF is understood"),
    ],
    any_compose_reads_it: [
        ("compose", "services:", "version: '3'\nservices:", "version is not understood by both"),
        ("compose", "services:", "name: us\nservices:", "name is not understood by both"),
        ("compose", "depends_on: [check]", "depends_on: {check: {required: false}}", "required is not"),
    ],
    nobody_is_root: [
        ("dockerfile", "USER 10001:10001\nENTRY", "ENTRY", "the image lab runs as root"),
        ("dockerfile", "USER 10001:10001\nHEALTH", "USER 0:0\nHEALTH", "the image node runs as 0:0"),
        ("compose", "init: true", "init: true\n  user: root", "check runs as root"),
    ],
    the_root_is_read_only: [
        ("compose", "read_only: true", "read_only: false", "node-1 may change its own programs"),
        ("compose", ",noexec", "", "without noexec"),
    ],
    no_capability_is_left: [
        ("compose", "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "check keeps capabilities"),
        ("compose", "cap_drop: [ALL]", "cap_drop: [ALL]\n  cap_add: [KILL]", "is given ['KILL']"),
    ],
    no_privilege_is_gained: [
        ("compose", "no-new-privileges:true", "no-new-privileges:false", "may gain privileges"),
        ("compose", 'privileges:true"', 'privileges:true", "seccomp:unconfined"', "seccomp:unconfined"),
        ("compose", "init: true", "privileged: true", "check is privileged"),
    ],
    nothing_of_the_host_is_shared: [
        ("compose", '"logs:/logs"', '"./logs:/logs"', "mounts ./logs:/logs"),
        ("compose", "logs:/logs:ro", "/run/docker.sock:/logs", "check mounts /run/docker.sock"),
        ("compose", "network_mode: none", "network_mode: host", "network_mode is host"),
        ("compose", "init: true", "pid: host", "check shares with the host: pid is host"),
    ],
    nothing_is_reached_from_outside: [
        ("compose", "networks: [mesh]", 'ports: ["5000:5000"]', "node-2 publishes 5000:5000"),
        ("compose", "internal: true", "internal: false", "mesh, which leads outside"),
        ("compose", "network_mode: none", "init: true", "network default, which leads outside"),
    ],
    resources_are_limited: [
        ("compose", "pids_limit: 32", "", "node-3 has no pids_limit"),
        ("compose", "memswap_limit: 512m", "memswap_limit: 1g", "check may swap"),
        ("compose", "max-size: 1m, ", "", "may fill the disk with its words"),
    ],
    only_nodes_write_logs: [
        ("compose", "logs:/logs:ro", "logs:/logs", "check mounts ['logs:/logs']"),
        ("compose", '"logs:/logs"', '"logs:/logs:ro"', "node-1 mounts"),
        ("dockerfile", "--chown=10001:10001 /logs", "/logs", "leaves /logs to root"),
    ],
    signals_arrive: [
        ("dockerfile", 'ENTRYPOINT ["python", "-m", "node"]', "ENTRYPOINT python -m node", "runs in a shell"),
        ("compose", "init: true", "init: false", "check has no init"),
        ("compose", "stop_grace_period: 10s", "stop_signal: SIGKILL", "node-1 is killed before"),
        ("compose", 'restart: "no"', "restart: always", "check is restarted"),
    ],
    a_node_says_whether_it_is_well: [
        ("dockerfile", "HEALTHCHECK", "#", "the image node has no HEALTHCHECK"),
        ("dockerfile", '["python", "-IS"', '["curl"', "is asked by --interval"),
        ("compose", "init: true", "healthcheck: {disable: true}", "another healthcheck"),
    ],
}


@pytest.mark.parametrize(
    ("rule", "change"),
    [(rule, change) for rule, changes in SPOILT.items() for change in changes],
    ids=lambda part: part[-1] if isinstance(part, tuple) else part.__name__,
)
def test_each_rule_says_what_breaks_it(rule: Rule, change: tuple[str, str, str, str], ours: Containers) -> None:
    """A rule that nothing can break protects nothing."""
    file, old, new, sentence = change
    texts = {name: getattr(ours, name) for name in ("dockerfile", "compose", "dockerignore")}
    assert old in texts[file]
    spoilt = Containers(**{**texts, file: texts[file].replace(old, new)})
    said = list(rule(spoilt))

    assert any(sentence in words for words in said), said


def test_every_rule_is_broken_once() -> None:
    """None is taken on trust."""
    assert set(RULES) == set(SPOILT)
