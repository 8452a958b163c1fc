"""The words of the page of usage."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

USAGE: Mapping[str, PageText] = {
    "section_usage": PageText("Usage", "Nutzung"),
    "usage_month": PageText("Month", "Monat"),
    "usage_by": PageText("By", "Nach"),
    "usage_no_month": PageText(
        "There is no such month. This is the present one.",
        "Diesen Monat gibt es nicht. Hier ist der jetzige.",
    ),
    "usage_show": PageText("Show", "Anzeigen"),
    "usage_before": PageText("Month before", "Monat davor"),
    "usage_after": PageText("Month after", "Monat danach"),
    "usage_csv": PageText("Download CSV", "CSV herunterladen"),
    "usage_member": PageText("Member", "Mitglied"),
    "usage_type": PageText("Kind of thing", "Art der Sache"),
    "usage_action": PageText("Action", "Aktion"),
    "usage_day": PageText("Day", "Tag"),
    "usage_activity": PageText("Actions", "Aktionen"),
    "usage_metered": PageText("Used", "Genutzt"),
    "usage_costs": PageText("Costs", "Kosten"),
    "usage_deleted": PageText("Deleted person", "Gelöschte Person"),
    "usage_chart": PageText(
        "Actions of each day of {month}: {count} in all",
        "Aktionen an jedem Tag von {month}: insgesamt {count}",
    ),
    "usage_none": PageText(
        "Nothing was used in this month", "In diesem Monat wurde nichts genutzt"
    ),
    "usage_none_hint": PageText("Choose another month.", "Wählen Sie einen anderen Monat."),
    "usage_utc": PageText(
        "Days are those of UTC.", "Die Tage richten sich nach der Weltzeit (UTC)."
    ),
    "usage_complete": PageText(
        "All that happened and was reported before {moment} is counted.",
        "Gezählt ist alles, was vor {moment} geschehen ist und gemeldet war.",
    ),
}
