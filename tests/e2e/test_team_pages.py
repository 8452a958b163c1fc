"""The pages of a team in a real browser: stories without JavaScript, and how each page looks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.e2e.looks import looks
from tests.e2e.one_process import OneProcess
from tests.e2e.tasks import MAX_CLICKS, TASKS, Clicks
from tests.e2e.visitors import PASSWORD, Person, Site, Visitor, chromium, until

pytestmark = pytest.mark.usefixtures("unmeasured")

NASTY = "<script>alert(1)</script> \"'>{{7*7}}"
"""What a page must show as text: as the name of a team and of a person."""


@pytest.fixture(scope="module")
def site(unmeasured: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The product in one process, and a browser."""
    product = OneProcess(tmp_path_factory.mktemp("team_pages") / "one")
    try:
        product.start()
        with chromium() as browser:
            yield Site(browser=browser, url=product.url, mail=product.deployment().mail)
    finally:
        product.stop()


@dataclass
class Team:
    """A team with its owner, a member and an open invitation; `ids` by their names."""

    owner: Person
    ids: dict[str, str] = field(default_factory=dict)

    def path(self, *steps: str) -> str:
        """The address of one of its pages."""
        return "/".join(["/console/accounts", self.owner.account_id, *steps])


@pytest.fixture(scope="module")
def team(site: Site) -> Team:
    """A team whose names are nasty."""
    owner, bea = site.known_person(f"Ada {NASTY}"), site.known_person(f"Bea {NASTY}")
    here = f"/v1/accounts/{owner.account_id}"
    body = {"name": f"Engines {NASTY}", "catalog": "standard"}
    site.send(f"{here}/convert", body, token=owner.token)
    made = site.send(
        f"{here}/invitations",
        {"email": bea.email, "role": "developer", "delivery": "link"},
        token=owner.token,
    )
    link = {name: made["link"][name] for name in ("token", "code")}
    site.send("/v1/invitations/accept", link, token=bea.token)
    waiting = {"email": site.new_person().email, "role": "viewer", "delivery": "email"}
    invited = site.send(f"{here}/invitations", waiting, token=owner.token)
    listed = site.get(f"{here}/members?q={bea.email}", token=owner.token)
    project = site.send(f"{here}/projects", {"name": f"Staging {NASTY[:40]}"}, token=owner.token)
    return Team(
        owner=owner,
        ids={
            "bea": listed["items"][0]["user_id"],
            "invitation": invited["invitation"]["id"],
            "project": project["id"],
        },
    )


def follow(visitor: Visitor, link: str) -> None:
    """Follow the link with this text, and wait for its page."""
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("link", name=link, exact=True).first.click()


@pytest.mark.rule("Nv17", "B8")
def test_an_owner_builds_a_team_and_a_removed_members_page_says_so(site: Site) -> None:
    ada, bea, cyrus = site.known_person("Ada Own"), site.new_person("Bea"), site.new_person("Cy")
    with site.visitor() as owner, site.visitor() as member:
        owner.sign_in(ada)
        follow(owner, "Ada Own")
        follow(owner, "Turn into a team")
        owner.fill(name="Engines")
        owner.press("Turn into a team")
        assert "The account is a team now." in owner.text
        follow(owner, "Invite people")
        owner.fill(emails=f"{bea.email}\n{cyrus.email}")
        owner.page.check("[name=role][value=developer]")
        owner.press("Send the invitations")
        assert "The invitations were sent." in owner.text
        assert cyrus.email in owner.text

        member.open(site.link_to(bea.email, "invited you"))
        member.fill(name="Bea", password=PASSWORD)
        member.press("Create the account and join")
        assert "You have joined this account." in member.text
        assert member.title == "Members"

        owner.open(owner.page.url.partition("?")[0] + "?q=bea")
        follow(owner, "Bea")
        owner.page.select_option("[name=role]", "viewer")
        owner.press("See what changes")
        assert "Loses" in owner.text
        owner.press("Change the role")
        owner.see("Effective everywhere since")
        assert "Viewer" in owner.text

        follow(owner, "Remove")
        assert "loses all access to Engines" in owner.text
        owner.press("Remove the member")
        owner.see("The member was removed. Effective everywhere since")
        assert bea.email not in owner.text
        member.page.reload()
        assert "You have no access to this account any more" in member.text
        assert cyrus.email not in member.text


