// gRPC-Web over fetch: one message out, one or many in, an error with its token.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

const MEDIA = "application/grpc-web+proto";
const USUAL_MS = 8000;
const TRAILERS = 0x80;
const SILENT = new Set([1, 4, 14]); // CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE
const UNAUTHENTICATED = 16;
const UNIMPLEMENTED = 12;

/** A call that came to nothing: refused with a token, or nobody answered. */
export class CallError extends Error {
  constructor(code, token, text) {
    super(text);
    this.code = code;
    this.token = token;
    this.text = text;
  }

  /** Nobody answered: it may or may not have arrived. */
  get silent() {
    return SILENT.has(this.code);
  }

  get locked() {
    return this.code === UNAUTHENTICATED;
  }

  get unknown() {
    return this.code === UNIMPLEMENTED;
  }
}

/** What can be called. */
export class Calls {
  /**
   * @param registry the contract
   * @param token a function that returns the token of who is logged in, or ""
   */
  constructor(registry, token) {
    this.registry = registry;
    this.token = token;
    this.locked = () => {}; // told when the coordinator knows this login no more
  }

  /** Whether the coordinator has this method. */
  has(service, method) {
    return this.#method(service, method) !== undefined;
  }

  /** One message for one. */
  async ask(service, method, content = {}, { withinMs = USUAL_MS } = {}) {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), withinMs + 1000);
    try {
      const pieces = this.#call(service, method, content, control.signal, withinMs);
      for await (const piece of pieces) return piece;
      throw new CallError(14, "", "the reply was empty");
    } catch (error) {
      if (error.locked && method !== "Login") this.locked();
      throw error;
    } finally {
      clearTimeout(timer);
      control.abort();
    }
  }

  /** One message for many, until it ends or the signal aborts it. */
  watch(service, method, content, signal) {
    return this.#call(service, method, content, signal, 0);
  }

  #method(service, method) {
    const found = this.registry.getService(`andon.v1.${service}`);
    return found?.methods.find((one) => one.name === method);
  }

  async *#call(service, method, content, signal, withinMs) {
    const about = this.#method(service, method);
    if (!about) throw new CallError(UNIMPLEMENTED, "NOT_SERVED", `${method} is not served`);
    const body = frame(toBinary(about.input, create(about.input, content)));
    const headers = { "content-type": MEDIA, "x-grpc-web": "1" };
    if (withinMs) headers["grpc-timeout"] = `${withinMs}m`;
    const token = this.token();
    if (token) headers.authorization = `Bearer ${token}`;
    const url = `/andon.v1.${service}/${method}`;
    let ended = false;
    try {
      const reply = await fetch(url, { method: "POST", headers, body, signal, cache: "no-store" });
      if (!reply.ok) throw new CallError(14, "", `HTTP ${reply.status}`);
      for await (const [flags, bytes] of frames(reply.body)) {
        if (flags & TRAILERS) {
          ended = true;
          this.#judge(new TextDecoder().decode(bytes));
          return;
        }
        yield fromBinary(about.output, bytes);
      }
    } catch (error) {
      if (error instanceof CallError) throw error;
      throw new CallError(14, "", String(error?.message ?? error));
    }
    if (!ended) throw new CallError(14, "", "the reply was cut off");
  }

  /** Throws when trailers tell of an error. */
  #judge(text) {
    const found = new Map(
      text.split("\r\n").filter(Boolean).map((line) => {
        const at = line.indexOf(":");
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
      }),
    );
    const code = Number(found.get("grpc-status") ?? 2);
    if (code === 0) return;
    const said = decodeURIComponent(found.get("grpc-message") ?? "");
    const token = this.#token(found.get("grpc-status-details-bin")) || said.split(": ")[0];
    throw new CallError(code, token, said.replace(`${token}: `, ""));
  }

  #token(coded) {
    if (!coded) return "";
    const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
    const status = fromBinary(this.registry.getMessage("google.rpc.Status"), bytes);
    for (const detail of status.details) {
      if (detail.typeUrl.endsWith("/google.rpc.ErrorInfo")) {
        return fromBinary(this.registry.getMessage("google.rpc.ErrorInfo"), detail.value).reason;
      }
    }
    return "";
  }
}

function frame(message) {
  const framed = new Uint8Array(5 + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, 5);
  return framed;
}

/** [flags, bytes] of every frame of a body, however it is cut into pieces. */
async function* frames(body) {
  const reader = body.getReader();
  let kept = new Uint8Array(0);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const joined = new Uint8Array(kept.length + value.length);
      joined.set(kept);
      joined.set(value, kept.length);
      kept = joined;
      while (kept.length >= 5) {
        const length = new DataView(kept.buffer, kept.byteOffset).getUint32(1);
        if (kept.length < 5 + length) break;
        yield [kept[0], kept.slice(5, 5 + length)];
        kept = kept.slice(5 + length);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
