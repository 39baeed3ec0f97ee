// A tablet without a screen: orders come in, what happens goes out, one line of JSON each.
//
//     node tablet.js HOST:PORT PROTO_FOLDER PERSON DEVICE
//
// In:  {"id": 1, "do": "claim", "with": ["request-1"]}
// Out: {"id": 1, "reply": {...}} or {"id": 1, "refused": {...}}; {"picture": {...}} at a change
import { createInterface } from "node:readline";

import { Client, Refused } from "./client.js";

const [address, protos, person, device] = process.argv.slice(2);
const client = new Client(address, protos, { person, device });

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function plainly({ code, name, token, domain, message }) {
  return { code, name, token, domain, text: message };
}

async function obey({ id, do: order, with: given = [] }) {
  try {
    say({ id, reply: (await client[order](...given)) ?? null });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say({ id, refused: plainly(error) });
  }
}

client.watch((picture) => say({ picture: { ...picture, why: picture.why && plainly(picture.why) } }));
const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => obey(JSON.parse(line)));
orders.on("close", () => client.close());
