"""What andon's exit code says, and the one line that goes with it.

Scripts and service managers act on the code, people on the line; neither has to parse
a traceback. A command that a signal ended says 128 and its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from coordinator import errors
from coordinator.errors import AndonError


class Exit(IntEnum):
    """The exit codes of every andon command."""

    OK = 0
    """It was done."""
    NEGATIVE = 1
    """It was done, and the finding is no: refused, not found, does not verify."""
    USAGE = 2
    """What was given cannot be used: options, ids, files."""
    CONFIG = 3
    """andon.toml is refused."""
    LOCKED = 4
    """Another coordinator holds the store."""
    INTEGRITY = 5
    """The store or its journal does not verify."""
    ARTIFACT = 6
    """A model file is refused."""
    DISK = 7
    """The disk is full, failing or not writable."""
    IDENTITY = 8
    """Not allowed, or only with TLS."""
    UNAVAILABLE = 9
    """Something that is needed is not there, or did not answer in time."""
    SCHEMA = 10
    """The store was written by a newer andon."""


EXIT_OF: Final[Mapping[type[AndonError], Exit]] = {
    errors.ConfigError: Exit.CONFIG,
    errors.MissingFieldError: Exit.USAGE,
    errors.BadIdError: Exit.USAGE,
    errors.BadTextError: Exit.USAGE,
    errors.WindowRefusedError: Exit.USAGE,
    errors.ClipRefusedError: Exit.USAGE,
    errors.UnknownLabelError: Exit.USAGE,
    errors.DatasetError: Exit.USAGE,
    errors.InputError: Exit.USAGE,
    errors.NotFoundError: Exit.NEGATIVE,
    errors.CellInUseError: Exit.NEGATIVE,
    errors.StaleEpochError: Exit.NEGATIVE,
    errors.SchemaMismatchError: Exit.NEGATIVE,
    errors.RequestClaimedError: Exit.NEGATIVE,
    errors.NotYourClaimError: Exit.NEGATIVE,
    errors.RequestClosedError: Exit.NEGATIVE,
    errors.ViewChangedError: Exit.NEGATIVE,
    errors.KeyReusedError: Exit.NEGATIVE,
    errors.AlreadyDoneError: Exit.NEGATIVE,
    errors.AnswerWaitsError: Exit.NEGATIVE,
    errors.OtherPersonError: Exit.NEGATIVE,
    errors.LookAloneError: Exit.NEGATIVE,
    errors.LookFirstError: Exit.NEGATIVE,
    errors.IllegalTransitionError: Exit.NEGATIVE,
    errors.ReleaseRefusedError: Exit.NEGATIVE,
    errors.PromotionRefusedError: Exit.NEGATIVE,
    errors.ConflictError: Exit.NEGATIVE,
    errors.RoleError: Exit.IDENTITY,
    errors.LoginRequiredError: Exit.IDENTITY,
    errors.LoginRefusedError: Exit.IDENTITY,
    errors.NotServedError: Exit.UNAVAILABLE,
    errors.ModelUnavailableError: Exit.UNAVAILABLE,
    errors.ModelFaultError: Exit.NEGATIVE,
    errors.OverloadedError: Exit.UNAVAILABLE,
    errors.StaleDataError: Exit.NEGATIVE,
    errors.LiveError: Exit.UNAVAILABLE,
    errors.StoreLockedError: Exit.LOCKED,
    errors.StoreIntegrityError: Exit.INTEGRITY,
    errors.StoreDegradedError: Exit.DISK,
    errors.StoreLateError: Exit.DISK,
    errors.SchemaVersionError: Exit.SCHEMA,
    errors.StoreError: Exit.DISK,
    errors.ArtifactError: Exit.ARTIFACT,
    errors.TrainingError: Exit.NEGATIVE,
    errors.UnavailableError: Exit.UNAVAILABLE,
    errors.InsecureBindError: Exit.IDENTITY,
}
"""One line a kind of error; a test fails when one is missing."""


def exit_code(error: AndonError) -> Exit:
    """The code of an error, or of the nearest kind above it."""
    for kind in type(error).__mro__:
        if kind in EXIT_OF:
            return EXIT_OF[kind]
    return Exit.NEGATIVE


def complaint(token: str, text: str) -> str:
    """The one line for standard error: `andon: error: TOKEN: text`.

    Whatever a server, a file name or a TOML parser put into the text, it stays one
    line and cannot move the cursor.
    """
    line = "".join(
        c if c.isprintable() else " " for c in text.removeprefix(f"{token}:")
    )
    return f"andon: error: {token}: {' '.join(line.split())}"
