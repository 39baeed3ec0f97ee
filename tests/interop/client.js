// A client of andon.v1 that knows nothing of andon but the .proto files.
//
// Read it as an example: what a tablet of another make has to do to watch, claim, answer,
// hold, undo and fetch a clip. 64-bit numbers stay text, because a double cannot hold
// them; enums are their names; bytes are Buffers.
import { createHash, randomUUID } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const DEADLINE_MS = 10_000;
const NEXT_WATCH_MS = 200;

/** A call that was refused: gRPC's code and name, and andon's stable token. */
export class Refused extends Error {
  constructor(error) {
    super(error.details);
    const info = errorInfo(error.metadata);
    this.code = error.code;
    this.name = grpc.status[error.code];
    this.token = info?.reason ?? "";
    this.domain = info?.domain ?? "";
  }
}

const rpc = loader.loadSync("rpc.proto", { includeDirs: [HERE] });

/** google.rpc.ErrorInfo of a refusal, or undefined when it carries none. */
function errorInfo(metadata) {
  const [trailer] = metadata?.get("grpc-status-details-bin") ?? [];
  if (trailer === undefined) return undefined;
  const status = rpc["google.rpc.Status"].deserialize(trailer);
  const type = "type.googleapis.com/google.rpc.ErrorInfo";
  const detail = status.details.find((one) => one.type_url === type);
  return detail && rpc["google.rpc.ErrorInfo"].deserialize(detail.value);
}

export class Client {
  /**
   * @param {string} address host:port of the coordinator
   * @param {string} protos folder that holds andon/v1
   * @param {{person: string, device: string}} actor who taps
   */
  constructor(address, protos, actor) {
    const services = ["cell", "operator", "learning", "insight", "access"];
    const definition = loader.loadSync(
      services.map((name) => `andon/v1/${name}.proto`),
      { includeDirs: [protos], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true },
    );
    const { andon } = grpc.loadPackageDefinition(definition);
    const plain = grpc.credentials.createInsecure();
    this.operators = new andon.v1.OperatorService(address, plain);
    this.access = new andon.v1.AccessService(address, plain);
    this.actor = actor;
    this.token = "";
  }

  close() {
    this.stopWatching?.();
    this.operators.close();
    this.access.close();
  }

  /** One unary call: its reply, or a Refused. */
  call(service, method, request) {
    const deadline = Date.now() + DEADLINE_MS;
    return new Promise((resolve, reject) => {
      service[method](request, this.metadata(), { deadline }, (error, reply) =>
        error ? reject(new Refused(error)) : resolve(reply),
      );
    });
  }

  metadata() {
    const metadata = new grpc.Metadata();
    if (this.token) metadata.set("authorization", `Bearer ${this.token}`);
    return metadata;
  }

  // -- seeing

  /** Follow the plant for as long as this client lives; told the picture at every change. */
  watch(seen, { answering = true } = {}) {
    const picture = new Picture();
    let stopped = false;
    let stream;
    const begin = () => {
      if (stopped) return;
      stream = this.operators.Watch({ actor: this.actor, answering }, this.metadata());
      stream.on("data", (response) => seen(picture.fold(response)));
      stream.on("error", (error) => {
        // What was seen stays; it is only not the newest any more.
        if (error.code !== grpc.status.CANCELLED) seen(picture.lost(new Refused(error)));
      });
      // The stream ends with the link: look again until somebody is there.
      stream.on("status", () => setTimeout(begin, NEXT_WATCH_MS));
    };
    this.stopWatching = () => {
      stopped = true;
      stream.cancel();
    };
    this.watchAgain = () => stream.cancel(); // as whoever holds the tablet now
    begin();
  }

  /** A request with its evidence, as numbers, and whether the evidence is what was cut. */
  async look(request_id) {
    const shown = await this.call(this.operators, "GetRequest", { request_id, actor: this.actor });
    const { window, channels } = shown;
    const schema = sha256(channels.map((one) => `${one.name}\t${one.unit}\n`).join(""));
    const present = window.present.length ? window.present : Buffer.alloc(channels.length, 1);
    const digest = sha256(Buffer.from(schema, "hex"), window.samples, present);
    return { shown, samples: float32(window.samples), intact: digest === window.window_digest };
  }

