"""Two versions write to one journal: the later one finds what the earlier one wrote."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from shared.contracts.facts import shard_of
from shared.journal import Adoption, Journal, JournalWrite
from shared.mongo import Database, DbClient, DbSession
from shared.problems import NotFound
from tests.shared.journal.conftest import CALLER, MakeJournal, project_created

SHARD = shard_of("acc_1")


@dataclass
class Adopted:
    """Notes the shards that were adopted."""

    shards: list[int] = field(default_factory=list)

    async def __call__(self, shard: int, session: DbSession) -> None:
        assert session.delegate.in_transaction
        self.shards.append(shard)


@pytest.fixture
def adopted() -> Adopted:
    return Adopted()


@pytest.fixture
def adoption(client: DbClient, database: Database, adopted: Adopted) -> Adoption:
    return Adoption(client, database, adopted)


def record(number: int) -> Callable[[JournalWrite], Awaitable[None]]:
    async def change(write: JournalWrite) -> None:
        write.record(project_created(number))

    return change


async def write(journal: Journal, number: int) -> None:
    await journal.write("acc_1", record(number), caller=CALLER, effective_everywhere=False)


async def test_a_write_adopts_first_when_an_earlier_version_wrote_last(
    make_journal: MakeJournal, adoption: Adoption, adopted: Adopted
) -> None:
    earlier, later = await make_journal(), await make_journal(adoption=adoption)
    await write(later, 1)
    await write(later, 2)
    assert adopted.shards == []

    await write(earlier, 3)
    seen: list[list[int]] = []

    async def change(write: JournalWrite) -> None:
        seen.append(list(adopted.shards))
        write.record(project_created(4))

    await later.write("acc_1", change, caller=CALLER, effective_everywhere=False)
    assert seen == [[SHARD]]

    await write(later, 5)
    assert adopted.shards == [SHARD]


async def test_a_refused_write_leaves_the_adoption_to_the_next_one(
    make_journal: MakeJournal, adoption: Adoption, adopted: Adopted
) -> None:
    earlier, later = await make_journal(), await make_journal(adoption=adoption)
    await write(earlier, 1)

    async def refuse(write: JournalWrite) -> None:
        raise NotFound

    with pytest.raises(NotFound):
        await later.write("acc_1", refuse, caller=CALLER, effective_everywhere=False)
    await write(later, 2)
    assert adopted.shards == [SHARD, SHARD]


async def test_the_loop_adopts_each_shard_once_after_an_earlier_version_wrote(
    make_journal: MakeJournal, adoption: Adoption, adopted: Adopted
) -> None:
    earlier, later = await make_journal(), await make_journal(adoption=adoption)
    await write(earlier, 1)
    await adoption.adopt_all()
    await adoption.adopt_all()
    assert adopted.shards == [SHARD]

    await write(later, 2)
    assert adopted.shards == [SHARD]
    await write(earlier, 3)
    await adoption.adopt_all()
    assert adopted.shards == [SHARD, SHARD]
