"""What every internal call has: its description, and the base classes of what travels."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.contracts.topology import Service

RequestT = TypeVar("RequestT", bound=BaseModel | None)
AnswerT = TypeVar("AnswerT", bound=BaseModel | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalCall(Generic[RequestT, AnswerT]):
    """One call: its route, who serves it, who may make it, and the classes that travel.

    The request travels as the query of a GET or DELETE and as the JSON body of a POST. `NoneType`
    stands for no request or no answer (204).
    """

    name: str
    """The operation id, and the name of the golden file."""
    summary: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    """The path template; `InternalClient.call` takes its parameters as `path`."""
    callees: tuple[Service, ...]
    callers: tuple[Service, ...]
    request: type[RequestT]
    answer: type[AnswerT]
    polled: bool = False
    """Whether a loop asks again and again: while nothing happens, or until it is answered."""


class InternalRequest(BaseModel):
    """What a service sends to another; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InternalAnswer(BaseModel):
    """What a service answers to another; unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LinkAnswer(InternalAnswer):
    """A link to be mailed, never to be stored or logged; `code` is also part of the URL."""

    url: str
    code: str
