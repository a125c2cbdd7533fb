"""The templates of a text: lines that say the same, and the slots in which they differ.

Never knows what a slot means; its label is the words beside it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.formats.guess.names import names_in
from orchestrator.formats.guess.tokens import Token, tokens_of
from orchestrator.formats.guess.words import FIELD_WORDS, Label, meaning, split_words
from orchestrator.formats.names import EVERYBODY, GENERIC

OPAQUE: Final = "\0"
"""What stands in a text for a part that is not looked at."""
WORDS_KEPT_MAX: Final = 4
"""So many words may differ at one place before the place is a slot."""
QUOTES_MAX: Final = 8
_TO: Final = frozenset(
    ("to", "for", "dst", "dest", "destination", "recipient", "recipients", "receiver", "receivers", "target")
)
_TO_ALSO: Final = frozenset(("targets", "consumers", "machines", "nodes", "processes", "peers"))
_PEER_KEYS: Final = frozenset(("peer", "partner", "other"))
_ARROWS: Final = frozenset(("->", "-->", "--->", "=>", "==>", "→", ">", ">>"))
_BETWEEN: Final = frozenset((",", ";", "|", "&", "+", "and"))
_BOUNDARY: Final = frozenset(",;|.()[]{}\n")
_OPENING: Final = frozenset("([{<:=\"'#@-")
_KEY_SIGNS: Final = frozenset(("=", ":", "#", "-", "("))
_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{3,}")
_LAST_PART: Final = re.compile(r"(.*[/:@])([^/:@]+)\Z")
_PREFIXED: Final = re.compile(r"([^\d]*?)(\d+)\Z")


@dataclass(slots=True)
class Slot:
    """A place in which lines differ: what stands there, one value for each line of its template."""

    type: str
    label: Label
    values: list[str]
    prefix: str = ""
    """What all values begin with, where the rest is a number: `P` of P1 and P2."""


@dataclass(slots=True)
class Template:
    """Lines that say the same: `pieces` are texts, or the number of a slot."""

    rows: list[int]
    pieces: list[str | int]
    slots: list[Slot] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What is said in every line, slots left out."""
        return "".join(piece if isinstance(piece, str) else " " for piece in self.pieces)


def templates_of(texts: Sequence[str], known: Iterable[str] = ()) -> list[Template]:
    """Return the templates of these texts, those of the first lines first; `known` are names of machines."""
    lines = _with_ids(_without_false_vectors([tokens_of(text) for text in texts]))
    names = names_in(lines, known)
    typed = [list(_recipients(_typed(line, names))) for line in lines]
    quotes = {token.text for line in typed for token in line if token.type == "quote"}
    # A word in quotes is said in every line, or is a name or an id.
    are_few = len(quotes) <= QUOTES_MAX and not any(any(map(str.isdigit, one)) and " " not in one for one in quotes)
    if are_few:
        typed = [[replace(token, type="word") if token.type == "quote" else token for token in line] for line in typed]
    return [_template(rows, [typed[row] for row in rows]) for rows in _clusters(typed)]


def _without_false_vectors(lines: Sequence[Sequence[Token]]) -> Sequence[Sequence[Token]]:
    """Return lines in which `[host:5001]` is a name, unless vectors in such brackets have several entries elsewhere."""
    alone = [token for line in lines for token in line if token.type == "vector" and token.text[0] == "["]
    if not alone or any(len(re.findall(r"[:=]", token.text)) > 1 for token in alone):
        return lines
    return [[part for token in line for part in _opened(token)] for line in lines]


def _opened(token: Token) -> Iterator[Token]:
    if token.type != "vector" or token.text[0] != "[":
        yield token
        return
    yield Token("other", "[")
    yield from tokens_of(token.text[1:-1])
    yield Token("other", "]")


def _with_ids(lines: Sequence[Sequence[Token]]) -> Sequence[Sequence[Token]]:
    """Return lines in which numbers with hexadecimal digits are ids: `id=0033` is one where `id=1a2b` is."""
    seen: dict[str, list[Token]] = defaultdict(list)
    for line in lines:
        for key, token in _behind_keys(line):
            seen[key].append(token)
    ids = {
        key
        for key, tokens in seen.items()
        if len({token.type for token in tokens}) > 1 and all(map(_HEXADECIMAL.fullmatch, (one.text for one in tokens)))
    }
    if not ids:
        return lines
    changed = [{id(token) for key, token in _behind_keys(line) if key in ids} for line in lines]
    return [
        [replace(token, type="id") if id(token) in some else token for token in line]
        for line, some in zip(lines, changed, strict=True)
    ]


def _behind_keys(line: Sequence[Token]) -> Iterator[tuple[str, Token]]:
    """Yield the numbers and names with the key before each: `id` of `id=0033`."""
    plain = [token for token in line if token.type != "space"]
    for key, sign, token in zip(plain, plain[1:], plain[2:], strict=False):
        if key.type == "word" and sign.text in _KEY_SIGNS and token.type in ("number", "name", "word"):
            yield key.text.lower(), token