@pytest.mark.rule("Ci8", "Ci9", "B9")
def test_an_owner_changes_a_role_and_gives_more_in_one_project(site: Site, team: Team) -> None:
    with site.visitor() as owner:
        owner.sign_in(team.owner)
        owner.open(team.path("roles"))
        follow(owner, "New role")
        owner.fill(name="Night shift")
        owner.page.select_option("[name='grant.instance.delete']", "self")
        owner.press("Create the role")
        follow(owner, "Edit")
        owner.page.select_option("[name='grant.instance.delete']", "")
        owner.press("Show what changes")
        assert "No one gains or loses anything by it." in owner.text
        owner.press("Save")
        assert "The role was changed." in owner.text
        owner.see("Effective everywhere since")

        owner.open(team.path("projects", team.ids["project"], "members", team.ids["bea"]))
        owner.page.select_option("[name='grant.project.delete']", "all")
        owner.press("Show what changes")
        assert "Projects: Delete" in owner.text
        owner.press("Save")
        owner.see("Effective everywhere since")
        follow(owner, "Why?")
        owner.page.select_option("[name=permission]", "project:delete")
        owner.press("Show")
        assert "has own permissions in Staging" in owner.text
        owner.page.select_option("[name=project]", "")
        owner.press("Show")
        assert "has the role Developer, which does not include “Projects: Delete”." in owner.text


def test_back_and_reload_send_nothing_again_and_lose_no_text(site: Site, team: Team) -> None:
    body = {"name": "Day shift", "description": "", "grants": {"account": {"view": "all"}}}
    where = f"/v1/accounts/{team.owner.account_id}/roles"
    role = site.send(where, body, token=team.owner.token)
    edit = team.path("roles", role["id"], "edit")
    with site.visitor(javascript=True) as owner:
        owner.sign_in(team.owner)
        owner.open(edit)
        owner.fill(name="Late shift", description="After noon")
        owner.page.select_option("[name='grant.instance.view']", "all")
        owner.press("Show what changes")
        for way in (owner.page.reload, owner.page.go_back):
            way()
            assert owner.page.input_value("[name=name]") == "Late shift"
            assert owner.page.input_value("[name='grant.instance.view']") == "all"
            owner.press("Show what changes")
        owner.press("Save")
        assert "The role was changed." in owner.text
        owner.page.go_back()
        assert (owner.path, owner.page.input_value("[name=name]")) == (edit, "Late shift")
        owner.fill(name="")
        owner.page.evaluate("document.querySelector('[name=name]').required = false")
        owner.press("Show what changes")
        assert owner.page.locator("#name-fault").count() == 1
        owner.open(team.path("roles"))
        owner.page.go_back()
        assert owner.page.input_value("[name=name]") == ""
        owner.fill(name="Late shift two")
        owner.press("Show what changes")
        owner.press("Save")
        assert "Late shift two" in owner.title


def test_a_person_switches_between_teams_without_signing_out(site: Site) -> None:
    ada = site.known_person("Ada Two")
    with site.visitor() as visitor:
        visitor.sign_in(ada)
        follow(visitor, "New team")
        visitor.fill(name="Gears")
        visitor.press("Create the team")
        assert "Invite the first people." in visitor.text
        visitor.page.locator("details.switcher summary").click()
        with visitor.page.expect_navigation():
            visitor.page.locator(".switcher").get_by_role("link", name="Ada Two").click()
        assert visitor.path == f"/console/accounts/{ada.account_id}/members"
        assert "You are on your own here" in visitor.text


