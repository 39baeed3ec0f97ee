"""What each error looks like on the wire: one table, one place that uses it.

UNKNOWN never leaves andon: what is no AndonError is a bug and answers INTERNAL with an
id that the log knows, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from coordinator import errors

_CODE = grpc.StatusCode
STATUS_OF: Final[Mapping[type[errors.AndonError], grpc.StatusCode]] = {
    errors.ConfigError: _CODE.FAILED_PRECONDITION,
    errors.InputError: _CODE.INVALID_ARGUMENT,
    errors.MissingFieldError: _CODE.INVALID_ARGUMENT,
    errors.BadIdError: _CODE.INVALID_ARGUMENT,
    errors.BadTextError: _CODE.INVALID_ARGUMENT,
    errors.WindowRefusedError: _CODE.INVALID_ARGUMENT,
    errors.ClipRefusedError: _CODE.INVALID_ARGUMENT,
    errors.UnknownLabelError: _CODE.INVALID_ARGUMENT,
    errors.DatasetError: _CODE.INVALID_ARGUMENT,
    errors.NotFoundError: _CODE.NOT_FOUND,
    errors.ConflictError: _CODE.FAILED_PRECONDITION,
    errors.CellInUseError: _CODE.ALREADY_EXISTS,
    errors.StaleEpochError: _CODE.ABORTED,
    errors.SchemaMismatchError: _CODE.FAILED_PRECONDITION,
    errors.RequestClaimedError: _CODE.FAILED_PRECONDITION,
    errors.NotYourClaimError: _CODE.FAILED_PRECONDITION,
    errors.RequestClosedError: _CODE.FAILED_PRECONDITION,
    errors.AnswerWaitsError: _CODE.FAILED_PRECONDITION,
    errors.OtherPersonError: _CODE.FAILED_PRECONDITION,
    errors.LookAloneError: _CODE.FAILED_PRECONDITION,
    errors.LookFirstError: _CODE.FAILED_PRECONDITION,
    errors.ViewChangedError: _CODE.ABORTED,
    errors.KeyReusedError: _CODE.ALREADY_EXISTS,
    errors.AlreadyDoneError: _CODE.ALREADY_EXISTS,
    errors.IllegalTransitionError: _CODE.FAILED_PRECONDITION,
    errors.ReleaseRefusedError: _CODE.FAILED_PRECONDITION,
    errors.PromotionRefusedError: _CODE.FAILED_PRECONDITION,
    errors.RoleError: _CODE.PERMISSION_DENIED,
    errors.LoginRequiredError: _CODE.UNAUTHENTICATED,
    errors.LoginRefusedError: _CODE.UNAUTHENTICATED,
    errors.NotServedError: _CODE.UNIMPLEMENTED,
    errors.LiveError: _CODE.UNAVAILABLE,
    errors.ModelUnavailableError: _CODE.UNAVAILABLE,
    errors.ModelFaultError: _CODE.FAILED_PRECONDITION,
    errors.OverloadedError: _CODE.RESOURCE_EXHAUSTED,
    errors.StaleDataError: _CODE.FAILED_PRECONDITION,
    errors.StoreError: _CODE.RESOURCE_EXHAUSTED,
    errors.StoreLockedError: _CODE.FAILED_PRECONDITION,
    errors.StoreIntegrityError: _CODE.DATA_LOSS,
    errors.StoreDegradedError: _CODE.RESOURCE_EXHAUSTED,
    errors.StoreLateError: _CODE.RESOURCE_EXHAUSTED,
    errors.SchemaVersionError: _CODE.FAILED_PRECONDITION,
    errors.ArtifactError: _CODE.FAILED_PRECONDITION,
    errors.TrainingError: _CODE.FAILED_PRECONDITION,
    errors.UnavailableError: _CODE.UNAVAILABLE,
    errors.InsecureBindError: _CODE.FAILED_PRECONDITION,
}


def sentence(error: errors.AndonError) -> str:
    """Return "TOKEN: sentence", printable ASCII, at most 200 characters."""
    text = f"{error.code}: {error.text}"
    ascii_text = text.encode("ascii", "backslashreplace").decode("ascii")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in ascii_text)
    return shown if len(shown) <= 200 else shown[:197] + "..."


async def abort(
    context: grpc.aio.ServicerContext[Any, Any], error: errors.AndonError
) -> NoReturn:
    """End a call with the error's code, its sentence and an ErrorInfo."""
    await refuse(context, STATUS_OF[type(error)], error.code, sentence(error))


async def refuse(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    token: str,
    text: str,
) -> NoReturn:
    """End a call with a code, a sentence and an ErrorInfo{reason, domain}."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=token, domain="andon"))
    number, _ = code.value
    status = status_pb2.Status(code=number, message=text, details=[detail])
    await context.abort(
        code,
        text,
        (("grpc-status-details-bin", status.SerializeToString()),),
    )
