"""Sentences in which events and lines of logs are links: to their place in the diagram, and to the file.

Never trusts a word of a log: everything is escaped, and only what is a known name becomes a link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from orchestrator.report.diagram import Diagram
from orchestrator.report.visible import visible

_NAMED: Final = re.compile(r"[^\s(,;]+:\d+(?!\w)")


@dataclass(frozen=True)
class Linker:
    """Makes links for one execution; `identity` is its section, `files` say where each of its files is from here."""

    identity: str
    diagram: Diagram
    files: Mapping[str, str]

    def text(self, sentence: str) -> Markup:
        """Return a sentence with its links."""
        done, parts = 0, []
        for found in _NAMED.finditer(sentence):
            parts.append(escape(visible(sentence[done : found.start()])))
            parts.append(self._word(found[0]))
            done = found.end()
        return Markup("").join([*parts, escape(visible(sentence[done:]))])

    def event(self, row: int) -> Markup:
        """Return a link to an event in the diagram."""
        return self._event(self.diagram.event(row))

    def place(self, row: int) -> Markup:
        """Return a link to the log that an event stands in, with its line; nothing if there is none."""
        name, line = self.diagram.files[self.diagram.file[row]], int(self.diagram.line[row])
        return self._place(name, str(line)) if name and line >= 0 else Markup("")

    def _word(self, word: str) -> Markup:
        name, _, number = word.rpartition(":")
        if name in self._processes:
            return self._event(word)
        return self._place(name, number) if name in self.files else escape(visible(word))

    def _event(self, name: str) -> Markup:
        return Markup('<a class="event" href="#{}-diagram" data-event="{}">{}</a>').format(
            self.identity, visible(name), visible(name)
        )

    def _place(self, name: str, line: str) -> Markup:
        where = f"{visible(name)}:{line}"
        href = self.files.get(name)
        return Markup('<a class="place" href="{}">{}</a>').format(href, where) if href else escape(where)

    @cached_property
    def _processes(self) -> frozenset[str]:
        return frozenset(process.name for process in self.diagram.processes)


def address(path: str) -> str:
    """Return a relative path as an address: `?` and `#` in a name are parts of it, and no name is a scheme."""
    return quote(path if path.startswith((".", "/")) else f"./{path}", safe="/")
