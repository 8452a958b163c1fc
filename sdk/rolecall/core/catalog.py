"""What is one provider's permission model, and which version of it is this?"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rolecall.core.grants import expand
from rolecall.core.policies import Policies
from rolecall.core.problems import CatalogError, Place, Problem
from rolecall.core.rules import problems_of
from rolecall.core.source import located, parse
from rolecall.core.table import Entry, Grants, Role, RoleName, Section, Title

SHIPPED = ("standard", "runpod", "runos", "cloud-iam", "novita")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Catalog:
    """A validated catalog; make one with `from_mapping`, `load` or `read`.

    `owner_role` is what the owner's membership holds, `role_after_transfer` what a former owner
    gets. The grants of the roles are written out: no `*` is left.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    title: Title
    sections: tuple[Section, ...]
    roles: tuple[Role, ...]
    owner_role: RoleName
    role_after_transfer: RoleName
    policies: Policies
    description: str = ""

    @staticmethod
    def from_mapping(mapping: Mapping[str, object]) -> "Catalog":
        """Validate a catalog's content, from a file or as `to_mapping` gave it.

        Raises:
            CatalogError: with every problem found, each at its place.
        """
        catalog = _shaped(mapping)
        problems = problems_of(
            catalog.sections,
            catalog.roles,
            catalog.policies,
            owner_role=catalog.owner_role,
            role_after_transfer=catalog.role_after_transfer,
        )
        if problems:
            raise CatalogError(problems)
        written_out = tuple(
            dataclasses.replace(role, grants=expand(role.grants, catalog.entries)[0])
            for role in catalog.roles
        )
        return dataclasses.replace(catalog, roles=written_out)

    @staticmethod
    def from_published(content: Mapping[str, object]) -> "Catalog":
        """The catalog that `to_mapping` gave when it was published and checked.

        What was published stays valid: rules that are newer do not judge it. Its id is the one that
        it was published under, which the content's digest need not give any more.

        Raises:
            CatalogError: it has another shape: it comes from a version with more features.
        """
        return _shaped(content)

    def to_mapping(self) -> dict[str, object]:
        """The whole content as JSON values; `from_mapping` makes an equal catalog of it."""
        mapping: dict[str, object] = _CATALOG.dump_python(self, mode="json")
        return mapping

    @cached_property
    def id(self) -> str:
        """The version: `<name>@<sha256 of the content as canonical JSON>`."""
        canonical = json.dumps(
            self.to_mapping(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return f"{self.name}@{hashlib.sha256(canonical.encode()).hexdigest()}"

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Every entry by its id, in the table's order."""
        return {entry.id: entry for section in self.sections for entry in section.entries}

    def role(self, role_id: str) -> Role | None:
        """The built-in role of that id."""
        return next((role for role in self.roles if role.id == role_id), None)

    def parse_grants(self, grants: object, *, within_project: bool = False) -> Grants:
        """Validate the grants of a custom role or an override, and write every `*` out.

        `within_project`: an override's, which may name project-scoped entries only.

        Raises:
            CatalogError: with every problem, its place counted from the grants.
        """
        try:
            shaped = _GRANTS.validate_python(grants)
        except ValidationError as error:
            raise CatalogError(_shape_problems(error)) from error
        entries = self.entries
        problems: list[Problem] = []
        if within_project:
            entries = {name: entry for name, entry in entries.items() if entry.project_scoped}
            account_wide = [name for name in shaped if name in self.entries and name not in entries]
            problems = [
                Problem((name,), f"entry {name!r} is account-wide and cannot be overridden")
                for name in account_wide
            ]
            shaped = {name: cells for name, cells in shaped.items() if name not in account_wide}
        written_out, unknown = expand(shaped, entries)
        if problems or unknown:
            raise CatalogError([*problems, *unknown])
        return written_out


_CATALOG = TypeAdapter(Catalog)
_GRANTS: TypeAdapter[Grants] = TypeAdapter(Grants)


def _shaped(mapping: Mapping[str, object]) -> Catalog:
    try:
        return _CATALOG.validate_python(mapping)
    except ValidationError as error:
        raise CatalogError(_shape_problems(error)) from error


def _shape_problems(error: ValidationError) -> list[Problem]:
    return [Problem(_place(item["loc"]), item["msg"]) for item in error.errors()]


def _place(loc: tuple[int | str, ...]) -> Place:
    # pydantic marks a bad key of a mapping with a last step of its own.
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def read(path: Path) -> Catalog:
    """Load and validate a catalog file; its problems name the lines.

    Raises:
        CatalogError: the file is no valid catalog.
        OSError: the file cannot be read.
    """
    return read_text(path.read_text(encoding="utf-8"))


def read_text(text: str) -> Catalog:
    """Validate the text of a catalog file; its problems name the lines.

    Raises:
        CatalogError: the text is no valid catalog.
    """
    content, lines = parse(text)
    try:
        return Catalog.from_mapping(content)
    except CatalogError as error:
        raise located(error, lines) from error


@lru_cache
def load(name: str) -> Catalog:
    """One of the `SHIPPED` catalogs.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in SHIPPED:
        raise KeyError(name)
    file = resources.files("rolecall.core") / "catalogs" / f"{name}.yaml"
    return read_text(file.read_text(encoding="utf-8"))
