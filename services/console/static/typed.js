"use strict";

// Keeps what is typed in this tab: to go back, or to load a page anew, sends nothing twice and loses
// no text. A page that answers a press becomes one that the browser loads like any other.
(() => {
  const content = document.getElementById("content");
  if (!content) return;
  const TYPED = "rolecall.typed", PRESSED = "rolecall.pressed", MOST = 20;
  const SIGN_OUT = "/sign-out";
  const SECRETS = new Set(["password", "current", "new", "client_secret", "secret", "carried",
    "otp", "form", "once", "first_step", "continuation", "challenge", "credential", "enrolment",
    "token", "code"]);

  // The drafts of the pages of this tab by their addresses, the newest last.
  const typed = () => {
    try { return new Map(JSON.parse(sessionStorage.getItem(TYPED))); } catch { return new Map(); }
  };
  const keep = (here, drafts) => {
    const kept = typed();
    kept.delete(here);
    if (drafts.length) kept.set(here, drafts.slice(0, MOST));
    try { sessionStorage.setItem(TYPED, JSON.stringify([...kept].slice(-MOST))); } catch { /* full */ }
  };

  const forms = () => [...content.querySelectorAll("form[method=post]")];
  const target = (form) => form.getAttribute("action") ?? "";
  const mark = (form) => form.querySelector("input[name=form]")?.value.split(".")[1] ?? "";
  // What a preview has shown is not kept: it counts for the page that shows it alone.
  const fields = (form) => [...form.elements].filter((field) => field.name
    && field.name !== "seen" && !SECRETS.has(field.name) && !["password", "submit", "button", "file"].includes(field.type));
  const isOpen = (field) => field.type !== "hidden" && field.name !== "confirm";
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

  const drafts = () => forms().map((form) => ({
    target: target(form),
    mark: mark(form),
    fields: fields(form).filter((field) => !isChoice(field) || field.checked)
      .map((field) => [field.name, field.value]),
  })).filter((draft) => draft.fields.length);

  // A draft is of a form if it names one of its open fields, and the same thing in hidden ones.
  const fits = (draft, form) => {
    if (draft.target !== target(form) || draft.mark !== mark(form)) return false;
    const texts = new Map(draft.fields);
    return fields(form).some((field) => isOpen(field) && texts.has(field.name))
      && fields(form).every((field) => field.type !== "hidden" || field.name === "state"
        || !texts.has(field.name) || texts.get(field.name) === field.value);
  };

  const fill = (form, draft) => {
    const texts = new Map(draft.fields);
    for (const field of fields(form)) {
      if (isChoice(field)) {
        field.checked = draft.fields.some(([name, value]) => name === field.name && value === field.value);
      } else if ((isOpen(field) || field.name === "state") && texts.has(field.name)) {
        field.value = texts.get(field.name);
      }
    }
  };

  const here = location.pathname + location.search;
  const kind = performance.getEntriesByType("navigation")[0]?.type;
  const isAnswer = "pressed" in content.dataset;

  if (isAnswer) {
    history.replaceState(null, "", location.href);
    keep(here, [...drafts(), ...typed().get(here) ?? []]);
  } else {
    // What was pressed last has done its work: its form is as new.
    if ("done" in content.dataset) keep(sessionStorage.getItem(PRESSED), []);
    if (kind === "back_forward" || kind === "reload") {
      const kept = typed().get(here) ?? [];
      for (const form of forms()) {
        const draft = kept.find((one) => fits(one, form));
        if (draft) fill(form, draft);
      }
    } else {
      keep(here, []);
    }
  }

  const keepAll = () => keep(here, [...drafts(), ...isAnswer ? typed().get(here) ?? [] : []]);
  content.addEventListener("change", keepAll);
  content.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (target(event.target) === SIGN_OUT) {
      // Who comes next to this tab finds nothing of what was typed.
      sessionStorage.removeItem(TYPED);
      sessionStorage.removeItem(PRESSED);
      return;
    }
    keepAll();
    sessionStorage.setItem(PRESSED, here);
  });
})();
