"""Tests of the map of a gateway's routes: what it matches, and what is wrong with a file."""

import json
import random
import re

import pytest

from rolecall.core.forward_auth import (
    MAX_ROUTES,
    ForwardAuthError,
    Gateway,
    parse_forward_auth,
)
from rolecall.core.path_templates import CoveredRoutes
from tests.lengths import SEED, length

FILE = """
gateway: nginx
routes:
  - methods: [GET, HEAD]
    path: /v1/accounts/{account}/instances/{id}
    permission: instance:view
  - methods: [POST]
    path: /v1/accounts/{account}/instances/{id}:start
    permission: instance:start
  - methods: [GET]
    path: /v1/me
    permission: account:view
    scope: metering:read
  - methods: [GET]
    path: /v1/{cluster}
    host: api.example.com
    permission: cluster:view
    id: cluster
  - methods: [DELETE]
    path: /
    permission: account:delete
"""
ACCOUNT = "/v1/accounts/acc_1"


@pytest.fixture(scope="module")
def routes():
    return parse_forward_auth(FILE)


def matched(routes, target, method="GET", host="api.example.com"):
    found = routes.match(method=method, host=host, target=target)
    return found and (found.route.permission, found.account, found.project, found.id)


@pytest.mark.parametrize(
    ("method", "target", "found"),
    [
        ("GET", f"{ACCOUNT}/instances/i-1", ("instance:view", "acc_1", None, "i-1")),
        ("HEAD", f"{ACCOUNT}/instances/i-1?x=/../y", ("instance:view", "acc_1", None, "i-1")),
        ("POST", f"{ACCOUNT}/instances/i-1:start", ("instance:start", "acc_1", None, "i-1")),
        ("GET", "/v1/me", ("account:view", None, None, None)),
        ("GET", "/v1/c-1", ("cluster:view", None, None, "c-1")),
        ("DELETE", "/", ("account:delete", None, None, None)),
    ],
)
def test_a_request_matches_its_route_and_names_what_the_path_has(routes, method, target, found):
    assert matched(routes, target, method) == found


@pytest.mark.rule("T18")
@pytest.mark.parametrize(
    "target",
    [
        f"{ACCOUNT}/instances/i%2D1",
        f"{ACCOUNT}/instances/i-1%2Fdisks",
        f"{ACCOUNT}/instances/i-1%2f..%2fi-2",
        f"{ACCOUNT}/instances/..",
        f"{ACCOUNT}/instances/.",
        f"{ACCOUNT}/instances/%2e%2e",
        f"{ACCOUNT}/instances/../instances/i-1",
        f"{ACCOUNT}/./instances/i-1",
        f"{ACCOUNT}//instances/i-1",
        f"/{ACCOUNT}/instances/i-1",
        f"{ACCOUNT}/instances/i-1/",
        f"{ACCOUNT}/instances/",
        f"{ACCOUNT}/instances",
        f"{ACCOUNT}/Instances/i-1",
        f"{ACCOUNT.upper()}/instances/i-1",
        f"{ACCOUNT}/instances/i-1;x=1",
        f"{ACCOUNT}/instances/i-1#top",
        f"{ACCOUNT}/instances/i-1\\disks",
        f"{ACCOUNT}/instances/i-1\n",
        f"{ACCOUNT}/instances/i-1:start",
        f"{ACCOUNT}/instances/\u00fc",
        f"{ACCOUNT}/instances/i 1",
        f"{ACCOUNT}/instances/i+1",
        f"http://api.example.com{ACCOUNT}/instances/i-1",
        ACCOUNT[1:] + "/instances/i-1",
        "/v1%2fme",
        "/v1/me%00",
        "*",
        "",
        "?",
    ],
)
def test_what_an_upstream_could_read_in_another_way_matches_nothing(routes, target):
    assert matched(routes, target) is None


@pytest.mark.parametrize("method", ["get", "POST", "TRACE", "", "GET "])
def test_a_method_is_compared_exactly(routes, method):
    assert matched(routes, "/v1/me", method) is None


@pytest.mark.parametrize(
    ("host", "found"),
    [("api.example.com", True), ("API.example.com", True), ("example.com", False), (None, False)],
)
def test_a_host_is_compared_without_case_and_nothing_else(routes, host, found):
    assert (matched(routes, "/v1/c-1", host=host) is not None) is found
    assert matched(routes, "/v1/c-1", host="api.example.com:8443") is None


