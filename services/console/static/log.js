"use strict";

// Counts the records that arrive while the list of the audit log is seen.
(() => {
  const note = document.getElementById("new-records");
  if (!note) return;
  let arrived = 0;
  let last = "";
  let source = null;
  let later = 0;
  let ended = false;

  const isOwnReading = (record) =>
    record.action === "search.performed" && record.actor.id === note.dataset.own;

  const show = () => {
    const text = arrived === 1 ? note.dataset.one : note.dataset.many.replace("#", arrived);
    note.querySelector("span").textContent = text;
    note.hidden = false;
  };

  const close = () => {
    clearTimeout(later);
    source?.close();
    source = null;
  };

  const open = () => {
    if (source || ended || document.visibilityState !== "visible") return;
    source = new EventSource(note.dataset.follow);
    source.addEventListener("record", (event) => {
      if (event.lastEventId === last || isOwnReading(JSON.parse(event.data))) return;
      last = event.lastEventId;
      arrived += 1;
      show();
    });
    source.addEventListener("end", (event) => {
      ended = !["draining", "unavailable"].includes(JSON.parse(event.data).reason);
      if (ended) close();
    });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return; // the browser asks again by itself
      close();
      later = setTimeout(open, 30_000 + 30_000 * Math.random());
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") open();
    else close();
  });
  open();
})();
