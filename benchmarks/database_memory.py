"""The memory of the database that `make run` starts, while transactions are written."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.programs.mongodb import Secantusdb
from shared.mongo import DbClient, connect

WRITES, STEPS = 20_000, 10


def resident_mb(pid: int) -> int:
    """The resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


async def write(client: DbClient, number: int) -> None:
    """One update and two inserts in a transaction, as a change of an account is."""
    rows = client["measured"]
    async with await client.start_session() as session, session.start_transaction():
        one, text = {"_id": number % 100}, {"$set": {"text": f"{number}" * 100}}
        await rows["accounts"].update_one(one, text, session=session)
        await rows["journal"].insert_one({"_id": number, "text": "y" * 1500}, session=session)
        await rows["members"].insert_one({"_id": number, "text": "z" * 500}, session=session)


async def measure(database: Secantusdb, writes: int) -> None:
    """Print the memory ten times on the way."""
    client: DbClient = connect(database.url, app_name="benchmark")
    try:
        accounts = [{"_id": number, "text": "x" * 800} for number in range(100)]
        await client["measured"]["accounts"].insert_many(accounts)
        for number in range(writes + 1):
            if number % (writes // STEPS) == 0:
                print(f"{number:6} writes: {resident_mb(database.pid)} MB", flush=True)
            await write(client, number)
    finally:
        client.close()


def main() -> int:
    """Measure one database in a folder of its own, and return an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=WRITES)
    writes = parser.parse_args().writes
    with tempfile.TemporaryDirectory() as folder:
        database = Secantusdb(Path(folder))
        database.start()
        try:
            asyncio.run(measure(database, writes))
        finally:
            database.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
