"""What a store's or a disk's error means: an exception in, a StorageError with a fault and a remedy out.

A store's own words are never repeated, as they hold signed addresses, account names and keys; its code and HTTP status
are.
"""

from __future__ import annotations

import errno
import re

from pipeline.errors import StorageError, StorageFault

REMEDY: dict[StorageFault, str] = {
    "throttled": "It asks for fewer requests. Run again later, with fewer workers; what is done stays done.",
    "unreachable": "Check the network, the endpoint and the store's status, and run again; what is done stays done.",
    "denied": "Check the credentials and what they may do here (list, read, and write for --out), and run again.",
    "missing": "Check the name, or whether somebody removed it.",
    "full": "Free space or raise the quota, and run again; what is done stays done.",
    "refused": "The same request would be refused again: change what is named here.",
}
EXPIRED = "Renew them (for example by logging in again) and run again; what is done stays done."
UNUSABLE = (
    "the key cannot be used with this store: it holds '.', '..', nothing between two slashes, or a control character"
)
RENAME = "Rename or remove that object, or see docs/buckets.md for another way into Google's storage."
MAX_SHOWN = 200
"""Characters of a key that a message shows."""

_OS_FAULTS: dict[int | None, StorageFault] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "full"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "denied"),
    errno.ENOENT: "missing",
    **dict.fromkeys(
        (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EBUSY, errno.EAGAIN), "unreachable"
    ),
    **dict.fromkeys(
        (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE), "unreachable"
    ),
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_CODES: dict[str, StorageFault] = {
    **dict.fromkeys(("NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound", "404"), "missing"),
    **dict.fromkeys(("SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException"), "throttled"),
    **dict.fromkeys(
        ("RequestLimitExceeded", "TooManyRequests", "RequestThrottled", "BandwidthLimitExceeded"), "throttled"
    ),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "403"), "denied"),
    **dict.fromkeys(("PermissionDeniedError", "UnauthenticatedError", "AuthenticationFailed"), "denied"),
    **dict.fromkeys(("SignatureDoesNotMatch", "InvalidToken", "RequestTimeTooSkewed", "Unauthorized"), "denied"),
    **dict.fromkeys(("QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "StorageQuotaExceeded"), "full"),
    **dict.fromkeys(
        ("InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"), "unreachable"
    ),
}
_STATUSES: dict[int, StorageFault] = {
    401: "denied",
    403: "denied",
    404: "missing",
    408: "unreachable",
    429: "throttled",
    507: "full",
}
_BOTOCORE: tuple[tuple[str, StorageFault, str], ...] = (
    (
        r"NoCredentials|PartialCredentials|CredentialRetrieval|ProfileNotFound|NoAuthToken|Login",
        "denied",
        "there are no usable credentials",
    ),
    (r"Timeout", "unreachable", "it did not answer in time"),
    (r"IncompleteRead|ResponseStreaming|FlexibleChecksum|Checksum", "unreachable", "the answer broke off"),
    (r"ResponseParser", "unreachable", "its answer is not what a store says"),
    (r"Connection|HTTPClient|SSL|Proxy", "unreachable", "it cannot be reached"),
)


def shown(text: str) -> str:
    """Text for a message: one line, without control characters or undecodable bytes, at most 200 characters."""
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return printable if len(printable) <= MAX_SHOWN else printable[: MAX_SHOWN - 1] + "…"


def fault(where: object, what: str, kind: StorageFault, remedy: str | None = None) -> StorageError:
    """A StorageError in the form of all of them: where, what, what to do."""
    return StorageError(f"{shown(str(where))}: {what}. {remedy or REMEDY[kind]}", kind)


def storage_fault(error: BaseException, where: object) -> StorageError:
    """The StorageError for an error of botocore, obstore or the system at `where`, a URL or path without secrets."""
    if isinstance(error, StorageError):
        return error
    module = type(error).__module__.partition(".")[0]
    if module in ("botocore", "boto3", "urllib3"):
        return _botocore(error, where)
    if module == "obstore" or "Debug source:" in str(error) or "Could not parse path" in str(error):
        return _obstore(error, where)
    if isinstance(error, OSError):
        return _system(error, where)
    return fault(where, f"fails in a way that is not foreseen ({type(error).__name__})", "refused")


def _system(error: OSError, where: object) -> StorageError:
    kind = _OS_FAULTS.get(error.errno, "refused")
    if isinstance(error, (TimeoutError, ConnectionError)):
        kind = "unreachable"
    words = error.strerror or type(error).__name__
    return fault(where, words[0].lower() + words[1:], kind)


def _botocore(error: BaseException, where: object) -> StorageError:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        said, status = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return of_code(str(said.get("Code", "")), status, where)
    name = type(error).__name__
    if re.search("SSOToken|TokenRetrieval|TokenLoad|LoginRefresh", name):
        return fault(where, f"the credentials have expired ({name})", "denied", EXPIRED)
    for pattern, kind, what in _BOTOCORE:
        if re.search(pattern, name):
            return fault(where, f"{what} ({name})", kind)
    return fault(where, f"the request is not one that can be sent ({name})", "refused")


def of_code(code: str, status: int | None, where: object) -> StorageError:
    """The StorageError for what a store answered: its error code, as S3 and Azure have them, and the HTTP status."""
    answer = f"it said {shown(code) or 'nothing'}" + (f", HTTP {status}" if status else "")
    if code in _EXPIRED:
        return fault(where, f"the credentials have expired ({answer})", "denied", EXPIRED)
    kind = _CODES.get(code) or _STATUSES.get(status or 0) or ("unreachable" if (status or 0) >= 500 else "refused")
    if kind == "denied" and code == "RequestTimeTooSkewed":
        return fault(where, f"this machine's clock is wrong ({answer})", kind, "Set the clock and run again.")
    return fault(where, f"{_WORDS[kind]} ({answer})", kind)


_WORDS: dict[StorageFault, str] = {
    "throttled": "the store is overloaded",
    "unreachable": "the store fails",
    "denied": "access is denied",
    "missing": "there is no such object or bucket",
    "full": "there is no space left",
    "refused": "the store refuses the request",
}


_OBSTORE: tuple[tuple[str, StorageFault, str, str | None], ...] = (
    ("account must be specified", "denied", "no storage account is set", "Set AZURE_STORAGE_ACCOUNT_NAME, and a key."),
    ("token request|credential|access key|private key", "denied", "there are no usable credentials", None),
    ("timed ?out", "unreachable", "it did not answer in time", None),
    ("body error|response body|interrupted", "unreachable", "the answer broke off", None),
    ("invalid list response|unexpected", "unreachable", "its answer is not what a store says", None),
    ("error sending request|connect|dns", "unreachable", "it cannot be reached", None),
)


def _obstore(error: BaseException, where: object) -> StorageError:
    """By class, HTTP status and error code; obstore's text is searched for these and never shown."""
    name, text = type(error).__name__, str(error)
    if name == "InvalidPathError" or re.search("parse path|parsing Path|empty path segment", text):
        return fault(where, f"{UNUSABLE} ({_named_path(text)})", "refused", RENAME)
    code = next(iter(re.findall(r"<Code>(\w{1,60})</Code>", text)), "")
    status = next(iter(re.findall(r"status(?: code)?: (\d{3})", text)), None)
    if isinstance(error, FileNotFoundError):
        return of_code(code or "NotFound", 404, where)
    asks_for_token = re.search("token request", text, re.IGNORECASE)
    if (code or status) and not asks_for_token:
        return of_code(code, int(status) if status else None, where)
    if name in ("PermissionDeniedError", "UnauthenticatedError"):
        return of_code(name, None, where)
    for pattern, kind, what, remedy in _OBSTORE:
        if re.search(pattern, text, re.IGNORECASE):
            return fault(where, f"{what} ({name})", kind, remedy)
    return fault(where, f"it cannot be used ({name})", "refused", "Check the settings in the environment.")


def _named_path(text: str) -> str:
    """The key in an error of obstore's about a key, which alone of its text holds no secret."""
    found = re.search(r'[Pp]ath "(.*?)"(?: contained|: )', text, re.DOTALL)
    return repr(shown(found.group(1))) if found else "which one it does not say"
