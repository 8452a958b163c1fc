"""The relying party of passkeys, by PyPI `webauthn`: options for browsers, and their answers."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.identity.adapters.authenticator_data import (
    plain_data,
    plain_key,
    without_statement,
)
from services.identity.domain.passkeys import (
    CHALLENGE_LIFETIME,
    Passkey,
    PasskeyRefused,
    passkey_id,
)
from services.identity.domain.users import User
from shared.ids import UserId

CHALLENGE_BYTES = 32
_MILLISECONDS = int(CHALLENGE_LIFETIME.total_seconds() * 1000)
_UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError)
"""What the library raises about answers that no authenticator has made."""

Credential = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClaimedPasskey:
    """Which passkey an answer claims to be of; nothing is proved yet."""

    user_id: UserId
    passkey_id: str


class RelyingParty:
    """Asks for passkeys of the host of the public URL, always with verification of the person."""

    def __init__(self, *, public_url: str, product: str) -> None:
        parts = urlsplit(public_url)
        self._id = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._product = product

    def new_challenge(self) -> str:
        """Make 256 random bits, in base64url."""
        return urlsafe_b64encode(secrets.token_bytes(CHALLENGE_BYTES)).rstrip(b"=").decode()

    def creation_options(
        self, user: User, known: Sequence[Passkey], *, challenge: str
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` takes; the user's id is the handle of the passkey."""
        options = generate_registration_options(
            rp_id=self._id,
            rp_name=self._product,
            user_id=user.id.encode(),
            user_name=user.email,
            user_display_name=user.name,
            challenge=base64url_to_bytes(challenge),
            timeout=_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential))
                for one in known
            ],
        )
        return options_to_json_dict(options)

    def request_options(self, *, challenge: str) -> dict[str, Any]:
        """What `navigator.credentials.get` takes; the person chooses one of their passkeys."""
        options = generate_authentication_options(
            rp_id=self._id,
            challenge=base64url_to_bytes(challenge),
            timeout=_MILLISECONDS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    def new_passkey(
        self, credential: Credential, *, challenge: str, name: str, now: datetime
    ) -> Passkey:
        """Return the passkey that an authenticator has made for this challenge.

        Raises:
            PasskeyRefused: the answer is of another challenge or origin, or not of a person who
                was verified, or no answer of an authenticator at all.
        """
        try:
            made = verify_registration_response(
                credential=_without_statement(credential),
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self._id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _UNREADABLE:
            raise PasskeyRefused from None
        own_id = urlsafe_b64encode(made.credential_id).rstrip(b"=").decode()
        return Passkey(
            passkey_id=passkey_id(own_id),
            credential=own_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name,
            added_at=now,
        )

    def claimed(self, credential: Credential) -> ClaimedPasskey:
        """Read which user and passkey an answer is of.

        Raises:
            PasskeyRefused: it cannot be read, or does not name a user.
        """
        try:
            parsed = parse_authentication_credential_json(credential)
            user_id = (parsed.response.user_handle or b"").decode()
        except _UNREADABLE:
            raise PasskeyRefused from None
        if not user_id:
            raise PasskeyRefused
        own_id = urlsafe_b64encode(parsed.raw_id).rstrip(b"=").decode()
        return ClaimedPasskey(user_id=UserId(user_id), passkey_id=passkey_id(own_id))

    def sign_count(self, credential: Credential, passkey: Passkey, *, challenge: str) -> int:
        """Verify the signature of a passkey over the challenge, and return its counter.

        The counter is the caller's to compare, who thereby knows that the signature is right.

        Raises:
            PasskeyRefused: the signature, the origin or the challenge is wrong, or the person was
                not verified.
        """
        try:
            plain_data(base64url_to_bytes(credential["response"]["authenticatorData"]))
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self._id,
                expected_origin=self._origin,
                credential_public_key=plain_key(passkey.public_key),
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _UNREADABLE:
            raise PasskeyRefused from None
        return verified.new_sign_count


def _without_statement(credential: Credential) -> Credential:
    """Return the answer with a new passkey without what its authenticator says of itself."""
    answer = credential["response"]
    plain = without_statement(base64url_to_bytes(answer["attestationObject"]))
    return {
        **credential,
        "response": {**answer, "attestationObject": bytes_to_base64url(plain)},
    }
