// The space-time diagram: one lane a machine, an arrow a message, what happened before what.
//
// Never asks a server for anything, never judges a clock, and never makes HTML of a text: names come from strangers.
// Source: Lamport (1978), figures 1 to 3; cuts after Mattern (1989). `encode.py` writes what `decode` reads.

// ---------------------------------------------------------------------------------------------------- the record

const NONE = -1;

/** Read what `encode.py` wrote: columns of events, process by process, and of messages. */
export function decode(data) {
  const processes = [];
  let count = 0;
  for (const [name, lane, events] of data.processes) {
    processes.push({ name, lane, start: count, count: events });
    count += events;
  }
  const model = {
    ...{ name: data.name, unit: data.unit, isWhole: data.whole, lanes: data.lanes, notes: data.notes },
    ...{ kinds: data.kinds, files: data.files, scale: data.scale, cuts: data.cuts, processes, count },
    process: new Int32Array(count),
    lane: new Int32Array(count),
    time: sums(sums(unpack(data.events.time, count))),
    kind: unpack(data.events.kind, count),
    number: unpack(data.events.number, count),
    clock: optional(data.events.clock, count),
    queue: optional(data.events.queue, count),
    file: sums(unpack(data.events.file, count)),
    line: optional(data.events.line, count),
    stripes: data.stripes.map(([kind, words, from, to, lane]) => ({ kind, words, from, to, lane })),
    marks: data.marks.flatMap(([check, words, count, rows]) =>
      Array.from(sums(unpack(rows, count)), (row) => ({ check, row, words })),
    ),
  };
  processes.forEach(({ start, count: events, lane }, which) => {
    model.process.fill(which, start, start + events);
    model.lane.fill(lane, start, start + events);
    for (let row = start; row < start + events; row++) model.number[row] += row - start + 1;
  });
  model.hasClock = data.events.clock !== null && data.events.clock[0] === "+";
  model.isTimed = model.unit === "ns";
  model.messages = messagesOf(data.messages, model);
  model.end = data.end ?? largest(model.time, 0);
  model.markOf = new Map(model.marks.map((mark) => [mark.row, mark]));
  link(model);
  return model;
}

function messagesOf(data, model) {
  const count = data.count;
  const table = {
    count,
    send: Int32Array.from(sums(unpack(data.send, count))),
    lane: Int32Array.from(unpack(data.lane, count)),
    receive: new Int32Array(count).fill(NONE),
    arrival: new Float64Array(count).fill(NaN),
    seen: new Float64Array(count).fill(NaN),
    stamp: unpack(data.stamp, count),
    copy: new Uint8Array(count),
    lost: new Uint8Array(count),
  };
  const folded = unpack(data.receive, count);
  const transit = unpack(data.transit, count);
  const latest = new Map();
  for (let message = 0; message < count; message++) {
    const sent = table.send[message];
    if (transit[message] !== 0) table.arrival[message] = model.time[sent] + transit[message] - 1;
    table.stamp[message] += model.clock[sent];
    if (folded[message] === 0) continue;
    const step = folded[message] - 1;
    const row = (latest.get(table.lane[message]) ?? 0) + (step % 2 ? -(step + 1) / 2 : step / 2);
    latest.set(table.lane[message], row);
    table.receive[message] = row;
  }
  for (const message of data.copy) table.copy[message] = 1;
  for (const message of data.lost) table.lost[message] = 1;
  for (const [message, seen] of data.late) table.seen[message] = seen;
  return table;
}

/** Numbers from base64: 7 bits a byte, the lowest first, the sign in the lowest bit; no text is all zeros. */
function unpack(text, count) {
  const values = new Float64Array(count);
  if (!text) return values;
  const octets = atob(text);
  for (let place = 0, at = 0; place < count; place++) {
    let value = 0;
    let weight = 1;
    let octet = 0;
    do {
      octet = octets.charCodeAt(at++);
      value += (octet & 127) * weight;
      weight *= 128;
    } while (octet > 127);
    values[place] = value % 2 ? -(value + 1) / 2 : value / 2;
  }
  return values;
}

function optional(text, count) {
  if (text === null) return new Float64Array(count).fill(NaN);
  const values = unpack(text.slice(1), count);
  if (text[0] === "+") return sums(values);
  return values.map((value) => (value === 0 ? NaN : value > 0 ? value - 1 : value));
}

function sums(values) {
  for (let place = 1; place < values.length; place++) values[place] += values[place - 1];
  return values;
}

function largest(values, otherwise) {
  let found = otherwise;
  for (const value of values) if (value > found) found = value;
  return found;
}

/** Which messages each event sent and received, and by how much its clock rose. */
function link(model) {
  const { count, messages, clock } = model;
  const [sent, received] = [new Int32Array(count + 1), new Int32Array(count + 1)];
  for (let message = 0; message < messages.count; message++) {
    sent[messages.send[message] + 1]++;
    if (messages.receive[message] >= 0) received[messages.receive[message] + 1]++;
  }
  for (let row = 0; row < count; row++) {
    sent[row + 1] += sent[row];
    received[row + 1] += received[row];
  }
  const incoming = new Int32Array(received[count]);
  const filled = received.slice();
  for (let message = 0; message < messages.count; message++) {
    if (messages.receive[message] >= 0) incoming[filled[messages.receive[message]]++] = message;
  }
  // Messages stand in the order of their sends: those of one send are a range.
  Object.assign(model, { sent, received, incoming });
  model.jump = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const earlier = before(model, row);
    model.jump[row] = (clock[row] - (earlier < 0 ? 0 : clock[earlier])) / model.scale;
  }
}

const before = (model, row) => (row > model.processes[model.process[row]].start ? row - 1 : NONE);
const position = (model, row) => row - model.processes[model.process[row]].start;
const isReceive = (model, row) => model.received[row + 1] > model.received[row] || kindOf(model, row) === "receive";
const isSend = (model, row) => kindOf(model, row).startsWith("send");
const kindOf = (model, row) => model.kinds[model.kind[row]];

/** The sends that an event received. */
export function causes(model, row) {
  const found = [];
  for (let at = model.received[row]; at < model.received[row + 1]; at++) {
    found.push(model.messages.send[model.incoming[at]]);
  }
  return found;
}

/** The name of an event, such as `2:41`, and the event of a name, or -1. */
export const nameOf = (model, row) => `${model.processes[model.process[row]].name}:${model.number[row]}`;

export function rowOf(model, name) {
  const colon = name.lastIndexOf(":");
  const process = model.processes.find((one) => one.name === name.slice(0, colon));
  const number = Number(name.slice(colon + 1));
  if (colon < 1 || !process || !Number.isInteger(number)) return NONE;
  const guess = process.start + number - 1;
  if (number >= 1 && number <= process.count && model.number[guess] === number) return guess;
  const found = model.number.indexOf(number, process.start);
  return found < process.start + process.count ? found : NONE;
}

// ------------------------------------------------------------------------------------------------ what was before

/** By process: how many of its first events happened before an event, itself among them. Never looks at a clock. */
export function past(model, row) {
  const reach = new Int32Array(model.processes.length);
  const found = [row];
  while (found.length) {
    const last = found.pop();
    const which = model.process[last];
    const { start } = model.processes[which];
    const from = reach[which];
    if (position(model, last) < from) continue;
    reach[which] = position(model, last) + 1;
    for (let one = start + from; one <= last; one++) {
      for (let at = model.received[one]; at < model.received[one + 1]; at++) {
        found.push(model.messages.send[model.incoming[at]]);
      }
    }
  }
  return reach;
}

/** By process: the position of its first event that happened after an event, itself among them. */
export function future(model, row) {
  const reach = Int32Array.from(model.processes, (process) => process.count);
  const found = [row];
  while (found.length) {
    const first = found.pop();
    const which = model.process[first];
    const { start } = model.processes[which];
    const until = reach[which];
    if (position(model, first) >= until) continue;
    reach[which] = position(model, first);
    for (let one = first; one < start + until; one++) {
      for (let message = model.sent[one]; message < model.sent[one + 1]; message++) {
        if (model.messages.receive[message] >= 0) found.push(model.messages.receive[message]);
      }
    }
  }
  return reach;
}

const isWithin = (model, reach, row) => position(model, row) < reach[model.process[row]];
const isBeyond = (model, reach, row) => position(model, row) >= reach[model.process[row]];

/** What `a` is to `b`: before, after, concurrent, same, circular; unknown where the record does not tell enough. */
export function relation(model, a, b) {
  if (a === b) return "same";
  const isBefore = isWithin(model, past(model, b), a);
  const isAfter = isWithin(model, past(model, a), b);
  if (isBefore || isAfter) return isBefore && isAfter ? "circular" : isBefore ? "before" : "after";
  return model.isWhole ? "concurrent" : "unknown";
}

/** The events from `a` to `b`, each just before the next, over as few messages as possible; none if not before. */
export function path(model, a, b) {
  const after = new Int32Array(model.count).fill(NONE);
  const found = [[b, b]];
  for (let at = 0; at < found.length; at++) {
    let [row, successor] = found[at];
    while (row >= 0 && after[row] < 0) {
      after[row] = successor;
      if (row === a) return followed(after, a, b);
      for (const cause of causes(model, row)) if (after[cause] < 0) found.push([cause, row]);
      [row, successor] = [before(model, row), row];
    }
  }
  return [];
}

function followed(after, a, b) {
  const way = [a];
  while (way.at(-1) !== b) way.push(after[way.at(-1)]);
  return way;
}

/** Of each event the length of the longest chain that ends there: a clock that is always right. Computed once. */
export function depth(model) {
  if (model.depth) return model.depth;
  const { count, processes, messages } = model;
  const missing = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    missing[row] = model.received[row + 1] - model.received[row] + (before(model, row) >= 0);
  }
  const length = new Int32Array(count);
  const ready = processes.filter((one) => one.count).map((one) => one.start).filter((row) => missing[row] === 0);
  const settle = (row) => {
    let longest = before(model, row) < 0 ? 0 : length[row - 1];
    for (let at = model.received[row]; at < model.received[row + 1]; at++) {
      longest = Math.max(longest, length[messages.send[model.incoming[at]]]);
    }
    length[row] = longest + 1;
    const process = processes[model.process[row]];
    if (row + 1 < process.start + process.count && --missing[row + 1] === 0) ready.push(row + 1);
    for (let message = model.sent[row]; message < model.sent[row + 1]; message++) {
      const receive = messages.receive[message];
      if (receive >= 0 && --missing[receive] === 0) ready.push(receive);
    }
  };
  for (let first = 0; ; first++) {
    while (ready.length) settle(ready.pop());
    // What happened before itself has no longest chain: where the record holds a circle, it is opened.
    while (first < count && length[first] > 0) first++;
    if (first === count) break;
    missing[first] = 0;
    ready.push(first);
  }
  model.depth = length;
  return length;
}

/** The longest chain of events that ends in one, each just before the next: why its clock is what it is. */
export function chain(model, row) {
  const length = depth(model);
  const found = [row];
  while (length[found[0]] > 1) {
    const earlier = [before(model, found[0]), ...causes(model, found[0])];
    const next = earlier.find((one) => one >= 0 && length[one] === length[found[0]] - 1);
    if (next === undefined) break;
    found.unshift(next);
  }
  return found;
}

/** The cut at a place of an axis: by process how many events are inside, and of those how many the record allows.
 *
 * A cut is consistent if it holds the send of everything received in it; `inside` is the largest one that does.
 */
