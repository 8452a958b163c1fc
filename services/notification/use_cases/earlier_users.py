"""Learn of the users of before this version, of whom no fact has told.

Facts tell of every new user, and of each change. Users of before wait for the first fact about
them: until then their mails would be English, and name moments in UTC.
"""

from services.notification.domain.people import person_known
from services.notification.use_cases.context import Ctx
from shared.mongo import DatabaseWatch
from shared.problems import Unavailable

RETRY_SECONDS = 5.0
"""The pause while identity does not answer, or is of a version that does not list its users."""


async def learn_earlier_users(ctx: Ctx) -> None:
    """Learn of all users once for each database, by any number of replicas; then end."""
    watch = DatabaseWatch("Users of before this version are not known.", transactions=True)
    while True:
        with watch.round():
            if await ctx.people.all_known() or await learn_all(ctx):
                return
        await ctx.pause(RETRY_SECONDS)


async def learn_all(ctx: Ctx) -> bool:
    """Read every page of users; false if identity does not answer, or has no such pages yet."""
    cursor: str | None = None
    while True:
        try:
            page = await ctx.users.page(cursor)
        except Unavailable:
            return False  # the client of internal calls logs it
        if page is None:
            return False
        await ctx.people.add_missing([person_known(one) for one in page.people])
        cursor = page.next_cursor
        if cursor is None:
            break
    await ctx.people.note_all_known()
    return True
