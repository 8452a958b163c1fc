"""The text of a `Rolecall-Revision`, as far as a client looks into it."""

import re
from typing import NamedTuple

_FORM = re.compile(r"([a-z]{1,32})\.([A-Za-z0-9_-]{1,64})\.([0-9]{1,6})\.([0-9]{1,18})")


class Revision(NamedTuple):
    """One position in the journal of a source, such as team."""

    source: str
    epoch: str
    shard: int
    seq: int


def read_revision(text: str) -> Revision | None:
    """Read a revision; `None` if the text has another form, so that it cannot be one."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    source, epoch, shard, seq = found.groups()
    return Revision(source, epoch, int(shard), int(seq))