@pytest.fixture(scope="module")
def northwind(site: Site) -> Team:
    """A team with a member, two projects and a role that its owner changed; and another team."""
    ada, bea = site.known_person("Ada Moreau"), site.known_person("Bea Lind")
    here = f"/v1/accounts/{ada.account_id}"
    site.send(f"{here}/convert", {"name": "Northwind", "catalog": "standard"}, token=ada.token)
    site.send("/v1/accounts", {"name": "Gears"}, token=ada.token)
    body = {"email": bea.email, "role": "viewer", "delivery": "link"}
    link = site.send(f"{here}/invitations", body, token=ada.token)["link"]
    accepted = {name: link[name] for name in ("token", "code")}
    site.send("/v1/invitations/accept", accepted, token=bea.token)
    for name in ("Production", "Staging"):
        site.send(f"{here}/projects", {"name": name}, token=ada.token)
    grants = {"account": {"view": "all"}}
    role = site.send(f"{here}/roles", {"name": "Night shift", "grants": grants}, token=ada.token)
    changed = {"name": "Late shift"}
    site.send(f"{here}/roles/{role['id']}", changed, token=ada.token, method="PATCH")
    recorded = f"{here}/audit-events?action=role.changed"
    until(
        lambda: "yes" if site.get(recorded, token=ada.token)["items"] else None,
        what="the record of the change of a role",
    )
    return Team(owner=ada)


def test_ten_tasks_take_at_most_five_clicks_each(site: Site, northwind: Team) -> None:
    with site.visitor() as visitor:
        visitor.sign_in(northwind.owner)
        for task in TASKS:
            visitor.open(northwind.path())
            person = Clicks(visitor)
            task.way(person)
            visitor.see(task.seen)
            assert person.count <= MAX_CLICKS, task.wish


def test_a_change_by_another_admin_shows_on_an_open_list(site: Site, team: Team) -> None:
    with site.visitor(javascript=True) as visitor:
        visitor.sign_in(team.owner)
        visitor.open(team.path("members"))
        note = visitor.page.get_by_text("The list has changed meanwhile.")
        assert not note.is_visible()
        email = site.new_person().email
        body = {"email": email, "role": "viewer", "delivery": "link"}
        invitations = f"/v1/accounts/{team.owner.account_id}/invitations"
        site.send(invitations, body, token=team.owner.token)
        # As when the tab is seen again: the page asks at once.
        visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        note.wait_for(state="visible")
        follow(visitor, "Show it")
        assert email in visitor.text


def test_two_tabs_and_an_ended_session_lose_no_typed_text(site: Site, northwind: Team) -> None:
    with site.visitor(javascript=True) as visitor:
        visitor.sign_in(northwind.owner)
        visitor.open(northwind.path("invite"))
        visitor.fill(emails="one@example.com\n<b>two</b>@example.com")
        other = visitor.other_tab()
        other.open("/sign-out")
        with other.page.expect_navigation():
            other.page.locator("main").get_by_role("button", name="Sign out").click()
        visitor.page.check("[name=role][value=viewer]")
        visitor.press("Send the invitations")
        assert "What you entered is kept" in visitor.text
        assert looks(visitor, name="sign in again") == []
        visitor.fill(email=northwind.owner.email, password=PASSWORD)
        visitor.press("Sign in and go on")
        assert "Nothing was changed yet" in visitor.text
        assert visitor.page.input_value("[name=emails]").startswith("one@example.com\n<b>two")
        assert visitor.page.is_checked("[name=role][value=viewer]")


@pytest.mark.rule("T24")
def test_each_page_of_a_team_fits_and_axe_finds_nothing(site: Site, team: Team) -> None:
    bea, project = team.ids["bea"], team.ids["project"]
    asked = f"member={bea}&permission=member:invite&project={project}"
    paths = (
        *("roles", "roles/new", f"projects/{project}", f"access?{asked}"),
        f"projects/{project}/members/{bea}",
        *("members", "invite", f"members/{bea}", f"members/{bea}/remove"),
        *(f"members/{bea}/role?role=viewer", f"members/{bea}/suspend"),
        *(f"invitations/{team.ids['invitation']}", f"invitations/{team.ids['invitation']}/cancel"),
    )
    faults = []
    with site.visitor(javascript=True) as visitor:
        visitor.sign_in(team.owner)
        for path in (*(team.path(one) for one in paths), *PERSONAL):
            visitor.open(path)
            assert visitor.title, path
            faults += looks(visitor, name=path)
    assert faults == []


PERSONAL = ("/console/accounts", "/console/new-team", "/console/design")
