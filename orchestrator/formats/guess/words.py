"""What words say: the kind of an event, and which field a number or a name beside them is.

Never looks at values: what they do is evidence of its own, and `evidence` weighs it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["receive", "send", "internal", ""]

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"<?[-=]+>|<[-=]+|[←→⇒⇐]|[<>]{1,2}(?=\s|\Z)|[^\W\d_]+(?:'[a-z]+)?")

_RECEIVE: Final = re.compile(
    r"receiv(e[sd]?|ing)|reciev(e[sd]?|ing)|recv(d|ed|ing|s)?|rcv(d|ed|s)?|rx|got|gets|deliver(s|ed|y|ing)?|dlvr|dequeue[sd]?|dequeuing"
    r"|consum(e[sd]?|ing)|popp?(ed|s|ing)?|incoming|inbound|arriv(e[sd]?|al|ing)|ingest(ed|s)?|fetch(ed|es)?|picked"
    r"|handl(e[sd]?|ing)|process(ed|ing)|accept(ed|s|ing)?"
    r"|reçue?s?|reçoit|recibid[ao]s?|recibe|empfangen|erhalten|empfängt"
)
_WEAK_RECEIVE: Final = re.compile(
    r"handl(e[sd]?|ing)|process(ed|ing)|accept(ed|s|ing)?|arriv(e[sd]?|al|ing)|fetch(ed|es)?|picked"
)
_SEND: Final = re.compile(
    r"sen[dt]s?|sending|snd|tx|xmit|transmi(t|ts|tted|tting|ssion)|emit(s|ted|ting)?|publish(es|ed|ing)?|produc(e[sd]?|ing)"
    r"|dispatch(es|ed|ing)?|forward(s|ed|ing)?|outgoing|outbound|(multi|uni|broad)cast(s|ed|ing)?|[bmu]cast|enqueue[sd]?"
    r"|propagat(e[sd]?|ing)|notif(y|ies|ied|ying)|post(s|ed|ing)?|repl(y|ies|ied)|push(es|ed|ing)?"
    r"|envoyée?s?|envoie|enviad[ao]s?|envía|gesendet|verschickt|sendet"
)
_WEAK_SEND: Final = re.compile(
    r"forward(s|ed|ing)?|notif(y|ies|ied|ying)|post(s|ed|ing)?|repl(y|ies|ied)|push(es|ed|ing)?|enqueue[sd]?"
)
_INTERNAL: Final = re.compile(
    r"internal|interne|interno|intern|local|int|comput(e[sd]?|ing|ation)|works?|working|idle|idling|noop|step(s|ped)?|nothing|execut(e[sd]?|ing|ion)"
    r"|think(s|ing)?|tick(s|ed)?|event|op|operation|task|job|sleeping|slept"
)
_ALL: Final = re.compile(
    r"all|tous|todos|alle|tutti|both|every(one|body)?|(broad|multi)cast(s|ed|ing)?|[bm]cast|others"
)
_PROCESS: Final = re.compile(r"\bprocess(es)? (a |the |next |one )?(message|msg|packet)\b")
"""A verb: else a process is a machine."""
_NO_MESSAGE: Final = re.compile(
    r"\b(no|not|without|zero|empty)\b(\s+\w+){0,2}?\s+(messages?|msgs?|mail|inbox|queue)(\s+(received|to receive|available))?"
    r"|\b(message|msg|receive[dr]?|receiving|incoming|send|network|input|inbound|in)[ _-]?(queue|buffer|box|q)\b|\bqueued?\b"
    r"|\b(empty|nothing) (queue|inbox|received|to receive)\b|\bnothing in (the )?(queue|inbox)\b|\bqueue empty\b"
    r"|\bdeliver(y|ies)? (time|count)\b|\bprocess(?=\s+\S*\d)"
)
_ARROW: Final = re.compile(r"(<-+|<=+|←|⇐|<<?(?!\S))|-+>|=+>|→|⇒|>>?(?!\S)")
_TO_ALL: Final = re.compile(r"\bto (the |both )?(all|everyone|everybody|both|others)\b")
_STAR: Final = re.compile(r"(->|=>|→|\bto|\bdst)[\s:=]*\*(?=\W|\Z)")
_BY: Final = re.compile(
    r"\b(sent|send|sending|emitted|published|produced)[ _-]?(by|from|at|time|clock|ts)\b|\bsender\b"
)
_RECEIVED_BY: Final = re.compile(r"\b(received|delivered|consumed)[ _-]?(by)\b|\breceiver\b")
_LIFECYCLE: Final = re.compile(
    r"start(s|ed|ing|up)?|stop(s|ped|ping)?|init(ial|iali[sz](e|ed|ing|ation))?|boot(ed|ing)?|listen(s|ed|ing)?|bind(ing)?|bound"
    r"|connect(s|ed|ing|ions?)?|disconnect(ed|ing)?|ready|shut(ting|down)?|exit(s|ed|ing)?|clos(e[sd]?|ing)|finish(ed|ing)?|done"
    r"|terminat(e[sd]?|ing)|config(uration|ured)?|seed|rate|speed|summary|total|final(ly)?|average|mean|statistics|stats|version"
    r"|health(checks?|z)?|heartbeats?|keepalive|alive|attach(ed|ing)?|spawn(ed|ing)?|launch(ed|ing)?|joined|simulation|experiment|begin(s|ning)?|end(s|ed|ing)?|signal"
)
_EXACT: Final[dict[str, tuple[Kind, bool]]] = {
    **dict.fromkeys(("s", "snd", "out", "o", "tx", "w", "snt", "u"), ("send", False)),
    **dict.fromkeys(("r", "rcv", "in", "rx", "d", "dlv"), ("receive", False)),
    **dict.fromkeys(("i", "int", "l", "e", "c", "n", "x", "t"), ("internal", False)),
    **dict.fromkeys(("b", "bc", "m", "mc", "a"), ("send", True)),
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What words say of an event's kind, and how surely: 2 for a verb, 1 for a word that may mean it, 0 for none."""

    kind: Kind
    strength: int = 0
    is_all: bool = False
    is_lifecycle: bool = False


