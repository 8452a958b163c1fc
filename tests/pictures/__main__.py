"""The command `make pictures`: picture every page of a demonstration, and fail if one is wrong.

    python -m tests.pictures [--only NAME,NAME] [--running FOLDER] [--readme]

`--running` takes the product that runs with its data in this folder, filled by `make demo`; its
`PUBLIC_URL` is that of the environment. `--readme` makes the pictures of the README again, alone.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.demo.__main__ import fill
from deploy.documents import ROOT
from deploy.local.run_files import run_file
from deploy.local.settings import LocalSettings
from services.console.routes import PAGES, design
from shared.runtime.environment import load
from tests.e2e.one_process import OneProcess
from tests.e2e.visitors import Site, chromium
from tests.pictures.demonstration import Demonstration
from tests.pictures.readme import write_readme_pictures
from tests.pictures.report import index, report
from tests.pictures.table import Picture, pictures
from tests.pictures.walk import Walk

FOLDER = ROOT / ".data" / "pictures"
MORE_MAILS = {"ROLECALL_IDENTITY_MAILS_PER_ADDRESS": "100"}


@contextmanager
def demonstration_site(running: Path | None) -> Iterator[Site]:
    """A product with the demonstration, and a browser."""
    if running is not None:
        with _site(running, load(LocalSettings).public_url) as site:
            yield site
        return
    with tempfile.TemporaryDirectory() as name:
        product = OneProcess(Path(name) / "one", options=MORE_MAILS)
        product.options["PUBLIC_URL"] = url = f"http://localhost:{product.port}"
        try:
            product.start()
            run = json.loads(run_file(product.data).read_text())
            if not asyncio.run(fill(run)) or asyncio.run(fill(run)):
                raise SystemExit("The demonstration is made once: its second run finds it.")
            with _site(product.data, url) as site:
                yield site
        finally:
            product.stop()


@contextmanager
def _site(data: Path, public_url: str) -> Iterator[Site]:
    """The pages at a name: at another address there are no passkeys."""
    run = json.loads(run_file(data).read_text())
    with chromium() as browser:
        yield Site(browser=browser, url=public_url or run["gateway"], mail=run["mail"])


def chosen(names: str | None) -> Sequence[Picture]:
    """The pictures of these names, or all.

    Raises:
        LookupError: there are none of a name.
    """
    every = pictures((*PAGES, *design.PAGES))
    if names is None:
        return every
    found = [one for one in every if one.name in names.split(",")]
    if unknown := set(names.split(",")) - {one.name for one in found}:
        raise LookupError(f"There is no picture {', '.join(sorted(unknown))}.")
    return found


def main() -> int:
    """Take the pictures; 0 if nothing is wrong with any page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help="the names of the pictures, with commas between them")
    parser.add_argument("--running", type=Path, help="the data folder of a product that runs")
    parser.add_argument("--readme", action="store_true", help="make the pictures of the README")
    given = parser.parse_args()
    wanted = chosen(given.only)
    if given.only is None:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demonstration_site(given.running) as site:
        walk = Walk(site, Demonstration(site), FOLDER)
        if given.readme:
            write_readme_pictures(walk)
            return 0
        walk.take(wanted)
    (FOLDER / "index.html").write_text(index(walk.findings))
    told = report(walk.findings)
    (FOLDER / "report.md").write_text(told)
    sys.stdout.write(told.partition("\n| page |")[0] + "\n")
    sys.stdout.write(f"Look at {FOLDER / 'index.html'}.\n")
    return 1 if any(one.faults for one in walk.findings) else 0


if __name__ == "__main__":
    sys.exit(main())
