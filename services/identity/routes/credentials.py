"""The answers of authenticators, as browsers make JSON of them (`PublicKeyCredential.toJSON`).

Browsers may add members. Those that are not known here are ignored.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(min_length=1, max_length=1400)]
Bytes = Annotated[str, Field(min_length=1, max_length=8192)]
UserHandle = Annotated[str, Field(max_length=128)]


_OPEN: dict[str, Any] = {"additionalProperties": True}


class _OfBrowser(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra=dict(_OPEN))

    @model_validator(mode="before")
    @classmethod
    def _without_others(cls, members: Any) -> Any:
        """Drop what is not known here: a body as a whole is validated without such members."""
        if not isinstance(members, dict):
            return members
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {name: value for name, value in members.items() if name in known}


class Attestation(_OfBrowser):
    """What an authenticator says of a passkey that it has made, each part in base64url."""

    client_data: Bytes = Field(alias="clientDataJSON")
    attestation_object: Bytes = Field(alias="attestationObject")


class Assertion(_OfBrowser):
    """The signature of a passkey over a challenge, each part in base64url."""

    client_data: Bytes = Field(alias="clientDataJSON")
    authenticator_data: Bytes = Field(alias="authenticatorData")
    signature: Bytes
    user_handle: UserHandle | None = Field(None, alias="userHandle")


class _Credential(_OfBrowser):
    id: Id
    raw_id: Id = Field(alias="rawId")
    type: Literal["public-key"]

    def members(self) -> dict[str, Any]:
        """Return it as JSON, without what is ignored."""
        return self.model_dump(by_alias=True)


_EXAMPLE = {"id": "vT9c…", "rawId": "vT9c…", "type": "public-key"}


class MadeCredential(_Credential):
    """The answer of `navigator.credentials.create`."""

    model_config = ConfigDict(
        json_schema_extra=_OPEN
        | {
            "examples": [
                _EXAMPLE | {"response": {"clientDataJSON": "eyJ0…", "attestationObject": "o2Nm…"}}
            ]
        }
    )

    response: Attestation


class SignedCredential(_Credential):
    """The answer of `navigator.credentials.get`."""

    model_config = ConfigDict(
        json_schema_extra=_OPEN
        | {
            "examples": [
                _EXAMPLE
                | {
                    "response": {
                        "clientDataJSON": "eyJ0…",
                        "authenticatorData": "SZYN…",
                        "signature": "MEUC…",
                        "userHandle": "dXNy…",
                    }
                }
            ]
        }
    )

    response: Assertion
