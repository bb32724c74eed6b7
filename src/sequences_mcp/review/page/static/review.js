// The review of a plan without loading the page anew, and its keys. The screens work without this script, which fetches
// the same ones and puts them in place. What was read the server decides from what it served: so nothing is fetched
// before a person goes there, and whatever was fetched is shown, one screen after the other.
"use strict";

const main = document.getElementById("main");
const spoken = document.body.appendChild(Object.assign(document.createElement("p"), { className: "sr" }));
spoken.setAttribute("role", "status");

// DOMParser would need Trusted Types; a request that parses its own answer does not.
const fetchScreen = (path) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "document";
    request.timeout = 30_000;
    request.onload = () => resolve(request);
    request.onerror = request.ontimeout = () => reject(new Error(GONE));
    request.send();
  });

let last = Promise.resolve();
let pending = 0;
let screens = 0; // how many were put in place
const inTurn = (act) => {
  pending += 1;
  last = last.then(act).catch((error) => warn(error.message)).finally(() => (pending -= 1));
  return last;
};

const warn = (words) => {
  const shown = main.querySelector("#gone") ?? Object.assign(document.createElement("div"), { id: "gone", className: "notice bad" });
  shown.setAttribute("role", "alert");
  tell(shown, words);
  document.getElementById("review").before(shown);
};

// What was typed into the bar stays where somebody goes on to read.
const typed = () => [...main.querySelectorAll("#approve input:not([type=hidden]), #reason")];
const keepTyped = (act) => {
  const before = new Map(typed().map((field) => [field.id || field.name, field]));
  act();
  for (const field of typed()) {
    const known = before.get(field.id || field.name);
    if (!known) continue;
    if (field.type !== "checkbox") field.value = known.value;
    else field.checked = known.checked && known.value === field.value;
  }
};

// A text that was typed and not saved waits for the screen that shows its editor again, unless what it replaces was
// changed meanwhile: it would undo that change unseen.
const unsaved = new Map();
const editors = () => [...main.querySelectorAll(".edit form")];
const fieldsOf = (form) => [...form.querySelectorAll("input:not([type=hidden]), textarea")];
const placeOf = (form) => `${form.getAttribute("action")} ${form.elements.replaces.value}`;
const keepUnsaved = () => {
  for (const form of editors()) {
    const fields = fieldsOf(form);
    if (fields.some((field) => field.value !== field.defaultValue)) unsaved.set(placeOf(form), fields.map((field) => field.value));
    else unsaved.delete(placeOf(form));
  }
};
const giveBackUnsaved = () => {
  for (const form of editors()) {
    const values = unsaved.get(placeOf(form));
    if (!values) continue;
    fieldsOf(form).forEach((field, place) => (field.value = values[place]));
    form.closest(".edit").open = true;
  }
};
const forgetUnsaved = (form) => fieldsOf(form).forEach((field) => (field.defaultValue = field.value));

const show = (screen, { moves }) => {
  const before = new Set(unsaved.keys());
  keepUnsaved();
  const isLeft = [...unsaved.keys()].some((place) => !before.has(place));
  const scrolled = document.getElementById("scrolls")?.scrollTop ?? 0;
  const isOpen = main.querySelector(".terms-of")?.open;
  keepTyped(() => main.replaceChildren(...document.importNode(screen, true).childNodes));
  screens += 1;
  giveBackUnsaved();
  prepare(main);
  offerKeys();
  if (isOpen) main.querySelector(".terms-of").open = true;
  const list = document.getElementById("scrolls");
  const chosen = list?.querySelector(".chosen");
  if (list) list.scrollTop = scrolled;
  if (chosen) {
    const [row, box] = [chosen.getBoundingClientRect(), list.getBoundingClientRect()];
    if (row.top < box.top + 32 || row.bottom > box.bottom) list.scrollTop += row.top - box.top - box.height / 3;
  }
  const texts = document.getElementById("texts");
  if (isLeft && !main.querySelector(".edit[open]")) warn("What you typed on the screen before is not saved. It is still there when you go back.");
  if (!moves || !texts) return;
  texts.focus({ preventScroll: true });
  const { top } = texts.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 3) texts.scrollIntoView();
};

