"""How the pages write addresses that are longer than a narrow place."""

import pytest
from markupsafe import escape

from services.console.pages.rendering import breakable


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ada.moreau@northwind.example", "ada.moreau@<wbr>northwind.example"),
        ("hooks.example", "hooks.<wbr>example"),
        ("https://a.example/hook/", "https://<wbr>a.<wbr>example/<wbr>hook/"),
        ("Night shift", "Night shift"),
        ("<b>@a", "&lt;b&gt;@<wbr>a"),
        ("a.<b", "a.&lt;b"),
    ],
)
def test_an_address_breaks_between_its_parts(address, shown):
    assert breakable(address) == shown


def test_what_is_escaped_already_is_not_escaped_again():
    assert breakable(escape("<b>@a")) == "&lt;b&gt;@<wbr>a"
