"""Build the module that decides usual checks, for this Python: `python -m deploy.compiled`.

It needs a compiler of C and the headers of Python. The product does without it, with fewer checks a
second.
"""

import shlex
import subprocess
import sys
import sysconfig
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


def main() -> None:
    """Build it, or say what is missing."""
    try:
        print(build().relative_to(Path.cwd()))  # noqa: T201
    except (subprocess.CalledProcessError, FileNotFoundError) as problem:
        print(f"The module was not built: {problem}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
