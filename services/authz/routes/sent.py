"""Objects of a request that are open: what the product knows of them, and all that was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SentObject(Generic[ModelT]):
    """An object as it was sent, and the members of it that have a meaning of their own.

    Conditions test all members, whose names the product does not know.
    """

    known: ModelT
    whole: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """Validates an object as a model does, and keeps all of it; annotates `SentObject[model]`."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The model's schema, around which the object is kept."""
        return core_schema.no_info_wrap_validator_function(
            lambda value, validate: SentObject(validate(value), value),
            handler.generate_schema(self.model),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda sent: sent.whole),
        )