export function cut(model, at, values = model.time) {
  const asked = model.processes.map(({ start, count }) => {
    let events = 0;
    while (events < count && values[start + events] <= at) events++;
    return events;
  });
  return { asked, ...closed(model, asked) };
}

/** The largest consistent cut inside one, the receives that it had to leave out, and the messages that cross it. */
export function closed(model, asked) {
  const inside = Int32Array.from(asked);
  const { messages } = model;
  const without = [];
  for (let message = 0; message < messages.count; message++) {
    const { send, receive } = { send: messages.send[message], receive: messages.receive[message] };
    if (receive >= 0 && isWithin(model, asked, receive) && !isWithin(model, asked, send)) without.push(message);
  }
  for (let isOpen = without.length > 0; isOpen; ) {
    isOpen = false;
    for (let message = 0; message < messages.count; message++) {
      const receive = messages.receive[message];
      if (receive >= 0 && isWithin(model, inside, receive) && !isWithin(model, inside, messages.send[message])) {
        inside[model.process[receive]] = position(model, receive);
        isOpen = true;
      }
    }
  }
  let crossing = 0;
  for (let message = 0; message < messages.count; message++) {
    const receive = messages.receive[message];
    const isReceived = receive >= 0 && isWithin(model, inside, receive);
    crossing += isWithin(model, inside, messages.send[message]) && !isReceived && !messages.lost[message];
  }
  return { inside, without, crossing };
}

// ---------------------------------------------------------------------------------------------------------- words

/** A text of strangers as it can be shown: what is invisible, or turns the rest around, is written out. */
export function visible(text, most = 60) {
  const shown = String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (letter) => `\\u${hex(letter)}`);
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}

const hex = (letter) => letter.codePointAt(0).toString(16).padStart(4, "0");
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** A time since the beginning, and how long something took. */
export function at(model, time, digits = 3) {
  return model.isTimed ? `${(time / 1e9).toFixed(digits)} s` : `step ${time}`;
}

export function span(ns) {
  const size = Math.abs(ns);
  if (size >= 1e9) return `${(ns / 1e9).toFixed(2)} s`;
  if (size >= 1e6) return `${Number((ns / 1e6).toPrecision(3))} ms`;
  return size >= 1e3 ? `${Number((ns / 1e3).toPrecision(3))} µs` : `${ns} ns`;
}

export function clockText(model, value) {
  return Number.isNaN(value) ? "" : model.scale === 1 ? String(value) : String(value / model.scale);
}

const machine = (name) => (/^\d/.test(name) ? `machine ${name}` : name);
const event = (model, row) => visible(nameOf(model, row));
const laneName = (model, lane) => visible(model.lanes[lane], 24);

/** An event in a few sentences: what it was, what it received or sent, how its clock came about. */
export function describe(model, row) {
  const clock = clockText(model, model.clock[row]);
  const place = Number.isNaN(model.line[row]) ? "" : `${visible(model.files[model.file[row]])}:${model.line[row]}`;
  const head = [event(model, row), kindOf(model, row), clock && `clock ${clock}`, at(model, model.time[row]), place];
  const lines = [head.filter(Boolean).join(", ")];
  for (let at = model.received[row]; at < model.received[row + 1]; at++) {
    lines.push(describeReceipt(model, row, model.incoming[at]));
  }
  if (model.hasClock && model.received[row + 1] > model.received[row]) lines.push(describeJump(model, row));
  if (model.sent[row + 1] > model.sent[row]) lines.push(describeSend(model, row));
  if (model.queue[row] > 0) lines.push(`${plural(model.queue[row], "message")} still waited.`);
  const mark = model.markOf.get(row);
  if (mark) lines.push(`Violation of ${visible(mark.check)}: ${visible(mark.words, 400)}`);
  return lines.filter(Boolean);
}

function describeReceipt(model, row, message) {
  const { send, arrival, seen, stamp, copy } = model.messages;
  const sent = send[message];
  const carried = stamp[message] !== model.clock[sent] && !Number.isNaN(stamp[message]);
  const said = `Received ${copy[message] ? "the second copy of " : ""}${event(model, sent)}, sent at ${at(
    model,
    model.time[sent],
  )}${carried ? `, which carried ${clockText(model, stamp[message])}` : ""}`;
  if (Number.isNaN(arrival[message])) return `${said}.`;
  const late = Number.isNaN(seen[message]) ? "" : `, late by ${span(seen[message] - arrival[message])}`;
  const [way, wait] = [arrival[message] - model.time[sent], model.time[row] - arrival[message]];
  return `${said}: ${span(way)} on its way, then ${span(wait)} in the queue${late}.`;
}

function describeJump(model, row) {
  const earlier = before(model, row) < 0 ? 0 : model.clock[row - 1];
  const stamp = Math.max(...incomingOf(model, row).map((message) => model.messages.stamp[message]));
  const own = clockText(model, earlier);
  const step = model.scale;
  if (Math.max(earlier, stamp) + step !== model.clock[row]) {
    return `Its clock was ${own} before, the message carried ${clockText(model, stamp)}.`;
  }
  const rule = `max(${own}, ${clockText(model, stamp)}) + 1 = ${clockText(model, model.clock[row])}`;
  return model.jump[row] > 1 ? `A jump of ${model.jump[row]}: ${rule}.` : `No jump: ${rule}.`;
}

function describeSend(model, row) {
  const { lane, receive, lost } = model.messages;
  const whom = [];
  for (let message = model.sent[row]; message < model.sent[row + 1]; message++) {
    const became = receive[message] >= 0 ? event(model, receive[message]) : lost[message] ? "lost" : "never received";
    whom.push(`${laneName(model, lane[message])} (${became})`);
  }
  const more = whom.length > 6 ? ` and ${whom.length - 6} more` : "";
  return `Sent to ${whom.slice(0, 6).join(", ")}${more}.`;
}

function incomingOf(model, row) {
  return Array.from(model.incoming.subarray(model.received[row], model.received[row + 1]));
}

/** What two events are to each other, in a sentence or two. */
export function describePair(model, a, b) {
  const [one, other] = [event(model, a), event(model, b)];
  const found = relation(model, a, b);
  const clocks = clocksOf(model, a, b, found);
  if (found === "same") return [`${one} is one event.`];
  if (found === "circular") return [`By the record ${one} happened before ${other} and after it, which no run can do.`];
  if (found === "before" || found === "after") {
    const way = found === "before" ? path(model, a, b) : path(model, b, a);
    const hops = way.filter((row, place) => place && before(model, row) !== way[place - 1]).length;
    const over = hops ? `over ${plural(hops, "message")}, and no way has fewer` : "on one machine";
    return [`${one} happened ${found} ${other}: ${over}; ${plural(way.length, "event")}.`, clocks];
  }
  const known = found === "concurrent" ? "" : " as far as the record tells";
  return [`${one} and ${other} are concurrent${known}: neither happened before the other.`, clocks];
}

function clocksOf(model, a, b, found) {
  if (!model.hasClock) return "";
  const [one, other] = [model.clock[a], model.clock[b]].map((value) => clockText(model, value));
  if (found === "before" || found === "after") {
    const rises = found === "before" ? model.clock[a] < model.clock[b] : model.clock[b] < model.clock[a];
    return `Their clocks, ${one} and ${other}, ${rises ? "agree" : "do not agree: before must mean a smaller clock"}.`;
  }
  if (one === other) return `Both clocks are ${one}: only concurrent events may share one.`;
  return `Their clocks are ${one} and ${other}: a smaller clock does not mean before.`;
}

/** Why a clock is what it is. */
export function describeChain(model, row) {
  const events = chain(model, row);
  const hops = events.filter((one, place) => place && before(model, one) !== events[place - 1]).length;
  const said = `The longest chain that ends in ${event(model, row)} has ${plural(events.length, "event")} and ${plural(
    hops,
    "message",
  )}; it begins with ${event(model, events[0])}.`;
  if (!model.hasClock) return said;
  const clock = model.clock[row] / model.scale;
  if (clock === events.length) return `Why is the clock ${clock}? ${said} A right clock counts it.`;
  return `The clock is ${clockText(model, model.clock[row])}. ${said} A right clock that begins at 1 would say so.`;
}

export function describeCut(model, found) {
  const inside = found.inside.reduce((sum, count) => sum + count, 0);
  const crossing = `${plural(inside, "event")} inside, ${plural(found.crossing, "message")} on the way across it`;
  if (!found.without.length) return `A consistent cut: ${crossing}.`;
  const [first, ...others] = found.without;
  const [send, receive] = [model.messages.send[first], model.messages.receive[first]].map((row) => event(model, row));
  const more = others.length ? `, and ${others.length} more such` : "";
  return (
    `Not a consistent cut: ${receive} received what ${send} sends after it${more}. ` +
    `The largest consistent cut inside it: ${crossing}.`
  );
}

// --------------------------------------------------------------------------------------------------------- search

const MEASURES = {
  jump: (model, row) => (isReceive(model, row) ? model.jump[row] : NaN),
  gap: (model, row) => (isReceive(model, row) ? model.jump[row] - 1 : NaN),
  clock: (model, row) => model.clock[row] / model.scale,
  queue: (model, row) => model.queue[row],
  time: (model, row) => (model.isTimed ? model.time[row] / 1e9 : model.time[row]),
  wait: (model, row) => largestMs(incomingOf(model, row), (one) => model.time[row] - model.messages.arrival[one]),
  transit: (model, row) =>
    largestMs(incomingOf(model, row), (one) => model.messages.arrival[one] - model.time[model.messages.send[one]]),
};

const COMPARISONS = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
};

const KINDS_SOUGHT = {
  violation: (model, row) => model.markOf.has(row),
  receive: isReceive,
  send: isSend,
  internal: (model, row) => kindOf(model, row) === "internal",
  late: (model, row) => incomingOf(model, row).some((message) => !Number.isNaN(model.messages.seen[message])),
  lost: (model, row) => sentOf(model, row).some((message) => model.messages.lost[message]),
  unreceived: (model, row) =>
    sentOf(model, row).some((message) => model.messages.receive[message] < 0 && !model.messages.lost[message]),
};

export const SEARCH_HELP =
  "2:41, jump > 5, clock > 100, queue >= 3, wait > 50 (ms), machine 2, receive, late, lost, violation; join with and";

function sentOf(model, row) {
  return Array.from({ length: model.sent[row + 1] - model.sent[row] }, (_, place) => model.sent[row] + place);
}

const largestMs = (items, value) => (items.length ? Math.max(...items.map(value)) / 1e6 : NaN);

/** The events that a question asks for, by time; throws a RangeError with what can be asked. */
export function search(model, question) {
  const terms = question.split(/\s+and\s+|\s*,\s*/i).map((term) => term.trim()).filter(Boolean);
  const tests = terms.map((term) => testOf(model, term));
  const found = [];
  for (let row = 0; tests.length && row < model.count; row++) if (tests.every((test) => test(row))) found.push(row);
  return found.sort((a, b) => model.time[a] - model.time[b] || a - b);
}

