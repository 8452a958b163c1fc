"""What the templates of mails do with addresses and with lines that are copied."""

from markupsafe import Markup, escape


def address_html(url: str) -> Markup:
    """An address that leads to itself."""
    return Markup('<a class="link" href="{0}" style="color:#1f5eff">{0}</a>').format(escape(url))


def linked_html(text: str, url: str) -> Markup:
    """Words that lead to an address."""
    return Markup('<a class="link" href="{}" style="color:#1f5eff">{}</a>').format(url, text)


def linked_text(text: str, url: str) -> str:
    """Words, and the address."""
    return f"{text}: {url}"


def note_html(note: str) -> Markup:
    """Lines that are copied from the mail as they are."""
    return Markup(
        '<pre style="margin:0 0 16px;font-family:monospace;font-size:13px;white-space:pre-wrap;'
        'word-break:break-all">{}</pre>'
    ).format(note)
