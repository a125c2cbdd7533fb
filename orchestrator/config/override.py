"""A setting of the command line, `a.b=VALUE`, put in its place in a file's document.

Never judges a value: that is done where the file's own are judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from node.errors import UsageError
from orchestrator.config.place import Place, Source, printable
from orchestrator.config.scalar import Key
from orchestrator.config.wording import shown
from orchestrator.config.yamlfile import Document, Trail, read_yaml


@dataclass(frozen=True, slots=True)
class Override:
    """A dotted key, where it was written, and the character at which its value starts there."""

    key: str
    source: Source
    start: int

    @classmethod
    def of_set(cls, text: str) -> Self:
        """Return what `--set` says.

        Raises UsageError if it is no `KEY=VALUE`.
        """
        key, equals, _ = text.partition("=")
        if not equals or not all(part.strip() for part in key.split(".")):
            raise UsageError(f"--set {printable(text)}: expected KEY=VALUE, such as --set network.delay=10ms")
        return cls(key, Source(f"--set {text}", text, is_file=False), len(key) + 1)

    @classmethod
    def of_flag(cls, key: str, value: str) -> Self:
        """Return what a flag of its own says, `--seed 7` for `seed`."""
        return cls(key, Source(f"--{key} {value}", value, is_file=False), 0)

    def put_into(self, document: Document) -> None:
        """Put the value where the key says, and remember that it was written here.

        Raises ConfigurationError if it is no YAML, or the document has no such place.
        """
        value = read_yaml(self.source, self.start)
        mapping, trail = document.data, Trail()
        *parents, (last, last_place) = self._parts()
        for key, place in parents:
            assert isinstance(mapping, dict), "every step was checked"
            trail = (*trail, key)
            document.keys.setdefault(trail, place)
            document.values.setdefault(trail, place)
            mapping = mapping.setdefault(key, {})
            if not isinstance(mapping, dict):
                name = ".".join(map(str, trail))
                raise place.error(f"{name} is {shown(mapping)} here; give all of it: {name}=VALUE")
        assert isinstance(mapping, dict), "every step was checked"
        trail = (*trail, last)
        mapping[last] = value.data
        document.keys[trail] = last_place
        document.keys |= {(*trail, *rest): place for rest, place in value.keys.items()}
        document.values |= {(*trail, *rest): place for rest, place in value.values.items()}

    def _parts(self) -> Iterator[tuple[Key, Place]]:
        column = 0
        for part in self.key.split("."):
            word = part.strip()
            is_number = word.isascii() and word.isdigit() and len(word) < 10
            yield int(word) if is_number else word, Place(self.source, 0, column)
            column += len(part) + 1
