"""Facts keep the schemas that their readers know."""

import re

import pytest

from shared.contracts.registry import FACT_TYPES, FACTS_OF
from tests.contracts.golden_schemas import Schema, breaks, golden, schema_of

WRITE = "python -m tests.contracts.golden_schemas writes what is new or only grew"
TYPE = re.compile(r"(?P<source>[a-z]+)\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*")


def test_every_type_has_its_agreed_schema_and_none_is_gone():
    assert set(golden()) == set(FACT_TYPES), WRITE


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_a_type_has_its_agreed_schema(fact_type: str):
    agreed, now = golden()[fact_type], schema_of(fact_type)
    assert not breaks(agreed, now)
    assert agreed == now, WRITE


def test_a_type_names_its_source_and_its_major_version():
    for source, facts in FACTS_OF.items():
        for fact in facts:
            named = TYPE.fullmatch(fact.type)
            assert named is not None, fact.type
            assert named["source"] == source
    assert len(FACT_TYPES) == sum(map(len, FACTS_OF.values()))


NAME: Schema = {"properties": {"name": {"type": "string"}}, "required": ["name"]}
GROWN: Schema = {
    "properties": {"name": {"type": "string", "title": "Name"}, "age": {"default": 0}},
    "required": ["name"],
}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (NAME, NAME, []),
        (NAME, GROWN, []),
        (GROWN, NAME, ["/age is gone"]),
        (NAME, {"properties": {}}, ["/name is gone", "/name may be missing now"]),
        (NAME, NAME | {"required": []}, ["/name may be missing now"]),
        (NAME, GROWN | {"required": ["name", "age"]}, ["/age must be there now"]),
        (NAME, NAME | {"properties": {"name": {"type": "integer"}}}, ["/name has another type"]),
        ({"$defs": {"Part": GROWN}}, {"$defs": {"Part": NAME}}, ["/Part/age is gone"]),
        (NAME, NAME | {"additionalProperties": False}, ["/ treats unknown members in another way"]),
    ],
)  # fmt: skip
def test_a_breaking_change_is_told_from_growth(old: Schema, new: Schema, told: list[str]):
    assert breaks(old, new) == told
