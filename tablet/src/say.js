// What the page says, in the language of the person. Sources: words/*.json.

import de from "../words/de.json";
import en from "../words/en.json";

const WORDS = { en, de };
export const LANGUAGES = Object.keys(WORDS);

let language = "en";
let plant = new Map();

export function speak(wanted) {
  language = LANGUAGES.includes(wanted) ? wanted : "en";
  document.documentElement.lang = language;
}

export function spoken() {
  return language;
}

/** The plant's own words for labels, channels and cells. */
export function learnWords(families) {
  plant = new Map();
  for (const family of families) {
    for (const [tongue, words] of Object.entries(family.words ?? {})) {
      for (const [name, word] of Object.entries(words.words ?? {})) {
        plant.set(`${tongue} ${family.family} ${name}`, word);
        plant.set(`${tongue} ${name}`, word);
      }
    }
  }
}

/** The sentence of a key, with {values} filled in. */
export function say(key, values = {}) {
  const sentence = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** What the coordinator says after a token or a colon, as a sentence of its own. */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether there is a sentence of that key. */
export function knows(key) {
  return key in WORDS.en;
}

/** What people here call a label, a channel or a cell. */
export function named(name, family = "") {
  return plant.get(`${language} ${family} ${name}`) ?? plant.get(`${language} ${name}`) ?? name;
}

/** A label as people read it: the plant's word, its text, or its name. */
export function labelled(label, family) {
  if (!label) return "";
  const word = named(label.name, family);
  if (word !== label.name) return word;
  return label.text || label.name.replaceAll("_", " ");
}
