"""Time-based codes (RFC 6238) by pyotp: six digits of HMAC-SHA-1, a step of thirty seconds."""

import hmac
from datetime import datetime

import pyotp
import segno

STEP_SECONDS = 30
SKEW_STEPS = 1
"""Clocks may differ: the step before the present one counts, and the one after it."""


def new_secret() -> str:
    """Make a secret of 160 random bits, in base 32."""
    return pyotp.random_base32()


def matching_step(secret: str, digits: str, *, now: datetime, after: int) -> int | None:
    """Return the step of time that these digits belong to, if it is later than `after`."""
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1):
        fits = hmac.compare_digest(totp.generate_otp(step), digits)
        if fits and step > after and found is None:
            found = step
    return found


def enrolment_uri(secret: str, *, email: str, product: str) -> str:
    """Return the `otpauth` address by which an app takes the secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=product)


def qr_svg(uri: str) -> str:
    """Draw an address as a QR code: an SVG element without script, style or outer references."""
    return segno.make(uri, error="m").svg_inline(scale=5, light="#fff", omitsize=True)
