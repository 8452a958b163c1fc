"""The headers that tell quotas, as draft-ietf-httpapi-ratelimit-headers has them."""

from shared.quotas import Quota, quota_headers


def test_quotas_are_told_by_a_policy_and_what_is_left_for_each():
    rate = Quota(name="logins", limit=10, remaining=3, reset_seconds=59, window_seconds=900)
    at_once = Quota(name="users-at-once", limit=16, remaining=0, reset_seconds=1)
    assert quota_headers([rate, at_once]) == {
        "RateLimit-Policy": '"logins";q=10;w=900, "users-at-once";q=16;qu="concurrent-requests"',
        "RateLimit": '"logins";r=3;t=59, "users-at-once";r=0;t=1',
    }


def test_without_quotas_nothing_is_told():
    assert quota_headers([]) == {}
