"""When a checkpoint may be signed: never one that is inconsistent with the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.audit.notes import Checkpoint, NoteError, VerifierKey, opened_checkpoint, signed
from rolecall.audit.trees import GrowingTree, HashOf, consistency_proof, proves_consistency


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree as it is stored: its name, and its whole subtrees."""

    tree: str
    size: int
    peaks: tuple[bytes, ...]

    def growing(self) -> GrowingTree:
        """The tree, ready for more leaves."""
        return GrowingTree(self.size, list(self.peaks))


class InconsistentTree(Exception):  # noqa: N818 - an alarm, not an error of this code
    """A tree does not continue the last checkpoint: it was altered, replaced or set back."""


class CheckpointSigner:
    """Signs checkpoints of the trees, and reads those that this or an earlier key has signed."""

    def __init__(
        self, key: Ed25519PrivateKey, *, public_url: str, former_keys: Sequence[bytes] = ()
    ) -> None:
        self._key = key
        self._host = urlsplit(public_url).netloc
        self._public_keys = (key.public_key().public_bytes_raw(), *former_keys)

    def origin(self, tree: str) -> str:
        """The origin of a tree's checkpoints, which is also the name of its keys."""
        return f"{self._host}/audit/{tree}"

    def verifier_keys(self, tree: str) -> list[VerifierKey]:
        """The keys that checkpoints of a tree are verified by, the newest first."""
        return [VerifierKey(self.origin(tree), key) for key in self._public_keys]

    def opened(self, tree: str, note: str) -> Checkpoint:
        """The checkpoint in a note of this tree.

        Raises:
            InconsistentTree: none of the keys has signed the note.
        """
        for key in self.verifier_keys(tree):
            try:
                return opened_checkpoint(note, key)
            except NoteError as problem:
                last = problem
        raise InconsistentTree(f"a stored checkpoint of {tree} is not ours: {last}")

    def signed(
        self, head: TreeHead, earlier: Sequence[str], hash_of: HashOf, *, ended: str | None = None
    ) -> str:
        """The note with the checkpoint of a tree that has grown from all of the earlier notes.

        `ended` is a note that a restore has ended: the new one names it, and so do those after it.

        Raises:
            InconsistentTree: it has not, or the earlier ones are not of this signer.
        """
        root = head.growing().root()
        extensions: dict[str, None] = {}
        if ended is not None:
            last = self.opened(head.tree, ended)
            extensions = dict.fromkeys((*last.extensions, last.after_restore()))
        for note in earlier:
            previous = self.opened(head.tree, note)
            extensions |= dict.fromkeys(previous.extensions)
            if not _continues(previous, head, root, hash_of):
                raise InconsistentTree(
                    f"the tree {head.tree} of {head.size} leaves does not continue the checkpoint"
                    f" of {previous.size}"
                )
        checkpoint = Checkpoint(self.origin(head.tree), head.size, root, tuple(extensions))
        return signed(checkpoint.text(), checkpoint.origin, [self._key])


def _continues(previous: Checkpoint, head: TreeHead, root: bytes, hash_of: HashOf) -> bool:
    if not 0 < previous.size <= head.size:
        return previous.size == 0
    try:
        proof = consistency_proof(previous.size, head.size, hash_of)
    except LookupError:
        return False
    return proves_consistency(previous.size, head.size, (previous.root, root), proof)
