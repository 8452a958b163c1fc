"""The rules of a middleware: what each route of an application requires."""

import re

from rolecall.aio.requirement import Requirement
from rolecall.core.problems import choices

Rule = Requirement | None
"""What a route requires; `None`: anyone may use it."""
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_rule(route: str, rule: Rule) -> tuple[str, list[str]]:
    """The method of a route, and its path: a text, then in turn a parameter's name and a text.

    Raises:
        ValueError: the route has another form, or lacks a parameter that the rule names.
    """
    method, _, path = route.partition(" ")
    if not method.isalpha() or not method.isupper() or not path.startswith("/"):
        raise ValueError(f"{route!r} is not a rule. Write it as 'GET /instances/{{id}}'.")
    parts = _PARAMETER.split(path)
    texts, names = parts[::2], parts[1::2]
    if any(brace in text for text in texts for brace in "{}"):
        raise ValueError(
            f"The rule {route!r} has a brace that encloses no name. Write a parameter as {{id}}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"The rule {route!r} has a parameter twice. Rename one of them.")
    for needed in () if rule is None else rule.parameters:
        if needed not in names:
            hint = choices(needed, names) if names else "Add it to the path, or leave it out."
            raise ValueError(f"The rule {route!r} has no parameter {needed!r}. {hint}")
    return method, parts