function testOf(model, term) {
  const named = rowOf(model, term);
  if (named >= 0) return (row) => row === named;
  const compared = /^(\w+)\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)\s*(ms|s)?$/i.exec(term);
  const measure = compared && MEASURES[compared[1].toLowerCase()];
  if (measure) {
    const limit = Number(compared[3]) * (compared[4] === "s" && /wait|transit/i.test(compared[1]) ? 1000 : 1);
    return (row) => COMPARISONS[compared[2]](measure(model, row), limit);
  }
  const whose = /^machine\s+(.+)$/i.exec(term);
  const lane = model.lanes.indexOf(whose ? whose[1] : term);
  if (lane >= 0) return (row) => model.lane[row] === lane;
  const kind = KINDS_SOUGHT[term.toLowerCase().replace(/s$/, "")];
  if (kind) return (row) => kind(model, row);
  throw new RangeError(`${visible(term)}: no such event, and nothing to look for; ${SEARCH_HELP}`);
}

// --------------------------------------------------------------------------------------------- what lies where

const LANES_MAX = 60;
const GROUPS = 40;
const ROWS_MAX = 160;
export const PRIMITIVES_MAX = 5000;
const BLOCK_WIDTH = 28;
const DOT_SPACING = 5;

/** The rows of a picture: one a lane, or above 60 lanes one for a group of lanes, unless it is unfolded. */
export function rowsOf(model, unfolded = new Set()) {
  const count = model.lanes.length;
  const size = count > LANES_MAX ? Math.ceil(count / GROUPS) : 1;
  const rows = [];
  const ofLane = new Int32Array(count);
  for (let from = 0; from < count; from += size) {
    const until = Math.min(from + size, count);
    const isGroup = until - from > 1;
    if (isGroup && !unfolded.has(from)) {
      ofLane.fill(rows.length, from, until);
      rows.push({ from, until, isGroup, isOpen: false });
      continue;
    }
    for (let lane = from; lane < until; lane++) {
      ofLane[lane] = rows.length;
      rows.push({ from: lane, until: lane + 1, isGroup, isOpen: isGroup, group: from });
    }
  }
  return { rows, ofLane };
}

/** Where each event lies on an axis: its time, or its clock; without clocks that are right ones. */
export function valuesOf(model, axis) {
  if (axis !== "logical") return model.time;
  if (!model.hasClock) return Float64Array.from(depth(model));
  return model.scale === 1 ? model.clock : model.clock.map((value) => value / model.scale);
}

/** Everything that depends on the axis and the rows, but not on what is in view; levels are merged when asked for. */
export class Index {
  constructor(model, axis, layout) {
    this.model = model;
    this.axis = axis;
    this.layout = layout;
    this.values = valuesOf(model, axis);
    this.isTime = axis !== "logical";
    this.levels = new Map();
    this.sortEvents();
    this.sortMessages();
    const finite = this.values.length ? this.values : [0];
    this.least = Math.min(this.isTime && this.model.isTimed ? 0 : Infinity, smallest(finite));
    this.most = Math.max(largest(finite, -Infinity), this.isTime ? this.model.end : -Infinity);
    if (!(this.most > this.least)) this.most = this.least + 1;
  }

  sortEvents() {
    const { model, values, layout } = this;
    const counts = new Int32Array(layout.rows.length + 1);
    for (let row = 0; row < model.count; row++) counts[layout.ofLane[model.lane[row]] + 1]++;
    for (let one = 0; one < layout.rows.length; one++) counts[one + 1] += counts[one];
    this.starts = counts;
    this.order = new Int32Array(model.count);
    const filled = counts.slice();
    for (let row = 0; row < model.count; row++) this.order[filled[layout.ofLane[model.lane[row]]]++] = row;
    for (let one = 0; one < layout.rows.length; one++) {
      const part = this.order.subarray(counts[one], counts[one + 1]);
      if (part.some((row, place) => place && values[row] < values[part[place - 1]])) {
        part.sort((a, b) => values[a] - values[b]);
      }
    }
    this.places = Float64Array.from(this.order, (row) => values[row]);
  }

  /** Where a message begins and ends on the axis; one that was not received lasts until the end, or nothing. */
  ends(message) {
    const { send, receive, lost, arrival } = this.model.messages;
    const from = this.values[send[message]];
    if (receive[message] >= 0) return [from, this.values[receive[message]]];
    if (lost[message] || !this.isTime || Number.isNaN(arrival[message])) return [from, from];
    return [from, Math.max(this.model.end, arrival[message])];
  }

  sortMessages() {
    const { messages } = this.model;
    this.messageFrom = new Float64Array(messages.count);
    this.messageTo = new Float64Array(messages.count);
    const lengths = new Float64Array(messages.count);
    for (let message = 0; message < messages.count; message++) {
      const [from, to] = this.ends(message);
      this.messageFrom[message] = Math.min(from, to);
      this.messageTo[message] = Math.max(from, to);
      lengths[message] = Math.abs(to - from);
    }
    // What is very long would make every search begin too early: such messages are looked at one by one.
    this.lengthMax = messages.count ? lengths.slice().sort()[Math.floor((messages.count - 1) * 0.98)] : 0;
    this.long = [];
    const short = [];
    for (let message = 0; message < messages.count; message++) {
      (lengths[message] > this.lengthMax ? this.long : short).push(message);
    }
    const from = this.messageFrom;
    this.short = Int32Array.from(short).sort((a, b) => from[a] - from[b] || a - b);
    this.shortFrom = Float64Array.from(this.short, (message) => from[message]);
  }

  /** The places in `order` of the events of a row that lie between two places of the axis. */
  eventsBetween(row, from, to) {
    const [first, last] = [this.starts[row], this.starts[row + 1]];
    return [firstAtLeast(this.places, from, first, last), firstAtLeast(this.places, to, first, last, true)];
  }

  /** The messages that may be seen between two places of the axis. */
  *messagesBetween(from, to) {
    for (const message of this.long) {
      if (this.messageFrom[message] <= to && this.messageTo[message] >= from) yield message;
    }
    const first = firstAtLeast(this.shortFrom, from - this.lengthMax, 0, this.short.length);
    for (let at = first; at < this.short.length && this.shortFrom[at] <= to; at++) {
      if (this.messageTo[this.short[at]] >= from) yield this.short[at];
    }
  }

  /** The level at which blocks are `width` wide, a power of two of the axis: it is the same wherever one looks. */
  level(power) {
    if (!this.levels.has(power)) this.levels.set(power, new Level(this, 2 ** power));
    return this.levels.get(power);
  }
}

const smallest = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);

