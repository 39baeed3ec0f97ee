"""Every error the coordinator raises on purpose.

AndonError
  + ConfigError                 configuration cannot be used                (exit 3)
  + InputError                  a message or file is malformed
    - MissingFieldError         a field that must be there is not
    - BadIdError                an id does not match the pattern
    - BadTextError              a text is too long or carries control characters
    - WindowRefusedError        a window does not fit the session: shape, seq, time
    - ClipRefusedError          a clip is not what its header says, or too large
    - UnknownLabelError         the family has no such label
    - DatasetError              a recording or its schema cannot be read
  + NotFoundError               no such cell, request, model, family, run or decision
  + ConflictError               the call is fine, the state is not
    - CellInUseError            another session is alive
    - StaleEpochError           a session or claim epoch is old
    - SchemaMismatchError       channels differ from the configured family
    - RequestClaimedError       somebody else holds the claim
    - NotYourClaimError         an answer without a claim
    - RequestClosedError        the request has ended
    - AnswerWaitsError          an answer was given, and may still be taken back
    - OtherPersonError          somebody else has to say it
    - LookAloneError            one word about several is not for this one
    - LookFirstError            an answer came sooner than anybody can look
    - ViewChangedError          what was shown is not what is asked now
    - KeyReusedError            same idempotency key, other content
    - AlreadyDoneError          same key, same content: the first reply stands
    - IllegalTransitionError    the event has no meaning in this state
    - ReleaseRefusedError       this actor may not clear this reason
    - PromotionRefusedError     the model may not serve
  + RoleError                   this actor may not do this
    - LoginRequiredError        nobody is logged in, or not any more
    - LoginRefusedError         the name or the PIN is wrong, or it is too soon
  + NotServedError              a method of a later version
  + LiveError                   the live path could not do its work: HOLD
    - ModelUnavailableError     nothing serves, or the model's deadline passed
    - ModelFaultError           the model failed or answered nonsense
    - OverloadedError           a bounded queue is full
    - StaleDataError            evidence is too old
  + StoreError                  the store could not do its work
    - StoreLockedError          another coordinator holds it               (exit 4)
    - StoreIntegrityError       the store or journal does not verify       (exit 5)
    - StoreDegradedError        a commit failed: disk full, I/O            (exit 7)
      . StoreLateError          a commit is late, and may yet be kept      (exit 7)
    - SchemaVersionError        the store is newer than this andon         (exit 10)
  + ArtifactError               a model file is refused                    (exit 6)
  + TrainingError               a training failed; the serving model stays
  + UnavailableError            a coordinator cannot be reached            (exit 9)
  + InsecureBindError           a bind that would need TLS                 (exit 8)

Each carries a stable token (`code`); service/status.py gives each leaf its gRPC code
and cli/exits.py its exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar


class AndonError(Exception):
    """Base of every error raised on purpose; anything else is a bug.

    The text is one plain sentence with the limit and the value; it may go to people
    and over the wire, so it carries no path, no SQL and no class name.
    """

    refusal: ClassVar[str] = "REFUSED"

    def __init__(self, text: str, token: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = token or type(self).refusal


class ConfigError(AndonError):
    """Configuration cannot be used."""

    refusal = "CONFIG"


class InputError(AndonError):
    """A message or file is malformed."""

    refusal = "MALFORMED_MESSAGE"


class MissingFieldError(InputError):
    """A field that must be there is not."""

    refusal = "MISSING_FIELD"


class BadIdError(InputError):
    """An id does not match the pattern."""

    refusal = "BAD_ID"


class BadTextError(InputError):
    """A text is too long or carries control characters."""

    refusal = "BAD_TEXT"


class WindowRefusedError(InputError):
    """A window does not fit its session: shape, sequence number or time."""

    refusal = "WRONG_SHAPE"


class ClipRefusedError(InputError):
    """A clip is not what its header says, belongs elsewhere, or is too large."""

    refusal = "BAD_CLIP"


class UnknownLabelError(InputError):
    """The family has no such label."""

    refusal = "UNKNOWN_LABEL"


class DatasetError(InputError):
    """A recording or its schema cannot be read."""

    refusal = "DATASET"


class NotFoundError(AndonError):
    """No such cell, request, model, family, run or decision."""

    refusal = "NOT_FOUND"


class ConflictError(AndonError):
    """The call is fine, the state is not."""

    refusal = "CONFLICT"


class CellInUseError(ConflictError):
    """Another session of the cell is alive."""

    refusal = "CELL_IN_USE"


class StaleEpochError(ConflictError):
    """A session or claim epoch is old."""

    refusal = "STALE_EPOCH"


class SchemaMismatchError(ConflictError):
    """The node's channels differ from the configured family."""

    refusal = "SCHEMA_MISMATCH"


