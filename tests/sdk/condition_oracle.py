"""The rules for conditions, written down in the plainest way; shares nothing with the product."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

Request = Mapping[str, Any]
"""`subject_id`, `resource_id`, `owner_id`, and the mappings `attributes`, `registered`, `subject`,
`resource`, `action` and `context`."""
MISSING = object()


def reason(alternatives: list[Any], request: Request) -> str:
    """The reason of a check of a level with these alternatives, as they are written."""
    if any(reaches(one, request) and fulfilled(one, request) for one in alternatives):
        return "allowed"
    if not alternatives:
        return "permission-missing"
    if any(reaches(one, request) for one in alternatives):
        return "condition-failed"
    return "owner-unknown" if request["owner_id"] is None else "not-owner"


def reaches(alternative: Any, request: Request) -> bool:
    scope = alternative if isinstance(alternative, str) else alternative["scope"]
    return scope == "all" or request["owner_id"] == request["subject_id"]


def fulfilled(alternative: Any, request: Request) -> bool:
    if isinstance(alternative, str) or "when" not in alternative:
        return True
    tests = alternative["when"]
    return all(holds(test, request) for test in (tests if isinstance(tests, list) else [tests]))


def holds(test: Any, request: Request) -> bool:
    if "not" in test:
        return outcome(test["not"], request) == "no"
    return outcome(test, request) == "yes"


def outcome(test: Any, request: Request) -> str:
    """Yes, no, or neither: a missing value or one of another type."""
    value = found(test["path"], request)
    [operator] = [name for name in test if name != "path"]
    operand = test[operator]
    if operator == "equals":
        return compared(value, [operand])
    if operator == "in":
        return compared(value, operand)
    if operator == "same_as":
        return compared(value, [found(operand, request)])
    if operator == "contains":
        return contained(value, operand)
    return located(value, [operand] if isinstance(operand, str) else operand)


def contained(value: Any, operand: Any) -> str:
    if not isinstance(value, list):
        return "neither"
    results = [compared(item, [operand]) for item in value]
    if "yes" in results:
        return "yes"
    return "neither" if "neither" in results else "no"


def compared(value: Any, operands: list[Any]) -> str:
    if kind(value) is None or any(kind(value) != kind(operand) for operand in operands):
        return "neither"
    return "yes" if any(value == operand for operand in operands) else "no"


def located(value: Any, ranges: list[str]) -> str:
    if not isinstance(value, str) or "%" in value:
        return "neither"
    try:
        address = ip_address(value)
    except ValueError:
        return "neither"
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    networks = [ip_network(one) for one in ranges]
    return "yes" if any(address in network for network in networks) else "no"


def found(path: str, request: Request) -> Any:
    if path in ("subject.id", "resource.id"):
        return request[path.replace(".", "_")]
    root, _, rest = path.partition(".")
    names = rest.removeprefix("properties.").split(".")
    stored = {"subject": "attributes", "resource": "registered"}.get(root)
    value: Any = {**request[root], **({} if stored is None else request[stored])}
    for name in names:
        value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
    return value


def kind(value: Any) -> str | None:
    if value is True or value is False:
        return "boolean"
    if type(value) in (int, float):
        return "number"
    return "text" if type(value) is str else None