const load = async (path, { moves = true, isNew = true } = {}) => {
  main.setAttribute("aria-busy", "true");
  try {
    const request = await fetchScreen(path);
    const screen = request.response?.getElementById("main");
    if (!request.response?.getElementById("review")) {
      location.assign(path); // locked, or no review any more: as a screen of its own
      return;
    }
    if (isNew) history.pushState(null, "", request.responseURL);
    document.title = request.response.title;
    show(screen, { moves });
  } finally {
    main.removeAttribute("aria-busy");
  }
};

addEventListener("popstate", () => inTurn(() => load(location.href, { isNew: false })));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/plans/']");
  if (!link || !main.contains(link) || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const path = link.getAttribute("href");
  const isPage = link.closest(".pager") !== null;
  inTurn(async () => {
    await load(path, { moves: !isPage });
    if (isPage) document.getElementById("people").scrollIntoView();
  });
});

// Forms that change something answer the script with where to go on, or with why not; what was typed stays then.
const send = async (form, submitter = null) => {
  const body = new URLSearchParams(new FormData(form, submitter));
  if (form.method === "get") return load(`${form.action}?${body}`, { moves: false });
  const { ok, facts } = await requestJson(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (ok) {
    if (form.closest(".edit")) forgetUnsaved(form);
    await load(facts.next);
    spoken.textContent = form.dataset.done ?? "";
    return;
  }
  const live = form.querySelector(".live");
  if (!live) return warn(facts.message ?? GONE);
  tell(live, facts.message ?? GONE);
  const list = Object.assign(document.createElement("ul"), { className: "findings" });
  list.append(...(facts.findings ?? []).map(line));
  live.append(list);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("stays" in form.dataset) || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  if (form.ariaBusy) return;
  form.ariaBusy = "true";
  inTurn(() => send(form, event.submitter).finally(() => (form.ariaBusy = null)));
});

document.addEventListener("change", (event) => {
  if (event.target.id === "show") event.target.form.requestSubmit();
  if (event.target.id === "keys") stored((storage) => storage.setItem(KEYS, event.target.checked ? "on" : "off"));
});

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.open && event.target.matches?.(".edit")) event.target.querySelector("textarea").focus();
  },
  true,
);

// Single keys can be turned off (WCAG 2.1.4), and do nothing where somebody types or has another control before them.
// A key that is held down, or pressed before its answer is there, goes nowhere: each screen is left by a press of its own.
// Only an editor opens once the next screen is there, and not where that does not come: it would be another person's.
// While a form is on its way, which leaves the screen, no key takes the form away.
const KEYS = "sequences-review-keys";
const offerKeys = () => {
  const offered = main.querySelector(".keys");
  if (!offered) return;
  offered.hidden = false;
  document.getElementById("keys").checked = stored((storage) => storage.getItem(KEYS)) !== "off";
};
const follow = (key) => inTurn(async () => {
  const link = main.querySelector(`.walk a[data-key="${key}"]`);
  if (link) await load(link.getAttribute("href"));
  else if (key === "Enter") goToDecision();
});
const goToDecision = () => {
  const bar = document.getElementById("decide");
  const asked = bar?.querySelector("#approve :invalid");
  (asked ?? bar)?.focus();
  if (bar && !asked) spoken.textContent = "There is nothing left to read. Press Tab to go to the decision.";
};
const edit = () => {
  const editor = main.querySelector(".edit[data-own]") ?? main.querySelector(".edit");
  if (!editor) return;
  editor.open = true;
  editor.querySelector("textarea").focus();
};
const editNext = () => {
  const wanted = screens + (pending ? 1 : 0);
  return inTurn(() => screens >= wanted && edit());
};
const isLeaving = () => [...document.forms].some((form) => underWay.has(form));
const ACTS = {
  j: () => follow("j"),
  k: () => follow("k"),
  Enter: () => follow("Enter"),
  e: editNext,
  x: () =>
    inTurn(async () => {
      const form = document.getElementById("take-out");
      if (form) await send(form);
    }),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const editor = event.target.closest(".edit");
  if (editor && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    editor.querySelector("form").requestSubmit();
    return;
  }
  if (editor?.open && event.key === "Escape") {
    editor.open = false;
    editor.querySelector("summary").focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in ACTS)) return;
  if (document.getElementById("keys")?.checked === false) return;
  if (event.target.closest("textarea, select, input:not([type=checkbox])")) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary, input, label")) return;
  event.preventDefault();
  if (event.repeat || isLeaving() || (pending && event.key !== "e")) return;
  ACTS[event.key]();
});

offerKeys();
