// The contract, as the coordinator serves it: the page is never older than what it speaks to.

import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** Reads the contract; returns a registry of messages, enums and services. */
export async function readContract() {
  const reply = await fetch("contract.bin");
  if (!reply.ok) throw new Error(`the contract is not served: ${reply.status}`);
  const bytes = new Uint8Array(await reply.arrayBuffer());
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}

/** A function from a wire number to its word without prefix: 6 -> "held". */
export function wordsOf(registry, name) {
  const kind = registry.getEnum(`andon.v1.${name}`);
  const prefix = name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase() + "_";
  const words = new Map(
    kind.values.map((one) => [one.number, one.name.replace(prefix, "").toLowerCase()]),
  );
  return (number) => words.get(number) ?? "unspecified";
}

/** Seconds of a google.protobuf.Duration; NaN when it is unset. */
export function seconds(duration) {
  return duration ? Number(duration.seconds) + duration.nanos / 1e9 : NaN;
}

/** Milliseconds since 1970 of a google.protobuf.Timestamp; NaN when it is unset. */
export function millis(timestamp) {
  return timestamp ? Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6 : NaN;
}
