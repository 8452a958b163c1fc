"""The key of the marks of erased people: one for as long as the database lives.

It is made from the first `JOURNAL_KEY` and kept sealed with `STREAM_KEY`. So marks stay what they
are when the key of the journal changes, and the database alone does not tell it.
"""

import logging

from cryptography.exceptions import InvalidTag

from services.audit.domain.erased_people import PersonMarks
from services.audit.store import Store
from services.audit.store.erasures import MARKS_KEY
from shared.sealed_secrets import SealedSecrets

_log = logging.getLogger(__name__)


async def open_marks_key(store: Store, secrets: SealedSecrets, marks: PersonMarks) -> None:
    """Give `marks` the key that is kept; the first time keep the one that they have.

    Raises:
        DatabaseAway: the database was away.
    """
    own = secrets.seal(marks.key.hex(), about=MARKS_KEY)
    kept = await store.keep_marks_key(own)
    try:
        marks.key = bytes.fromhex(secrets.open(kept, about=MARKS_KEY))
    except InvalidTag:
        _log.error(
            "The key of the marks of erased people was sealed with another key."
            " People who were erased before are found by their ids only."
        )
