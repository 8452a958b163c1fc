"""Mutants of the shard of users and sessions, and of addresses."""

from tests.mutants.mutant import Kind, Mutant

USERS = "services/identity/store/users.py"
SESSIONS = "services/identity/store/sessions.py"
ADOPTION = "services/identity/store/adoption.py"
SHARDS = "tests/services/identity/test_shards.py"
STEPS = "tests/services/identity/test_migrations.py"

ROWS = (
    Mutant(
        id="user-shards-session-of-another-replica-is-unknown",
        kind=Kind.AVAILABILITY,
        file=SESSIONS,
        old='            place = {"_id": session_id, "shard": None}\n',
        new='            place = {"_id": session_id, "shard": -1}\n',
        tests=(SHARDS, "-k", "counts_at_once"),
    ),
    Mutant(
        id="user-shards-user-of-another-replica-is-unknown",
        kind=Kind.AVAILABILITY,
        file=USERS,
        old='for place in (at(user_id, user_id), {"_id": user_id, "shard": None}):',
        new="for place in (at(user_id, user_id),):",
        tests=(SHARDS, "-k", "counts_at_once"),
    ),
    Mutant(
        id="user-shards-refresh-finds-no-session-to-save",
        kind=Kind.AVAILABILITY,
        file=SESSIONS,
        old="            await self._sessions.update_one(place, change, session=session)\n",
        new="",
        tests=(SHARDS, "-k", "counts_at_once"),
    ),
    Mutant(
        id="user-shards-earlier-session-is-not-refreshed",
        kind=Kind.AVAILABILITY,
        file=SESSIONS,
        old='await self._sessions.find_one({"_id": session_id})',
        new="None",
        tests=(SHARDS, "-k", "by_its_token"),
    ),
    Mutant(
        id="user-shards-session-id-in-any-shard",
        kind=Kind.LIMIT,
        file="services/identity/use_cases/sessions.py",
        old='while shard_of(session_id := new_id("ses")) != shard_of(user_id):',
        new='while not (session_id := new_id("ses")):',
        tests=(SHARDS, "-k", "shard_of_their_user"),
    ),
    Mutant(
        id="user-shards-sessions-of-the-whole-shard",
        kind=Kind.SECURITY,
        file="services/identity/store/places.py",
        old='return {"shard": shard_of(user_id), "user_id": user_id}',
        new='return {"shard": shard_of(user_id)}',
        tests=(SHARDS, "-k", "same_shard"),
    ),
    Mutant(
        id="user-shards-nothing-is-adopted",
        kind=Kind.SECURITY,
        file="services/identity/app.py",
        old="        adopts=adopts,\n",
        new="",
        tests=(SHARDS, "-k", "just_before"),
    ),
    Mutant(
        id="user-shards-sessions-are-not-adopted",
        kind=Kind.SECURITY,
        file=ADOPTION,
        old='USER_OF = {"users": "_id", "sessions": "user_id"}',
        new='USER_OF = {"users": "_id"}',
        tests=(SHARDS, "-k", "just_before"),
    ),
    Mutant(
        id="user-shards-adopted-user-has-no-address",
        kind=Kind.DATA,
        file=ADOPTION,
        old='        if name == "users":\n',
        new="        if False:\n",
        tests=(STEPS, "-k", "in_batches"),
    ),
    Mutant(
        id="user-shards-step-takes-an-address-over",
        kind=Kind.SECURITY,
        file=ADOPTION,
        old='{"$setOnInsert": {"user_id": user["_id"]}}',
        new='{"$set": {"user_id": user["_id"]}}',
        tests=(STEPS, "-k", "stays_with_its_user"),
    ),
    Mutant(
        id="user-shards-unproved-address-of-an-earlier-version-is-taken",
        kind=Kind.SECURITY,
        file=ADOPTION,
        old='        if user["verified"]\n',
        new="",
        tests=(STEPS, "-k", "in_batches"),
    ),
    Mutant(
        id="user-shards-adoption-numbers-other-shards",
        kind=Kind.CONSISTENCY,
        file=ADOPTION,
        old="        if only in {None, shard}:\n",
        new="        if True:\n",
        tests=(STEPS, "-k", "its_shard_only"),
    ),
    Mutant(
        id="user-shards-step-numbers-one-batch",
        kind=Kind.DATA,
        file=ADOPTION,
        old="            after = await transact(database.client, partial(_number, database, name, "
        "after))\n",
        new="            await transact(database.client, partial(_number, database, name, after))\n"
        "            after = None\n",
        tests=(STEPS, "-k", "in_batches"),
    ),
    Mutant(
        id="addresses-are-not-saved-with-the-user",
        kind=Kind.DATA,
        file=USERS,
        old="[_address(user) for user in users], session)",
        new="[_address(user) for user in users], None)",
        tests=(SHARDS, "-k", "both_or_neither"),
    ),
    Mutant(
        id="addresses-without-a-user-cost-less",
        kind=Kind.SECURITY,
        file=USERS,
        old="        user_id = UserId(email_key if",
        new="        if address is None:\n            return None\n"
        "        user_id = UserId(email_key if",
        tests=("tests/services/identity/test_answer_costs.py",),
    ),
    Mutant(
        id="addresses-are-not-compared",
        kind=Kind.SECURITY,
        file=USERS,
        old='**at(user_id, user_id), "email_key": email_key, **VERIFIED',
        new="**at(user_id, user_id), **VERIFIED",
        tests=(SHARDS, "-k", "names_no_user"),
    ),
    Mutant(
        id="addresses-are-not-reserved",
        kind=Kind.DATA,
        file=USERS,
        old="insert_all_once(self._addresses, [_address(user) for user in users], session)",
        new="insert_all_once(self._addresses, [_address(users[0])], session)\n"
        "            await self._addresses.delete_many({}, session=session)",
        tests=(SHARDS, "-k", "one_document_of_the_address"),
    ),
    Mutant(
        id="addresses-lose-the-index-of-earlier-replicas",
        kind=Kind.CONSISTENCY,
        file="services/identity/migrations.py",
        old='EARLIER_INDEXES = {"users": ("address",),',
        new='EARLIER_INDEXES = {"users": ("address", "verified_address"),',
        tests=(STEPS, "-k", "index_by_which"),
    ),
)
