"""The registered resources of the account that an attempt changes."""

from collections.abc import Collection, Sequence

from services.team.domain.resource_types import MAX_TYPES
from services.team.domain.resources import (
    RegisteredResource,
    ResourceChange,
    ResourceFilter,
    ResourceKey,
    Surroundings,
)
from services.team.use_cases.attempt import Attempt
from shared.ids import ProjectId, UserId


class ResourceWrites(Attempt):
    """Registered resources."""

    async def resources_among(
        self, keys: Collection[ResourceKey]
    ) -> dict[ResourceKey, RegisteredResource]:
        """Those of these resources that are registered."""
        return await self._store.resources_among(self._account_id, keys, self._session)

    async def resources_of(self, wanted: ResourceFilter, *, limit: int) -> list[RegisteredResource]:
        """The first resources that are meant, by type and id."""
        return await self._store.resource_page(
            self._account_id, wanted, limit=limit, session=self._session
        )

    async def count_resources(self, wanted: ResourceFilter) -> int:
        """How many resources are meant; an account without any is not asked."""
        if not self.existing_account.resource_count:
            return 0
        return await self._store.count_resources(self._account_id, wanted, self._session)

    async def resource_types(self) -> list[str]:
        """The first types of the account's resources; an account without any is not asked."""
        if not self.existing_account.resource_count:
            return []
        return await self._store.resource_types(
            self._account_id, limit=MAX_TYPES, session=self._session
        )

    async def surroundings(
        self, resources: Collection[RegisteredResource], *, limit: int
    ) -> Surroundings:
        """What these resources may name, in an account with a limit of resources."""
        projects = {one.project_id for one in resources if one.project_id is not None}
        owners = {one.owner_id for one in resources if one.owner_id is not None}
        members = await self._store.members_among(self._account_id, owners, self._session)
        return Surroundings(
            projects=await self._known(projects),
            members=members.keys(),
            count=self.existing_account.resource_count,
            limit=limit,
        )

    async def _known(self, projects: set[ProjectId]) -> set[ProjectId]:
        match sorted(projects):
            case []:
                return set()
            case [only]:
                found = await self._store.project(self._account_id, only, self._session)
                return set() if found is None else {only}
            case _:
                every = await self._store.projects(self._account_id, self._session)
                return projects & {project.project_id for project in every}

    async def save_resources(self, changes: Sequence[ResourceChange]) -> None:
        """Save new and changed resources."""
        new = [change.after for change in changes if change.before is None]
        changed = [change.after for change in changes if change.before is not None]
        rev, session = self._write.rev, self._session
        if new:
            await self._store.insert_resources(new, rev=rev, session=session)
        if changed:
            await self._store.replace_resources(changed, rev=rev, session=session)

    async def give_resources(self, keys: Collection[ResourceKey], owner_id: UserId) -> None:
        """Give these resources another owner."""
        await self._store.give_resources(
            self._account_id, keys, owner_id, rev=self._write.rev, session=self._session
        )

    async def remove_resource(self, resource: RegisteredResource) -> None:
        """Delete a resource."""
        await self._store.delete_resource(resource, self._session)