function firstAtLeast(values, wanted, from, to, isAfter = false) {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (values[middle] < wanted || (isAfter && values[middle] === wanted)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Events merged to blocks, and messages between the same two blocks to one arrow; both know how many they are. */
class Level {
  constructor(index, width) {
    const { model, order, places, starts, layout } = index;
    const blockOf = new Int32Array(model.count);
    const blocks = { row: [], from: [], to: [], first: [], count: [], receives: [], marks: [] };
    this.rowStarts = [0];
    for (let row = 0; row < layout.rows.length; row++) {
      let latest = NaN;
      for (let place = starts[row]; place < starts[row + 1]; place++) {
        const cell = Math.floor(places[place] / width);
        if (cell !== latest) {
          for (const [key, value] of [["row", row], ["from", places[place]], ["first", place]]) blocks[key].push(value);
          for (const key of ["to", "count", "receives", "marks"]) blocks[key].push(0);
          latest = cell;
        }
        const block = blocks.row.length - 1;
        blocks.to[block] = places[place];
        blocks.count[block]++;
        blocks.receives[block] += model.received[order[place] + 1] > model.received[order[place]];
        blocks.marks[block] += model.markOf.has(order[place]);
        blockOf[order[place]] = block;
      }
      this.rowStarts.push(blocks.row.length);
    }
    this.blocks = blocks;
    this.from = Float64Array.from(blocks.from);
    this.merge(index, blockOf);
  }

  merge(index, blockOf) {
    const { send, receive, count } = index.model.messages;
    const found = new Map();
    this.arrows = { from: [], to: [], count: [] };
    for (let message = 0; message < count; message++) {
      if (receive[message] < 0) continue;
      const [from, to] = [blockOf[send[message]], blockOf[receive[message]]];
      if (this.blocks.row[from] === this.blocks.row[to]) continue;
      const key = from * this.blocks.row.length + to;
      const known = found.get(key);
      if (known !== undefined) {
        this.arrows.count[known]++;
        continue;
      }
      found.set(key, this.arrows.count.length);
      this.arrows.from.push(from);
      this.arrows.to.push(to);
      this.arrows.count.push(1);
    }
    const { from, to } = this.blocks;
    const least = (arrow) => Math.min(from[this.arrows.from[arrow]], from[this.arrows.to[arrow]]);
    const most = (arrow) => Math.max(to[this.arrows.from[arrow]], to[this.arrows.to[arrow]]);
    const leasts = Float64Array.from(this.arrows.count, (_, arrow) => least(arrow));
    const order = Int32Array.from(this.arrows.count.keys()).sort((a, b) => leasts[a] - leasts[b]);
    this.order = order;
    this.least = Float64Array.from(order, (arrow) => leasts[arrow]);
    this.most = Float64Array.from(order, (arrow) => most(arrow));
    // The end furthest to the right so far rises: what begins before it cannot be seen can be left out.
    this.reach = this.most.slice();
    for (let place = 1; place < this.reach.length; place++) {
      this.reach[place] = Math.max(this.reach[place], this.reach[place - 1]);
    }
  }

  blocksBetween(row, from, to) {
    const [start, end] = [this.rowStarts[row], this.rowStarts[row + 1]];
    let first = firstAtLeast(this.from, from, start, end);
    if (first > start && this.blocks.to[first - 1] >= from) first--;
    return [first, firstAtLeast(this.from, to, start, end, true)];
  }

  arrowsBetween(from, to) {
    const found = [];
    const last = firstAtLeast(this.least, to, 0, this.least.length, true);
    for (let place = firstAtLeast(this.reach, from, 0, last); place < last; place++) {
      if (this.most[place] >= from) found.push(this.order[place]);
    }
    return found;
  }
}

// ------------------------------------------------------------------------------------------------------ the scene

const TOP = 22;
const AXIS = 28;
const LETTER = 6.3;

/** What can be painted, in the order in which it is; a colour is the name of a CSS variable, `--st-NAME`. */
const STYLES = {
  stripe: { fill: "stripe" },
  grid: { stroke: "faint", width: 1, alpha: 0.5 },
  match: { fill: "match", alpha: 0.35 },
  lane: { stroke: "lane", width: 1.5 },
  lanePast: { stroke: "past", width: 4 },
  laneFuture: { stroke: "future", width: 4 },
  ...Object.fromEntries(Array.from({ length: 8 }, (_, hue) => [`line${hue}`, { stroke: `hue${hue}`, width: 1.8 }])),
  wait: { stroke: "wait", width: 4, alpha: 0.55 },
  waitLate: { stroke: "late", width: 4, alpha: 0.8 },
  arrow1: { stroke: "message", width: 1, alpha: 0.55 },
  arrow2: { stroke: "message", width: 2, alpha: 0.6 },
  arrow3: { stroke: "message", width: 3, alpha: 0.65 },
  arrow4: { stroke: "message", width: 4.5, alpha: 0.7 },
  message: { stroke: "message", width: 1.3, alpha: 0.9 },
  messageOther: { stroke: "message", width: 1, alpha: 0.3 },
  messagePast: { stroke: "past", width: 1.5 },
  messageFuture: { stroke: "future", width: 1.5 },
  messageLost: { stroke: "bad", width: 1.2, dash: [5, 4] },
  messageOpen: { stroke: "message", width: 1.2, dash: [5, 4] },
  head: { fill: "message" },
  headOther: { fill: "message", alpha: 0.4 },
  headPast: { fill: "past" },
  headFuture: { fill: "future" },
  jump: { stroke: "jump", width: 3 },
  block: { fill: "block" },
  blockPast: { fill: "past", alpha: 0.75 },
  blockFuture: { fill: "future", alpha: 0.75 },
  way: { stroke: "focus", width: 3.5 },
  internal: { fill: "internal" },
  send: { fill: "send" },
  receive: { fill: "receive" },
  past: { fill: "past" },
  future: { fill: "future" },
  other: { fill: "internal" },
  mark: { stroke: "bad", width: 2 },
  focus: { stroke: "focus", width: 2.5 },
  cut: { stroke: "cut", width: 2, dash: [7, 4] },
  cutInside: { stroke: "cut", width: 2.5 },
  label: { fill: "ink", font: 11, halo: true },
  small: { fill: "quiet", font: 10, halo: true },
  jumpLabel: { fill: "jumpInk", font: 11, halo: true },
  badLabel: { fill: "bad", font: 11, halo: true },
  blockLabel: { fill: "ink", font: 10 },
  stripeLabel: { fill: "stripeInk", font: 11, halo: true },
  axisLabel: { fill: "quiet", font: 10 },
};

/** The last style, the only one that may be painted on what is left of the lanes. */
const OUTSIDE = "axisLabel";

/** Shapes by style, and how many they are. */
export class Scene {
  constructor(width, height, gutter) {
    Object.assign(this, { width, height, left: gutter - 12, count: 0, shapes: new Map(), notes: [] });
  }

  of(style) {
    if (!this.shapes.has(style)) this.shapes.set(style, { lines: [], boxes: [], dots: [], heads: [], texts: [] });
    return this.shapes.get(style);
  }

  line(style, x1, y1, x2, y2) {
    this.of(style).lines.push(x1, y1, x2, y2);
    this.count++;
  }

  box(style, x, y, width, height) {
    this.of(style).boxes.push(x, y, width, height);
    this.count++;
  }

  dot(style, x, y, radius) {
    this.of(style).dots.push(x, y, radius);
    this.count++;
  }

  /** An arrow's head with its point at (x, y), coming from (x0, y0). */
  head(style, x, y, x0, y0, size = 7) {
    this.of(style).heads.push(x, y, Math.atan2(y - y0, x - x0), size);
    this.count++;
  }

  text(style, x, y, text, align = "center") {
    this.of(style).texts.push([x, y, text, align]);
    this.count++;
  }
}

/** Draw what is in view; `state` is what is selected, sought, and cut. */
export function sceneOf(index, view, size, state) {
  const scene = new Scene(size.width, size.height, size.gutter);
  const picture = new Picture(index, view, size, state, scene);
  if (index.axis === "both") picture.clocks();
  else picture.lanes();
  return scene;
}

class Picture {
  constructor(index, view, size, state, scene) {
    Object.assign(this, { index, model: index.model, view, size, state, scene });
    this.scale = (size.width - size.gutter) / (view.to - view.from);
    this.rowHeight = (size.height - TOP - AXIS) / index.layout.rows.length;
    this.edge = [view.from - 12 / this.scale, view.to + 12 / this.scale];
    this.cone = state.cone;
  }

  x(value) {
    return this.size.gutter + (value - this.view.from) * this.scale;
  }

  y(row) {
    return TOP + (row + 0.5) * this.rowHeight;
  }

  yOf(event) {
    if (this.ordinates) return this.height(this.ordinates[event]);
    return this.y(this.index.layout.ofLane[this.model.lane[event]]);
  }

  xOf(event) {
    return this.x(this.index.values[event]);
  }

  lanes() {
    this.grid();
    this.stripes();
    this.rails();
    const ranges = this.index.layout.rows.map((_, row) => this.index.eventsBetween(row, ...this.edge));
    const events = ranges.reduce((sum, [first, last]) => sum + last - first, 0);
    const densest = ranges.reduce((most, [first, last]) => Math.max(most, last - first), 0);
    const room = (this.size.width - this.size.gutter) / DOT_SPACING;
    const messages = densest <= room ? this.messagesInView(events) : null;
    if (messages) this.each(ranges, messages);
    else this.merged(events);
    this.ways();
    this.cuts();
    this.selection();
  }

  /** The messages in view, or nothing if they and the events are too many to be drawn one by one. */
  messagesInView(events) {
    const found = [];
    const each = 2.2 + this.rings();
    for (const message of this.index.messagesBetween(...this.edge)) {
      found.push(message);
      if (events * each + found.length * 3.2 > PRIMITIVES_MAX - 700 - this.scene.count) return null;
    }
    return found;
  }

  /** How many rings an event may have: one if events were found, one if there are violations. */
  rings() {
    return (this.state.matches?.size ? 1 : 0) + (this.model.marks.length ? 1 : 0);
  }

  grid() {
    const { scene, size, index } = this;
    const { values, digits } = ticks(this.view.from, this.view.to, (size.width - size.gutter) / 90, this.unitSize());
    for (const value of values) {
      const x = this.x(value);
      scene.line("grid", x, TOP - 4, x, size.height - AXIS);
      const shown = index.isTime ? at(this.model, value, digits) : String(value);
      const isLast = x + (shown.length * LETTER) / 2 > size.width;
      scene.text("axisLabel", isLast ? size.width : x, size.height - AXIS + 16, shown, isLast ? "right" : "center");
    }
  }

  unitSize() {
    return this.index.isTime && this.model.isTimed ? 1e9 : 1;
  }

  stripes() {
    if (!this.index.isTime) return;
    for (const { words, from, to, lane } of this.model.stripes) {
      const [left, right] = [Math.max(this.x(from), this.size.gutter), Math.min(this.x(to), this.size.width)];
      if (right <= left) continue;
      const isWhole = lane < 0;
      const top = isWhole ? TOP - 4 : this.y(this.index.layout.ofLane[lane]) - this.rowHeight * 0.46;
      const height = isWhole ? this.size.height - TOP - AXIS + 4 : this.rowHeight * 0.92;
      this.scene.box("stripe", left, top, right - left, height);
      const most = Math.floor((right - left - 8) / LETTER);
      const y = isWhole ? TOP + 6 : top + 11;
      if (most > 5) this.scene.text("stripeLabel", left + 4, y, visible(words, most), "left");
    }
  }

  /** The lines of the lanes; with a cone, how far each is past and from where it is future. */
  rails() {
    const { model, index, scene, cone } = this;
    const [left, right] = [this.size.gutter, this.size.width];
    index.layout.rows.forEach((_, row) => scene.line("lane", left, this.y(row), right, this.y(row)));
    if (!cone) return;
    model.processes.forEach(({ start, count, lane }, which) => {
      const y = this.y(index.layout.ofLane[lane]);
      const clip = (x) => Math.min(Math.max(x, left), right);
      if (cone.past[which] > 0) {
        const [from, to] = [clip(this.xOf(start)), clip(this.xOf(start + cone.past[which] - 1))];
        if (to > from) scene.line("lanePast", from, y, to, y);
      }
      if (cone.future[which] < count) {
        const [from, to] = [clip(this.xOf(start + cone.future[which])), clip(this.xOf(start + count - 1))];
        if (to > from) scene.line("laneFuture", from, y, to, y);
      }
    });
  }

  /** Every event and every message by itself. */
  each(ranges, messages) {
    const { model, index, scene } = this;
    for (const message of messages) this.message(message);
    const densest = ranges.reduce((most, [first, last]) => Math.max(most, last - first), 1);
    this.isDense = this.rowHeight < 20 || (this.size.width - this.size.gutter) / densest < 9;
    ranges.forEach(([first, last], row) => {
      this.taken = {};
      for (let place = first; place < last; place++) {
        const event_ = index.order[place];
        const [x, y] = [this.x(index.places[place]), this.y(row)];
        this.event(event_, x, y);
        if (this.rowHeight < 30) continue;
        const next = place + 1 < last ? this.x(index.places[place + 1]) : Infinity;
        const clock = model.hasClock ? clockText(model, model.clock[event_]) : String(model.number[event_]);
        this.label("label", x, y + 19, clock, next - x);
        if (this.rowHeight > 44) this.label("small", x, y + 33, event(model, event_), next - x - 18);
      }
    });
  }

  /** A label in the middle of its place, unless it would meet the one before, the next one, or the edge. */
  label(style, x, y, text, room) {
    const half = (text.length * LETTER) / 2 + 2;
    const isFree = x - half > Math.max(this.taken[style] ?? 0, this.size.gutter - 12);
    if (!isFree || room < 2 * half || x + half > this.size.width + 2) return;
    this.scene.text(style, x, y, text);
    this.taken[style] = x + half;
  }

  event(row, x, y) {
    const { model, scene, cone } = this;
    const small = this.isDense;
    if (this.state.matches?.has(row)) scene.dot("match", x, y, 10);
    const kind = this.kind(row);
    const style = cone ? this.side(row) : kind;
    const half = small ? 2.5 : 4;
    if (kind === "receive") scene.box(style, x - half, y - half, 2 * half, 2 * half);
    else scene.dot(style, x, y, small ? 2 : kind === "send" ? 4.5 : 3);
    if (kind === "receive" && model.jump[row] > 1) this.jump(row, x, y);
    if (model.markOf.has(row)) {
      scene.dot("mark", x, y, 8.5);
    }
  }

  kind(row) {
    return isReceive(this.model, row) ? "receive" : isSend(this.model, row) ? "send" : "internal";
  }

  side(row) {
    if (isWithin(this.model, this.cone.past, row)) return "past";
    return isBeyond(this.model, this.cone.future, row) ? "future" : "other";
  }

  /** A jump to scale: along the axis if that is the clock, else as high as it is large. */
  jump(row, x, y) {
    const { model, index, scene } = this;
    const size = model.jump[row];
    if (!index.isTime) {
      const from = Math.max(this.x(index.values[row] - size), this.size.gutter);
      scene.line("jump", from, y, x, y);
      if (x - from > 26 && this.rowHeight >= 26) scene.text("jumpLabel", (from + x) / 2, y - 6, `+${size}`);
      return;
    }
    if (this.rowHeight < 14) return;
    const height = Math.max(3, (size / this.state.jumpMax) * this.rowHeight * 0.36);
    scene.line("jump", x + 7, y, x + 7, y - height);
    if (this.rowHeight >= 40) this.label("jumpLabel", x + 14, y - height - 4, `+${size}`, Infinity);
  }

  /** An arrow from the send to the arrival, then the wait along the recipient's lane, then its receive. */
  message(message) {
    const { model, index, scene } = this;
    const { send, receive, lane, arrival, seen, lost } = model.messages;
    const [from, x1] = [send[message], this.xOf(send[message])];
    const [y1, y2] = [this.yOf(from), this.y(index.layout.ofLane[lane[message]])];
    const to = receive[message];
    if (y1 === y2 && to >= 0) return;
    const down = Math.sign(y2 - y1);
    if (to < 0 && (lost[message] || !index.isTime || Number.isNaN(arrival[message]))) {
      const [x, y] = [x1 + 18, y1 + down * Math.min(Math.abs(y2 - y1) * 0.55, 46)];
      scene.line(lost[message] ? "messageLost" : "messageOpen", x1, y1 + down * 5, x, y);
      if (lost[message]) scene.text("badLabel", x, y + 4 + down * 6, "✕");
      else scene.head("head", x, y, x1, y1, 6);
      return;
    }
    const tone = this.tone(from, to);
    const xr = to >= 0 ? this.xOf(to) : this.x(index.most);
    const xa = index.isTime && !Number.isNaN(arrival[message]) ? this.x(arrival[message]) : xr;
    const waits = xr - xa > 7;
    const end = y2 - down * (waits ? 5 : 6);
    scene.line(`message${tone}`, x1, y1 + down * 4, xa, end);
    scene.head(`head${tone}`, xa, end, x1, y1);
    if (!waits) return;
    scene.line(Number.isNaN(seen[message]) ? "wait" : "waitLate", xa, y2 - down * 5, xr - 4, y2 - down * 5);
    if (!Number.isNaN(seen[message]) && xr - xa > 40) scene.text("badLabel", (xa + xr) / 2, y2 - down * 9 + 3, "late");
  }

  tone(from, to) {
    if (!this.cone) return "";
    if (to >= 0 && isWithin(this.model, this.cone.past, to)) return "Past";
    return isBeyond(this.model, this.cone.future, from) ? "Future" : "Other";
  }

  /** Blocks of events, arrows of messages; each says how many it is where there is room, and the pointer tells it. */
  merged(events) {
    const { scene } = this;
    // A block and its number, an arrow and its head; a block with violations has two shapes more.
    const room = Math.floor((PRIMITIVES_MAX - 300 - scene.count) / (this.model.marks.length ? 4 : 2.2));
    const { level, ranges, arrows, without } = this.levelFor(room);
    scene.level = level;
    const { blocks } = level;
    const middle = (block) => this.x((blocks.from[block] + blocks.to[block]) / 2);
    const labelled = arrows.length <= 250;
    for (const arrow of arrows) {
      const [from, to, count] = [level.arrows.from[arrow], level.arrows.to[arrow], level.arrows.count[arrow]];
      const [x1, y1, x2, y2] = [middle(from), this.y(blocks.row[from]), middle(to), this.y(blocks.row[to])];
      const down = Math.sign(y2 - y1) * Math.min(9, this.rowHeight * 0.36);
      scene.line(`arrow${count < 2 ? 1 : count < 6 ? 2 : count < 30 ? 3 : 4}`, x1, y1 + down, x2, y2 - down);
      scene.head("headOther", x2, y2 - down, x1, y1, 6);
      if (labelled && count > 1) scene.text("small", x1 + (x2 - x1) * 0.3, y1 + (y2 - y1) * 0.3 + 3, String(count));
    }
    ranges.forEach(([first, last], row) => {
      for (let block = first; block < last; block++) this.block(level, block, this.y(row));
    });
    scene.notes.push(`${plural(events, "event")} in view, merged to blocks that say how many they are: zoom in`);
    if (without) scene.notes.push(`${plural(without, "message")} of thin arrows not drawn`);
  }

  /** The finest level of which all that is in view may be drawn, or one that is coarse, without its thinnest arrows. */
  levelFor(room) {
    const width = this.size.width - this.size.gutter;
    for (let power = Math.ceil(Math.log2(BLOCK_WIDTH / this.scale)); ; power++) {
      const level = this.index.level(power);
      const ranges = this.index.layout.rows.map((_, row) => level.blocksBetween(row, ...this.edge));
      const blocks = ranges.reduce((sum, [first, last]) => sum + last - first, 0);
      const arrows = level.arrowsBetween(...this.edge);
      const isCoarse = 2 ** power * this.scale > (blocks > room / 2 ? 4 * width : width / 8);
      if (blocks + arrows.length <= room) return { level, ranges, arrows, without: 0 };
      if (!isCoarse) continue;
      const { count } = level.arrows;
      const strongest = arrows.slice().sort((a, b) => count[b] - count[a] || a - b);
      const left = strongest.splice(Math.max(0, room - blocks));
      return { level, ranges, arrows: strongest, without: left.reduce((sum, arrow) => sum + count[arrow], 0) };
    }
  }

  block(level, block, y) {
    const { scene, index } = this;
    const { from, to, count, first, marks } = level.blocks;
    const half = Math.min(8, this.rowHeight * 0.34);
    const left = this.x(from[block]);
    const width = Math.max(this.x(to[block]) - left - 1.5, 3);
    const row = index.order[first[block]];
    if (count[block] === 1) {
      scene.dot(this.cone ? this.side(row) : this.kind(row), left, y, Math.min(half, 3.5));
    } else {
      const last = index.order[first[block] + count[block] - 1];
      const side = this.cone && this.side(row) === this.side(last) ? this.side(row) : "";
      const style = { past: "blockPast", future: "blockFuture" }[side] ?? "block";
      scene.box(style, left, y - half, width, 2 * half);
      const label = String(count[block]);
      if (half >= 6 && width > label.length * LETTER + 2) scene.text("blockLabel", left + width / 2, y + 3.5, label);
    }
    if (marks[block]) {
      scene.line("mark", left, y + half + 2, left + Math.max(width, 6), y + half + 2);
      if (this.rowHeight > 36) scene.text("badLabel", left + width / 2, y + half + 14, `✕ ${marks[block]}`);
    }
  }

  /** The path between two events, or the longest chain to one. */
  ways() {
    const { way } = this.state;
    const step = Math.max(1, Math.ceil((way?.length ?? 0) / 1200));
    for (let place = step; way && place < way.length + step - 1; place += step) {
      const [a, b] = [way[place - step], way[Math.min(place, way.length - 1)]];
      const [from, to] = [this.index.values[a], this.index.values[b]];
      if (Math.max(from, to) < this.edge[0] || Math.min(from, to) > this.edge[1]) continue;
      this.scene.line("way", this.xOf(a), this.yOf(a), this.xOf(b), this.yOf(b));
    }
  }

  /** Cuts: each leads between the last event inside and the first one outside of every lane. */
  cuts() {
    const { state, scene } = this;
    for (const one of state.cuts ?? []) {
      this.frontier("cutInside", one.inside);
      if (one.without.length) {
        this.frontier("cut", one.asked);
        const { send, receive } = this.model.messages;
        for (const message of one.without) this.way(send[message], receive[message]);
      }
    }
    if (state.cutAt === null || state.cutAt === undefined) return;
    const x = this.x(state.cutAt);
    scene.line("cut", x, TOP - 8, x, this.size.height - AXIS);
  }

  way(a, b) {
    this.scene.line("mark", this.xOf(a), this.yOf(a), this.xOf(b), this.yOf(b));
  }

  frontier(style, inside) {
    const { model, index, scene, size } = this;
    let latest = null;
    model.processes.forEach(({ start, count, lane }, which) => {
      const last = inside[which] ? this.xOf(start + inside[which] - 1) : NaN;
      const next = inside[which] < count ? this.xOf(start + inside[which]) : NaN;
      const middle = Number.isNaN(last) ? next - 16 : Number.isNaN(next) ? last + 16 : (last + next) / 2;
      if (Number.isNaN(middle)) return;
      const x = Math.min(Math.max(middle, size.gutter), size.width);
      const y = this.y(index.layout.ofLane[lane]);
      const half = Math.min(12, this.rowHeight * 0.3);
      scene.line(style, x, y - half, x, y + half);
      if (latest) scene.line(style, latest.x, latest.y + half, x, y - half);
      latest = { x, y };
    });
  }

  selection() {
    for (const row of [...(this.state.selected ?? []), this.state.current ?? NONE]) {
      if (row < 0) continue;
      this.scene.dot("focus", this.xOf(row), this.yOf(row), 9);
    }
  }

  /** Time across and clock as height: a machine is a line, a message lies at the height that it carries. */
  clocks() {
    const { model, index, scene } = this;
    this.grid();
    this.stripes();
    const clocks = model.hasClock ? model.clock : depth(model);
    this.ordinates = clocks;
    scene.left = this.size.gutter;
    const shown = index.layout.rows.map(({ from }) => from);
    const processes = model.processes.filter(({ lane }) => shown.includes(lane));
    const { length } = model.lanes;
    if (shown.length < length) scene.notes.push(`${shown.length} of ${length} machines are drawn`);
    const room = (PRIMITIVES_MAX - 1200) / (2 + this.rings());
    const budget = Math.max(20, Math.floor(room / Math.max(1, processes.length)));
    const lines = processes.map((process) => this.outline(process, budget));
    this.fit(lines, clocks);
    this.heights();
    lines.forEach((rows, which) => this.outlined(processes[which], rows, clocks));
    const events = lines.reduce((sum, rows) => sum + rows.length, 0);
    const messages = lines.every((rows) => rows.isWhole) ? this.messagesInView(events) : null;
    for (const message of messages ?? []) this.flight(message, clocks);
    if (!messages) scene.notes.push("messages are drawn when you zoom in");
    this.ways();
    this.selection();
  }

  /** The rows of a process in view, one beyond each edge; if they are too many, evenly chosen ones. */
  outline({ start, count }, budget) {
    const { values } = this.index;
    const first = Math.max(start, firstAtLeast(values, this.edge[0], start, start + count) - 1);
    const last = Math.min(start + count, firstAtLeast(values, this.edge[1], start, start + count, true) + 1);
    const step = Math.max(1, Math.ceil((last - first) / budget));
    const rows = [];
    for (let row = first; row < last; row += step) rows.push(row);
    if (last > first && rows.at(-1) !== last - 1) rows.push(last - 1);
    rows.isWhole = step === 1;
    return rows;
  }

  fit(lines, clocks) {
    let [least, most] = [Infinity, -Infinity];
    for (const rows of lines) {
      for (const row of rows) {
        if (this.index.values[row] < this.edge[0] || this.index.values[row] > this.edge[1]) continue;
        least = Math.min(least, clocks[row]);
        most = Math.max(most, clocks[row]);
      }
    }
    if (!(most > least)) [least, most] = Number.isFinite(least) ? [least - 1, least + 1] : [0, 1];
    this.least = least;
    this.perClock = (this.size.height - TOP - AXIS - 30) / (most - least);
    this.mostClock = most;
  }

  height(clock) {
    return this.size.height - AXIS - 14 - (clock - this.least) * this.perClock;
  }

  heights() {
    const { scene, size } = this;
    const [least, most] = [this.least / this.model.scale, this.mostClock / this.model.scale];
    for (const value of ticks(least, most, (size.height - TOP - AXIS) / 44, 1).values) {
      const y = this.height(value * this.model.scale);
      scene.line("grid", size.gutter, y, size.width, y);
      scene.text("axisLabel", size.gutter - 6, y + 4, String(value), "right");
    }
  }

  outlined({ lane }, rows, clocks) {
    const { scene, model } = this;
    const style = `line${lane % 8}`;
    let [x, y] = [NaN, NaN];
    for (const row of rows) {
      const [nextX, nextY] = [this.xOf(row), this.height(clocks[row])];
      if (!Number.isNaN(x)) {
        scene.line(style, x, y, nextX, y);
        scene.line(style, nextX, y, nextX, nextY);
        if (rows.isWhole && model.jump[row] > 1 && Math.abs(nextY - y) > 12 && rows.length < 60) {
          scene.text("jumpLabel", nextX + 3, (y + nextY) / 2 + 4, `+${model.jump[row]}`, "left");
        }
      }
      if (model.markOf.has(row)) scene.dot("mark", nextX, nextY, 7);
      if (this.state.matches?.has(row)) scene.dot("match", nextX, nextY, 9);
      [x, y] = [nextX, nextY];
    }
    if (rows.length && this.model.lanes.length <= 20) {
      const last = rows.filter((row) => this.index.values[row] <= this.view.to).at(-1) ?? rows[0];
      const x_ = Math.min(this.xOf(last) + 6, this.size.width - 4);
      scene.text("label", x_, this.height(clocks[last]) - 5, laneName(model, lane), "right");
    }
  }

  flight(message, clocks) {
    const { send, receive, arrival, seen, stamp } = this.model.messages;
    const to = receive[message];
    if (to < 0) return;
    const carried = Number.isNaN(stamp[message]) ? clocks[send[message]] : stamp[message];
    const y = this.height(carried);
    const [x1, xr] = [this.xOf(send[message]), this.xOf(to)];
    const xa = Number.isNaN(arrival[message]) ? xr : this.x(arrival[message]);
    const tone = this.tone(send[message], to);
    this.scene.line(`message${tone}`, x1, y, xa, y);
    this.scene.head(`head${tone}`, xa, y, x1, y, 6);
    if (xr - xa > 3) this.scene.line(Number.isNaN(seen[message]) ? "wait" : "waitLate", xa, y, xr, y);
  }
}

/** Round places on an axis, about so many; and how many digits they need behind the point, in units of `unit`. */
export function ticks(from, to, count, unit = 1) {
  const rough = (to - from) / Math.max(1, count) / unit;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
  const step = Math.max(round, unit === 1 ? 1 : 0) * unit;
  const values = [];
  for (let value = Math.ceil(from / step) * step; value <= to && values.length < 200; value += step) {
    values.push(unit === 1 ? Math.round(value) : value);
  }
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)) };
}

