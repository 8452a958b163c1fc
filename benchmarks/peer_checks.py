"""Checks of the workload in other products, in the process that asks; run by their own Python.

It imports nothing of this project: `python peer_checks.py WORKLOAD.json` prints one JSON object
with the microseconds of a check for each peer, or why it was not compared.
"""

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

PEERS = ("pemba", "regorus", "vakt", "cedarpy", "pycasbin")
SHARE_OF_CHECKS, PASSES, SECONDS = 200, 50, 5.0
_CASBIN_MODEL = """\
[request_definition]
r = sub, kind, act, dom, owner
[policy_definition]
p = sub, kind, act, scope
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.kind == p.kind && r.act == p.act && \
(p.scope == "all" || r.owner == r.sub)
"""


def by_role(workload):
    """Role and scope, with the permissions that are held so."""
    held = defaultdict(list)
    for role, kind, action, scope in workload["grants"]:
        held[role, scope].append(f"{kind}:{action}")
    return held


def pycasbin(workload):
    """Roles in domains, with the enforcer that finds policies by type and action."""
    import casbin

    folder = Path(tempfile.mkdtemp())
    (folder / "model.conf").write_text(_CASBIN_MODEL)
    lines = [f"p, {', '.join(grant)}" for grant in workload["grants"]]
    lines += [f"g, {user}, {role}, {account}" for account, user, role in workload["members"]]
    (folder / "policy.csv").write_text("\n".join(lines))
    enforcer = casbin.FastEnforcer(
        str(folder / "model.conf"), str(folder / "policy.csv"), cache_key_order=[1, 2]
    )
    return lambda check: enforcer.enforce(
        check["user"], check["type"], check["action"], check["account"], check["owner"] or ""
    )


def cedarpy(workload):
    """A policy for each role; the caller tells the roles of the principal."""
    import cedarpy

    texts = []
    for (role, scope), names in by_role(workload).items():
        actions = ", ".join(f'Action::"{name}"' for name in names)
        when = "" if scope == "all" else " when { resource.owner == principal }"
        texts.append(f'permit(principal in Role::"{role}", action in [{actions}], resource){when};')
    policies = "\n".join(texts)

    def check_one(check):
        user, resource = {"type": "User", "id": check["user"]}, {"type": "Resource", "id": "r-1"}
        owner = {"type": "User", "id": check["owner"] or "-"}
        entities = [
            {"uid": user, "attrs": {}, "parents": [{"type": "Role", "id": check["role"]}]},
            {"uid": resource, "attrs": {"owner": {"__entity": owner}}, "parents": []},
        ]
        request = {
            "principal": f'User::"{check["user"]}"',
            "action": f'Action::"{check["type"]}:{check["action"]}"',
            "resource": 'Resource::"r-1"',
            "context": {},
        }
        return cedarpy.is_authorized(request, policies, entities).allowed

    return check_one


def vakt(workload):
    """A policy for each role; the caller tells the roles of the subject."""
    import vakt
    from vakt.rules import Any, Eq, In

    storage = vakt.MemoryStorage()
    for number, ((role, scope), names) in enumerate(by_role(workload).items()):
        storage.add(
            vakt.Policy(
                str(number),
                actions=[In(*names)],
                resources=[Any()],
                subjects=[{"role": Eq(role)}],
                effect=vakt.ALLOW_ACCESS,
                context={} if scope == "all" else {"own": Eq(True)},  # noqa: FBT003 - its own form,
            )
        )
    guard = vakt.Guard(storage, vakt.RulesChecker())
    return lambda check: guard.is_allowed(
        vakt.Inquiry(
            action=f"{check['type']}:{check['action']}",
            resource="r-1",
            subject={"role": check["role"]},
            context={"own": check["owner"] == check["user"]},
        )
    )


def pemba(workload):
    """Relations of users to teams; rights on own resources are permissions of their own."""
    import pemba

    roles = sorted({role for role, *_ in workload["grants"]})
    held = defaultdict(list)
    for role, kind, action, scope in workload["grants"]:
        held[f"{kind}_{action}_{scope}"].append(role)
    lines = [f"  relation r_{role}: user" for role in roles]
    lines += [
        f"  permission {name} = {' + '.join(f'r_{role}' for role in having)}"
        for name, having in held.items()
    ]
    engine = pemba.Engine.memory()
    engine.write_schema("definition user {}\ndefinition team {\n" + "\n".join(lines) + "\n}\n")
    tuples = [f"team:{account}#r_{role}@user:{user}" for account, user, role in workload["members"]]
    for start in range(0, len(tuples), 1_000):
        engine.write(touch=tuples[start : start + 1_000])

    def check_one(check):
        team, user = f"team:{check['account']}", f"user:{check['user']}"
        name = f"{check['type']}_{check['action']}"
        if f"{name}_all" in held and engine.check(team, f"{name}_all", user):
            return True
        own = check["owner"] == check["user"] and f"{name}_self" in held
        return own and engine.check(team, f"{name}_self", user)

    return check_one


def regorus(workload):
    """A rule over the grants as data; the caller tells the roles of the subject."""
    import regorus

    engine = regorus.Engine()
    engine.add_policy(
        "checks.rego",
        "package checks\nimport rego.v1\ndefault allow := false\n"
        'allow if data.grants[input.role][input.name] == "all"\n'
        'allow if {\n data.grants[input.role][input.name] == "self"\n'
        " input.owner == input.user\n}\n",
    )
    grants = defaultdict(dict)
    for role, kind, action, scope in workload["grants"]:
        grants[role][f"{kind}:{action}"] = scope
    engine.add_data({"grants": grants})

    def check_one(check):
        engine.set_input(check | {"name": f"{check['type']}:{check['action']}"})
        return engine.eval_rule("data.checks.allow")

    return check_one


def measured(check_one, checks):
    """The microseconds of CPU for a check: the median of several passes, so warm."""
    for check in checks[:100]:
        if bool(check_one(check)) is not check["allowed"]:
            return {"reason": f"it answers {check} wrongly"}
    times, started = [], time.perf_counter()
    while not times or (len(times) < PASSES and time.perf_counter() - started < SECONDS):
        before = time.process_time()
        answers = [check_one(check) for check in checks]
        times.append((time.process_time() - before) / len(checks))
        for check, answer in zip(checks, answers, strict=True):
            if bool(answer) is not check["allowed"]:
                return {"reason": f"it answers {check} wrongly"}
    return {"us": statistics.median(times) * 1e6}


def main():
    workload = json.loads(Path(sys.argv[1]).read_text())
    found = {}
    for name in PEERS:
        try:
            check_one = globals()[name](workload)
            found[name] = measured(check_one, workload["checks"][:SHARE_OF_CHECKS])
            found[name]["version"] = version(name)
        except Exception as error:  # noqa: BLE001 - the report says why a peer was not compared
            found[name] = {"reason": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
