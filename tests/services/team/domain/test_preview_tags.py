"""The tag of a preview: it names all that the preview says."""

from __future__ import annotations

from rolecall import read_grant
from services.team.domain.impact import Changes, LevelChange, MemberImpact, Standing
from services.team.domain.preview_tags import ConcernedMember, Effects, preview_tag

LOST: Changes = (LevelChange("instance", "view", read_grant("all"), None),)
LESS: Changes = (LevelChange("instance", "view", read_grant("all"), read_grant("self")),)


def tag(everywhere: Changes = (), **in_projects: Changes) -> str:
    """The tag of a change for one member."""
    impact = MemberImpact(
        user_id="usr_1",
        before=Standing.MEMBER,
        after=Standing.MEMBER,
        comes_or_goes=False,
        everywhere=everywhere,
        in_projects=in_projects,
    )
    member = ConcernedMember(impact=impact, person=None, role_before="a", role_after="a")
    return preview_tag(Effects(members=(member,), invitations=(), resource_types_lost=()), ())


def test_what_differs_in_a_level_or_a_project_has_another_tag() -> None:
    tags = [
        tag(),
        tag(LOST),
        tag(LESS),
        tag(prj_1=LOST),
        tag(prj_2=LOST),
        tag(prj_1=LOST, prj_2=LOST),
        tag(prj_1=LOST, prj_2=LESS),
        tag(prj_1=LESS, prj_2=LOST),
    ]
    assert len({*tags}) == len(tags)


def test_the_order_of_projects_makes_no_other_tag() -> None:
    assert tag(prj_1=LOST, prj_2=LESS) == tag(prj_2=LESS, prj_1=LOST)
