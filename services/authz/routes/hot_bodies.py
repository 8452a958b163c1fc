"""A quick reading of the usual body of an evaluation request.

It reads what needs no other check: the members that are listed here, as plain strings. Of all other
bodies it reads nothing; the models of `evaluation` read them, or say what is wrong with them.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rolecall import NOTHING_GIVEN, Given, Resource
from services.authz.use_cases.evaluation import EvaluationRequest

_Text = Annotated[str, Meta(min_length=1, max_length=1024)]


class _SubjectProperties(Struct, forbid_unknown_fields=True):
    session_id: str = ""


class _ResourceProperties(Struct, forbid_unknown_fields=True):
    account_id: str = ""
    project_id: str = ""
    owner_id: str = ""


class _Subject(Struct, forbid_unknown_fields=True):
    type: _Text
    id: _Text
    properties: _SubjectProperties | None = None


class _Action(Struct, forbid_unknown_fields=True):
    name: _Text


class _Resource(Struct, forbid_unknown_fields=True):
    type: _Text
    id: _Text
    properties: _ResourceProperties | None = None


class _Evaluation(Struct, forbid_unknown_fields=True):
    subject: _Subject
    action: _Action
    resource: _Resource


_DECODER = msgspec.json.Decoder(_Evaluation)
_STRINGS = 13
"""The strings of a body without properties: eight names of members and five values."""
_NO_SUBJECT_PROPERTIES, _NO_RESOURCE_PROPERTIES = _SubjectProperties(), _ResourceProperties()


def read_quickly(raw: bytes) -> EvaluationRequest | None:
    """Return the request of a usual body; `None` for any other one, valid or not.

    The decoder takes the last of two members with one name, which another reader may not do. Such a
    body has more strings than what was read of it, so the quotation marks are counted: without a
    backslash each of them begins or ends a string. A member that is null or empty makes another
    number as well.
    """
    if b"\\" in raw:
        return None
    try:
        body = _DECODER.decode(raw)
    except msgspec.DecodeError:
        return None
    subject, resource = body.subject, body.resource
    of_subject = subject.properties or _NO_SUBJECT_PROPERTIES
    known = resource.properties or _NO_RESOURCE_PROPERTIES
    strings = _STRINGS + (subject.properties is not None) + (resource.properties is not None)
    optional = (of_subject.session_id, known.account_id, known.project_id, known.owner_id)
    strings += 2 * (len(optional) - optional.count(""))
    if raw.count(b'"') != 2 * strings:
        return None
    return EvaluationRequest(
        subject_type=subject.type,
        subject_id=subject.id,
        session_id=of_subject.session_id or None,
        action=body.action.name,
        resource_type=resource.type,
        resource=Resource(resource.id, known.owner_id or None, known.project_id or None),
        account_id=known.account_id or None,
        at_least_revision=None,
        given=_given(of_subject, known),
    )


def _given(subject: _SubjectProperties, resource: _ResourceProperties) -> Given:
    """What was sent, as conditions test it."""
    if subject is _NO_SUBJECT_PROPERTIES and resource is _NO_RESOURCE_PROPERTIES:
        return NOTHING_GIVEN
    return Given(
        subject={name: sent for name, sent in msgspec.structs.asdict(subject).items() if sent},
        resource={name: sent for name, sent in msgspec.structs.asdict(resource).items() if sent},
    )
