"""The command `make lock`, which pins every package with hashes and without index addresses."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "requirements.lock": (),
    "requirements-local.lock": ("--extra", "local"),
    "requirements-dev.lock": ("--extra", "dev"),
    "requirements-deployment.lock": ("--extra", "deployment"),
}


def main() -> None:
    """Write every lock file again with the newest versions."""
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
