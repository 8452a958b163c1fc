"""The facts that team records about members who come through a connection of their account."""

from typing import ClassVar

from shared.contracts.facts import NO_TRANSLATIONS, Payload, Translations


class MemberJoinedByConnection(Payload):
    """A user signed in through a connection of the account, whose rule made them a member."""

    type: ClassVar[str] = "team.member.joined_by_connection.v1"
    account_name: str
    user_id: str
    email: str
    name: str
    role: str
    role_title: str
    translations: Translations = NO_TRANSLATIONS
    connection_id: str
    connection_label: str
    rule_set_by: str
    """The member who has set the rule, and so gives the role."""


class JoinRefused(Payload):
    """The rule of a connection could not make a user a member.

    It is recorded once for each problem of a rule, and once for each former member.
    """

    type: ClassVar[str] = "team.member.join_refused.v1"
    account_name: str
    user_id: str
    email: str
    name: str
    role: str
    connection_id: str
    connection_label: str
    rule_set_by: str
    problem: str
    manager_emails: tuple[str, ...] = ()
    """Those who are told of a problem of the rule; empty for one of the user alone."""


FACTS: tuple[type[Payload], ...] = (MemberJoinedByConnection, JoinRefused)
