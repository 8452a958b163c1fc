"""Every HTTP call between the services, with the classes of its request and its answer.

The caller, the callee and a test's stand-in use the same classes. A field may be added with a
default; nothing is renamed or removed, and nothing gets another type
(`tests/contracts/test_golden_calls.py`). A request with an unknown member is refused, and fields
that have their default are not sent: an older callee accepts what a newer caller sends as long as
the new field is not used. Unknown members of an answer are ignored.
"""
