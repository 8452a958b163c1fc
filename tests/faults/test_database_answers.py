"""Every answer of an absent database, at every place that asks it: code and place.

No mongod can fail over in a test, so a shim gives the answers of one that does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from shared.mongo import connect
from tests.faults.database_places import PLACES, Place
from tests.patience import PATIENT
from tests.support.wire_shim import Fault, How, WireShim

if TYPE_CHECKING:
    from shared.mongo import DbClient

CODES = {
    24: "LockTimeout",
    50: "MaxTimeMSExpired",
    91: "ShutdownInProgress",
    134: "ReadConcernMajorityNotAvailableYet",
    189: "PrimarySteppedDown",
    262: "ExceededTimeLimit",
    290: "TransactionExceededLifetimeLimitSeconds",
    10107: "NotWritablePrimary",
    11600: "InterruptedAtShutdown",
    11602: "InterruptedDueToReplStateChange",
    13435: "NotPrimaryNoSecondaryOk",
}
DONE_ALL_THE_SAME = {91, 262, 11600, 11602}
"""What a server may say of a command that it has carried out."""
CONCERNS = {
    64: "WriteConcernTimeout",
    79: "UnknownReplWriteConcern",
    91: "ShutdownInProgress",
    100: "UnsatisfiableWriteConcern",
}


@dataclass(frozen=True)
class Answer:
    """One answer of the database: the cells of one row of the table."""

    how: How
    code: int = 0
    name: str = ""
    labels: tuple[str, ...] = ()

    def fault(self, place: Place) -> Fault:
        return Fault(
            how=self.how,
            command=place.command,
            collection=place.collection,
            earlier=place.earlier,
            code=self.code,
            name=self.name,
            labels=self.labels,
        )


ANSWERS = (
    *(Answer(How.REFUSED, code, name) for code, name in CODES.items()),
    *(Answer(How.DONE, code, CODES[code]) for code in sorted(DONE_ALL_THE_SAME)),
    *(Answer(How.NOT_MAJORITY, code, name) for code, name in CONCERNS.items()),
    Answer(How.UNANSWERED),
    # A code of a later server, known by its label only.
    Answer(How.REFUSED, 99_999, "AnErrorOfALaterVersion", ("RetryableWriteError",)),
)


def answers_at(place: Place) -> list[Answer]:
    return [
        answer for answer in ANSWERS if answer.how is not How.NOT_MAJORITY or place.answers_concern
    ]


@pytest.fixture
async def client(mongo_url: str):
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


@pytest.mark.parametrize("place", PLACES, ids=repr)
async def test_no_answer_of_an_absent_database_loses_or_doubles_a_thing(
    place: Place, mongo_url: str, database_name: str, client: DbClient
) -> None:
    answers = answers_at(place)
    numbers = range(1, len(answers) + 1)
    await place.prepare(client, database_name, numbers)

    async def cell(number: int, answer: Answer) -> object:
        with WireShim(mongo_url) as shim:
            faulty = connect(shim.url, app_name="tests", timeouts=PATIENT)
            fault = shim.plant(answer.fault(place))
            try:
                await place.work(faulty, database_name, number)
            except Exception as problem:  # noqa: BLE001 - the table shows it
                return problem
            finally:
                faulty.close()
            return "met" if fault.met else "not met"

    outcomes = await asyncio.gather(
        *(cell(number, answer) for number, answer in zip(numbers, answers, strict=True))
    )

    assert dict(zip(answers, outcomes, strict=True)) == dict.fromkeys(answers, "met")
    assert await place.came_of_it(client, database_name) == Counter(numbers)