  /** A whole full-rate clip; refused when it is not what was stored. */
  clip(clip_id) {
    return new Promise((resolve, reject) => {
      const chunks = [];
      let info;
      const stream = this.operators.GetClip({ clip_id }, this.metadata());
      stream.on("data", (piece) => {
        info ??= piece.clip;
        chunks.push(piece.chunk);
      });
      stream.on("error", (error) => reject(new Refused(error)));
      stream.on("status", ({ code }) => {
        if (code !== grpc.status.OK) return; // "end" comes after an error, too
        const bytes = Buffer.concat(chunks);
        const digest = sha256(bytes);
        resolve({ info, bytes: bytes.length, pieces: chunks.length, intact: digest === info.clip_digest });
      });
    });
  }

  // -- saying

  async claim(request_id, { take_over = false } = {}) {
    const request = { request_id, actor: this.actor, idempotency_key: randomUUID(), take_over };
    return this.call(this.operators, "Claim", request);
  }

  renew(request_id, claim_epoch) {
    return this.call(this.operators, "RenewClaim", { request_id, actor: this.actor, claim_epoch });
  }

  release(request_id, claim_epoch) {
    return this.call(this.operators, "ReleaseClaim", { request_id, actor: this.actor, claim_epoch });
  }

  /** @param {object} said {label} or {cannot_tell: true}; a key, when this is said again */
  answer(request_id, claim_epoch, view_digest, said) {
    const idempotency_key = said.key ?? randomUUID();
    const { key, ...answer } = said;
    const request = { request_id, actor: this.actor, claim_epoch, idempotency_key, view_digest, ...answer };
    return this.call(this.operators, "Answer", request);
  }

  undo(request_id) {
    const request = { request_id, actor: this.actor, idempotency_key: randomUUID() };
    return this.call(this.operators, "UndoAnswer", request);
  }

  /** Pull the cord: one cell, or all. */
  hold(cell_id, note = "") {
    return this.call(this.operators, "Hold", { cell_id, actor: this.actor, note });
  }

  releaseHold(cell_id, expected_reason, disposition) {
    const request = { cell_id, actor: this.actor, idempotency_key: randomUUID(), expected_reason, disposition };
    return this.call(this.operators, "ReleaseHold", request);
  }

  // -- being somebody

  whoAmI() {
    return this.call(this.access, "WhoAmI", {});
  }

  async login(person, pin) {
    const session = await this.call(this.access, "Login", { person, pin, device: this.actor.device });
    this.#become(person, session.token);
    return { expires_at: session.expires_at, roles: session.roles };
  }

  async logout() {
    const { token } = this;
    const reply = await this.call(this.access, "Logout", { token });
    this.#become("", "");
    return reply;
  }

  #become(person, token) {
    this.actor = { ...this.actor, person };
    this.token = token;
    this.watchAgain?.();
  }
}

/** The plant as one watcher knows it: a snapshot, then one change after the other. */
class Picture {
  cells = {};
  requests = {};
  connected = true;
  snapshots = 0;
  ticks = 0;

  lost(why) {
    Object.assign(this, { connected: false, why });
    return this;
  }

  fold(response) {
    Object.assign(this, { connected: true, why: undefined });
    switch (response.change) {
      case "snapshot":
        this.snapshots += 1;
        this.coordinator = response.snapshot.coordinator;
        this.presence = response.snapshot.presence;
        this.families = response.snapshot.families;
        this.cells = Object.fromEntries(response.snapshot.cells.map((one) => [one.cell_id, one]));
        this.requests = Object.fromEntries(response.snapshot.requests.map((one) => [one.request_id, one]));
        break;
      case "cell":
        this.cells[response.cell.cell_id] = response.cell;
        break;
      case "request":
        this.requests[response.request.request_id] = response.request;
        break;
      case "presence":
        this.presence = response.presence;
        break;
      case "tick":
        this.ticks += 1;
        break;
    }
    return this;
  }
}

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Packed little-endian float32, as numbers. */
function float32(bytes) {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}
