"""One provider's permission model as a catalog, and the functions that read it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from rolecall.core.grants import expand
from rolecall.core.policies import Policies
from rolecall.core.problems import CatalogError, Problem
from rolecall.core.role_rules import role_problems
from rolecall.core.rules import problems_of
from rolecall.core.shape import shape_problems
from rolecall.core.source import located, parse
from rolecall.core.table import Entry, Grants, Role, RoleName, Section, Title
from rolecall.core.translations import Translations, translation_problems

SHIPPED_CATALOGS = ("standard", "runpod", "runos", "cloud-iam", "novita")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Catalog:
    """A validated catalog.

    Make one with `from_mapping`, `load_catalog`, `read_catalog` or `parse_catalog`.

    `owner_role` is what the owner's membership holds, `role_after_transfer` what a former owner
    gets. The grants of the roles have no `*` left. `translations` have the texts in other
    languages.
    """

    name: RoleName
    title: Title
    sections: tuple[Section, ...]
    roles: tuple[Role, ...]
    owner_role: RoleName
    role_after_transfer: RoleName
    policies: Policies
    description: str = ""
    translations: Translations = dataclasses.field(default_factory=dict)

    @staticmethod
    def from_mapping(mapping: Mapping[str, object]) -> "Catalog":
        """Validate a catalog's content, from a file or from `to_mapping`.

        Raises:
            CatalogError: with every problem found, each at its place.
        """
        catalog = _of_shape(mapping)
        problems = problems_of(
            catalog.sections,
            catalog.roles,
            catalog.policies,
            owner_role=catalog.owner_role,
            role_after_transfer=catalog.role_after_transfer,
        )
        problems += translation_problems(catalog.translations, catalog.texts, catalog.roles)
        if problems:
            raise CatalogError(problems)
        written_out = tuple(
            dataclasses.replace(role, grants=expand(role.grants, catalog.entries)[0])
            for role in catalog.roles
        )
        return dataclasses.replace(catalog, roles=written_out)

    @staticmethod
    def from_published(content: Mapping[str, object]) -> "Catalog":
        """Read a catalog that was checked when it was published.

        A published catalog stays valid: newer rules are not applied to it. Its id is the one that
        it was published under; the digest of its content may differ from that by now.

        Raises:
            CatalogError: its shape is unknown, because a newer version with more features wrote it.
        """
        return _of_shape(content)

    def to_mapping(self) -> dict[str, object]:
        """The whole content as JSON values; `from_mapping` turns it into an equal catalog."""
        mapping: dict[str, object] = _CATALOG.dump_python(self, mode="json")
        if not self.translations:  # the ids of catalogs without them stay as they were
            del mapping["translations"]
        return mapping

    @cached_property
    def texts(self) -> frozenset[str]:
        """Everything in it that people read."""
        entries = self.entries.values()
        words = self.policies.words
        return frozenset(
            {
                *(self.title, self.description, words.project, words.projects),
                *(section.title for section in self.sections),
                *(entry.title for entry in entries),
                *(level.title for entry in entries for level in entry.levels),
                *(text for role in self.roles for text in (role.title, role.description)),
            }
        ) - {""}

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
        """The built-in role of that id; `None` if the catalog has none."""
        return next((role for role in self.roles if role.id == role_id), None)

    def parse_grants(self, grants: object, *, within_project: bool = False) -> Grants:
        """Validate the grants of a role or an override, and expand every `*`.

        `within_project`: the grants of an override, which may name project-scoped entries only.

        Raises:
            CatalogError: with every problem; places are relative to the grants.
        """
        try:
            shaped = _GRANTS.validate_python(grants)
        except ValidationError as error:
            raise CatalogError(shape_problems(error, Mapping)) from error
        entries = self.entries
        problems: list[Problem] = []
        if within_project:
            entries = {name: entry for name, entry in entries.items() if entry.project_scoped}
            account_wide = [name for name in shaped if name in self.entries and name not in entries]
            problems = [
                Problem(
                    (name,),
                    f"{name!r} applies to the whole account. An override can only name entries that"
                    f" are decided inside one {self.policies.words.project}.",
                )
                for name in account_wide
            ]
            shaped = {name: cells for name, cells in shaped.items() if name not in account_wide}
        written_out, unknown = expand(shaped, entries)
        if problems or unknown:
            raise CatalogError([*problems, *unknown])
        return written_out

    def parse_role_grants(self, grants: object) -> Grants:
        """Validate the grants of a custom role by the rules for a catalog's own roles (`Ci8`).

        Raises:
            CatalogError: with every problem; places are relative to the grants.
        """
        written_out = self.parse_grants(grants)
        problems = list(role_problems(self.entries, written_out, called="The role"))
        if problems:
            raise CatalogError(problems)
        return written_out


def require_own_name(catalog: Catalog) -> None:
    """Check that a provider's own catalog does not have the name of a shipped one.

    Raises:
        CatalogError: it does, and its content is another one.
    """
    if catalog.name in SHIPPED_CATALOGS and catalog.id != load_catalog(catalog.name).id:
        raise CatalogError([Problem(("name",), _NAME_OF_SHIPPED.format(catalog.name))])


_NAME_OF_SHIPPED = (
    "The name {!r} belongs to a catalog that comes with Rolecall, and this content differs from it."
    " Choose another name."
)
_CATALOG = TypeAdapter(Catalog)
_GRANTS: TypeAdapter[Grants] = TypeAdapter(Grants)


def _of_shape(mapping: Mapping[str, object]) -> Catalog:
    try:
        return _CATALOG.validate_python(mapping)
    except ValidationError as error:
        raise CatalogError(shape_problems(error, Catalog)) from error


def read_catalog(path: Path) -> Catalog:
    """Read and validate a catalog file; its problems name the lines.

    Raises:
        CatalogError: the file is not a valid catalog, or has the name of a shipped one.
        OSError: the file cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    catalog = parse_catalog(text)
    try:
        require_own_name(catalog)
    except CatalogError as error:
        raise located(error, parse(text)[1]) from error
    return catalog


def parse_catalog(text: str) -> Catalog:
    """Validate the text of a catalog file; its problems name the lines.

    Raises:
        CatalogError: the text is not a valid catalog.
    """
    content, lines = parse(text)
    try:
        return Catalog.from_mapping(content)
    except CatalogError as error:
        raise located(error, lines) from error


@lru_cache
def load_catalog(name: str) -> Catalog:
    """Load one of the `SHIPPED_CATALOGS` by its name.

    Raises:
        KeyError: the package has no catalog of that name.
    """
    if name not in SHIPPED_CATALOGS:
        raise KeyError(name)
    file = resources.files("rolecall.core") / "catalogs" / f"{name}.yaml"
    return parse_catalog(file.read_text(encoding="utf-8"))
