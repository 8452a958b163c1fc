"""YAML texts of catalogs, read together with the line of each place."""

from collections.abc import Mapping

import yaml

from rolecall.core.problems import CatalogError, Place, Problem

Lines = Mapping[Place, int]


def parse(text: str) -> tuple[dict[str, object], dict[Place, int]]:
    """Read a YAML mapping and the line of each place in it.

    Raises:
        CatalogError: the text is not YAML, not a mapping, or has a key twice.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        if "could not determine a constructor for the tag" in (error.problem or ""):
            text = "YAML tags, words that begin with `!`, are not allowed. Remove the tag."
        else:
            text = f"This is not valid YAML: {error.problem}."
        raise CatalogError([Problem((), text, line)]) from error
    except yaml.YAMLError as error:
        raise CatalogError([Problem((), f"This is not valid YAML: {error}")]) from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(content, dict):
        raise CatalogError([Problem((), "A catalog must be one YAML mapping of keys to values.")])
    lines: dict[Place, int] = {}
    doubles: list[Problem] = []
    _walk(root, (), lines, doubles, set())
    if doubles:
        raise CatalogError(doubles)
    return content, lines


def located(error: CatalogError, lines: Lines) -> CatalogError:
    """The same problems, each with the line of its place or of the nearest place above it."""
    problems = []
    for problem in error.problems:
        place = problem.place
        while place and place not in lines:
            place = place[:-1]
        problems.append(Problem(problem.place, problem.message, lines.get(place)))
    return CatalogError(problems)


def _walk(
    node: yaml.Node,
    place: Place,
    lines: dict[Place, int],
    doubles: list[Problem],
    walked: set[int],
) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in walked:  # an alias, which may refer to itself
        return
    walked.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _walk(item, (*place, position), lines, doubles, walked)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, key.value)
            line = key.start_mark.line + 1
            if below in lines:
                doubles.append(Problem(below, "This key appears twice. Keep one of them.", line))
            lines[below] = line
            _walk(value, below, lines, doubles, walked)
