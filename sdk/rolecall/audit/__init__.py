"""Proofs of an audit log: hashes of records, Merkle trees, signed checkpoints, verification."""
