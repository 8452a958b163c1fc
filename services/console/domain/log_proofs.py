"""What a browser needs to check by itself that a record is in the sealed log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.console.domain.log_records import fits_a_browser


@dataclass(frozen=True, kw_only=True)
class RecordProof:
    """A record as it was sealed, with its way to the root that a checkpoint has signed."""

    line: str
    index: int
    way: str
    """The hashes beside the way to the root, the lowest first, one on a line."""
    checkpoint: str
    keys: str
    """The keys of verifiers, one on a line."""
    by_browser: bool
    """Whether a browser can check it: it has no number that JavaScript rounds."""


def proof_of(
    inclusion: Mapping[str, Any], line: Mapping[str, Any] | None, sealed: Mapping[str, Any]
) -> RecordProof | None:
    """The proof; nothing while the record is not sealed, or when its contents are not kept."""
    if line is None or line.get("id") != inclusion["event_id"] or sealed["checkpoint"] is None:
        return None
    seal = {name: part for name, part in line["seal"].items() if name != "path"}
    return RecordProof(
        line=json.dumps({**line, "seal": seal}, ensure_ascii=False),
        index=inclusion["index"],
        way="\n".join(inclusion["hashes"]),
        checkpoint=sealed["checkpoint"],
        keys="\n".join(sealed["verifier_keys"]),
        by_browser=fits_a_browser(line),
    )