// ------------------------------------------------------------------------------------------------------- painting

/** Paint a scene on a canvas; `colours` are those of the variables. */
export function paint(context, scene, colours) {
  const { width, height, left } = scene;
  context.fillStyle = colours.paper;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  for (const [name, style] of Object.entries(STYLES)) {
    if (name === OUTSIDE) context.restore();
    const shapes = scene.shapes.get(name);
    if (shapes) paintShapes(context, shapes, style, colours);
  }
}

function paintShapes(context, { lines, boxes, dots, heads, texts }, style, colours) {
  context.globalAlpha = style.alpha ?? 1;
  context.fillStyle = colours[style.fill ?? style.stroke];
  context.strokeStyle = colours[style.stroke ?? style.fill];
  context.lineWidth = style.width ?? 1;
  context.setLineDash(style.dash ?? []);
  if (lines.length || dots.length || heads.length) {
    context.beginPath();
    for (let at = 0; at < lines.length; at += 4) {
      context.moveTo(lines[at], lines[at + 1]);
      context.lineTo(lines[at + 2], lines[at + 3]);
    }
    for (let at = 0; at < dots.length; at += 3) {
      context.moveTo(dots[at] + dots[at + 2], dots[at + 1]);
      context.arc(dots[at], dots[at + 1], dots[at + 2], 0, 2 * Math.PI);
    }
    for (let at = 0; at < heads.length; at += 4) {
      const [point, ...corners] = headPath(heads, at);
      context.moveTo(...point);
      for (const corner of corners) context.lineTo(...corner);
    }
    if (style.stroke) context.stroke();
    else context.fill();
  }
  for (let at = 0; at < boxes.length; at += 4) context.fillRect(boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]);
  if (texts.length) paintTexts(context, texts, style, colours);
  context.globalAlpha = 1;
}

