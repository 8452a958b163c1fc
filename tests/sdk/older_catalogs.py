"""The shipped catalogs as they were published before `project:create` existed."""

import copy
from typing import Any

from rolecall import Catalog, load_catalog

OLDER_IDS = {
    "standard": "0222342585b2dec5e6bb06e9c69c7ecdf6a53cabcd601e47f1749c6b91375789",
    "runpod": "0e57126253ed40b36e65520852483a60ce98822c95764491356776b045881d4d",
    "runos": "f315e362d280dc8078a4e62ba5138204d514da1f452ffbbb051c9356ff2f292f",
    "cloud-iam": "52c013a2a17d8ac2d3df39fda14cc8618e951f2d91c32478e9945b2480cfac88",
    "novita": "9df2a663910f02649d78dace36ddea20054c3b1d9f4f110824c925c896b3b294",
}
"""The digests under which they were published; accounts still name them."""

ACCOUNT_WIDE_PROJECTS = ("standard", "runpod", "novita")
"""The catalogs whose older version has an account-wide entry for rights on one project."""

RULES_IN_DESCRIPTIONS = {
    "standard": {
        "owner": "Nv7",
        "admin": "Nv11",
        "operator": "Ci6",
        "developer": "Rp11",
        "billing": "Rp10",
        "basic": "Rp9, Nv8",
        "viewer": "Ci6",
    },
    "runpod": {"basic": "Rp9", "billing": "Rp10", "dev": "Rp11", "admin": "Rp12"},
    "runos": {"admin": "Ro1"},
    "cloud-iam": {"admin": "Ci7", "operator": "Ci6", "viewer": "Ci6"},
    "novita": {"owner": "Nv11"},
}
"""The rules that descriptions of roles named then, by catalog and role."""


def older(name: str) -> Catalog:
    """The version of a shipped catalog that accounts of an earlier release name."""
    content: dict[str, Any] = copy.deepcopy(load_catalog(name).to_mapping())
    entries = content["sections"][-1]["entries"]
    entries[:] = [entry for entry in entries if entry["id"] != "new_project"]
    for role in content["roles"]:
        role["grants"].pop("new_project", None)
        if rules := RULES_IN_DESCRIPTIONS[name].get(role["id"]):
            role["description"] = f"{role['description'].removesuffix('.')} ({rules})."
    for entry in entries:
        if entry["id"] == "project":
            entry["project_scoped"] = False
            if name == "standard":
                entry["why"] = (
                    "A project is part of the account's structure; its name and id are no secret"
                    " inside."
                )
    return Catalog.from_published(content)
