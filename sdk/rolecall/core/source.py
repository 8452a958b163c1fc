"""YAML texts, read together with the line of each place."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from rolecall.core.problems import CatalogError, Place, Problem

MAX_MERGED = 1_000
"""The members that merge keys add in one text: merges of merges double with each line."""
_TAGS = "YAML tags, words that begin with `!`, are not allowed. Remove the tag."
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("null", "bool", "int", "float", "timestamp", "str", "seq", "map", "merge")
)
"""What a value without a tag can be."""
_PLAIN_FORMS = {
    "tag:yaml.org,2002:bool": re.compile("true|false"),
    "tag:yaml.org,2002:int": re.compile("[-+]?(0|[1-9][0-9]*)"),
    "tag:yaml.org,2002:float": re.compile(r"[^:_]*"),
}
"""The forms in which every reader of YAML takes the value for the same; YAML 1.1 has others."""


class _Loader(yaml.SafeLoader):
    """A loader that refuses merges that multiply."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        before = len(node.value)
        super().flatten_mapping(node)
        self.merged += max(0, len(node.value) - before)
        if self.merged > MAX_MERGED:
            fault = f"merge keys (<<) add more than {MAX_MERGED} members"
            raise yaml.constructor.ConstructorError(problem=fault, problem_mark=node.start_mark)


@dataclass(frozen=True, slots=True)
class Lines:
    """The line of each place in a YAML text, and the places that an alias repeats."""

    of_place: Mapping[Place, int]
    repeated: Mapping[Place, Place]
    """The place of an alias, and the place where its content is written."""

    def written_at(self, place: Place) -> tuple[Place, int]:
        """The place where a content is written, and its line or that of the nearest above it."""
        found: Place = ()
        for position, step in enumerate(place):
            below = (*found, step)
            if below not in self.of_place:
                return (*found, *place[position:]), self.of_place[found]
            found = self.repeated.get(below, below)
        return found, self.of_place[found]


def parse(text: str) -> tuple[dict[str, object], Lines]:
    """Read a YAML mapping and the line of each place in it.

    Raises:
        CatalogError: the text is not YAML, not a mapping, or has a tag or a key twice.
    """
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        content = loader.construct_document(root) if root else None
        if "<<" in text or "!" in text:  # a merge key, whose content is put into the nodes
            root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        if "could not determine a constructor for the tag" in (error.problem or ""):
            text = _TAGS
        else:
            text = f"This is not valid YAML: {error.problem}."
        raise CatalogError([Problem((), text, line)]) from error
    except RecursionError:
        text = "The values are nested too deeply. Fewer than ten levels are needed."
        raise CatalogError([Problem((), text)]) from None
    except (ValueError, OverflowError) as error:
        text = f"A number or a date cannot be read: {error}. Put it in quotes."
        raise CatalogError([Problem((), text)]) from error
    except yaml.YAMLError as error:
        raise CatalogError([Problem((), f"This is not valid YAML: {error}")]) from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(content, dict):
        raise CatalogError([Problem((), "The file must be one YAML mapping of keys to values.")])
    lines: dict[Place, int] = {}
    repeated: dict[Place, Place] = {}
    problems = list(_walk(root, (), lines, repeated, {}))
    if problems:
        raise CatalogError(problems)
    return content, Lines(lines, repeated)


def located(error: CatalogError, lines: Lines) -> CatalogError:
    """The same problems, each with the line of its place or of the nearest place above it.

    What an alias repeats is written once, so its problem is reported once.
    """
    problems: dict[tuple[Place, str], Problem] = {}
    for problem in error.problems:
        place, line = lines.written_at(problem.place)
        found = Problem(problem.place, problem.message, line)
        problems.setdefault((place, problem.message), found)
    return CatalogError(problems.values())


def _walk(
    node: yaml.Node,
    place: Place,
    lines: dict[Place, int],
    repeated: dict[Place, Place],
    walked: dict[int, Place],
) -> Iterator[Problem]:
    """Note the line of each place, and report tags and doubled keys."""
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in walked:  # an alias, which may refer to itself
        repeated[place] = walked[id(node)]
        return
    walked[id(node)] = place
    if node.tag not in _PLAIN_TAGS:
        yield Problem(place, _TAGS, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        yield from _misread(node, place)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _walk(item, (*place, position), lines, repeated, walked)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, key.value)
            line = key.start_mark.line + 1
            if below in lines:
                yield Problem(below, "This key appears twice. Keep one of them.", line)
            lines[below] = line
            yield from _walk(value, below, lines, repeated, walked)


def _misread(node: yaml.ScalarNode, place: Place) -> Iterator[Problem]:
    """Report a word such as `yes`, or a number such as `010`, that is read as something else."""
    form = _PLAIN_FORMS.get(node.tag)
    if form is None or form.fullmatch(node.value) is not None:
        return
    meant = json.dumps(yaml.safe_load(node.value))
    text = f"The value {node.value} is read as {meant}. Write {meant}, or put it in quotes."
    yield Problem(place, text, node.start_mark.line + 1)
