"""Conversion between frozen rows and documents, whose `_id` is the row's `id`."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from shared.mongo import Document

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)
else:
    T = TypeVar("T")


def document(row: "DataclassInstance", **extra: Any) -> Document:
    """Give the document of a row; `extra` are the fields that the store keeps besides."""
    values = asdict(row)
    return {"_id": values.pop("id"), **values, **extra}


def changes(row: "DataclassInstance", **extra: Any) -> Document:
    """Give the same without the `_id`, which an update must not name."""
    values = document(row, **extra)
    del values["_id"]
    return values


def read(cls: type[T], stored: Document) -> T:
    """Give the row that `document` wrote; lists become tuples."""
    values = {**stored, "id": stored["_id"]}
    return cls(**{field.name: _frozen(values[field.name]) for field in fields(cls)})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
