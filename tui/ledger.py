"""What the simulated people did, for the report."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One answer that the coordinator called durable.

    Attributes:
        label: What was said; "" for "cannot tell".
        at_mono_ns: When the reply arrived, monotonic ns of this computer.
    """

    request_id: str
    label: str
    at_mono_ns: int


@dataclass(slots=True)
class Ledger:
    """Counts of everything that was said and heard.

    Attributes:
        answered: Acknowledged answers, those to audits among them.
        corrections: Answers that were not the model's first guess.
        audits: Answers to audits.
        cannot_tell: Answers without a label.
        mistakes: Answers that were not the truth, made on purpose.
        released: Held cells let go.
        retried: Answers sent again, with the same key, after silence.
        links_lost: Times the coordinator stopped answering, by person.
        refused: Refusals by token.
    """

    answered: int = 0
    corrections: int = 0
    audits: int = 0
    cannot_tell: int = 0
    mistakes: int = 0
    released: int = 0
    retried: int = 0
    links_lost: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    acknowledged: list[Acknowledged] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Replace the report at path; a reader never sees half of one.

        Raises:
            OSError: The report cannot be written.
        """
        beside = path.with_name(path.name + ".new")
        # asdict makes a Counter of pairs out of a Counter.
        content = asdict(replace(self, refused=Counter()))
        content["refused"] = dict(self.refused)
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
