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
    "*.dist-info/RECORD",
    *(f"google/{name}" for name in ("api", "cloud", "gapic", "logging", "longrunning", "type")),
    *("cffi", "pycparser", "OpenSSL/debug.py"),
    *("pydantic/mypy.py", "pydantic/v1"),
    *("babel/messages", "tzdata/zoneinfo/tzdata.zi", "urllib3/contrib/emscripten"),
    *("aiosmtpd/docs", "multidict/_multidict_py.py"),
    *(f"opentelemetry/exporter/otlp/proto/http/{name}_exporter" for name in ("_log", "metric")),
)
"""Tests, the sources of compiled modules, the types that only a checker reads, lists of files.

The rest is reached by no import of the product: interfaces of a cloud, what makes modules of C, the
form of pydantic before its own, what collects texts, a module for machines without the compiled
one, and what exports logs.
"""
CONVENTIONS = "opentelemetry/semconv/_incubating/*"
KEPT_CONVENTIONS = ("__init__", "otel_attributes", "otel_metrics")
"""Of the names of OpenTelemetry that may yet change, its own part reads these."""
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
    for names in packages.glob(f"{CONVENTIONS}/*.py"):
        if names.stem not in KEPT_CONVENTIONS:
            yield names
    for form in packages.joinpath(CERTIFICATES).glob("*.py"):
        if form.stem not in KEPT_CERTIFICATES:
            yield form


def trim(packages: Path) -> None:
    """Remove what is not needed, shorten what packages tell, and strip the compiled modules.

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
    for told in packages.glob("*.dist-info/METADATA"):
        fields, _, _ = told.read_text().partition("\n\n")  # what follows is the page of the package
        told.write_text(f"{fields}\n")
    if compiled := sorted(packages.rglob("*.so")):
        subprocess.run([*STRIP, *compiled], check=True)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
