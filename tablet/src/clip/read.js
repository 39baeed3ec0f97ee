// MCAP to traces: whatever is a number in a ROS 2 message becomes a line over time.
//
// The definitions come with the recording, so the plant's own types are read too. Times
// are seconds from the end of the window, the moment that was unclear.

import { parse } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import { McapIndexedReader } from "@mcap/core";
import { decompress } from "fzstd";

const NOTE = "andon.clip";
const CHANNELS = "andon.channels";
const LONGEST_ARRAY = 256; // numbers of an array that become lines each
const LONGEST_MARK = 16;
const LARGEST_CHUNK = 64 << 20; // what a chunk may say that it unpacks to
const MOST_LINES = 512;
const SKIPPED = new Set(["header", "layout", "stamp"]);
const GAP_PERIODS = 4; // a longer pause than so many usual ones is a gap

/** Reads a recording (Uint8Array); throws when it is none, or damaged. */
export async function readClip(content) {
  const reader = await McapIndexedReader.Initialize({
    readable: readableOf(content),
    decompressHandlers: { zstd: unpacked },
  });
  const notes = new Map();
  for await (const note of reader.readMetadata()) notes.set(note.name, note.metadata);
  const about = notes.get(NOTE) ?? new Map();
  const topics = new Map();
  let zero = whole(about.get("window_end_ns"));
  let first = null;
  let last = null;
  for await (const message of reader.readMessages({ validateCrcs: true })) {
    const at = message.publishTime;
    zero ??= at;
    first = first === null || at < first ? at : first;
    last = last === null || at > last ? at : last;
    const { topic, schemaId } = reader.channelsById.get(message.channelId);
    if (!topics.has(topic)) topics.set(topic, new Columns(decoderOf(reader.schemasById.get(schemaId))));
    topics.get(topic).add(Number(at - zero) / 1e9, message.data);
  }
  zero ??= 0n;
  const seconds = (key, or) => Number((whole(about.get(key)) ?? or ?? zero) - zero) / 1e9;
  return {
    windowS: seconds("window_start_ns", zero),
    firstS: seconds("span_start_ns", first),
    lastS: seconds("span_end_ns", last),
    whole: about.get("whole") !== "false",
    messages: [...topics.values()].reduce((all, one) => all + one.count, 0),
    traces: tracesOf(topics, notes.get(CHANNELS) ?? new Map()),
    marks: [...topics.values()].flatMap((one) => one.texts).sort((a, b) => a.atS - b.atS),
    undrawn: [...topics].filter(([, one]) => !one.columns.size && !one.texts.length)
      .map(([topic, one]) => ({ topic, count: one.count })),
  };
}

function readableOf(content) {
  return {
    size: async () => BigInt(content.length),
    read: async (offset, length) => {
      const end = Number(offset) + Number(length);
      if (end > content.length) throw new Error("it ends too soon");
      return content.subarray(Number(offset), end);
    },
  };
}

function unpacked(packed, size) {
  if (size > BigInt(LARGEST_CHUNK)) throw new Error("a chunk is too large");
  return decompress(packed, new Uint8Array(Number(size)));
}

function decoderOf(schema) {
  if (schema?.encoding !== "ros2msg") throw new Error("its messages are not of ROS 2");
  const text = new TextDecoder().decode(schema.data);
  return new MessageReader(parse(text, { ros2: true }));
}

function whole(text) {
  return /^-?\d+$/.test(text ?? "") ? BigInt(text) : null;
}

/** The numbers of one topic's messages, column by column. */
class Columns {
  constructor(decoder) {
    this.decoder = decoder;
    this.count = 0;
    this.times = [];
    this.columns = new Map(); // name -> values
    this.texts = []; // {atS, text}
    this.ways = new Map(); // name -> the steps to its number
    this.joints = "";
  }