def uniform_template(texts: Sequence[str]) -> Template | None:
    """Return the one template of texts that have as many words in the same places, or None; what varies is a slot."""
    lines = [tokens_of(text) for text in texts]
    shapes = Counter(tuple(map(_plain_shape, line)) for line in lines if line)
    if not shapes:
        return None
    shape, count = shapes.most_common(1)[0]
    rows = [row for row, line in enumerate(lines) if tuple(map(_plain_shape, line)) == shape]
    return _template(rows, [lines[row] for row in rows]) if count > 0.9 * len(texts) else None


def _plain_shape(token: Token) -> str:
    return "\0" if token.type in ("word", "name", "number", "id") else _shape(token)


def _typed(line: Sequence[Token], names: frozenset[str]) -> list[Token]:
    return [each for token in line for each in _named(token, names)]


def _named(token: Token, names: frozenset[str]) -> Sequence[Token]:
    """Return a token as a name if it is one; of `user/node0` the last part may be."""
    if token.type not in ("word", "name", "number") or not names:
        return [token]
    if token.text in names and (token.type != "number" or token.text[:1] == "0" < token.text):
        return [Token("name", token.text)]
    match = _LAST_PART.search(token.text) if token.type != "number" else None
    if match and match[2] in names and not match[1][:-1].isdigit():
        return [Token("word", match[1]), Token("name", match[2])]
    return [token]


