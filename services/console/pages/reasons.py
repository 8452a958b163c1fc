"""Reasons and choices in sentences, in the language of their reader."""

from collections.abc import Mapping
from typing import Any

from services.console.domain.explanations import AccessExplanation
from services.console.domain.grant_texts import grant_text
from services.console.domain.permission_tables import HeldLevel
from services.console.pages.grant_words import reach_words
from services.console.pages.words import WORDS
from services.console.pages.words.access import OTHERWISE, WHY


def why(
    found: AccessExplanation | None, *, language: str, member: str, permission: str, project: str
) -> str:
    """Why a member may do something or not."""
    if found is None:
        return ""
    kind = "override" if found.override else "role"
    text = WHY.get(found.reason) or WHY.get(f"{found.reason}-{kind}", OTHERWISE)
    parts = {"member": member, "permission": permission, "project": project, "role": found.role}
    return text.filled(**parts).of(language)


def why_denied(access: Mapping[str, Any], *, member: str, language: str) -> str:
    """Why everything is refused to a member at the moment; nothing if it is not."""
    reason = access["denied"]
    text = WHY.get(reason or "", OTHERWISE).filled(member=member)
    return text.of(language) if reason else ""


def choice_text(held: HeldLevel | None, *, language: str) -> str:
    """What a role gives of one level, in a word."""
    if held is None:
        return WORDS["nothing_held"].of(language)
    return reach_words(grant_text(held.grant), language)
