// Keeps the page's files, so that it opens without a network and can say so.
// The coordinator is asked first: what it serves is newer than what is kept here.

const KEPT = `andon-${BUILT}`;
const PATIENCE_MS = 2500;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const names = await (await fetch("files.json", { cache: "no-store" })).json();
    const cache = await caches.open(KEPT);
    await cache.addAll(names.map((name) => new Request(name, { cache: "no-cache" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(KEPT);
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), PATIENCE_MS);
  try {
    const fresh = await fetch(request, { signal: control.signal });
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
