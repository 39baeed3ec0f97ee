// What a tablet keeps between two openings of the page.

/** What is kept under a key; the default when there is nothing, or nothing to be read. */
export function kept(storage, key, otherwise) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
