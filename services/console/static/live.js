"use strict";

// Keeps a page up to date while it is seen: unread notifications, new records, a list of members.
(() => {
  const isSeen = () => document.visibilityState === "visible";

  // What an answer that has nothing more to tell means for the page; no row: ask again later.
  const OVER = { 204: "signed-out", 401: "signed-out", 403: "access-over", 404: "access-over" };

  const tellOver = (id) => {
    const note = document.getElementById(id);
    if (note) note.hidden = false;
  };

  const TOO_MANY = 429;

  // Shows or hides the note that the API lets no further page follow: it is tried again.
  const tellBusy = (busy, id) => {
    const note = document.getElementById(id);
    if (note) note.hidden = !busy;
  };

  // Follows server-sent events by their names; `isOver` says whether the reason of an end is final.
  // `busy` names the note that too many pages follow already. A page that is left before `pause`
  // milliseconds have passed asks for nothing.
  const follow = (url, listeners, isOver, { pause = 0, busy = "" } = {}) => {
    let source = null;
    let later = 0;
    let ended = false;

    const close = () => {
      clearTimeout(later);
      source?.close();
      source = null;
    };

    const again = () => { later = setTimeout(open, 30_000 + 30_000 * Math.random()); };

    // An answer that is no feed keeps its status from the script: it is asked for once more.
    const askWhy = async () => {
      try {
        const answer = await fetch(url);
        answer.body?.cancel();
        tellBusy(answer.status === TOO_MANY, busy);
        if (!OVER[answer.status]) return;
        ended = true;
        close();
        tellOver(OVER[answer.status]);
      } catch {
        // The next time may have an answer.
      }
    };

    const wait = () => {
      if (source || ended || !isSeen()) return;
      clearTimeout(later);
      later = setTimeout(open, pause);
    };

    const open = () => {
      if (source || ended || !isSeen()) return;
      source = new EventSource(url);
      for (const [name, listener] of Object.entries(listeners)) source.addEventListener(name, listener);
      source.addEventListener("open", () => tellBusy(false, busy));
      source.addEventListener("end", (event) => {
        const { reason } = JSON.parse(event.data);
        ended = isOver(reason);
        if (ended) tellOver(reason.startsWith("token-") ? "signed-out" : "access-over");
        if (ended || reason === "set-back") close(); // its places are gone: begin anew
        if (!ended && !source) again();
      });
      source.addEventListener("error", () => {
        if (source?.readyState !== EventSource.CLOSED) return; // the browser asks again by itself
        close();
        again();
        askWhy();
      });
    };

    document.addEventListener("visibilitychange", () => (isSeen() ? wait() : close()));
    // A page that is left gives its place back at once, also one that the browser keeps.
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted) wait(); });
    wait();
  };

  // Asks from time to time whether a list is still as it was, until it is not or no longer shown.
  const watch = (url, state, tell) => {
    let later = 0;
    let ended = false;

    const wait = () => {
      clearTimeout(later);
      if (!ended && isSeen()) later = setTimeout(ask, 10_000 + 5_000 * Math.random());
    };

    const ask = async () => {
      clearTimeout(later);
      try {
        const answer = await fetch(url);
        const over = OVER[answer.status];
        const found = answer.ok && !over ? await answer.text() : state;
        ended = Boolean(over) || found !== state;
        if (over) tellOver(over);
        else if (ended) tell();
      } catch {
        // The next time may have an answer.
      }
      wait();
    };

    document.addEventListener("visibilitychange", () => {
      if (!ended && isSeen()) ask();
    });
    wait();
  };

  const bell = document.querySelector("[data-live]");
  const unreadBefore = Number(bell.dataset.unread);
  const newer = document.getElementById("newer");
  const tellNewer = () => { if (newer) newer.hidden = false; };

  const showUnread = (unread) => {
    const count = bell.querySelector(".count");
    count.hidden = unread === 0;
    count.querySelector("[aria-hidden]").textContent = unread > 99 ? "99+" : String(unread);
    count.querySelector(".unseen").textContent = `${unread} ${bell.dataset.word}`;
    if (unread > unreadBefore) tellNewer();
  };

  follow(
    bell.dataset.live,
    {
      unread: (event) => showUnread(JSON.parse(event.data).unread),
      notification: tellNewer,
    },
    (reason) => reason === "token-revoked",
    { pause: 2_000 },
  );

  const records = document.getElementById("new-records");
  if (records) {
    let arrived = 0;
    let last = "";

    const isOwnReading = (record) =>
      record.action === "search.performed" && record.actor.id === records.dataset.own;

    const record = (event) => {
      if (event.lastEventId === last || isOwnReading(JSON.parse(event.data))) return;
      last = event.lastEventId;
      arrived += 1;
      const text = arrived === 1 ? records.dataset.one : records.dataset.many.replace("#", arrived);
      records.querySelector("span").textContent = text;
      records.hidden = false;
    };

    const goesOn = ["draining", "too-slow", "unavailable", "set-back"];
    follow(records.dataset.follow, { record }, (reason) => !goesOn.includes(reason), {
      busy: "records-busy",
    });
  }

  const changed = document.getElementById("list-changed");
  if (changed) watch(changed.dataset.watch, changed.dataset.state, () => { changed.hidden = false; });
})();
