// What the plant looks like: events in, a new picture out. Nothing is drawn or sent here.

import { seconds } from "./contract.js";

const JITTER_MS = 1000;

export const EMPTY = {
  cells: new Map(),
  requests: new Map(),
  learning: new Map(),
  families: new Map(),
  presence: { answering: 0, people: [], nobody: false },
  coordinator: "",
  missed: 0,
};

/** The picture after one WatchResponse; at is the moment it came, ms. */
export function fold(picture, message, at) {
  const { case: kind, value } = message.change;
  switch (kind) {
    case "snapshot":
      return {
        cells: byId(value.cells.map((cell) => cellAt(cell, at)), "cellId"),
        requests: byId(value.requests.map((one) => requestAt(one, at)), "requestId"),
        learning: byId(value.learning, "family"),
        families: byId(value.families, "family"),
        presence: value.presence ?? EMPTY.presence,
        coordinator: value.coordinator,
        missed: picture.missed + Number(message.missed),
      };
    case "cell":
      return { ...picture, cells: put(picture.cells, value.cellId, cellAt(value, at)) };
    case "request":
      return { ...picture, requests: change(picture.requests, value, at) };
    case "presence":
      return { ...picture, presence: value };
    case "learning":
      return { ...picture, learning: put(picture.learning, value.family, value) };
    default:
      return picture;
  }
}

/** A cell with the moment since when it is as it is, by this tablet's clock. */
function cellAt(cell, at) {
  return Object.assign(cell, { sinceMs: at - (seconds(cell.inState) || 0) * 1000 });
}

/**
 * A request with its deadline by this tablet's clock.
 * @param known the same request as it was known until now. The line is now slower, now
 *   faster: its deadline stays unless it was moved, and no card changes places for that.
 */
export function requestAt(summary, at, known) {
  const told = at + seconds(summary.timeLeft) * 1000;
  const same = Math.abs(known?.deadlineMs - told) < JITTER_MS;
  return Object.assign(summary, {
    deadlineMs: same ? known.deadlineMs : told,
    allowedS: seconds(summary.timeAllowed),
  });
}

/** Open questions, most urgent first; a cell waits for each of them. */
export function questions(picture) {
  return [...picture.requests.values()].filter((one) => one.kind !== 2).sort(byUrgency);
}

/** Windows that were decided alone and may be checked; no cell waits. */
export function audits(picture) {
  return [...picture.requests.values()].filter((one) => one.kind === 2).sort(byUrgency);
}

/** What one word may be said of together with others; "" when it is looked at alone. */
export function causeOf(one, flood, apart) {
  const alone = !flood || one.kind === 2 || one.pendingLabel || one.firstOpinionBy || one.disputed ||
    apart.has(one.requestId);
  return alone ? "" : one.groupId;
}

/** What one word has just been said of, together with others: it may be taken back. */
function saidTogether(one, flood) {
  return flood && one.pendingLabel ? `${one.groupId} ${one.pendingBy} ${one.pendingLabel}` : "";
}

/**
 * The cards of the board, most urgent first; in a flood one for the questions of a cause.
 * @param person who looks: a card shows the member that is theirs, or somebody's
 * @param apart ids of those that moved away from their cause
 * @return [{one, all}]: the member that is shown, and all of the card with it
 */
export function cards(picture, person, apart) {
  const { flood } = picture.presence.load ?? {};
  const found = new Map();
  for (const one of questions(picture)) {
    const key = causeOf(one, flood, apart) || saidTogether(one, flood) || one.requestId;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return [...found.values()].map((all) => ({
    one: all.find((each) => each.claimedBy === person) ?? all.find((each) => each.claimedBy) ?? all[0],
    all,
  }));
}

function byUrgency(a, b) {
  const waits = (one) => (one.pendingLabel ? 1 : 0); // answered, but for a moment
  return waits(a) - waits(b) || a.priority - b.priority || a.deadlineMs - b.deadlineMs ||
    (a.requestId < b.requestId ? -1 : 1);
}

function byId(items, key) {
  return new Map(items.map((item) => [item[key], item]));
}

function put(map, key, value) {
  return new Map(map).set(key, value);
}

function change(map, summary, at) {
  const request = requestAt(summary, at, map.get(summary.requestId));
  const next = new Map(map);
  if (request.outcome === 0) next.set(request.requestId, request);
  else next.delete(request.requestId);
  return next;
}
