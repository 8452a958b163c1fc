"""QR codes on the pages, drawn here: no text of the API is shown as markup."""

import segno


def qr_code(text: str) -> str:
    """Return an SVG element without script, style or outer references."""
    return segno.make(text, error="m").svg_inline(scale=5, light="#fff", omitsize=True)
