"""Where the page for tablets is served, and to whom."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator

from coordinator.config.section import Section

LEAST_REASON = 10
"""Characters; "yes" is no reason."""


class ServiceSection(Section):
    """The port of the page: gRPC-Web and the page's own files."""

    web_port: Annotated[int, Field(ge=0, le=65_535, strict=True)] = 0
    """0: no page is served."""
    web_host: str = "127.0.0.1"
    web_names: Annotated[tuple[str, ...], Field(max_length=32)] = ()
    """Names by which tablets reach it, beside web_host and this machine's own."""
    web_without_tls_because: Annotated[str, Field(max_length=200)] = ""
    """Why it may be reached from elsewhere although nothing is encrypted."""

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.web_port == 0 or is_loopback(self.web_host):
            return self
        if len(self.web_without_tls_because.strip()) < LEAST_REASON:
            raise ValueError(
                f"web_host '{self.web_host[:40]}' is not loopback, and this version "
                "serves no TLS: use 127.0.0.1 and a proxy with TLS before it, or say "
                "in web_without_tls_because why nobody else can listen"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name may come to mean another."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost"
