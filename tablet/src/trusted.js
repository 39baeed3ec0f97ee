// The page's own scripts that are started by name; the browser refuses every other.

const OWN = new Set(["sw.js", "recording.js"]);
const policy = window.trustedTypes?.createPolicy("andon", {
  createScriptURL: (url) => (OWN.has(url) ? url : ""),
});

function trusted(url) {
  return policy ? policy.createScriptURL(url) : url;
}

/** Starts what opens the page without a network. */
export function keepFiles() {
  return navigator.serviceWorker.register(trusted("sw.js"));
}

/** A worker of the page's own. */
export function workerAt(url) {
  return new Worker(trusted(url));
}