  add(atS, data) {
    const message = this.decoder.readMessage(data);
    this.count += 1;
    if (typeof message.data === "string") {
      this.texts.push({ atS, text: word(message.data) });
      return;
    }
    if (message.data instanceof Uint8Array) return; // a picture
    const names = namesOf(message);
    const joints = names?.join() ?? "";
    if (!this.ways.size || joints !== this.joints) {
      // The first, or one whose joints are other ones: earlier rows lack the new.
      this.joints = joints;
      this.ways = new Map(numbersOf(message, names, []));
      for (const name of this.ways.keys()) {
        if (this.columns.has(name)) continue;
        if (this.columns.size >= MOST_LINES) break;
        this.columns.set(name, new Array(this.times.length).fill(NaN));
      }
    }
    this.times.push(atS);
    for (const [name, column] of this.columns) {
      const value = this.ways.get(name)?.reduce((inside, step) => inside?.[step], message);
      column.push(value === undefined ? NaN : Number(value));
    }
  }
}

/** What the places of its arrays are called, as in JointState. */
function namesOf(message) {
  const { name } = message;
  return Array.isArray(name) && name.every((one) => typeof one === "string") ? name : null;
}

/** [name, steps] of every number in a message. */
function* numbersOf(message, names, way) {
  for (const [field, value] of Object.entries(message)) {
    if (SKIPPED.has(field) || field.endsWith("_covariance")) continue;
    const here = [...way, field];
    if (isNumber(value)) yield [here.join("."), here];
    else if (Array.isArray(value) || ArrayBuffer.isView(value)) yield* placesOf(value, names, here);
    else if (value !== null && typeof value === "object") yield* numbersOf(value, null, here);
  }
}

function* placesOf(values, names, way) {
  if (!values.length || values.length > LONGEST_ARRAY || !isNumber(values[0])) return;
  const named = names?.length === values.length;
  for (let place = 0; place < values.length; place += 1) {
    yield [[...way, named ? names[place] : place].join("."), [...way, place]];
  }
}

function isNumber(value) {
  return ["number", "bigint", "boolean"].includes(typeof value);
}

/** The cell's channels in their order, then every other number. */
function tracesOf(topics, channels) {
  const drawn = [];
  const used = new Set();
  for (const [name, source] of channels) {
    const [at, unit = ""] = source.split(" ");
    const [topic, field, element] = at.split(":");
    const columns = topics.get(topic);
    const wanted = element === "value" ? field : `${field}.${element}`;
    const found = [...(columns?.columns.keys() ?? [])]
      .find((one) => one === wanted || one.endsWith(`.${wanted}`));
    if (found === undefined) continue;
    used.add(`${topic} ${found}`);
    drawn.push(traceOf(name, unit, columns.times, columns.columns.get(found), true));
  }
  for (const [topic, columns] of topics) {
    const short = topic.slice(topic.lastIndexOf("/") + 1);
    for (const [name, values] of columns.columns) {
      if (used.has(`${topic} ${name}`)) continue;
      drawn.push(traceOf(`${short} ${name}`, "", columns.times, values, false));
    }
  }
  return drawn;
}

/** Samples in the order of their times, and what a gap is. */
function traceOf(name, unit, times, values, channel) {
  const order = times.map((_, place) => place).sort((a, b) => times[a] - times[b] || a - b);
  const sorted = Float64Array.from(order, (place) => times[place]);
  const pauses = Array.from(sorted.subarray(1), (at, place) => at - sorted[place]).sort((a, b) => a - b);
  const usual = pauses.length ? pauses[Math.floor(pauses.length / 2)] : 0;
  return {
    name, unit, channel, gapS: GAP_PERIODS * usual, times: sorted,
    values: Float64Array.from(order, (place) => values[place]),
  };
}

/** What a message of text says, in a word: the event of a step, or its begin. */
function word(text) {
  let said = text;
  try {
    const read = JSON.parse(text);
    if (typeof read?.event === "string") said = read.event;
  } catch {
    // Not JSON: as it stands.
  }
  return said.replace(/\p{C}/gu, " ").trim().slice(0, LONGEST_MARK);
}