def _recipients(line: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens; names behind `to` are one, however many they are."""
    place, is_to = 0, False
    while place < len(line):
        token = line[place]
        lower = token.text.lower()
        is_list = token.type == "number" and _is_send_before(line, place) and _end_of_names(line, place) > place + 1
        if (is_to or is_list) and token.type in ("number", "name", "list") and not _is_decimal(token):
            end = _end_of_names(line, place, is_to=True)
            yield Token("names", "".join(each.text for each in line[place:end]))  # type: ignore[arg-type]
            place, is_to = end, False
            continue
        if token.type == "name" and (end := _end_of_names(line, place)) > place + 1:
            yield Token("names", "".join(each.text for each in line[place:end]))  # type: ignore[arg-type]
            place, is_to = end, False
            continue
        if token.type == "word":
            is_arrow = lower in _ARROWS and not _is_value_before(line, place)
            is_key = lower in _PEER_KEYS and _next(line, place).text in (":", "=")
            is_to = lower in _TO or lower in _TO_ALSO or is_arrow or is_key or (is_to and lower in GENERIC)
        elif (
            token.type not in ("space", "other")
            or token.text in ")]}"
            or (token.text == "," and not (place + 1 < len(line) and _next(line, place).type == "list"))
        ):
            is_to = False
        yield token
        place += 1


def _is_send_before(line: Sequence[Token], place: int) -> bool:
    """Return whether nothing but a verb stands before a token: `SEND 1, 2`."""
    before = [token for token in line[:place] if token.type != "space"][-1:]
    return bool(before) and before[0].type == "word" and meaning(before[0].text).kind == "send"


def _is_value_before(line: Sequence[Token], place: int) -> bool:
    """Return whether a number or a vector stands before an arrow: `clock 3 -> 5` names nobody."""
    before = next((token for token in reversed(line[:place]) if token.type != "space"), Token("other", ""))
    return before.type in ("number", "list", "vector")


def _next(line: Sequence[Token], place: int) -> Token:
    return next((token for token in line[place + 1 :] if token.type != "space"), Token("other", ""))


def _are_alike(token: Token, first: Token) -> bool:
    """Return whether two tokens may be of one list: P1 and P2 are, P1 and L5 are not."""
    if token.type == "number":
        return not _is_decimal(token)
    parts = _PREFIXED.fullmatch(token.text), _PREFIXED.fullmatch(first.text)
    return (parts[0] and parts[0][1]) == (parts[1] and parts[1][1])


def _is_decimal(token: Token) -> bool:
    return token.type == "number" and not token.text.isdigit()


def _end_of_names(line: Sequence[Token], start: int, *, is_to: bool = False) -> int:
    """Return where a list such as `1, 2 and 3` or `machine 1 and machine 2` ends."""
    end, seen, type_ = start + 1, {line[start].text}, line[start].type
    if type_ == "list":
        return end
    place = end
    # Behind `to` a space is enough between names: P1 P3.
    has_separator = may_be_space = is_to and type_ == "name" and bool(_PREFIXED.fullmatch(line[start].text))
    while place < len(line):
        token = line[place]
        lower = token.text.lower()
        if lower in _BETWEEN and not (lower == "|" and line[place - 1].type == "space"):
            has_separator = True
        elif token.type == type_ and has_separator and token.text not in seen and _are_alike(token, line[start]):
            seen.add(token.text)
            end, has_separator = place + 1, may_be_space
        elif token.type != "space" and not (has_separator and lower in GENERIC):
            break
        place += 1
    return end


# Clusters: lines of one shape; where many words differ at one place, the place is a slot.


def _clusters(lines: Sequence[Sequence[Token]]) -> list[list[int]]:
    shapes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, line in enumerate(lines):
        shapes[tuple(map(_shape, line))].append(row)
    found: list[list[int]] = []
    for rows in shapes.values():
        exact: dict[tuple[str, ...], list[int]] = defaultdict(list)
        vary = _varying([lines[row] for row in rows])
        for row in rows:
            key = tuple(
                token.text if token.type == "word" and place not in vary else ""
                for place, token in enumerate(lines[row])
            )
            exact[key].append(row)
        found += exact.values()
    return sorted(found, key=lambda rows: rows[0])


def _shape(token: Token) -> str:
    if token.type == "word":
        return token.text if _is_telling(token.text) else "\0word"
    if token.type == "space":
        return " "
    if token.type == "time":
        return f"\0time{token.text.count(' ')}"
    return token.text if token.type == "other" else f"\0{token.type}"


def _is_telling(word: str) -> bool:
    words = split_words(word)
    return (
        meaning(word).strength > 0
        or any(each in FIELD_WORDS or each in GENERIC or each in EVERYBODY for each in words)
        or not words
    )


def _varying(lines: Sequence[Sequence[Token]]) -> set[int]:
    """Return the places at which so many words differ that they are no part of what is said."""
    vary = set()
    for place, token in enumerate(lines[0]):
        is_plain = token.type == "word" and not _is_telling(token.text)
        if is_plain and len({line[place].text for line in lines}) > WORDS_KEPT_MAX:
            vary.add(place)
    return vary


def _template(rows: list[int], lines: Sequence[Sequence[Token]]) -> Template:
    pieces: list[str | int] = []
    slots: list[Slot] = []
    for place, token in enumerate(lines[0]):
        texts = [line[place].text for line in lines]
        is_constant = token.type == "other" or (token.type == "word" and len(set(texts)) == 1)
        if token.type == "space":
            _append(pieces, _space(texts))
        elif is_constant:
            _append(pieces, token.text)
        else:
            pieces.append(len(slots))
            slots.append(_slot(token.type, texts, lines[0], place))
    return Template(rows, pieces, slots)


def _space(texts: Sequence[str]) -> str:
    """Return the space between words as it stands in all lines; two spaces stand for any number of them."""
    if set(texts) <= {"\t", "\n"} and len(set(texts)) == 1:
        return texts[0]
    if any("\n" in text for text in texts):
        return "\n "  # and the next line is indented
    return "  " if max(map(len, texts)) > 1 else " "


def _append(pieces: list[str | int], text: str) -> None:
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] += text
    else:
        pieces.append(text)


def _slot(type_: str, texts: list[str], line: Sequence[Token], place: int) -> Slot:
    prefix = ""
    if type_ == "name":
        parts = [_PREFIXED.fullmatch(text) for text in texts]
        if all(parts) and len({part[1] for part in parts if part}) == 1:
            prefix = parts[0][1] if parts[0] else ""
    left = (*reversed(split_words(prefix)), *_left(line, place))
    return Slot(type_, Label(left, _right(line, place)), texts, prefix)


def _left(line: Sequence[Token], place: int) -> tuple[str, ...]:
    words: list[str] = []
    for before in range(place - 1, -1, -1):
        token = line[before]
        if token.type == "word":
            words += reversed(split_words(token.text))
        elif token.type == "other" and (token.text in _BOUNDARY or _is_dash(line, before)):
            if words or (token.text not in _OPENING and not _is_behind_a_field(line, before)):
                break
        elif token.type not in ("space", "other"):
            break
        if len(words) > 6:
            break
    return tuple(words)


def _is_dash(line: Sequence[Token], place: int) -> bool:
    """Return whether a token is a dash between parts of a line."""
    return line[place].text in "-–—" and place > 0 and line[place - 1].type == "space"


def _is_behind_a_field(line: Sequence[Token], place: int) -> bool:
    """Return whether the word before a comma names a field: `from, 2`."""
    before = line[place - 1] if place else Token("other", "")
    return line[place].text == "," and before.type == "word" and before.text.lower() in FIELD_WORDS


def _right(line: Sequence[Token], place: int) -> tuple[str, ...]:
    words: list[str] = []
    for at, token in enumerate(line[place + 1 :], place + 1):
        if token.type == "word":
            words += split_words(token.text)
        elif token.type == "other":
            if token.text in _BOUNDARY or token.text in ":=" or _is_dash(line, at):
                break
        elif token.type != "space":
            return ()  # these words speak of what comes behind them
    return tuple(words[:6])