def split_words(text: str) -> list[str]:
    """Return the words in a text, in small letters: `msgClock_sent` has three."""
    return [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", text))]


@lru_cache(4096)
def meaning(text: str) -> Meaning:
    """Return what kind of event these words tell of."""
    words = split_words(text)
    if len(words) == 1 and words[0] in _EXACT and len(text.strip()) <= 3:
        kind, is_all = _EXACT[words[0]]
        return Meaning(kind, 1, is_all)
    plain = " ".join(words)
    plain = _NO_MESSAGE.sub(" ", _PROCESS.sub("processing message", plain))
    is_lifecycle = any(_LIFECYCLE.fullmatch(word) for word in words)
    is_all = any(_ALL.fullmatch(word) for word in plain.split()) or bool(_STAR.search(text))
    kind, strength = _kind(plain)
    return Meaning(kind, strength, is_all and kind == "send", is_lifecycle)


def _kind(plain: str) -> tuple[Kind, int]:  # noqa: PLR0911  # one return for each way to say it
    received = _first(_RECEIVE, _RECEIVED_BY.sub(" ", plain), _WEAK_RECEIVE)
    sent = _first(_SEND, _BY.sub(lambda match: " " * len(match[0]), plain), _WEAK_SEND)
    if not sent and not received and _first(_SEND, plain, _WEAK_SEND):
        return "send", 1  # sent by whom, and nothing of a receive: most likely by the machine itself
    internal = [word for word in plain.split() if _INTERNAL.fullmatch(word)]
    if "internal" in internal and (received or (1,))[0] < 2 and (sent or (1,))[0] < 2:
        return "internal", 2
    if received and sent:
        if received[0] != sent[0]:
            return ("receive", received[0]) if received[0] > sent[0] else ("send", sent[0])
        return ("receive", 2) if _is_received(plain, received[1], sent[1]) else ("send", 2)
    arrow = _arrow(plain)
    if arrow and not internal and (received or sent or (1,))[0] == 1:
        return arrow, 1
    if received:
        return "receive", received[0]
    if sent:
        return "send", sent[0]
    if not internal:
        return ("send", 1) if _TO_ALL.search(plain) else ("", 0)
    return "internal", 2 if internal[0] == "internal" else 1


def _arrow(plain: str) -> Kind:
    """Return what an arrow between machines tells; `-> clock 5` says what came of it."""
    match = _ARROW.search(plain)
    if match is None or set(plain[match.end() :].split()[:1]) & (_CLOCKISH | _TIMEISH):
        return ""
    return "receive" if match[1] else "send"


def _is_received(plain: str, received: int, sent: int) -> bool:
    """Return whether a text with both verbs is of a receive: `broadcast received`, `received what was sent`."""
    words = plain.split()
    if "from" in words and "to" not in words:
        return True
    if sent < received and re.search(r"(broad|multi|uni)cast (message )?(was )?(receiv|deliver)", plain):
        return True
    return received < sent


def _first(strong: "re.Pattern[str]", plain: str, weak: "re.Pattern[str]") -> tuple[int, int] | None:
    """Return how surely words are there, and the place of the first."""
    found = [(match[0], match.start()) for match in re.finditer(r"\S+", plain) if strong.fullmatch(match[0])]
    if not found:
        return None
    sure = [place for word, place in found if not weak.fullmatch(word)]
    return (2, sure[0]) if sure else (1, found[0][1])


# Fields.

_CLOCKISH: Final = frozenset(
    "clock clocks lamport logical lc lclock clk lamporttime logicalclock lt ltime vc vclock uhr horloge reloj orologio".split()
)
_TIMEISH: Final = frozenset("time timestamp ts t stamp stamped l c lts".split())
_OWN: Final = frozenset(
    "own my local new now updated update current becomes became after self node's machine's is at".split()
)
_THEIRS: Final = frozenset(
    "msg message messages message's sender sender's received recv rcvd remote their theirs sent send sending incoming other peer "
    "mlc m rx stamped carried attached carrying containing piggybacked its origin payload was it said with src from".split()
)
_MINE: Final = frozenset(("own", "my", "local", "new", "now", "updated", "after"))
_BEFORE: Final = frozenset("before old previous prev prior was earlier".split())
_QUEUE: Final = frozenset(
    "queue queued queues qlen q qsize qs ql pending backlog waiting remaining left inbox buffer buffered unread outstanding "
    "warteschlange queuelen queuesize queuelength mailbox depth remain remains".split()
)
_WALL: Final = frozenset(
    "zeit temps hora system systime wall global real sys date datetime elapsed uptime utc ms us ns sec secs seconds millis micros epoch "
    "physical wallclock walltime when at s".split()
)
_FROM: Final = frozenset(
    "<- <-- <--- <= ← < << from sender src source origin by producer publisher frm sent_by originator".split()
)
_TO: Final = frozenset(
    "-> --> ---> => ==> → > >> to for dst dest destination destinations receiver receivers recipient recipients target targets consumer consumers tos".split()
)
_VERBS: Final = frozenset("send sends sent snd tx recv rcv receive received rx".split())
_PEER: Final = frozenset("peer peers other partner remote counterpart neighbor neighbour with".split())
_NODE: Final = frozenset(
    "node machine process proc host server vm replica pid nodeid node_id actor worker site service svc instance id name self "
    "machineid processid mid vmid tracer identity me who app client".split()
)
_ID: Final = frozenset(
    "id uuid mid msgid messageid message_id msg_id seq seqno sequence request req requestid nonce number no msg message key "
    "correlation corr digest hash num packet pkt".split()
)
_NOT_ID: Final = frozenset("trace traceid span session thread pid process node machine".split())
_INDEX: Final = frozenset(
    "index idx line row event events record entry step tick ticks count counter number no round iteration".split()
)
_NOTHING: Final = frozenset(
    "rate speed rolled roll die dice random port pid thread took latency duration delay retry retries attempt attempts bytes "
    "version interval lag self_port tickrate hz prob probability level priority action".split()
)

FIELD_WORDS: Final = (
    _CLOCKISH | _TIMEISH | _QUEUE | _FROM | _TO | _ID - {"message", "msg"} | frozenset("node event type kind".split())
)


@lru_cache(1024)
def is_field(key: str) -> bool:
    """Return whether a key names a field of an event, and no machine."""
    words = split_words(key)
    is_letter = (len(key) == 1 and key.isupper()) or (len(words) > 1 and len(words[-1]) == 1)  # node-c is a name
    return (
        bool(words)
        and not is_letter
        and not any(map(str.isdigit, key))
        and all(word in FIELD_WORDS | _NODE | _THEIRS | _OWN | _BEFORE | _NOTHING for word in words)
    )


@dataclass(frozen=True, slots=True)
class Label:
    """The words beside a value: the nearest first on the left, those behind it on the right."""

    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    @property
    def near(self) -> frozenset[str]:
        """The words that most likely speak of the value."""
        return frozenset(self.left[:4])

    def said(self, role: str) -> float:
        """Return how much the words speak for a role, from about -3 to 3."""
        return _SAID[role](self)


def _hits(words: Iterable[str], known: frozenset[str]) -> int:
    return sum(word in known for word in words)


def _clock(label: Label) -> float:
    near = label.near
    said = 2.0 * bool(near & _CLOCKISH) + 0.7 * bool(near & _TIMEISH) + 0.4 * bool(near & _OWN)
    said -= (
        1.0 * bool(near & _THEIRS - _OWN)
        + 1.2 * bool(near & _BEFORE)
        + 1.5 * bool(near & _WALL - _OWN) * (not near & _CLOCKISH)
    )
    return (
        said
        - 2.0 * bool(near & _QUEUE)
        - 2.5 * bool(near & _NOTHING)
        - 0.5 * bool(set(label.right[:2]) & (_QUEUE | _WALL))
    )


def _stamp(label: Label) -> float:
    near = label.near
    said = 1.0 * bool(near & (_CLOCKISH | _TIMEISH)) + 1.2 * bool(near & _THEIRS)
    said -= 2.0 * bool(near & _BEFORE - {"was"}) + 2.0 * bool(near & _QUEUE) + 2.5 * bool(near & _NOTHING)
    said -= 1.0 * bool(near & _MINE) + 1.5 * bool(set(label.left[:1]) & (_FROM | _TO | _NODE | _PEER))
    return said


def _queue(label: Label) -> float:
    behind = bool(set(label.right) & _QUEUE) and not label.near & (_CLOCKISH | _TIMEISH)
    said = 2.5 * bool(label.near & _QUEUE) + 2.0 * behind
    return said - 2.5 * bool(label.near & _NOTHING)


def _from(label: Label) -> float:
    return _preposition(label, _FROM, _TO)


def _to(label: Label) -> float:
    return _preposition(label, _TO, _FROM)


def _preposition(label: Label, wanted: frozenset[str], other: frozenset[str]) -> float:
    """Return how much words speak for a peer: the nearest preposition counts."""
    for distance, word in enumerate(label.left[:4]):
        if word in wanted:
            return 2.5 - 0.2 * distance
        if distance == 0 and word in _VERBS:
            return 1.0 if wanted is _TO and meaning(word).kind == "send" else 0.0
        if word in other:
            return -2.0
        if word in _PEER:
            return 1.5
        if word in _CLOCKISH | _TIMEISH | _QUEUE | _NOTHING:
            return -1.5
    return 0.3 * bool(label.near & _NODE)


def _node(label: Label) -> float:
    near = label.left[:2]
    said = 1.5 * bool(set(near) & _NODE) + 0.5 * bool(set(near) & {"at", "on", "in"})
    said -= 2.0 * bool(set(label.left[:3]) & (_FROM | _TO)) + 1.0 * bool(
        set(near) & {"thread", "msg", "message", "event"}
    )
    return said - 1.5 * bool(set(near) & (_CLOCKISH | _QUEUE | _NOTHING))


def _time(label: Label) -> float:
    near = label.near
    said = (
        1.5 * bool(near & _WALL)
        + 1.0 * bool(near & _TIMEISH)
        + 1.0 * bool(set(label.right[:1]) & {"ms", "s", "us", "ns", "sec", "seconds"})
    )
    return said - 2.0 * bool(near & (_QUEUE | _NOTHING)) - 1.5 * bool(near & _CLOCKISH) * (not near & _WALL)


def _message(label: Label) -> float:
    near = label.left[:3]
    said = 1.5 * bool(set(near) & _ID) + 0.7 * _hits(near, frozenset(("id", "uuid", "seq", "msgid", "mid")))
    return said - 2.0 * bool(set(near) & (_NOT_ID | _CLOCKISH | _QUEUE | _NOTHING)) - 0.5 * bool(set(near) & _TIMEISH)


def _index(label: Label) -> float:
    return 1.5 * bool(label.near & _INDEX) + 0.5 * bool(label.near & {"id", "seq"})


_SAID: Final = {
    "clock": _clock,
    "stamp": _stamp,
    "queue": _queue,
    "from": _from,
    "to": _to,
    "node": _node,
    "time": _time,
    "message": _message,
    "index": _index,
}


def label_of_name(name: str) -> Label:
    """Return the label of a column or a path: `event.message.lamport`."""
    return Label(tuple(reversed(split_words(name))))


def is_all(words: Sequence[str]) -> bool:
    """Return whether words say that all are meant."""
    return any(_ALL.fullmatch(word) for word in words)