function paintTexts(context, texts, style, colours) {
  context.font = `${style.font}px ${colours.font}`;
  if (style.halo) {
    context.strokeStyle = colours.paper;
    context.lineWidth = 3;
    context.lineJoin = "round";
  }
  for (const [x, y, text, align] of texts) {
    context.textAlign = align;
    if (style.halo) context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}

function headPath(heads, at) {
  const [x, y, angle, size] = [heads[at], heads[at + 1], heads[at + 2], heads[at + 3]];
  const corner = (turn) => [x - size * Math.cos(angle + turn), y - size * Math.sin(angle + turn)];
  return [[x, y], corner(0.42), corner(-0.42)];
}

/** The same scene as an SVG document of its own. */
export function svgOf(scene, colours, labels) {
  const parts = [];
  let outside = "";
  const number = (value) => String(Math.round(value * 100) / 100);
  for (const [name, style] of Object.entries(STYLES)) {
    const shapes = scene.shapes.get(name);
    if (!shapes) continue;
    const { lines, boxes, dots, heads, texts } = shapes;
    const shape = [];
    let way = "";
    for (let at = 0; at < lines.length; at += 4) {
      const [x1, y1, x2, y2] = lines.slice(at, at + 4).map(number);
      way += `M${x1},${y1}L${x2},${y2}`;
    }
    for (let at = 0; at < heads.length; at += 4) {
      way += `M${headPath(heads, at).map((corner) => corner.map(number)).join("L")}Z`;
    }
    if (way) shape.push(`<path d="${way}"/>`);
    for (let at = 0; at < boxes.length; at += 4) {
      const [x, y, width, height] = boxes.slice(at, at + 4).map(number);
      shape.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}"/>`);
    }
    for (let at = 0; at < dots.length; at += 3) {
      shape.push(`<circle cx="${number(dots[at])}" cy="${number(dots[at + 1])}" r="${number(dots[at + 2])}"/>`);
    }
    const anchor = { left: "start", center: "middle", right: "end" };
    for (const [x, y, text, align] of texts) {
      shape.push(`<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor[align]}">${escaped(text)}</text>`);
    }
    const drawn = style.stroke
      ? `fill="none" stroke="${colours[style.stroke]}" stroke-width="${style.width}"`
      : `fill="${colours[style.fill]}"`;
    const dash = style.dash ? ` stroke-dasharray="${style.dash}"` : "";
    const more = `${style.alpha ? ` opacity="${style.alpha}"` : ""}${dash}`;
    const type = style.font ? ` font-size="${style.font}"` : "";
    const group = `<g ${drawn}${more}${type}>${shape.join("")}</g>`;
    if (name === OUTSIDE) outside = group;
    else parts.push(group);
  }
  const { width, height } = scene;
  const named = ({ x, y, text }) => `<text x="${number(x)}" y="${number(y)}">${escaped(text)}</text>`;
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${escaped(colours.font)}">
<rect width="${width}" height="${height}" fill="${colours.paper}"/>
${parts.join("\n")}
<rect width="${scene.left}" height="${height}" fill="${colours.paper}"/>
${outside}
<g fill="${colours.ink}" font-size="13">${labels.map(named).join("")}</g>
</svg>
`;
}

const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

// ------------------------------------------------------------------------------------------------ in a page

const COLOURS = [
  ...["paper", "ink", "quiet", "faint", "lane", "internal", "send", "receive", "message", "wait", "jump", "jumpInk"],
  ...["stripe", "stripeInk", "bad", "late", "past", "future", "focus", "match", "block", "cut"],
  ...Array.from({ length: 8 }, (_, hue) => `hue${hue}`),
];

const KEYS_HELP = [
  ["← →", "pan"],
  ["+ −", "zoom"],
  ["0", "everything"],
  [", .", "the machine's previous and next event"],
  ["↑ ↓", "the nearest event of the machine above or below"],
  ["n  N", "the next and the previous event found"],
  ["b", "mark this event as the other one: before, after, or concurrent?"],
  ["w", "why is the clock what it is: the longest chain"],
  ["c", "a cut at the middle; < and > move it"],
  ["t", "the next axis"],
  ["/", "search"],
  ["Esc", "nothing selected"],
];

const AXES = { time: "Time", logical: "Logical time", both: "Time × clock" };
const AXES_WITHOUT_TIME = { time: "Order", both: "Order × clock" };

/** Show a diagram in an element; `data` is what `as_json` wrote. Returns what a page, or a test, may ask of it.
 *
 * options: axis (time, logical, both), from and to (on that axis), select (an event's name).
 */
export function mount(element, data, options = {}) {
  return new Diagram(element, decode(data), options);
}

class Diagram {
  constructor(element, model, options) {
    Object.assign(this, { element, model, selected: [], matches: [], found: 0 });
    Object.assign(this, { cutAt: null, way: null, unfolded: new Set() });
    this.axis = options.axis ?? "time";
    this.frame = { ms: 0, primitives: 0 };
    this.jumpMax = Math.max(2, largest(model.jump, 2));
    this.indexes = new Map();
    this.build();
    this.resize();
    this.look(options.from ?? this.opening()[0], options.to ?? this.opening()[1]);
    this.listen();
    this.recolour();
    if (options.select) this.select(options.select);
    else this.say(model.cuts.map((asked) => describeCut(model, closed(model, asked))));
    element.diagram = this;
    this.draw();
  }

  // ---- elements

  build() {
    const { element, model } = this;
    element.replaceChildren();
    element.classList.add("space-time");
    this.bar = make("div", { className: "st-bar", role: "toolbar", ariaLabel: "Space-time diagram" });
    this.axes = make("span", { className: "st-axes", role: "group", ariaLabel: "Axis" });
    for (const [axis, label] of Object.entries(model.isTimed ? AXES : { ...AXES, ...AXES_WITHOUT_TIME })) {
      const button = make("button", { type: "button", textContent: label });
      button.dataset.axis = axis;
      button.addEventListener("click", () => this.setAxis(axis));
      this.axes.append(button);
    }
    this.question = make("input", { type: "search", ariaLabel: "Search events", title: SEARCH_HELP });
    this.question.placeholder = "2:41, jump > 5, violation …";
    this.hits = make("output", { className: "st-hits" });
    const button = (text, title, act) => {
      const made = make("button", { type: "button", textContent: text, title, ariaLabel: title });
      made.addEventListener("click", act);
      return made;
    };
    this.cutButton = button("Cut", "A cut at the middle (c)", () => this.toggleCut());
    this.bar.append(
      this.axes,
      button("−", "Zoom out (-)", () => this.zoom(2)),
      button("+", "Zoom in (+)", () => this.zoom(0.5)),
      button("All", "Show everything (0)", () => this.fit()),
      this.question,
      button("‹", "Previous event found (N)", () => this.step(-1)),
      button("›", "Next event found (n)", () => this.step(1)),
      this.hits,
      button("Why this clock?", "The longest chain to the selected event (w)", () => this.why()),
      this.cutButton,
      button("Save SVG", "Save what is shown as an SVG file", () => this.save()),
    );
    this.stage = make("div", { className: "st-stage" });
    this.canvas = make("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "space-time diagram");
    const counts = [[model.lanes.length, "machine"], [model.count, "event"], [model.messages.count, "message"]];
    const keysSaid = "Arrow keys pan, plus and minus zoom, comma and full stop step from event to event.";
    const said = `${visible(model.name)}: ${counts.map((each) => plural(...each)).join(", ")}. ${keysSaid}`;
    this.canvas.setAttribute("aria-label", said);
    this.names = make("div", { className: "st-names" });
    this.tip = make("div", { className: "st-tip", hidden: true });
    this.tip.setAttribute("aria-hidden", "true");
    this.stage.append(this.canvas, this.names, this.tip);
    this.note = make("div", { className: "st-note" });
    this.words = make("div", { className: "st-words", role: "status", ariaLive: "polite" });
    const legend = make("div", { className: "st-legend", ariaHidden: "true" });
    for (const [name, label] of this.legend()) {
      legend.append(make("span", { className: `st-key st-${name}`, textContent: label }));
    }
    const keys = make("details", { className: "st-keys" });
    const list = make("dl", {});
    for (const [key, meaning] of KEYS_HELP) {
      list.append(make("dt", { textContent: key }), make("dd", { textContent: meaning }));
    }
    keys.append(make("summary", { textContent: "Keys" }), list);
    element.append(this.bar, this.stage, this.note, this.words, legend, keys);
    this.layOut();
  }

  legend() {
    const { model } = this;
    const known = [["internal", "internal"], ["send", "send"], ["receive", "receive"]];
    if (model.messages.arrival.some((value) => !Number.isNaN(value))) known.push(["wait", "waits in the queue"]);
    if (model.hasClock) known.push(["jump", "jump of the clock"]);
    if (model.messages.lost.some(Boolean)) known.push(["lost", "lost"]);
    if (model.stripes.length) known.push(["stripe", "fault"]);
    if (model.marks.length) known.push(["bad", plural(model.marks.length, "violation")]);
    return [...known, ["past", "past"], ["future", "future of the selected event"]];
  }

  /** The names of the lanes, which are buttons where a group can be unfolded. */
  layOut() {
    this.layout = rowsOf(this.model, this.unfolded);
    this.indexes.clear();
    const { rows } = this.layout;
    const height = rows.length <= 4 ? 92 : rows.length <= 8 ? 64 : rows.length <= 14 ? 44 : rows.length <= 26 ? 28 : 17;
    this.height = Math.max(rows.length * height, 180) + TOP + AXIS;
    this.names.replaceChildren();
    rows.forEach((row, place) => {
      const named = row.until - row.from === 1;
      const label = this.nameOfRow(row, 24);
      const made = row.isGroup ? make("button", { type: "button" }) : make("span", {});
      made.className = "st-name";
      made.textContent = row.isGroup ? `${row.isOpen ? "▾" : "▸"} ${label}` : label;
      const note = named ? visible(this.model.notes[row.from], 24) : plural(row.until - row.from, "machine");
      made.title = note;
      if (this.height / rows.length > 40 && note) made.append(make("small", { textContent: note }));
      made.style.top = `${TOP + ((place + 0.5) * (this.height - TOP - AXIS)) / rows.length}px`;
      if (row.isGroup) made.addEventListener("click", () => this.fold(row.isOpen ? row.group : row.from));
      this.names.append(made);
    });
  }

  nameOfRow({ from, until }, most) {
    const [first, last] = [from, until - 1].map((lane) => visible(this.model.lanes[lane], most));
    return first === last ? first : `${first} … ${last}`;
  }

  fold(group) {
    if (!this.unfolded.delete(group)) this.unfolded.add(group);
    this.layOut();
    while (this.layout.rows.length > ROWS_MAX && this.unfolded.size > 1) {
      // What was unfolded first folds again: so many rows nobody can read, and a frame has its limits.
      this.unfolded.delete(this.unfolded.values().next().value);
      this.layOut();
    }
    this.resize();
    this.draw();
  }

  resize() {
    const width = Math.max(280, this.stage.clientWidth || 900);
    const ratio = globalThis.devicePixelRatio || 1;
    this.gutter = width < 560 ? 72 : 112;
    const height = this.axis === "both" ? Math.max(this.height, 460) : this.height;
    this.size = { width, height, gutter: this.gutter };
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.names.style.width = `${this.gutter - 12}px`;
    this.ratio = ratio;
  }

  recolour() {
    const style = getComputedStyle(this.element);
    this.colours = { font: style.getPropertyValue("--st-font").trim() || "sans-serif" };
    for (const name of COLOURS) this.colours[name] = style.getPropertyValue(`--st-${name}`).trim() || "#888";
  }

  // ---- what is in view

  get index() {
    if (!this.indexes.has(this.axis)) this.indexes.set(this.axis, new Index(this.model, this.axis, this.layout));
    return this.indexes.get(this.axis);
  }

  /** What is shown first: everything, or if that is too much to see a message, its beginning. */
  opening() {
    const { least, most } = this.index;
    const room = (this.size.width - this.gutter) / 16;
    const busiest = this.busiest();
    const isAll = busiest > 4000 || busiest <= room;
    return this.margins(least, isAll ? most : least + ((most - least) * room) / busiest);
  }

  /** How many events the row has that has most. */
  busiest() {
    const { starts } = this.index;
    return Math.max(1, ...this.layout.rows.map((_, row) => starts[row + 1] - starts[row]));
  }

  margins(from, to) {
    const margin = ((to - from) * 14) / Math.max(100, this.size.width - this.gutter);
    return [from - margin, to + margin];
  }

  look(from, to) {
    const { least, most } = this.index;
    const [first, last] = this.margins(least, most);
    const shortest = this.index.isTime && this.model.isTimed ? 1000 : 2;
    const length = Math.min(Math.max(to - from, shortest), last - first);
    const start = Math.min(Math.max(from, first), last - length);
    this.view = { from: start, to: start + length };
    this.draw();
  }

  fit() {
    this.look(...this.margins(this.index.least, this.index.most));
  }

  zoom(factor, around = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    this.look(around - (around - from) * factor, around + (to - around) * factor);
  }

  pan(share) {
    const by = (this.view.to - this.view.from) * share;
    this.look(this.view.from + by, this.view.to + by);
  }

  setAxis(axis) {
    const wasTime = this.index.isTime;
    const { values } = this.index;
    const { from, to } = this.view;
    this.axis = axis;
    this.resize();
    if (wasTime === this.index.isTime) return this.look(from, to);
    this.cutAt = null;
    let [first, last] = [Infinity, -Infinity];
    for (let row = 0; row < this.model.count; row++) {
      if (values[row] < from || values[row] > to) continue;
      [first, last] = [Math.min(first, this.index.values[row]), Math.max(last, this.index.values[row])];
    }
    return first <= last ? this.look(...this.margins(first, Math.max(last, first + 1))) : this.fit();
  }

  place(x) {
    return this.view.from + ((x - this.gutter) * (this.view.to - this.view.from)) / (this.size.width - this.gutter);
  }

  reveal(row) {
    const value = this.index.values[row];
    const length = this.view.to - this.view.from;
    const isSeen = value > this.view.from + length * 0.05 && value < this.view.to - length * 0.05;
    if (isSeen && !this.scene?.level) return this.draw();
    // Where events are merged one cannot be seen: come so near that it can.
    const shorter = this.scene?.level ? Math.min(length, this.closeUp()) : length;
    return this.look(value - shorter / 2, value + shorter / 2);
  }

  closeUp() {
    const busiest = this.busiest();
    return ((this.index.most - this.index.least) / busiest) * Math.min(60, this.size.width / 20);
  }

  // ---- drawing

  draw() {
    if (this.isWaiting || !this.colours) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.render();
    });
  }

  render() {
    const started = performance.now();
    const first = this.selected[0];
    const cone = this.cone && first !== undefined ? this.cone : null;
    const cuts = this.model.cuts.map((asked) => ({ asked, ...closed(this.model, asked) }));
    if (this.cutAt !== null) cuts.push(cut(this.model, this.cutAt, this.index.values));
    const state = {
      ...{ cone, cuts, cutAt: this.cutAt, way: this.way, selected: this.selected, jumpMax: this.jumpMax },
      matches: this.matchSet,
      current: this.hovered ?? NONE,
    };
    this.scene = sceneOf(this.index, this.view, this.size, state);
    const context = this.canvas.getContext("2d", { alpha: false });
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paint(context, this.scene, this.colours);
    this.frame = { ms: performance.now() - started, primitives: this.scene.count };
    this.names.hidden = this.axis === "both";
    this.drawnAt ??= performance.now();
    this.tell();
  }

  tell() {
    for (const button of this.axes.children) {
      button.setAttribute("aria-pressed", String(button.dataset.axis === this.axis));
    }
    this.cutButton.setAttribute("aria-pressed", String(this.cutAt !== null));
    const inGroups = this.layout.rows.some((row) => row.until - row.from > 1);
    const folded = "messages within a group of machines are not drawn; a click on its name unfolds it";
    setText(this.note, [...this.scene.notes, ...(inGroups ? [folded] : [])].join("; "));
  }

  // ---- what is selected

  select(name, { other = false } = {}) {
    const row = typeof name === "number" ? name : rowOf(this.model, name);
    if (row < 0) return false;
    this.way = null;
    this.selected = other && this.selected.length ? [this.selected[0], row] : [row];
    const [a, b] = this.selected;
    this.cone = { past: past(this.model, a), future: future(this.model, a) };
    if (b === undefined) this.say([...describe(this.model, a), this.census(a)]);
    else {
      const found = relation(this.model, a, b);
      this.way = found === "before" ? path(this.model, a, b) : found === "after" ? path(this.model, b, a) : null;
      this.say(describePair(this.model, a, b));
    }
    this.reveal(row);
    return true;
  }

  census(row) {
    const earlier = this.cone.past.reduce((sum, count) => sum + count, 0) - 1;
    const later = this.model.processes.reduce((sum, { count }, which) => sum + count - this.cone.future[which], 0) - 1;
    const rest = this.model.count - earlier - later - 1;
    const known = this.model.isWhole ? "" : ", as far as the record tells";
    const [after, beside] = [later, rest].map((count) => count.toLocaleString("en"));
    const before_ = `${plural(earlier, "event")} happened before it`;
    return `${before_}, ${after} after it, ${beside} are concurrent with it${known}.`;
  }

  unselect() {
    Object.assign(this, { selected: [], cone: null, way: null, cutAt: null });
    this.say([]);
    this.draw();
  }

  why() {
    const row = this.selected.at(-1);
    if (row === undefined) return this.say(["Select an event first: a click on it, or search for its name."]);
    this.way = chain(this.model, row);
    this.say([describeChain(this.model, row)]);
    return this.draw();
  }

  toggleCut(at_ = (this.view.from + this.view.to) / 2) {
    this.cutAt = this.cutAt === null ? at_ : null;
    this.tellCut();
  }

  moveCut(to) {
    this.cutAt = to;
    this.tellCut();
  }

  tellCut() {
    this.say(this.cutAt === null ? [] : [describeCut(this.model, cut(this.model, this.cutAt, this.index.values))]);
    this.draw();
  }

  search(question) {
    this.matches = [];
    let said = "";
    try {
      this.matches = question.trim() ? search(this.model, question) : [];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      said = error.message;
    }
    this.matchSet = new Set(this.matches);
    this.found = 0;
    if (this.matches.length) this.select(this.matches[0]);
    else this.say([said || (question.trim() ? "No event is like that." : "")]);
    this.tellHits();
    this.draw();
    return this.matches.length;
  }

  step(by) {
    if (!this.matches.length) return;
    this.found = (this.found + by + this.matches.length) % this.matches.length;
    this.select(this.matches[this.found]);
    this.tellHits();
  }

  tellHits() {
    const { length } = this.matches;
    setText(this.hits, length ? `${(this.found + 1).toLocaleString("en")} of ${length.toLocaleString("en")}` : "");
  }

  say(lines) {
    this.words.replaceChildren(...lines.filter(Boolean).map((line) => make("p", { textContent: line })));
  }

  exportSVG() {
    const labels = this.axis === "both" ? [] : [...this.layout.rows].map((row, place) => ({
      ...{ x: 8, y: TOP + ((place + 0.5) * (this.height - TOP - AXIS)) / this.layout.rows.length + 4 },
      text: this.nameOfRow(row, row.until - row.from === 1 ? 13 : 6),
    }));
    return svgOf(this.scene, this.colours, labels);
  }

  save() {
    const href = URL.createObjectURL(new Blob([this.exportSVG()], { type: "image/svg+xml" }));
    make("a", { download: "diagram.svg", href }).click();
    URL.revokeObjectURL(href);
  }

  // ---- input

  listen() {
    const { canvas } = this;
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (press) => this.pressed(press));
    canvas.addEventListener("pointermove", (move) => this.moved(move));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (release) => this.released(release));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("wheel", (turn) => this.turned(turn), { passive: false });
    canvas.addEventListener("keydown", (press) => this.typed(press));
    this.question.addEventListener("keydown", (press) => {
      if (press.key !== "Enter") return;
      press.preventDefault();
      if (this.question.value === this.asked && this.matches.length) this.step(press.shiftKey ? -1 : 1);
      else this.search((this.asked = this.question.value));
    });
    new ResizeObserver(() => {
      this.resize();
      this.draw();
    }).observe(this.stage);
    const restyle = () => {
      this.recolour();
      this.draw();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
    const attributeFilter = ["class", "data-theme"];
    new MutationObserver(restyle).observe(document.documentElement, { attributes: true, attributeFilter });
    const follow = () => this.follow(location.hash.slice(1));
    addEventListener("hashchange", follow);
    follow();
  }

  /** A link to `#IDENTITY/2:41` selects that event of the diagram with this identity. */
  follow(hash) {
    const slash = hash.indexOf("/");
    if (slash < 0 || hash.slice(0, slash) !== this.element.dataset.source?.replace(/-source$/, "")) return;
    if (this.select(unescaped(hash.slice(slash + 1)))) this.element.scrollIntoView({ block: "center" });
  }

  point(pointer) {
    const box = this.canvas.getBoundingClientRect();
    return { x: pointer.clientX - box.left, y: pointer.clientY - box.top };
  }

  pressed(press) {
    this.canvas.setPointerCapture(press.pointerId);
    const point = this.point(press);
    this.pointers.set(press.pointerId, point);
    const isOnCut = this.cutAt !== null && Math.abs(this.xOf(this.cutAt) - point.x) < 7;
    this.drag = { x: point.x, view: { ...this.view }, isOnCut, hasMoved: false, gap: this.gap() };
  }

  xOf(value) {
    return this.gutter + ((value - this.view.from) * (this.size.width - this.gutter)) / (this.view.to - this.view.from);
  }

  gap() {
    const [one, other] = [...this.pointers.values()];
    return other ? { width: Math.max(20, Math.abs(one.x - other.x)), middle: (one.x + other.x) / 2 } : null;
  }

  moved(move) {
    const point = this.point(move);
    if (!this.pointers.has(move.pointerId)) return this.hover(point);
    this.pointers.set(move.pointerId, point);
    const { drag } = this;
    const gap = this.gap();
    const perPixel = (drag.view.to - drag.view.from) / (this.size.width - this.gutter);
    if (gap && drag.gap) {
      drag.hasMoved = true;
      const around = drag.view.from + (drag.gap.middle - this.gutter) * perPixel;
      const factor = drag.gap.width / gap.width;
      const from = around - (gap.middle - this.gutter) * perPixel * factor;
      return this.look(from, from + (drag.view.to - drag.view.from) * factor);
    }
    if (Math.abs(point.x - drag.x) > 3) drag.hasMoved = true;
    if (!drag.hasMoved) return undefined;
    if (drag.isOnCut) return this.moveCut(this.place(point.x));
    const by = (drag.x - point.x) * perPixel;
    return this.look(drag.view.from + by, drag.view.to + by);
  }

  released(release) {
    const wasClick = this.pointers.size === 1 && this.drag && !this.drag.hasMoved && release.type === "pointerup";
    this.pointers.delete(release.pointerId);
    if (!wasClick) return;
    const hit = this.hit(this.point(release));
    if (hit?.event >= 0) this.select(hit.event, { other: release.shiftKey });
    else if (hit?.block >= 0) this.enter(hit);
    else if (!release.shiftKey) this.unselect();
  }

  /** Come so near to a block that it falls apart. */
  enter({ level, block }) {
    const { from, to } = level.blocks;
    const length = Math.min((this.view.to - this.view.from) / 4, Math.max(to[block] - from[block], this.closeUp()));
    this.look((from[block] + to[block] - length) / 2, (from[block] + to[block] + length) / 2);
  }

  turned(turn) {
    const isZoom = turn.ctrlKey || turn.metaKey || document.activeElement === this.canvas;
    if (Math.abs(turn.deltaX) > Math.abs(turn.deltaY)) {
      turn.preventDefault();
      this.pan(turn.deltaX / this.size.width);
    } else if (isZoom) {
      // The page scrolls over a diagram that nobody has touched.
      turn.preventDefault();
      this.zoom(Math.min(4, Math.max(0.25, 1.0015 ** turn.deltaY)), this.place(this.point(turn).x));
    }
  }

  typed(press) {
    if (press.ctrlKey || press.metaKey || press.altKey) return;
    const step = (this.view.to - this.view.from) * 0.02;
    const keys = {
      ArrowLeft: () => this.pan(-0.15),
      ArrowRight: () => this.pan(0.15),
      ArrowUp: () => this.across(-1),
      ArrowDown: () => this.across(1),
      "+": () => this.zoom(0.6),
      "=": () => this.zoom(0.6),
      "-": () => this.zoom(1 / 0.6),
      0: () => this.fit(),
      ",": () => this.along(-1),
      ".": () => this.along(1),
      n: () => this.step(1),
      N: () => this.step(-1),
      b: () => this.pin(),
      w: () => this.why(),
      c: () => this.toggleCut(),
      "<": () => this.cutAt !== null && this.moveCut(this.cutAt - step),
      ">": () => this.cutAt !== null && this.moveCut(this.cutAt + step),
      t: () => this.setAxis(nextOf(Object.keys(AXES), this.axis)),
      "/": () => this.question.focus(),
      Escape: () => this.unselect(),
    };
    if (!Object.hasOwn(keys, press.key)) return;
    press.preventDefault();
    keys[press.key]();
  }

  /** Keep the selected event as the first of two: the next one selected by keyboard is related to it. */
  pin() {
    if (!this.selected.length) return;
    this.pinned = this.pinned === undefined ? this.selected[0] : undefined;
    this.say([this.pinned === undefined ? "" : `${event(this.model, this.pinned)} is kept: step to another event.`]);
  }

  go(row) {
    if (this.pinned !== undefined) {
      this.select(this.pinned);
      this.select(row, { other: true });
    } else this.select(row);
  }

  along(by) {
    const row = this.selected.at(-1);
    if (row === undefined) return this.go(this.middle(0));
    const { start, count } = this.model.processes[this.model.process[row]];
    return this.go(Math.min(Math.max(row + by, start), start + count - 1));
  }

  across(by) {
    const row = this.selected.at(-1);
    if (row === undefined) return this.go(this.middle(0));
    const rows = this.layout.rows.length;
    const from = this.layout.ofLane[this.model.lane[row]];
    for (let next = from + by; next >= 0 && next < rows; next += by) {
      const found = this.nearest(next, this.index.values[row]);
      if (found >= 0) return this.go(found);
    }
    return undefined;
  }

  middle(row) {
    return this.nearest(row, (this.view.from + this.view.to) / 2);
  }

  /** The event of a row that lies nearest to a place of the axis. */
  nearest(row, value) {
    const { starts, places, order } = this.index;
    const [first, last] = [starts[row], starts[row + 1]];
    if (first === last) return NONE;
    const place = Math.min(firstAtLeast(places, value, first, last), last - 1);
    const isEarlier = place > first && value - places[place - 1] < places[place] - value;
    return order[isEarlier ? place - 1 : place];
  }

  /** What lies under a point: an event, a block, or nothing. */
  hit({ x, y }) {
    if (this.axis === "both") return this.hitClock(x, y);
    const { rows } = this.layout;
    const rowHeight = (this.height - TOP - AXIS) / rows.length;
    const row = Math.floor((y - TOP) / rowHeight);
    const isNear = Math.abs(y - TOP - (row + 0.5) * rowHeight) <= 16 && x >= this.gutter - 8;
    if (row < 0 || row >= rows.length || !isNear) return null;
    const { level } = this.scene;
    if (!level) {
      const event_ = this.nearest(row, this.place(x));
      return event_ >= 0 && Math.abs(this.xOf(this.index.values[event_]) - x) < 11 ? { event: event_ } : null;
    }
    const [first, last] = level.blocksBetween(row, this.place(x - 4), this.place(x + 4));
    if (first === last) return null;
    const isOne = level.blocks.count[first] === 1;
    return isOne ? { event: this.index.order[level.blocks.first[first]] } : { level, block: first };
  }

  hitClock(x, y) {
    const clocks = this.model.hasClock ? this.model.clock : depth(this.model);
    const picture = new Picture(this.index, this.view, this.size, {}, new Scene(0, 0, 0));
    const lines = this.model.processes.map((process) => picture.outline(process, 4000));
    picture.fit(lines, clocks);
    let [nearest, distance] = [NONE, 12];
    for (const rows of lines) {
      for (const row of rows) {
        const far = Math.hypot(picture.xOf(row) - x, picture.height(clocks[row]) - y);
        if (far < distance) [nearest, distance] = [row, far];
      }
    }
    return nearest >= 0 ? { event: nearest } : null;
  }

  hover(point) {
    const hit = point && this.hit(point);
    const row = hit?.event ?? NONE;
    const lines = row >= 0 ? describe(this.model, row) : hit ? this.describeBlock(hit) : [];
    this.tip.hidden = !lines.length;
    if (lines.length) {
      this.tip.replaceChildren(...lines.map((line) => make("p", { textContent: line })));
      const left = Math.min(point.x + 14, this.size.width - this.tip.offsetWidth - 4);
      Object.assign(this.tip.style, { left: `${Math.max(4, left)}px`, top: `${point.y + 18}px` });
    }
    this.canvas.style.cursor = lines.length ? "pointer" : "grab";
    if (row !== (this.hovered ?? NONE)) {
      this.hovered = row;
      this.draw();
    }
  }

  describeBlock({ level, block }) {
    const { model, index } = this;
    const { count, receives, marks, first, row } = level.blocks;
    const rows = Array.from(index.order.subarray(first[block], first[block] + count[block]));
    const [one, last] = [rows[0], rows.at(-1)];
    const { from, until } = this.layout.rows[row[block]];
    const whose = until - from === 1 ? machine(laneName(model, from)) : plural(until - from, "machine");
    const times = [one, last].map((each) => at(model, model.time[each])).join(" to ");
    const clocks = [one, last].map((each) => clockText(model, model.clock[each])).join(" to ");
    const lost = rows.flatMap((each) => sentOf(model, each)).filter((message) => model.messages.lost[message]).length;
    const more = [plural(receives[block], "receive")];
    if (lost) more.push(`${plural(lost, "message")} lost`);
    if (marks[block]) more.push(plural(marks[block], "violation"));
    return [
      `${plural(count[block], "event")} of ${whose}, ${times}${model.hasClock ? `, clocks ${clocks}` : ""}`,
      `${more.join(", ")}; a click comes nearer`,
    ];
  }
}

/** A part of an address as it was before it was escaped; as it is if nobody could have escaped it so. */
function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const nextOf = (items, item) => items[(items.indexOf(item) + 1) % items.length];

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

// A page that holds this module inline mounts what `embed` left in it.
if (typeof document !== "undefined") {
  for (const element of document.querySelectorAll(".space-time[data-source]")) {
    if (!element.diagram) mount(element, JSON.parse(document.getElementById(element.dataset.source).textContent));
  }
}
