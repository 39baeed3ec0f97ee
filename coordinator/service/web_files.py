"""The page's own files, held in memory, and the rules a browser is given for them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

PAGE: Final = resources.files("coordinator") / "service" / "page"
TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".bin": "application/octet-stream",
}
_PACKED: Final = {
    ".html",
    ".js",
    ".css",
    ".json",
    ".webmanifest",
    ".svg",
    ".txt",
    ".bin",
}

# Nothing from elsewhere, no script but the page's own, no markup made from text.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html andon",
    )
)
RULES: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-cache"),
)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent.

    Attributes:
        packed: The same with gzip; empty when that is not worth it.
        etag: Names this content and no other.
    """

    content: bytes
    packed: bytes
    media: str
    etag: str


def page_file(name: str, content: bytes) -> PageFile:
    """Make a file of its content."""
    suffix = "." + name.rpartition(".")[2]
    packed = gzip.compress(content, 9, mtime=0) if suffix in _PACKED else b""
    return PageFile(
        content=content,
        packed=packed if len(packed) < len(content) else b"",
        media=TYPES[suffix],
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )


def files(contract: bytes, folder: Traversable = PAGE) -> dict[str, PageFile]:
    """Return every file of the page by its path; the contract is one of them.

    Returns:
        Empty when the page has not been built.
    """
    found = {"/contract.bin": page_file("contract.bin", contract)}
    for item in folder.iterdir():
        if item.is_file() and "." + item.name.rpartition(".")[2] in TYPES:
            found[f"/{item.name}"] = page_file(item.name, item.read_bytes())
    if "/index.html" in found:
        found["/"] = found["/index.html"]
    names = sorted(path for path in found if path != "/sw.js")
    # What the service worker keeps for a start without a network.
    found["/files.json"] = page_file("files.json", json.dumps(names).encode())
    return found
