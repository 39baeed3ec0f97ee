"""What is said about a gate, in one sentence; pure."""

from __future__ import annotations

from datetime import datetime

from coordinator.terms import AutomatedError, Certificate, Permission


def share(value: float) -> str:
    """A share for people: "2 %", "0.5 %"."""
    return f"{100.0 * value:.3g} %"


def time_text(moment: datetime) -> str:
    """A time for people, UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def evidence(audited: int, needed: int | None) -> str:
    """How far the evidence is: "23 of about 144 audited cases"."""
    if needed is None:
        return (
            f"{audited} audited cases, and with so many errors no certificate is in "
            "sight"
        )
    return f"{audited} of about {max(needed, audited)} audited cases"


def not_yet(audited: int, needed: int | None) -> str:
    """A gate without a certificate."""
    return f"not yet certified: {evidence(audited, needed)}."


def provisional(permission: Permission, audited: int, needed: int | None) -> str:
    """A gate that acts on somebody's word."""
    return (
        f"provisional by {permission.person} until {time_text(permission.until)}: acts "
        f"from {permission.threshold:.2f} on, no risk is certified "
        f"({evidence(audited, needed)})."
    )


def certified(certificate: Certificate) -> str:
    """A gate that acts on a certificate."""
    text = (
        f"certified: at most {share(certificate.alpha)} wrong, "
        f"{share(1.0 - certificate.delta)} sure, n={certificate.cases}, until "
        f"{time_text(certificate.until)}"
    )
    if certificate.alpha_missed < certificate.alpha:
        text += (
            f"; never-miss labels missed in at most {share(certificate.alpha_missed)}"
        )
    return f"{text}."


def closed(why: str, missing: str) -> str:
    """A gate that was open.

    Args:
        why: A sentence.
        missing: How far the evidence is; "" when evidence opens nothing.
    """
    what = f"{missing}, or a name" if missing else "a name"
    return f"closed: {why} Reopening takes {what}."


def ended(opened: Certificate | Permission) -> str:
    """Why a gate closed by age."""
    if isinstance(opened, Permission):
        return f"the word of {opened.person} ended {time_text(opened.until)}."
    return f"the certificate ended {time_text(opened.until)}."


def alarm(error: AutomatedError, alpha: float) -> str:
    """Why a gate closed itself on errors."""
    found = "more"
    if error.share is not None:
        found = f"{share(error.share)} of {error.audited} audited decisions"
    return f"{found} were wrong, and at most {share(alpha)} may be."
