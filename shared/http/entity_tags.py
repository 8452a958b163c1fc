"""Answers that show the state of a resource, with the entity tag of that state."""

import hashlib
import json
from typing import ClassVar

from pydantic import computed_field

from rolecall.client.jwk import encode
from shared.http.routes import Answer

DIGEST_BYTES = 16


class TaggedAnswer(Answer):
    """The state of a resource, as its single read shows it.

    The tag is a digest of the state. It changes with what the answer shows and with nothing else,
    and after a restore it names the same state as before. `beside_the_state` are the members that a
    subclass adds to the answer of a write.
    """

    beside_the_state: ClassVar[frozenset[str]] = frozenset()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def etag(self) -> str:
        """The entity tag of this state. Send it as `If-Match` with a change."""
        state = self.model_dump(mode="json", exclude={"etag", *self.beside_the_state})
        text = json.dumps(state, sort_keys=True)
        return f'"{encode(hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES])}"'
