"""Every sentence of the terminal, in the language of the person who reads it.

`en.toml` and `de.toml` hold the same keys and the same placeholders; a test compares.
A screen writes `say("board.nothing_asked")`, never the sentence. What the plant itself
named, labels, channels and cells, is said by `plant(...)`: its words come from
`[words.de]` in andon.toml, by way of the coordinator. What the coordinator says in
whole English sentences has a token beside it: `told(...)` says it in the language of
the person by that token, and as it was said where nobody wrote a sentence for it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = ("en", "de")
"""Languages that are shipped, the fallback first."""


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, part in table.items():
        if isinstance(part, Mapping):
            found |= _flat(part, f"{prefix}{name}.")
        else:
            found[prefix + name] = str(part)
    return found


def read(language: str) -> dict[str, str]:
    """The sentences of one language by key, for example "board.nothing_asked"."""
    file = resources.files("tui.words") / f"{language}.toml"
    return _flat(tomllib.loads(file.read_text("utf-8")))


class Words:
    """What is spoken now; lives on the event loop, one for the program."""

    def __init__(self) -> None:
        self._by_language = {language: read(language) for language in LANGUAGES}
        self._plant: dict[str, Mapping[str, str]] = {}
        self._texts: Mapping[str, str] = {}
        self.language = LANGUAGES[0]

    def speak(self, language: str) -> None:
        """Say everything in this language from now on; an unknown one is English."""
        self.language = language if language in self._by_language else LANGUAGES[0]

    def learn(
        self,
        plant: Mapping[str, Mapping[str, str]],
        texts: Mapping[str, str] | None = None,
    ) -> None:
        """Know the plant's own words by language, and the text of each label."""
        self._plant = dict(plant)
        self._texts = dict(texts or {})

    def of(self, key: str) -> str:
        """The sentence of a key in this very language; "" when there is none."""
        return self._by_language[self.language].get(key, "")

    def known(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self._by_language[LANGUAGES[0]]

    def say(self, key: str, **values: object) -> str:
        """The sentence of a key; with `count=1` its `.one`, else its `.many`, if any.

        A key that nobody wrote down is said as it stands: a terminal that shows an odd
        word is better than one that is gone.
        """
        english = self._by_language[LANGUAGES[0]]
        spoken = self._by_language[self.language]
        if "count" in values:
            plural = f"{key}.{'one' if values['count'] == 1 else 'many'}"
            key = plural if plural in english else key
        text = spoken.get(key) or english.get(key, key)
        return text.format(**values) if values else text

    def plant(self, name: str) -> str:
        """What people here call a label, a channel or a cell; its id if nothing else.

        Only what the configuration of the plant says in this language.
        """
        return self._plant.get(self.language, {}).get(name, name)

    def labelled(self, name: str) -> str:
        """What the answers call a label: as plant, else its text, else its id."""
        called = self.plant(name)
        return called if called != name else self._texts.get(name, "") or name


WORDS: Final = Words()
"""The one of this program."""

say = WORDS.say
plant = WORDS.plant
labelled = WORDS.labelled
speak = WORDS.speak


def told(table: str, token: str, english: str) -> str:
    """What the coordinator said, in the language of the person.

    Args:
        table: Where the sentences for its tokens are: "refusal" or "asked".
        token: Stable token of what was said.
        english: The coordinator's own sentence, which knows names and numbers.
    """
    return both(WORDS.of(f"{table}.{token}"), english)


def both(spoken: str, english: str) -> str:
    """What a person reads first in their language, and beside it what was said."""
    if WORDS.language == LANGUAGES[0] or not spoken:
        return english
    return f"{spoken} ({english.rstrip('.')})" if english else spoken


def named(key: str, fallback: str) -> str:
    """The word of a key that a newer coordinator may have made up."""
    return say(key) if WORDS.known(key) else fallback


def preferred(asked: str = "") -> str:
    """The language to begin with: what was asked for, else that of the environment."""
    first = asked or next(
        (
            os.environ[name]
            for name in ("LC_ALL", "LC_MESSAGES", "LANG")
            if os.environ.get(name)
        ),
        "",
    )
    language = first.replace("-", "_").split("_")[0].split(".")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


def following() -> str:
    """The language after the one that is spoken."""
    place = LANGUAGES.index(WORDS.language)
    return LANGUAGES[(place + 1) % len(LANGUAGES)]
