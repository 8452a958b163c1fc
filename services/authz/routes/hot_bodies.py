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

from services.authz.domain.asked import AskedProperties, AskedResource
from services.authz.domain.batches import MOST_EVALUATIONS, Semantic
from services.authz.domain.evaluations import EvaluationRequest
from shared.auth.api_tokens import API_TOKEN_PREFIX

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


_BEGIN_OF_TOKEN = f'"{API_TOKEN_PREFIX}'.encode()
_ONE, _SEVERAL = msgspec.json.Decoder(_Evaluation), msgspec.json.Decoder(_BatchBody)


@dataclass(frozen=True, slots=True)
class UsualBatch:
    """A batch of usual evaluations, and how far they are evaluated."""

    evaluations: Sequence[EvaluationRequest]
    semantic: Semantic

    def requests(self, point: str | None) -> Sequence[EvaluationRequest]:
        """The requests at the decision point of an account, or of all."""
        if point is not None:
            for request in self.evaluations:
                request.point = point
        return self.evaluations


def read_quickly(raw: bytes) -> EvaluationRequest | None:
    """Return the request of a usual body; `None` for any other one, valid or not."""
    body = _read(_ONE, raw)
    if body is None:
        return None
    subject, action, resource = body.subject, body.action, body.resource
    marks = _MARKS_OF_ACTION + _marks_of(subject) + _marks_of(resource)
    return _request(subject, action, resource) if raw.count(b'"') == marks else None


def read_batch_quickly(raw: bytes) -> UsualBatch | None:
    """Return a usual batch; `None` for any other one, valid or not."""
    body = _read(_SEVERAL, raw)
    if body is None:
        return None
    options = body.options
    marks = _MARKS_OF_BATCH if options is None else _MARKS_OF_BATCH + _MARKS_OF_OPTIONS
    marks += 0 if body.action is None else _MARKS_OF_ACTION
    for default in (body.subject, body.resource):
        marks += 0 if default is None else _marks_of(default)
    requests: list[EvaluationRequest] = []
    for item in body.evaluations:
        subject, action, resource = item.subject, item.action, item.resource
        if subject is None:
            subject = body.subject
        else:
            marks += _marks_of(subject)
        if action is None:
            action = body.action
        else:
            marks += _MARKS_OF_ACTION
        if resource is None:
            resource = body.resource
        else:
            marks += _marks_of(resource)
        if subject is None or action is None or resource is None:
            return None
        requests.append(_request(subject, action, resource))
    if raw.count(b'"') != marks:
        return None
    return UsualBatch(
        requests, Semantic.EXECUTE_ALL if options is None else options.evaluations_semantic
    )


def _read(decoder: msgspec.json.Decoder[BodyT], raw: bytes) -> BodyT | None:
    """Decode a body; `None` if it has another form.

    The decoder takes the last of two members with one name, which another reader may not do. Such a
    body has more strings than what was read of it, so the caller compares the quotation marks of
    both: without a backslash each of them begins or ends a string. A member that is null makes
    another number as well. An API token, which is never an id, is for the models to refuse.
    """
    if b"\\" in raw or _BEGIN_OF_TOKEN in raw:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_MARKS_OF_BATCH, _MARKS_OF_OPTIONS, _MARKS_OF_ACTION, _MARKS_OF_ENTITY = 2, 6, 6, 10
"""The quotation marks of a member with its name, without properties: two for each text."""


def _marks_of(entity: _Subject | _Resource) -> int:
    properties = entity.properties
    return _MARKS_OF_ENTITY if properties is None else _MARKS_OF_ENTITY + 2 + 4 * len(properties)


def _request(subject: _Subject, action: _Action, resource: _Resource) -> EvaluationRequest:
    of_subject = subject.properties or _NONE
    of_resource = resource.properties or _NONE
    get = of_resource.get
    return EvaluationRequest(
        subject.type,
        subject.id,
        of_subject.get("session_id"),
        action.name,
        resource.type,
        AskedResource(resource.id, get("owner_id"), get("project_id")),
        get("account_id"),
        None,
        None,
        AskedProperties(of_subject, of_resource),
    )
