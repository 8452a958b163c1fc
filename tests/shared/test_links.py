"""A link's secret belongs to one key, kind, id and generation."""

import pytest

from shared.links import Link, Links

KEY = bytes(range(32))
LINK = Link(id="inv_" + "0" * 31 + "1", generation=3)


@pytest.fixture
def links() -> Links:
    return Links(KEY, "invitation")


def test_a_token_leads_back_to_its_link(links: Links) -> None:
    assert links.read(links.token(LINK)) == LINK
    assert links.fits(LINK, links.code(LINK))
    assert links.token(LINK) == Links(KEY, "invitation").token(LINK)


def test_a_code_is_accepted_in_small_letters_and_in_groups(links: Links) -> None:
    code = links.code(LINK)
    assert links.fits(LINK, f" {code[:4].lower()}-{code[4:].lower()} ")
    assert not links.fits(LINK, code[:7])
    assert not links.fits(LINK, "")
    assert not links.fits(LINK, "é" * 8)


@pytest.mark.parametrize(
    ("key", "kind", "link"),
    [
        (bytes(32), "invitation", LINK),
        (KEY, "verification", LINK),
        (KEY, "invitation", Link(id=LINK.id, generation=4)),
        (KEY, "invitation", Link(id="inv_" + "0" * 31 + "2", generation=3)),
    ],
)
def test_another_key_kind_id_or_generation_makes_another_secret(
    links: Links, key: bytes, kind: str, link: Link
) -> None:
    other = Links(key, kind)
    assert other.token(link) != links.token(LINK)
    assert other.code(link) != links.code(LINK)
    moved = f"{LINK.id}.{LINK.generation}.{other.token(link).rpartition('.')[2]}"
    assert links.read(moved) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: token.replace(".3.", ".03."),
        lambda token: token.replace(".3.", ".+3."),
        lambda token: token.replace(".3.", ".٣."),
        lambda token: token.replace(".3.", ".4."),
        lambda token: token.upper(),
        lambda token: token[:-2],
        lambda token: token.rpartition(".")[0] + ".",
    ],
)
def test_a_changed_token_is_refused(links: Links, change) -> None:
    assert links.read(change(links.token(LINK))) is None


def test_a_key_under_32_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Links(b"short", "invitation")
