"""Mutants of usual checks: what raw bytes and the compiled module must not leave out."""

from tests.mutants.mutant import Kind, Mutant

SOURCE = "services/authz/adapters/usual_checks.c"
ANSWERS = "services/authz/routes/usual_answers.py"
LIMITS = ("tests/services/authz/test_hot_connections.py",)
SAME = ("tests/services/authz/test_usual_checks.py",)


def _compiled(name: str, old: str, new: str, kind: Kind = Kind.SECURITY) -> Mutant:
    return Mutant(id=f"compiled-takes-{name}", kind=kind, file=SOURCE, old=old, new=new, tests=SAME)


def _answers(name: str, old: str, new: str, kind: Kind = Kind.SECURITY) -> Mutant:
    return Mutant(id=f"usual-answers-{name}", kind=kind, file=ANSWERS, old=old, new=new, tests=SAME)


ROWS = (
    Mutant(
        id="hot-path-takes-a-revoked-token",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="                    raise TokenRevoked\n",
        new="                    pass\n",
        tests=LIMITS,
    ),
    _compiled(
        "a-disabled-user", "    NEEDS_NOT(PySet_Contains(place->disabled, place->user_id));\n", ""
    ),
    _compiled(
        "an-external-id",
        "    NEEDS_NOT(PyDict_Contains(place->external, place->account_id));\n",
        "",
    ),
    _compiled(
        "a-suspended-account",
        "    NEEDS(is_attribute(place->account, S_status, ACTIVE_ACCOUNT));\n",
        "",
    ),
    _compiled(
        "no-second-factor",
        "    NEEDS(is_attribute(place->account, S_second_factor, Py_False));\n",
        "",
    ),
    _compiled(
        "a-suspended-member",
        "    NEEDS(is_attribute(place->terms, S_status, ACTIVE_MEMBER));\n",
        "",
    ),
    _compiled(
        "a-membership-that-is-over",
        "    return is_attribute(place->terms, S_expires_at, Py_None);\n",
        "    return 1;\n",
    ),
    _compiled(
        "an-override-that-is-over",
        "    int endless = is_attribute(override, S_expires_at, Py_None);\n",
        "    int endless = 1;\n",
    ),
    _compiled(
        "no-override",
        "Py_SETREF(*matrix, PyObject_GetAttr(override, S_matrix));",
        "Py_SETREF(*matrix, Py_NewRef(*matrix));",
    ),
    _compiled("an-unknown-project", "    NEEDS(known);\n", "    (void)known;\n"),
    _compiled(
        "a-registered-resource",
        "    return registered < 0 ? registered : !registered;\n",
        "    return registered < 0 ? registered : 1;\n",
    ),
    _compiled(
        "a-right-on-a-project",
        "    return is_attribute(*held, S_on_project, Py_False);\n",
        "    return 1;\n",
    ),
    _compiled(
        "no-condition", "    return conditions < 0 ? conditions : !conditions;\n", "    return 1;\n"
    ),
    _compiled("any-owner", " && same(item->owner, place->user_text)", ""),
    _compiled(
        "a-session",
        '    if (!all->of_resource) return !is_text(name, "session_id");\n',
        "    if (!all->of_resource) return 1;\n",
    ),
    _compiled("another-subject-type", ' || !is_text(entity.type, "user")', ""),
    _compiled(
        "a-property-twice",
        "        if (same(all->names[each], name)) return 0;\n",
        "        if (0) return 0;\n",
    ),
    _compiled(
        "properties-twice",
        """!entity->properties++
           && take_properties(in, entity->item, 0);""",
        "take_properties(in, entity->item, 0);",
    ),
    _compiled("an-api-token", "text->size < TOKEN_PREFIX_SIZE\n", "1 || text->size\n"),
    _compiled("more-behind", "    return in->at == in->end;\n", "    return 1;\n"),
    _compiled("the-member-before", " || !same(place->user_text, item->subject)", ""),
    _compiled("the-account-before", " || !same(place->account_text, item->account)", ""),
    _compiled("a-mixed-entity", "        item->owner = defaults->owner;\n", ""),
    _compiled(
        "too-many-items",
        "        if (batch->count == batch->most) return 0;\n",
        "        if (batch->count == 1000) return 0;\n",
        Kind.LIMIT,
    ),
    _compiled(
        "a-lost-object",
        "    Py_XDECREF(held);\n    Py_XDECREF(matrix);\n",
        "    Py_XDECREF(held);\n",
        Kind.AVAILABILITY,
    ),
    _answers("of-a-bound-client", "            and client.account_ids is None\n", ""),
    _answers("of-a-client-bound-to-types", "            and client.resource_types is None\n", ""),
    _answers("without-the-scope", "            and CHECK_SCOPE in client.scopes\n", ""),
    _answers("count-no-allows", " or self._ctx.allows.any", ""),
    _answers(
        "without-the-leases",
        "        if found is None or not ctx.holds():\n",
        "        if found is None:\n",
    ),
    _answers(
        "to-batches-without-the-leases",
        "        if every is None or not ctx.holds():\n",
        "        if every is None:\n",
    ),
    _answers(
        "of-the-account-before",
        "            if found[1] is not account_id:\n",
        "            if account_id is None:\n",
    ),
)
