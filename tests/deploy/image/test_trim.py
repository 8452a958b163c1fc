"""What the image leaves out of the packages, and what it must keep."""

from pathlib import Path

import babel
import pytest
from babel.core import get_global

from deploy.image.trim import LOCALE_DATA, LOCALES, removed, trim
from services.console.domain.moments import FORMS
from services.notification.domain.wording import WORDINGS

PACKAGES = Path(babel.__file__).parent.parent
FILES = {
    "babel/locale-data/de.dat": True,
    "babel/locale-data/fr.dat": False,
    "babel/global.dat": True,
    "aiosmtpd/tests/test_smtp.py": False,
    "aiosmtpd/testing/helpers.py": False,
    "aiosmtpd/smtp.py": True,
    "uvloop/loop.pyx": False,
    "uvloop/includes/debug.pxd": False,
    "uvloop/loop.pyi": False,
    "multidict/_multilib/dict.h": False,
    "multidict/_multidict.c": False,
    "motor-3.7.1.dist-info/METADATA": True,
    "pydantic/py.typed": True,
    "google/type/date_pb2.py": False,
    "google/rpc/status_pb2.py": True,
    "google/protobuf/message.py": True,
    "pycparser/c_parser.py": False,
    "cffi/api.py": False,
    "pydantic/v1/main.py": False,
    "pydantic/deprecated/class_validators.py": True,
    "babel/messages/catalog.py": False,
    "babel/dates.py": True,
    "motor-3.7.1.dist-info/RECORD": False,
    "opentelemetry/semconv/_incubating/metrics/k8s_metrics.py": False,
    "opentelemetry/semconv/_incubating/metrics/otel_metrics.py": True,
    "pyasn1_modules/rfc2459.py": False,
    "pyasn1_modules/rfc5280.py": True,
}
"""Path → whether the image has it."""


def shipped_languages():
    return {form[0] for form in FORMS.values()} | {each.region for each in WORDINGS.values()}


def bases(name):
    """The locales from which Babel completes this one."""
    while name:
        yield name
        parent = get_global("parent_exceptions").get(name)
        name = parent or name.rpartition("_")[0]
    yield "root"


def test_the_languages_of_the_product_and_their_bases_are_kept():
    assert set().union(*map(bases, shipped_languages())) == set(LOCALES)


@pytest.fixture
def packages(tmp_path):
    for name in [*FILES, *(f"{LOCALE_DATA}/{locale}.dat" for locale in LOCALES)]:
        tmp_path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(name).write_text("")
    return tmp_path


def test_trimming_removes_what_is_listed_and_nothing_else(packages):
    trim(packages)
    assert {name: packages.joinpath(name).exists() for name in FILES} == FILES


def test_packages_tell_their_fields_and_no_page(packages):
    told = packages / "motor-3.7.1.dist-info" / "METADATA"
    told.write_text("Name: motor\nVersion: 3.7.1\n\nName: another\n")
    trim(packages)
    assert told.read_text() == "Name: motor\nVersion: 3.7.1\n"


def test_trimming_stops_when_a_language_of_the_product_is_missing(packages):
    packages.joinpath(LOCALE_DATA, "de_DE.dat").unlink()
    with pytest.raises(FileNotFoundError, match="de_DE"):
        trim(packages)


def test_the_installed_packages_have_what_the_table_removes():
    """A package that moves its files would make the image large again."""
    found = list(removed(PACKAGES))
    locales = [path for path in found if path.parent.name == "locale-data"]
    assert len(locales) > 1000
    assert sum(path.stat().st_size for path in locales) > 25_000_000
    assert PACKAGES / "aiosmtpd" / "tests" in found
