"""A quick reading of the usual bodies of evaluation requests, single ones and batches.

It reads what needs no other check: the members that are listed here, as plain strings. Of all other
bodies it reads nothing; the models of `evaluation` and `evaluations` read them, or say what is
wrong with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from rolecall import Given, Resource
from services.authz.domain.batches import MOST_EVALUATIONS, Semantic
from services.authz.use_cases.evaluation import EvaluationRequest

_Text = Annotated[str, Meta(min_length=1, max_length=1024)]
_Properties = dict[str, str]
_NONE: Mapping[str, str] = MappingProxyType({})

BodyT = TypeVar("BodyT")


class _Sent(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """An object of a body; a member that has its default was not sent."""


class _Subject(_Sent):
    type: _Text
    id: _Text
    properties: _Properties | None = None


class _Action(_Sent):
    name: _Text


class _Resource(_Sent):
    type: _Text
    id: _Text
    properties: _Properties | None = None


class _Evaluation(_Sent):
    subject: _Subject
    action: _Action
    resource: _Resource


class _Item(_Sent):
    subject: _Subject | None = None
    action: _Action | None = None
    resource: _Resource | None = None


class _Options(_Sent):
    evaluations_semantic: Semantic


class _BatchBody(_Sent):
    evaluations: Annotated[list[_Item], Meta(min_length=1, max_length=MOST_EVALUATIONS)]
    subject: _Subject | None = None
    action: _Action | None = None
    resource: _Resource | None = None
    options: _Options | None = None


_ONE, _SEVERAL = msgspec.json.Decoder(_Evaluation), msgspec.json.Decoder(_BatchBody)
_ENCODER = msgspec.json.Encoder()

_Entities = tuple[_Subject, _Action, _Resource]


@dataclass(frozen=True, slots=True)
class UsualBatch:
    """A batch of usual evaluations: the entities of each, and how far they are evaluated."""

    evaluations: Sequence[_Entities]
    semantic: Semantic

    def requests(self, point: str | None) -> list[EvaluationRequest]:
        """The requests at the decision point of an account, or of all."""
        return [_request(*entities, point) for entities in self.evaluations]


def read_quickly(raw: bytes) -> EvaluationRequest | None:
    """Return the request of a usual body; `None` for any other one, valid or not."""
    body = _read(_ONE, raw)
    return None if body is None else _request(body.subject, body.action, body.resource, None)


def read_batch_quickly(raw: bytes) -> UsualBatch | None:
    """Return a usual batch; `None` for any other one, valid or not."""
    body = _read(_SEVERAL, raw)
    if body is None:
        return None
    evaluations: list[_Entities] = []
    for item in body.evaluations:
        subject = item.subject or body.subject
        action = item.action or body.action
        resource = item.resource or body.resource
        if subject is None or action is None or resource is None:
            return None
        evaluations.append((subject, action, resource))
    options = body.options
    return UsualBatch(
        evaluations, Semantic.EXECUTE_ALL if options is None else options.evaluations_semantic
    )


def _read(decoder: msgspec.json.Decoder[BodyT], raw: bytes) -> BodyT | None:
    """Decode a body; `None` if it has another form, or may mean something else to another reader.

    The decoder takes the last of two members with one name, which another reader may not do. Such a
    body has more strings than what was read of it, so the quotation marks of both are counted:
    without a backslash each of them begins or ends a string. A member that is null makes another
    number as well.
    """
    if b"\\" in raw:
        return None
    try:
        body = decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return body if raw.count(b'"') == _ENCODER.encode(body).count(b'"') else None


def _request(
    subject: _Subject, action: _Action, resource: _Resource, point: str | None
) -> EvaluationRequest:
    of_subject = subject.properties or _NONE
    of_resource = resource.properties or _NONE
    return EvaluationRequest(
        subject_type=subject.type,
        subject_id=subject.id,
        session_id=of_subject.get("session_id"),
        action=action.name,
        resource_type=resource.type,
        resource=Resource(resource.id, of_resource.get("owner_id"), of_resource.get("project_id")),
        account_id=of_resource.get("account_id"),
        at_least_revision=None,
        point=point,
        given=Given(of_subject, of_resource, _NONE, _NONE),
    )