def test_the_first_route_that_matches_counts(routes):
    assert matched(routes, "/v1/me")[0] == "account:view"
    assert routes.gateway is Gateway.NGINX


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gateway: nginx", "gateway: haproxy", "2: /gateway: The value 'haproxy' is not allowed"),
        ("gateway: nginx", "", "/gateway: This key is required"),
        ("[GET, HEAD]", "[GTE]", "/routes/0/methods/0: The value 'GTE' is not allowed here"),
        ("instance:view", "instance", "/routes/0/permission: The value 'instance' is not a perm"),
        ("path: /v1/me", "path: v1/me", "/routes/2/path: A path begins with `/`."),
        ("path: /v1/me", "path: /v1/me/", "/routes/2/path: A path has no empty segments"),
        ("path: /v1/me", "path: /v1/../me", "/routes/2/path: The segment '..' means another"),
        ("path: /v1/me", "path: /v1/m%65", "/routes/2/path: The segment 'm%65' is neither"),
        ("path: /v1/me", "path: /{a}/{a}", "/routes/2/path: The parameter {a} appears twice"),
        ("id: cluster", "id: clustr", "Did you mean 'cluster'? Name one of the path"),
        ("host: api", "host: API", "/routes/3/host: A host is written in lower case"),
        ("    scope: m", "    scop: m", "/routes/2/scop: Unexpected key. Did you mean 'scope'?"),
        (
            "path: /v1/me",
            "path: /v1/{x}\n    permission: a:b\n  - methods: [GET]\n    path: /v1/me",
            "13: /routes/3: Route 3 matches every request of this one first.",
        ),
    ],
)
def test_a_problem_of_a_file_names_line_place_and_repair(old, new, said):
    with pytest.raises(ForwardAuthError) as refused:
        parse_forward_auth(FILE.replace(old, new, 1))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "gateway: nginx\nroutes: []", "a: !x b", "a: [", "a: 1"]
)
def test_a_file_of_another_shape_is_refused(text):
    with pytest.raises(ForwardAuthError):
        parse_forward_auth(text)


SEGMENTS = ["a", "b", "a:b", "v1.0", "a@b", "a:b:c", "{x}", "{y}", "{x}:b", "{y}:c"]


def covers(earlier, later):
    """Whether a route matches every request of another one, in the plainest way."""
    (ours, our_host, our_methods), (theirs, their_host, their_methods) = earlier, later
    values = ["a", "b", "q", "v1.0"]
    paths = [
        [each.replace("{x}", value).replace("{y}", value) for each in theirs] for value in values
    ]
    return (
        all(fits(ours, path) for path in paths)
        and len(ours) == len(theirs)
        and set(our_methods) >= set(their_methods)
        and our_host in (None, their_host)
    )


def fits(template, path):
    written = "/".join(map(re.escape, template)).replace(r"\{", "{").replace(r"\}", "}")
    return re.fullmatch(re.sub(r"\{[xy]\}", "[A-Za-z0-9._~-]+", written), "/".join(path))


def test_a_route_that_is_never_reached_is_found_in_random_maps():
    rng, found = random.Random(SEED), 0
    for _ in range(length("FORWARD_MAPS", short=60, soak=3_000)):
        routes = [
            (
                rng.choices(SEGMENTS, k=rng.randint(1, 3)),
                rng.choice([None, None, "one.example", "two.example"]),
                rng.sample(["GET", "POST", "PUT"], rng.randint(1, 3)),
            )
            for _ in range(12)
        ]
        routes = [one for one in routes if not {"{x}", "{x}:b"} <= set(one[0])]
        routes = [one for one in routes if all(one[0].count(each) < 2 for each in SEGMENTS[6:])]
        routes = [one for one in routes if not {"{y}", "{y}:c"} <= set(one[0])]
        expected = {}
        for at, later in enumerate(routes):
            before = [each for each in range(at) if covers(routes[each], later)]
            if before:
                expected[at] = before[0]
        written = [
            {"methods": methods, "path": "/" + "/".join(path), "permission": "t:a", "host": host}
            for path, host, methods in routes
        ]
        said = {}
        try:
            parse_forward_auth(json.dumps({"gateway": "nginx", "routes": written}))
        except ForwardAuthError as error:
            said = {
                each.place[1]: int(each.message.split()[1]) - 1
                for each in error.problems
                if each.message.startswith("Route ")
            }
        assert said == expected, written
        found += len(said)
    assert found > 20


class Methods(frozenset[str]):
    """The methods of a route, which count how often they are compared."""

    compared = 0

    def __ge__(self, other: object) -> bool:
        Methods.compared += 1
        return super().__ge__(other)  # type: ignore[operator]


@pytest.mark.parametrize(
    "path", ["/v1/{{one}}/r{at}", "/v1/r{at}/{{one}}", "/v{at}/{{a}}/{{b}}/{{c}}", "/r"]
)
def test_a_long_map_is_not_compared_route_by_route(path):
    routes, Methods.compared = CoveredRoutes(), 0
    for at in range(MAX_ROUTES):
        one = path.format(at=at), f"{at}.example", Methods({"GET"})
        assert routes.covering(*one) is None
        routes.add(at, *one)
    assert routes.covering(path.format(at=7), "7.example", Methods({"GET"})) == 7
    assert Methods.compared == 1


def test_a_map_has_a_bounded_number_of_routes():
    route = "  - {{methods: [GET], path: /{}, permission: instance:view}}\n"
    text = "gateway: nginx\nroutes:\n" + "".join(map(route.format, range(MAX_ROUTES + 1)))
    with pytest.raises(ForwardAuthError, match=f"{MAX_ROUTES}"):
        parse_forward_auth(text)
