"use strict";

// Tells a form the time zone of its browser: a new person's times are in it from the beginning.
for (const field of document.querySelectorAll("input[name=browser_zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
