"use strict";

// Keeps the number of unread notifications up to date while the page is seen.
(() => {
  const bell = document.querySelector("[data-live]");
  const newer = document.getElementById("newer");
  const before = Number(bell.dataset.unread);
  const over = new Set(["token-revoked"]);
  let source = null;
  let later = 0;
  let ended = false;

  const tellNewer = () => { if (newer) newer.hidden = false; };

  const show = (unread) => {
    const count = bell.querySelector(".count");
    count.hidden = unread === 0;
    count.querySelector("[aria-hidden]").textContent = unread > 99 ? "99+" : String(unread);
    count.querySelector(".unseen").textContent = `${unread} ${bell.dataset.word}`;
    if (unread > before) tellNewer();
  };

  const close = () => {
    clearTimeout(later);
    source?.close();
    source = null;
  };

  const open = () => {
    if (source || ended || document.visibilityState !== "visible") return;
    source = new EventSource(bell.dataset.live);
    source.addEventListener("unread", (event) => show(JSON.parse(event.data).unread));
    source.addEventListener("notification", tellNewer);
    source.addEventListener("end", (event) => {
      ended = over.has(JSON.parse(event.data).reason);
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
