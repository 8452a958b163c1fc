"""All internal calls."""

from typing import Any

from shared.contracts.calls.activity import ACTIVITY
from shared.contracts.calls.authz import DECIDE, FIND_TOKEN, LIVE_CALLER, LIVE_CALLERS, NEW_TOKEN
from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    CONNECTION_JOIN,
    CONNECTION_RULE,
)
from shared.contracts.calls.decision_counts import ALLOWS, DENIALS
from shared.contracts.calls.history import PAST_BEARERS, PAST_POLICY
from shared.contracts.calls.identity import (
    ADDRESS_LINK,
    FACTOR_LINK,
    FAREWELL,
    FAREWELL_SENT,
    KEY_SET,
    NAMED_USERS,
    PASSWORD_RESET_LINK,
    READ_PEOPLE,
    SIGN_UP_LINK,
    TOKEN_USES,
    USER,
    VERIFICATION_LINK,
)
from shared.contracts.calls.journal import CHANGES, CONFIRM, HEADS
from shared.contracts.calls.leases import APPLIED, LEASE, RELEASE, SNAPSHOT
from shared.contracts.calls.notification import READ_PERSONAL_MESSAGES
from shared.contracts.calls.team import (
    INVITATION_LINK,
    INVITATION_LOOKUP,
    MEMBERSHIPS,
    PERSONAL_ACCOUNT,
    READ_ACTING_USERS,
    USER_RELEASE,
)

CALLS: tuple[InternalCall[Any, Any], ...] = (
    HEADS,
    CHANGES,
    CONFIRM,
    LEASE,
    APPLIED,
    RELEASE,
    SNAPSHOT,
    PAST_POLICY,
    PAST_BEARERS,
    KEY_SET,
    USER,
    NAMED_USERS,
    VERIFICATION_LINK,
    SIGN_UP_LINK,
    PASSWORD_RESET_LINK,
    ADDRESS_LINK,
    FACTOR_LINK,
    FAREWELL,
    FAREWELL_SENT,
    READ_PEOPLE,
    READ_PERSONAL_MESSAGES,
    INVITATION_LINK,
    INVITATION_LOOKUP,
    PERSONAL_ACCOUNT,
    MEMBERSHIPS,
    USER_RELEASE,
    READ_ACTING_USERS,
    CONNECTION_ACCOUNT,
    CONNECTION_RULE,
    CONNECTION_JOIN,
    ACTIVITY,
    ALLOWS,
    DENIALS,
    LIVE_CALLER,
    LIVE_CALLERS,
    DECIDE,
    FIND_TOKEN,
    NEW_TOKEN,
    TOKEN_USES,
)
