"""How long the audit log is kept, as a form names it."""


def read_days(text: str) -> int | str | None:
    """The days of a form, or None for no limit; the API refuses what is not a number."""
    typed = text.strip()
    return (int(typed) if typed.isascii() and typed.isdecimal() else typed) if typed else None


def ends_records(before: int | None, after: int | str | None) -> bool:
    """Whether records end by the choice that were kept before it."""
    return isinstance(after, int) and (before is None or after < before)
