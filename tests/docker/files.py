"""What a Dockerfile and a docker-compose.yml say, read by their lines and never run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its continuation lines joined."""

    stage: str
    word: str
    rest: str


@dataclass(frozen=True)
class Containers:
    """The files, read and never run."""

    dockerfile: str
    compose: str
    dockerignore: str

    @cached_property
    def instructions(self) -> list[Instruction]:
        """What the Dockerfile says, in order."""
        lines = [line for line in self.dockerfile.splitlines() if not line.lstrip().startswith("#")]
        found: list[Instruction] = []
        stage = ""
        for line in "\n".join(lines).replace("\\\n", " ").splitlines():
            word, _, rest = line.strip().partition(" ")
            if word.upper() == "FROM":
                stage = rest.split()[-1]
            if word:
                found.append(Instruction(stage, word.upper(), " ".join(rest.split())))
        return found

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services, with everything merged in that they refer to."""
        services: dict[str, dict[str, Any]] = yaml.safe_load(self.compose)["services"]
        return services

    @property
    def final_stages(self) -> list[str]:
        """The stages that compose runs."""
        return sorted({service["build"]["target"] for service in self.services.values() if "build" in service})

    def said(self, word: str, *, stage: str | None = None) -> list[Instruction]:
        """Return the instructions of a kind, of one stage or all."""
        return [each for each in self.instructions if each.word == word and stage in (None, each.stage)]

    def parents(self, stage: str) -> list[str]:
        """Return a stage, what it begins from, and what it copies from, and so on."""
        found = [stage]
        for each in found:
            begun_from = [one.rest.split()[0] for one in self.said("FROM", stage=each)]
            copied_from = re.findall(r"--from=(\S+)", " ".join(one.rest for one in self.said("COPY", stage=each)))
            found += [name for name in dict.fromkeys(begun_from + copied_from) if name not in found]
        return found


def keys_in(value: Any) -> Iterator[str]:
    """Yield every key at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from keys_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner)
