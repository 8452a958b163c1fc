"""Build the image of the services: `python -m deploy.image.build [option of docker build...]`."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from deploy.image.labels import ROOT, image_labels


def build_command(labels: Mapping[str, str], options: Sequence[str]) -> list[str]:
    """The command line; it names the image by the version."""
    arguments = {name.removeprefix("IMAGE_"): value for name, value in labels.items()}
    if base := os.environ.get("PYTHON_IMAGE"):
        arguments["PYTHON_IMAGE"] = base
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    tag = f"--tag=rolecall-services:{labels['IMAGE_VERSION']}"
    return ["docker", "build", "--file=deploy/Dockerfile", *given, tag, *options, "."]


if __name__ == "__main__":
    command = build_command(image_labels(), sys.argv[1:])
    raise SystemExit(subprocess.run(command, cwd=ROOT, check=False).returncode)
