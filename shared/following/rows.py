"""Verified rows as the view takes them."""

from shared.auth.row_signatures import SignedRow
from shared.following.journal_view import JournalRow


def journal_row(signed: SignedRow) -> JournalRow:
    """What the view needs of a verified row."""
    row = signed.row
    return JournalRow(
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        previous=row.previous,
        digest=signed.digest,
        part=row.part,
        parts=row.parts,
        policy_objects=row.policy_objects,
    )
