"""The steps of a decision, in the words of the pages: by the sentences of the API.

What has no row here is shown in English, as the API says it.
"""

from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType

from markupsafe import Markup

from services.console.domain.permission_tables import PermissionTable, is_own_role
from services.console.pages.page_text import PageText
from services.console.pages.sentences import Sentences, Titles
from shared.catalog_words import words_in
from shared.locales import Locale, known_locale

_PARTS: Mapping[str, PageText] = {
    "for every resource": PageText("for every resource", "für jede Ressource"),
    "under conditions for every resource": PageText(
        "under conditions for every resource", "unter Bedingungen für jede Ressource"
    ),
    "for the user's own resources": PageText("for own resources", "für eigene Ressourcen"),
    "under conditions for the user's own resources": PageText(
        "under conditions for own resources", "unter Bedingungen für eigene Ressourcen"
    ),
}
"""How far a grant can reach, in the order of the API."""
REACHES: Mapping[str, PageText] = {
    " and ".join(chosen): PageText(
        " and ".join(_PARTS[one].en for one in chosen),
        " und ".join(_PARTS[one].de for one in chosen),
    )
    for number in range(1, len(_PARTS) + 1)
    for chosen in combinations(_PARTS, number)
}
"""How far a grant reaches: in one way or in several."""
STEP_TEXTS: Mapping[str, PageText] = {
    "This was not looked at.": PageText("This was not looked at.", "Das wurde nicht geprüft."),
    "The account is active.": PageText("The account is active.", "Das Konto ist aktiv."),
    "The account is suspended.": PageText("The account is suspended.", "Das Konto ist gesperrt."),
    "The account is being deleted.": PageText(
        "The account is being deleted.", "Das Konto wird gelöscht."
    ),
    "The user is not disabled.": PageText(
        "The sign-in is not disabled.", "Die Anmeldung ist nicht gesperrt."
    ),
    "The user is disabled.": PageText("The sign-in is disabled.", "Die Anmeldung ist gesperrt."),
    "Ask the platform.": PageText("Ask the platform.", "Fragen Sie die Plattform."),
    "The session has not ended.": PageText(
        "The session has not ended.", "Die Sitzung ist nicht zu Ende."
    ),
    "The session has ended.": PageText("The session has ended.", "Die Sitzung ist zu Ende."),
    "The user has to sign in again.": PageText(
        "A new sign-in is needed.", "Eine neue Anmeldung ist nötig."
    ),
    "The user has a second factor, as the account demands.": PageText(
        "There is a second factor, as the account demands.",
        "Es gibt einen zweiten Faktor, wie ihn das Konto verlangt.",
    ),
    "The account demands a second factor, and the user has none.": PageText(
        "The account demands a second factor, and there is none.",
        "Das Konto verlangt einen zweiten Faktor, und es gibt keinen.",
    ),
    "The user is an active member with the role {role}.": PageText(
        "It is an active member with the role {role}.",
        "Es ist ein aktives Mitglied mit der Rolle {role}.",
    ),
    "The user is not a member of the account.": PageText(
        "It is not a member of the account.", "Es ist kein Mitglied des Kontos."
    ),
    "The user is not an active member of an account with this id.": PageText(
        "It is not an active member of this account.", "Es ist kein aktives Mitglied dieses Kontos."
    ),
    "The user's membership is suspended.": PageText(
        "The membership is suspended.", "Die Mitgliedschaft ist gesperrt."
    ),
    "The user's membership has expired.": PageText(
        "The membership has expired.", "Die Mitgliedschaft ist abgelaufen."
    ),
    "The catalog has the permission {permission}.": PageText(
        "The permission {permission} exists.", "Die Berechtigung {permission} gibt es."
    ),
    "The catalog has no permission {permission}.": PageText(
        "There is no permission {permission}.", "Die Berechtigung {permission} gibt es nicht."
    ),
    "The nearest one is {permission}.": PageText(
        "The nearest one is {permission}.", "Am ähnlichsten ist {permission}."
    ),
    "The request names another owner or project than the one of the resource.": PageText(
        "The resource has another owner, or is elsewhere, than was asked.",
        "Die Ressource gehört jemand anderem oder liegt anderswo, als gefragt wurde.",
    ),
    "The request names no single resource.": PageText(
        "It is about no single resource.", "Es geht um keine einzelne Ressource."
    ),
    "The resource is registered.": PageText(
        "The resource is known here.", "Die Ressource ist hier bekannt."
    ),
    "Its registered owner, project and properties count.": PageText(
        "Its known owner, place and properties count.",
        "Es zählt, wem sie gehört, wo sie liegt und was von ihr bekannt ist.",
    ),
    "The resource is not registered.": PageText(
        "The resource is not known here.", "Die Ressource ist hier nicht bekannt."
    ),
    "What the request says of it counts.": PageText(
        "What was entered about it counts.", "Es zählt, was dazu eingegeben wurde."
    ),
    "The check concerns no {word}.": PageText("No {word} was chosen.", "Keine Auswahl: {word}."),
    "The account has the {word} {name}.": PageText(
        "The account has the {word} {name}.", "Im Konto gibt es {name} ({word})."
    ),
    "The account has no {word} {name}.": PageText(
        "The account has no {word} {name}.", "Im Konto gibt es {name} ({word}) nicht."
    ),
    **{
        f"The role {{role}} grants {{permission}} {reach}.": PageText(
            f"The role {{role}} includes {{permission}} {said.en}.",
            f"Die Rolle {{role}} enthält {{permission}} {said.de}.",
        )
        for reach, said in REACHES.items()
    },
    **{
        f"The override in the {{word}} {{name}} grants {{permission}} {reach}.": PageText(
            f"Own permissions in {{name}} include {{permission}} {said.en}.",
            f"Eigene Berechtigungen in {{name}} enthalten {{permission}} {said.de}.",
        )
        for reach, said in REACHES.items()
    },
    "The role {role} does not grant {permission}.": PageText(
        "The role {role} does not include {permission}.",
        "Die Rolle {role} enthält {permission} nicht.",
    ),
    "The override in the {word} {name} does not grant {permission}.": PageText(
        "Own permissions in {name} do not include {permission}.",
        "Eigene Berechtigungen in {name} enthalten {permission} nicht.",
    ),
    "It replaces the role {role} there.": PageText(
        "They count there in place of the role {role}.", "Sie gelten dort statt der Rolle {role}."
    ),
    "The owner of the resource is not known, so it is not one of the user's own.": PageText(
        "It is not known whose the resource is, so it does not count as an own one.",
        "Es ist nicht bekannt, wem die Ressource gehört, also zählt sie nicht als eigene.",
    ),
    "The user does not own the resource.": PageText(
        "The resource is not an own one.", "Die Ressource ist keine eigene."
    ),
    "The user owns the resource.": PageText(
        "The resource is an own one.", "Die Ressource ist eine eigene."
    ),
    "The grant is for every resource, so the owner does not matter.": PageText(
        "It is given for every resource, so the owner does not matter.",
        "Es gilt für jede Ressource, also ist gleich, wem sie gehört.",
    ),
    "A part of the grant is for every resource, and another for the user's own.": PageText(
        "A part of it is given for every resource, and another for own ones.",
        "Ein Teil gilt für jede Ressource, ein anderer für eigene.",
    ),
    "The grant has no condition.": PageText(
        "It is given without a condition.", "Es gilt ohne Bedingung."
    ),
    "The condition of the grant is met: {condition}.": PageText(
        "Its condition is met: {condition}.", "Die Bedingung ist erfüllt: {condition}."
    ),
    "No condition of the grant is met.": PageText(
        "No condition of it is met.", "Keine Bedingung ist erfüllt."
    ),
    "Missing is: {missing}.": PageText("Missing is: {missing}.", "Es fehlt: {missing}."),
}
_BY_LANGUAGE: Mapping[Locale, Sentences] = {
    locale: Sentences({one: said.of(locale) for one, said in STEP_TEXTS.items()})
    for locale in Locale
}


def step_titles(table: PermissionTable, role_id: str, language: str) -> Titles:
    """What the catalog calls projects and the role in a language; own roles keep their names."""
    words = words_in(known_locale(language), table.translations)
    return {"word": words} if is_own_role(role_id) else {"word": words, "role": words}


def step_text(language: str, text: str, titles: Titles = MappingProxyType({})) -> str:
    """A step in the words of the pages; in English, as the API says it, where they have none."""
    said = _BY_LANGUAGE[known_locale(language)].translated(text, titles)
    return said if said is not None else Markup('<span lang="en">{}</span>').format(text)
