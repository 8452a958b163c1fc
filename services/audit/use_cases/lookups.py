"""What the filters of a search stand for in one account: users, actions, words of names."""

from services.audit.domain.records import Filters, action_filter
from services.audit.domain.search_terms import Given, Lookup, given_by, lookup, words_of
from services.audit.use_cases.context import Ctx
from shared.problems import Invalid

MAX_PEOPLE_OF_TEXT = 200
"""People with a text in their name; the database merges as many ranges in the order of time."""


async def lookups_of(ctx: Ctx, account_id: str, filters: Filters) -> tuple[Lookup, ...]:
    """Return the ranges that hold what the filters take; none if nothing can fit them.

    Raises:
        Invalid: too many people have the text in their name.
    """
    given: dict[str, tuple[str, ...]] = given_by(filters)
    if filters.user is not None:
        given["user"] = await _user_ids(ctx, filters.user.strip())
    if filters.action is not None and not {"action", "noun"} & set(given):
        given["action"] = await _actions(ctx, account_id, filters.action)
    if not all(given.values()):
        return ()
    if filters.text is None:
        return (lookup(given),)
    words = words_of(filters.text)
    of_resource = lookup({**given, "word": words})
    people = await _people(ctx, account_id, words, given)
    return (of_resource, lookup({**given, "user": people})) if people else (of_resource,)


async def _user_ids(ctx: Ctx, wanted: str) -> tuple[str, ...]:
    return tuple(await ctx.store.user_ids_with_email(wanted)) if "@" in wanted else (wanted,)


async def _actions(ctx: Ctx, account_id: str, prefix: str) -> tuple[str, ...]:
    wanted = action_filter(prefix)
    return tuple(filter(wanted.matches, await ctx.store.actions(account_id)))


async def _people(
    ctx: Ctx, account_id: str, words: tuple[str, ...], given: Given
) -> tuple[str, ...]:
    """Return the users of the account whose known name has all of the words."""
    users = given.get("user") or await ctx.store.user_ids(account_id)
    known = await ctx.store.known_users(users)
    found = [user.user_id for user in known.values() if set(words) <= set(words_of(user.name))]
    if len(found) > MAX_PEOPLE_OF_TEXT:
        problem = (
            f"More than {MAX_PEOPLE_OF_TEXT} people have this in their name. Send a further word"
            " of the name, or the id of the user as `user`."
        )
        raise Invalid(errors=[("/query/text", problem)])
    return tuple(found)
