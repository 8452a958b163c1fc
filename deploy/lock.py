"""How are the lock files made? `make lock`: pinned versions with hashes, and nobody's address."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "requirements.lock": (),
    "requirements-local.lock": ("--extra", "local"),
    "requirements-dev.lock": ("--extra", "dev"),
}


def main() -> None:
    """Write every lock file anew."""
    for name, extras in LOCKS.items():
        subprocess.run(
            [
                *("uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"),
                *("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet", "--upgrade"),
                *extras,
                *("--output-file", name),
            ],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    main()
