"""Build the module that decides usual checks, for this Python: `python -m deploy.compiled`.

It needs a compiler of C and the headers of Python. The product does without it, with fewer checks a
second.
"""

import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "services/authz/adapters"
NAME = "usual_checks"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-cast-function-type")
HARDENED = ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro,-z,now")


def build(into: Path = FOLDER, *, source: Path = FOLDER / f"{NAME}.c") -> Path:
    """Compile the source into a folder; the module.

    Raises:
        CalledProcessError, FileNotFoundError: there is no compiler, or it refuses the source.
    """
    module = into / f"{NAME}{sysconfig.get_config_var('EXT_SUFFIX')}"
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    headers = sysconfig.get_paths()["include"]
    options = ("-std=c11", "-O2", "-shared", "-fPIC", f"-I{headers}", *WARNINGS, *HARDENED)
    # A process that has the former module in use keeps it: the new one takes its name.
    made = module.with_suffix(".new")
    subprocess.run([*compiler, *options, str(source), "-o", str(made)], check=True)
    return made.replace(module)


def missing() -> str:
    """What this machine lacks to build it; empty if nothing."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"the compiler {compiler}"
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return "" if header.exists() else f"the header {header}"


def main(arguments: Sequence[str]) -> int:
    """Build it, and return an exit status; `--if-possible` leaves it out where something lacks."""
    lacking = missing()
    if lacking:
        print(f"The module was not built: {lacking} is missing.", file=sys.stderr)  # noqa: T201
        return 0 if "--if-possible" in arguments else 1
    try:
        print(build().relative_to(Path.cwd()))  # noqa: T201
    except subprocess.CalledProcessError as problem:
        print(f"The module was not built: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
