"""The words of catalogs in other languages: each text, in the place of the English one.

A catalog is written in one language, and may have translations. What has a row neither there nor
here is shown as its author wrote it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared.locales import Locale

GERMAN: Mapping[str, str] = {
    # --- words for a project
    "project": "Projekt",
    "projects": "Projekte",
    "cluster": "Cluster",
    "clusters": "Cluster",
    # --- roles
    "Owner": "Eigentum",
    "Admin": "Verwaltung",
    "Operator": "Betrieb",
    "Developer": "Entwicklung",
    "Dev": "Entwicklung",
    "Billing": "Abrechnung",
    "Basic": "Basis",
    "Viewer": "Einsicht",
    # --- levels
    "View": "Ansehen",
    "Connect": "Verbinden",
    "Manage": "Bearbeiten",
    "Delete": "Löschen",
    "Read/Write": "Lesen/Schreiben",
    "Send requests": "Anfragen senden",
    "Use": "Benutzen",
    "Update": "Ändern",
    "Invite": "Einladen",
    "Remove": "Entfernen",
    "Create": "Anlegen",
    "Allow": "Erlauben",
    # --- sections and entries
    "Compute": "Rechenleistung",
    "Instances": "Instanzen",
    "Instance": "Instanz",
    "Bare metal": "Bare-Metal-Server",
    "Bare Metal": "Bare-Metal-Server",
    "Bare Metal Instance": "Bare-Metal-Instanz",
    "Bare Metal Storage": "Bare-Metal-Speicher",
    "Templates": "Vorlagen",
    "Template": "Vorlage",
    "Images": "Images",
    "Image": "Image",
    "Image Prewarm": "Images vorladen",
    "Images & ISOs": "Images und ISOs",
    "Jobs": "Aufträge",
    "Autoscaling": "Automatische Skalierung",
    "SSH keys": "SSH-Schlüssel",
    "SSH Keys": "SSH-Schlüssel",
    "SSH Public Keys": "Öffentliche SSH-Schlüssel",
    "User scripts": "Benutzerskripte",
    "User Scripts": "Benutzerskripte",
    "Container registry credentials": "Zugangsdaten der Container-Registry",
    "Container Registry Auth": "Zugang zur Container-Registry",
    "Clusters": "Cluster",
    "New clusters": "Neue Cluster",
    "Services": "Dienste",
    "Applications": "Anwendungen",
    "Secrets and configurations": "Geheimnisse und Konfigurationen",
    "Endpoints and models": "Endpunkte und Modelle",
    "Endpoints": "Endpunkte",
    "Dedicated Endpoints": "Dedizierte Endpunkte",
    "Dedicated Endpoints Subscribe": "Dedizierte Endpunkte abonnieren",
    "Dedicated Endpoints Billing": "Abrechnung dedizierter Endpunkte",
    "LLM Dedicated Endpoints": "Dedizierte LLM-Endpunkte",
    "LLM API Metrics": "Messwerte der LLM-API",
    "LLM Settings": "LLM-Einstellungen",
    "Playground": "Playground",
    "Model settings": "Modelleinstellungen",
    "Model upload": "Modelle hochladen",
    "Model Upload": "Modelle hochladen",
    "Model APIs": "Modell-APIs",
    "Network": "Netzwerk",
    "Networking": "Netzwerk",
    "VPCs": "VPCs",
    "VPC": "VPC",
    "Load balancers": "Load-Balancer",
    "Security groups": "Sicherheitsgruppen",
    "Static IPs": "Statische IPs",
    "Compute -- Instances": "Rechenleistung: Instanzen",
    "Networking -- VPCs": "Netzwerk: VPCs",
    "Networking -- Load Balancers": "Netzwerk: Load-Balancer",
    "Networking -- Security Groups": "Netzwerk: Sicherheitsgruppen",
    "Storage and databases": "Speicher und Datenbanken",
    "Storage": "Speicher",
    "Object storage": "Objektspeicher",
    "Object Storage": "Objektspeicher",
    "Databases": "Datenbanken",
    "Data": "Daten",
    "Monitoring": "Überwachung",
    "Monitoring and alerts": "Überwachung und Alarme",
    "Monitoring & Alerts": "Überwachung und Alarme",
    "Overview": "Überblick",
    "GPU Instance Settings": "Einstellungen der GPU-Instanzen",
    "Single-NUMA & Auto Migration": "Single-NUMA und automatischer Umzug",
    "GPU Resources": "GPU-Ressourcen",
    "Serverless": "Serverless",
    "Pods and Serverless": "Pods und Serverless",
    "Connect to existing Pods": "Mit bestehenden Pods verbinden",
    "Create/delete/start/stop Pods": "Pods anlegen, löschen, starten, anhalten",
    "Create/delete Serverless endpoints": "Serverless-Endpunkte anlegen, löschen",
    "Send requests to Serverless endpoints": "Anfragen an Serverless-Endpunkte senden",
    "Balance": "Guthaben",
    "Balance Alert": "Guthabenwarnung",
    "Top-ups": "Aufladungen",
    "Top-up": "Aufladen",
    "Auto Top-up": "Automatisch aufladen",
    "Payment methods": "Zahlungsarten",
    "Payment Methods": "Zahlungsarten",
    "Manage payment methods": "Zahlungsarten bearbeiten",
    "Transactions": "Buchungen",
    "Invoices and billing details": "Rechnungen und Rechnungsdaten",
    "Billing Details": "Rechnungsdaten",
    "View billing information": "Abrechnung ansehen",
    "Vouchers": "Gutscheine",
    "Budgets": "Budgets",
    "Budget": "Budget",
    "Quotes and orders": "Angebote und Bestellungen",
    "Quote": "Angebot",
    "Order & Test Order": "Bestellung und Testbestellung",
    "Account": "Konto",
    "Account settings": "Kontoeinstellungen",
    "Access to the account": "Zugang zum Konto",
    "Identity verification": "Identitätsprüfung",
    "Identity Verification": "Identitätsprüfung",
    "Quota requests": "Kontingentanfragen",
    "Quota Request": "Kontingentanfrage",
    "Affiliate program": "Partnerprogramm",
    "Affiliate Program": "Partnerprogramm",
    "Organization": "Organisation",
    "Infrastructure": "Infrastruktur",
    "Team": "Team",
    "Team administration": "Teamverwaltung",
    "Team Management": "Teamverwaltung",
    "Access team account": "Zugriff auf das Teamkonto",
    "Invite team members": "Mitglieder einladen",
    "Manage team permissions": "Berechtigungen des Teams bearbeiten",
    "Modify team account settings": "Einstellungen des Teamkontos ändern",
    "Access audit logs": "Audit-Protokoll ansehen",
    "Member list": "Mitgliederliste",
    "Member Management": "Mitgliederverwaltung",
    "Members": "Mitglieder",
    "Users": "Benutzer",
    "Roles": "Rollen",
    "Projects": "Projekte",
    "New projects": "Neue Projekte",
    "API tokens": "API-Tokens",
    "API Tokens": "API-Tokens",
    "API Key": "API-Schlüssel",
    "Audit log": "Audit-Protokoll",
    "Audit Log": "Audit-Protokoll",
    "Usage by member": "Nutzung nach Mitglied",
    "Webhooks": "Webhooks",
    "Guardrails": "Leitplanken",
    "Access reviews": "Zugriffsprüfungen",
    # --- what roles and catalogs are
    "Seven roles over compute, clusters, models, networks, data, money and the account.": "Sieben"
    " Rollen für Rechenleistung, Cluster, Modelle, Netzwerke, Daten, Geld und das Konto.",
    "Four roles over pods, serverless endpoints, money and the team account.": "Vier Rollen für"
    " Pods, Serverless-Endpunkte, Geld und das Teamkonto.",
    "One role, Admin, over clusters, what runs in them, users and the account.": "Eine Rolle für"
    " Cluster, was darin läuft, Benutzer und das Konto.",
    "Admin, Operator and Viewer over sixteen service groups.": "Verwaltung, Betrieb und Einsicht"
    " für sechzehn Gruppen von Diensten.",
    "Owner, Admin, Developer, Basic and Billing over 39 resources.": "Eigentum, Verwaltung,"
    " Entwicklung, Basis und Abrechnung für 39 Arten von Ressourcen.",
    "Everything. Exactly one member, and handed on only by transfer.": "Alles. Genau ein Mitglied,"
    " und weitergegeben wird es nur durch Übertragung.",
    "Everything.": "Alles.",
    "Everything but what is the owner's alone.": "Alles, außer was nur mit dem Eigentum geht.",
    "Everything, and three things which are the owner's alone.": "Alles, und drei Dinge, die nur"
    " mit dem Eigentum gehen.",
    "Everything but identity verification, model upload and the affiliate program.": "Alles außer"
    " Identitätsprüfung, dem Hochladen von Modellen und dem Partnerprogramm.",
    "Runs all resources and deletes none; looks at billing and the team.": "Betreibt alle"
    " Ressourcen und löscht keine, sieht Abrechnung und Team.",
    "Views and manages, deletes nothing; billing and team are for looking at.": "Sieht und"
    " bearbeitet, löscht nichts. Abrechnung und Team nur zum Ansehen.",
    "Full use of all resources; neither members nor money.": "Nutzt alle Ressourcen"
    " uneingeschränkt, aber weder Mitglieder noch Geld.",
    "Works with the resources of the whole team; neither members nor money.": "Arbeitet mit den"
    " Ressourcen des ganzen Teams, aber nicht mit Mitgliedern und Geld.",
    "Money, and no resources.": "Geld und keine Ressourcen.",
    "Money, and nothing else.": "Geld und sonst nichts.",
    "Balance, payments and budgets; no resources.": "Guthaben, Zahlungen und Budgets, keine"
    " Ressourcen.",
    "Works with own resources and sends requests to endpoints.": "Arbeitet mit eigenen Ressourcen"
    " und sendet Anfragen an Endpunkte.",
    "Works with what they made themselves.": "Arbeitet mit selbst Angelegtem.",
    "Connects to what runs already and sends requests to it.": "Verbindet sich mit dem, was schon"
    " läuft, und sendet Anfragen dorthin.",
    "Basic, and runs pods and endpoints; no money, no settings.": "Wie Basis, und betreibt Pods und"
    " Endpunkte. Kein Geld, keine Einstellungen.",
    "Reads resources and billing; changes nothing, sees no secrets and no logs.": "Liest Ressourcen"
    " und Abrechnung, ändert nichts, sieht keine Geheimnisse und keine Protokolle.",
    "Reads everything but the team and API tokens.": "Liest alles außer Team und API-Tokens.",
    "Full access to every cluster, all users and the account.": "Voller Zugang zu jedem Cluster,"
    " allen Benutzern und dem Konto.",
    "Full access; only the owner of the account is out of reach.": "Voller Zugang. Nur das"
    " Eigentum am Konto gehört nicht dazu.",
}
"""Each text of the shipped catalogs but for the names of products."""
NAMES = frozenset({"Standard", "Runpod", "RunOS", "Cloud IAM", "Novita AI"})
"""The titles of the shipped catalogs, which are the same in each language."""

_WORDS: Mapping[Locale, Mapping[str, str]] = {Locale.DE: GERMAN}
Translations = Mapping[str, Mapping[str, str]]
"""Language -> text -> the same in that language, as a catalog has them."""


def words_in(language: Locale, own: Translations = MappingProxyType({})) -> Mapping[str, str]:
    """The texts of a catalog in a language, of which its own translations come first."""
    return {**_WORDS.get(language, {}), **own.get(language, {})}


def other_languages(texts: Mapping[str, str], own: Translations) -> dict[str, dict[str, str]]:
    """Texts of a catalog by their names, in each language that has other words for one of them."""
    found: dict[str, dict[str, str]] = {}
    for language in Locale:
        words, shipped = own.get(language, {}), _WORDS.get(language, {})
        told = {name: words.get(text, shipped.get(text, text)) for name, text in texts.items()}
        other = {name: word for name, word in told.items() if word != texts[name]}
        if other:
            found[language.value] = other
    return found