class RequestClaimedError(ConflictError):
    """Somebody else holds the claim."""

    refusal = "CLAIMED_BY"


class NotYourClaimError(ConflictError):
    """An answer without a claim."""

    refusal = "NOT_YOUR_CLAIM"


class RequestClosedError(ConflictError):
    """The request has ended."""

    refusal = "REQUEST_CLOSED"


class AnswerWaitsError(ConflictError):
    """An answer was given, and only who gave it may take it back."""

    refusal = "ANSWER_WAITS"


class OtherPersonError(ConflictError):
    """A second person has to agree, or a third to decide."""

    refusal = "OTHER_PERSON"


class LookAloneError(ConflictError):
    """One word about several requests is not for this one."""

    refusal = "LOOK_ALONE"


class LookFirstError(ConflictError):
    """An answer came sooner than anybody can look."""

    refusal = "LOOK_FIRST"


class ViewChangedError(ConflictError):
    """What was shown is not what is asked now."""

    refusal = "VIEW_CHANGED"


class KeyReusedError(ConflictError):
    """Same idempotency key, other content."""

    refusal = "KEY_REUSED"


class AlreadyDoneError(ConflictError):
    """Same idempotency key, same content: the first reply stands.

    Attributes:
        reply: What was replied the first time, as the caller stored it.
    """

    refusal = "ALREADY_DONE"

    def __init__(self, reply: str) -> None:
        super().__init__("this call was already carried out; its first reply stands.")
        self.reply = reply


class IllegalTransitionError(ConflictError):
    """The event has no meaning in this state."""

    refusal = "ILLEGAL_TRANSITION"


class ReleaseRefusedError(ConflictError):
    """This actor may not clear this hold reason."""

    refusal = "RELEASE_REFUSED"


class PromotionRefusedError(ConflictError):
    """The model may not serve."""

    refusal = "PROMOTION_REFUSED"


class RoleError(AndonError):
    """This actor may not do this."""

    refusal = "ROLE_REQUIRED"


class LoginRequiredError(RoleError):
    """Nobody is logged in at this device, or not any more."""

    refusal = "LOGIN_REQUIRED"


class LoginRefusedError(RoleError):
    """The name or the PIN is wrong, or too many were."""

    refusal = "LOGIN_REFUSED"


class NotServedError(AndonError):
    """A method of a later version of andon."""

    refusal = "NOT_SERVED"


class LiveError(AndonError):
    """The live path could not do its work: the cell holds."""

    refusal = "LIVE"


class ModelUnavailableError(LiveError):
    """Nothing serves, or the model's deadline passed."""

    refusal = "MODEL_UNAVAILABLE"


class ModelFaultError(LiveError):
    """The model failed or answered nonsense."""

    refusal = "MODEL_FAULT"


class OverloadedError(LiveError):
    """A bounded queue is full."""

    refusal = "OVERLOADED"


class StaleDataError(LiveError):
    """Evidence is too old to be judged."""

    refusal = "STALE"


def _known() -> bool:
    """Say that nothing is open any more."""
    return True


class StoreError(AndonError):
    """The store could not do its work."""

    refusal = "STORE"


class StoreLockedError(StoreError):
    """Another coordinator holds the store."""

    refusal = "STORE_LOCKED"


class StoreIntegrityError(StoreError):
    """The store or its journal does not verify."""

    refusal = "STORE_INTEGRITY"


class StoreDegradedError(StoreError):
    """A commit failed: the disk is full or failing."""

    refusal = "STORE_DEGRADED"


class StoreLateError(StoreDegradedError):
    """A commit outlived its deadline and may yet be kept.

    Attributes:
        is_known: Whether it is known by now what became of it.
    """

    refusal = "STORE_LATE"

    def __init__(self, text: str, is_known: Callable[[], bool] = _known) -> None:
        super().__init__(text)
        self.is_known = is_known


class SchemaVersionError(StoreError):
    """The store was written by a newer andon."""

    refusal = "SCHEMA_VERSION"


class ArtifactError(AndonError):
    """A model file is refused."""

    refusal = "ARTIFACT_DIGEST"


class TrainingError(AndonError):
    """A training failed; the serving model stays."""

    refusal = "TRAINING_FAILED"


class UnavailableError(AndonError):
    """A coordinator cannot be reached."""

    refusal = "UNAVAILABLE"


class InsecureBindError(AndonError):
    """A bind address that would need TLS."""

    refusal = "INSECURE_BIND"


def unknown_family(name: str, known: Iterable[str]) -> NotFoundError:
    """A refusal that says which families there are."""
    there = ", ".join(known) or "none"
    text = f"'{name[:40]}' is not configured; known: {there}."
    return NotFoundError(text, "UNKNOWN_FAMILY")
