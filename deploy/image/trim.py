"""Remove from installed packages what the services never read: `python trim.py SITE_PACKAGES`.

It runs while the image is built, before the product is in it, so it imports nothing of it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOCALES = ("root", "en", "en_001", "en_GB", "de", "de_DE")
"""The languages of the product, each with those that it builds on."""
LOCALE_DATA = "babel/locale-data"
REMOVED = (
    "*/tests",
    "*/testing",
    "**/*.c",
    "**/*.h",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.pyi",
    "**/*.pyx",
    *(f"google/{name}" for name in ("api", "cloud", "gapic", "logging", "longrunning", "type")),
    "pycparser",
)
"""Tests, the sources of compiled modules, the types that only a checker reads.

The last two are reached by no import of the product: interfaces of a cloud, and a parser of C.
"""
CERTIFICATES = "pyasn1_modules"
KEPT_CERTIFICATES = ("__init__", "rfc5280")
"""Of two hundred forms of certificates and keys webauthn reads one."""
STRIP = ("strip", "--strip-unneeded")
"""Symbols and debugging information are half of the size of the compiled modules."""


def removed(packages: Path) -> Iterator[Path]:
    """The files and folders of these packages that the image does not have."""
    for pattern in REMOVED:
        yield from packages.glob(pattern)
    for locale in packages.joinpath(LOCALE_DATA).glob("*.dat"):
        if locale.stem not in LOCALES:
            yield locale
    for form in packages.joinpath(CERTIFICATES).glob("*.py"):
        if form.stem not in KEPT_CERTIFICATES:
            yield form


def trim(packages: Path) -> None:
    """Remove what is not needed, and strip the compiled modules.

    Raises:
        FileNotFoundError: a language of the product is missing, or `strip` is.
        subprocess.CalledProcessError: `strip` failed.
    """
    for locale in LOCALES:
        packages.joinpath(LOCALE_DATA, f"{locale}.dat").stat()
    for path in list(removed(packages)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if compiled := sorted(packages.rglob("*.so")):
        subprocess.run([*STRIP, *compiled], check=True)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
