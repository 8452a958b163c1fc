"""Mutants of the live list of notifications, and of what pages follow."""

from tests.mutants.mutant import Kind, Mutant

LIVE_LIST = "services/notification/use_cases/live_list.py"
READERS = "services/notification/use_cases/list_readers.py"
STORE = "services/notification/store/entries.py"
RULE_TESTS = ("tests/services/notification/domain/test_live_list_rules.py",)
LIST_TESTS = ("tests/services/notification/test_live_list.py",)
PAGE_TESTS = ("tests/services/console/test_live.py",)

ROWS = (
    Mutant(
        id="live-list-outlives-the-session",
        kind=Kind.SECURITY,
        file=LIVE_LIST,
        old="            if not live:\n",
        new="            if live is None:\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-tells-the-rest-of-a-page-after-the-end",
        kind=Kind.SECURITY,
        file=LIVE_LIST,
        old="                if self.reader.end is not None:\n                    return\n",
        new="",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-goes-on-while-authz-does-not-know",
        kind=Kind.SECURITY,
        file=LIVE_LIST,
        old="                each.stop(LiveListEnd.UNAVAILABLE)\n",
        new="                pass\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-goes-on-after-an-entry-of-another-person",
        kind=Kind.SECURITY,
        file=STORE,
        old='{"_id": place.last, "user_id": user_id, "number": place.number}',
        new='{"_id": place.last, "number": place.number}',
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-goes-on-after-another-number",
        kind=Kind.DATA,
        file=STORE,
        old='{"_id": place.last, "user_id": user_id, "number": place.number}',
        new='{"_id": place.last, "user_id": user_id}',
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-numbers-entries-outside-of-their-transaction",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="            return_document=ReturnDocument.AFTER,\n            session=session,\n",
        new="            return_document=ReturnDocument.AFTER,\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-does-not-hear-what-was-read",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="        if marked.modified_count:\n",
        new="        if marked.modified_count is None:\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="live-list-keeps-its-place",
        kind=Kind.AVAILABILITY,
        file=READERS,
        old="            self._readers.remove(reader)\n",
        new="            pass\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="authz-calls-all-readers-signed-in",
        kind=Kind.SECURITY,
        file="services/authz/routes/internal.py",
        old="live=tuple(_live(ctx, each) for each in call.body.callers)",
        new="live=tuple(True for _ in call.body.callers)",
        tests=("tests/services/authz/test_delegated_tokens.py",),
    ),
    Mutant(
        id="page-of-another-site-follows-notifications",
        kind=Kind.SECURITY,
        file="services/console/routes/pages.py",
        old="        if _foreign(request, ctx):\n",
        new="        if ctx is None:\n",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="console-follows-on-while-it-stops",
        kind=Kind.AVAILABILITY,
        file="services/console/adapters/api.py",
        old="            content.set_exception(aiohttp.ClientConnectionError())\n",
        new="            pass\n",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="live-list-place-has-two-names",
        kind=Kind.DATA,
        file="services/notification/domain/live_list.py",
        old="return place if str(place) == text and bool(last)",
        new="return place if bool(last)",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="live-lists-of-a-user-are-one-too-many",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/list_readers.py",
        old="            if count >= limit:",
        new="            if count > limit:",
        tests=("tests/services/notification/test_live_list.py",),
    ),
    Mutant(
        id="live-lists-begin-while-a-replica-stops",
        kind=Kind.CONSISTENCY,
        file="services/notification/use_cases/list_readers.py",
        old="        self._draining = True\n",
        new="        self._draining = False\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="live-list-far-behind-ends-before-it-has-caught-up",
        kind=Kind.DATA,
        file="services/notification/domain/live_list.py",
        old="if caught_up and behind > MAX_BEHIND",
        new="if behind > MAX_BEHIND",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="live-list-of-a-slow-reader-never-ends",
        kind=Kind.CONSISTENCY,
        file="services/notification/domain/live_list.py",
        old="if caught_up and behind > MAX_BEHIND",
        new="if not caught_up and behind > MAX_BEHIND",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="live-list-that-was-set-back-goes-on",
        kind=Kind.DATA,
        file="services/notification/domain/live_list.py",
        old="    if behind < 0:\n",
        new="    if behind < -MAX_BEHIND:\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="live-list-ends-with-its-last-reason",
        kind=Kind.DATA,
        file="services/notification/use_cases/list_readers.py",
        old="self.end = self.end or reason",
        new="self.end = reason",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="notifications-of-others-are-marked-as-read",
        kind=Kind.SECURITY,
        file="services/notification/store/entries.py",
        old='        wanted: Document = {"user_id": user_id, "unread": True}\n',
        new='        wanted: Document = {"unread": True}\n',
        tests=(
            "tests/services/notification/test_preferences.py",
            "tests/services/notification/test_live_list.py",
        ),
    ),
    Mutant(
        id="notifications-of-others-are-counted",
        kind=Kind.SECURITY,
        file="services/notification/store/entries.py",
        old='        unread = {"user_id": user_id, "unread": True}\n',
        new='        unread = {"unread": True}\n',
        tests=(
            "tests/services/notification/test_live_list.py",
            "tests/services/notification/test_preferences.py",
        ),
    ),
)
