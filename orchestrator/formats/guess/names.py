"""Which words of a text are names of machines: they follow `from` and `to`, or stand in front and vary.

Never takes a word for a name that tells what happened.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from orchestrator.formats.guess.tokens import Token
from orchestrator.formats.guess.words import FIELD_WORDS, meaning, split_words
from orchestrator.formats.names import EVERYBODY, GENERIC

HEAD_NAMES_MAX: Final = 40
HEAD_PLACES: Final = 4
_BEFORE_A_NAME: Final = frozenset(
    (
        *(
            "from",
            "to",
            "by",
            "src",
            "dst",
            "dest",
            "source",
            "destination",
            "sender",
            "receiver",
            "recipient",
            "target",
        ),
        *(
            "node",
            "machine",
            "process",
            "proc",
            "host",
            "peer",
            "server",
            "vm",
            "replica",
            "svc",
            "service",
            "site",
            "actor",
        ),
        *("worker", "client", "origin", "producer", "consumer", "<-", "->", "-->", "<--", "<---", "--->", "=>", "<="),
    )
)
_ROLES: Final = frozenset(
    ("client", "server", "master", "worker", "primary", "backup", "replica", "leader", "follower", "peer")
)
_NO_NAME: Final = frozenset(
    (
        *(
            "a",
            "an",
            "the",
            "it",
            "its",
            "self",
            "itself",
            "me",
            "random",
            "another",
            "queue",
            "system",
            "local",
            "logical",
        ),
        *(
            "message",
            "messages",
            "msg",
            "network",
            "thread",
            "main",
            "info",
            "debug",
            "warn",
            "warning",
            "error",
            "trace",
        ),
        *(
            "critical",
            "notice",
            "fatal",
            "is",
            "has",
            "was",
            "with",
            "at",
            "on",
            "in",
            "of",
            "for",
            "now",
            "then",
            "no",
        ),
        *("id", "name", "number", "value", "completion", "scratch", "start", "end", "stopped", "started", "ready"),
    )
)


def names_in(lines: Sequence[Sequence[Token]], known: Iterable[str]) -> frozenset[str]:
    """Return the words that are names of machines, besides those that are known to be."""
    given = {name for name in known if _may_be_a_name(name, is_known=True)}
    follow: Counter[str] = Counter()
    for tokens in lines:
        words = [token for token in tokens if token.type not in ("space", "other")]
        for before, token in itertools.pairwise(words):
            if token.type == "word" and before.type == "word" and before.text.lower() in _BEFORE_A_NAME:
                follow[token.text] += 1
    followers = {word for word, count in follow.items() if count > 1 and _may_be_a_name(word)}
    if len(followers) < 2 and not followers & given:  # from scratch, to completion
        followers = set()
    found = given | followers | _heads(lines, followers | given)
    return frozenset(found | {"a"} if {"b", "c"} <= found else found)


def _heads(lines: Sequence[Sequence[Token]], names: set[str]) -> set[str]:
    """Return the words in front of the lines that are names: they are few, and what follows each of them varies."""
    for place in range(HEAD_PLACES):
        heads: dict[str, Counter[str]] = defaultdict(Counter)
        for tokens in lines:
            words = [token.text for token in tokens if token.type == "word" or (token.type == "name" and not place)]
            if len(words) > place:
                heads[words[place]][" ".join(words[place + 1 :])[:20]] += 1
        often = {word for word, behind in heads.items() if sum(behind.values()) > len(lines) / 500 + 1}
        found = {word for word in often if _may_be_a_name(word) or word.lower() in _ROLES}
        others = sum(sum(heads[word].values()) for word in often - found)
        is_most = others <= 0.15 * sum(sum(heads[word].values()) for word in often)
        if is_most and 2 <= len(found) <= HEAD_NAMES_MAX and min(len(heads[word]) for word in found) > 1:
            return found
        if found & names and len(often) <= HEAD_NAMES_MAX:
            return found
    return set()


def _may_be_a_name(word: str, *, is_known: bool = False) -> bool:
    lower = word.lower()
    if len(word) == 1 and (is_known or word.isupper()):
        return True
    if lower in EVERYBODY | GENERIC | _NO_NAME or not any(letter.isalpha() for letter in word):
        return False
    if is_known:
        return True
    words = split_words(word)
    is_field = len(words[-1:]) == 1 and len(words[-1]) > 1 and all(each in FIELD_WORDS for each in words)
    told = meaning(word)
    return not is_field and (len(word) == 1 or told.strength == 0) and not told.is_lifecycle
