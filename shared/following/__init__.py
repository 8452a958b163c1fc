"""The journal of a source, followed in memory under a lease.

A follower loads a snapshot, applies the rows of the journal in order and renews its lease. While
the lease holds, the state contains every change that the source has acknowledged.
"""
