// The page works without this script. It shows times in the browser's zone, copies texts, and checks a text as it is typed.
"use strict";

const showTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = time.textContent;
    const ahead = at - Date.now();
    const isNear = ahead >= 0 && ahead < 6 * 86_400_000;
    if ("date" in time.dataset) time.textContent = at.toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" });
    else if (!("day" in time.dataset)) time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    else time.textContent = at.toLocaleDateString(undefined, isNear ? { weekday: "long" } : { dateStyle: "medium" });
    const here = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    const { local } = time.dataset;
    if (local && !local.startsWith(here)) time.textContent += ` (${local})`;
  }
};

const offerCopies = (root) => {
  for (const button of root.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(source.value ?? source.textContent);
        button.textContent = "Copied";
      } catch {
        source.select?.();
        button.textContent = "Select it and copy it yourself";
      }
    });
  }
};

// Cookies are sent to every port of localhost, localStorage only to this origin: an approval needs both secrets.
const KEY = "sequences-review-key";
const stored = (act) => {
  try {
    return act(localStorage);
  } catch {
    return null; // no storage in this browser: the passphrase is asked for with each approval
  }
};

// Shown when a request failed or its answer is not JSON: the server has ended, or is busy.
const GONE = "The server did not answer: its program has ended, or is busy. Start it again, then try once more; nothing was changed.";
const requestJson = async (path, options) => {
  try {
    const answer = await fetch(path, options);
    return { ok: answer.ok, facts: await answer.json() };
  } catch {
    return { ok: false, facts: { message: GONE } };
  }
};
const tell = (shown, words) => {
  shown.replaceChildren(Object.assign(document.createElement("p"), { textContent: words }));
  shown.hidden = false;
};

// Forms are submitted only while the server answers: otherwise the browser would show its own error page, and what was
// typed would be lost.
const underWay = new WeakSet();
const isServerUp = () =>
  fetch("/static/icon.svg", { cache: "no-store", signal: AbortSignal.timeout(10_000) }).then(() => true, () => false);
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (form.getAttribute("method") !== "post" || form.matches("#unlock, #register") || "reached" in form.dataset) return;
    if ("stays" in form.dataset && !event.submitter?.hasAttribute("formaction")) return; // review.js sends it
    event.preventDefault();
    event.stopImmediatePropagation();
    if (underWay.has(form)) return;
    underWay.add(form);
    const isUp = await isServerUp();
    if (!isUp || form.dataset.signs !== undefined) underWay.delete(form); // it may be sent anew
    const shown = form.querySelector("[data-gone]");
    if (!isUp) {
      const line = shown ?? form.appendChild(Object.assign(document.createElement("p"), { className: "warning" }));
      line.dataset.gone = "";
      line.setAttribute("role", "alert");
      line.textContent = GONE;
      return;
    }
    shown?.remove();
    form.dataset.reached = "";
    form.requestSubmit(event.submitter);
    delete form.dataset.reached;
  },
  true,
);

addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => underWay.delete(form)));

// A browser that was unlocked here before has a token in localStorage, and is shown the word that the person chose.
const BROWSER = "sequences-review-browser";
const unlock = document.getElementById("unlock");
if (unlock) {
  const { browser, passphrase } = unlock.elements;
  const known = stored((storage) => storage.getItem(BROWSER));
  if ("known" in browser.dataset || !known) stored((storage) => storage.setItem(BROWSER, browser.value));
  else browser.value = known;
  if (unlock.dataset.word && !("known" in browser.dataset)) {
    requestJson(unlock.dataset.word, { method: "POST", body: new URLSearchParams({ browser: browser.value }) }).then(({ facts }) => {
      if (!facts.word) return;
      const shown = document.getElementById("word");
      shown.querySelector("strong").textContent = facts.word;
      shown.hidden = false;
      document.getElementById("unknown")?.remove();
      const anyway = document.getElementById("anyway");
      if (anyway) anyway.replaceWith(unlock);
      passphrase.focus();
    });
  }
  unlock.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(unlock));
    const button = unlock.querySelector("button");
    button.disabled = true;
    const { ok, facts } = await requestJson(unlock.action, { method: "POST", body, headers: { Accept: "application/json" } });
    button.disabled = false;
    if (ok) {
      stored((storage) => storage.setItem(KEY, facts.key));
      location.assign(facts.next);
      return;
    }
    tell(document.getElementById("message"), facts.message ?? GONE);
    passphrase.select();
  });
}

const fillKeys = (root) => {
  for (const field of root.querySelectorAll("input[data-key]")) field.value = stored((storage) => storage.getItem(KEY)) ?? "";
};

const lock = document.querySelector('form[action="/lock"]');
if (lock) lock.addEventListener("submit", () => stored((storage) => storage.removeItem(KEY)));

// A file that is dropped on its form is sent as if it had been chosen.
const drop = document.querySelector("form[data-drop]");
if (drop) {
  drop.querySelector("[data-droppable]").hidden = false;
  const over = (event) => {
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragenter" || event.type === "dragover");
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) drop.addEventListener(kind, over);
  drop.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length === 0) return;
    drop.elements.file.files = event.dataTransfer.files;
    drop.requestSubmit();
  });
}

const alert = document.querySelector("[role=alert][tabindex]");
if (alert) alert.focus();

// While a text is edited, the guards check it after 250 ms without a key; nothing is stored before Save.
const NOT_CHECKED = "This text could not be checked just now. Saving it tells what the guards find.";
const line = (finding) => {
  const item = document.createElement("li");
  item.className = finding.severity;
  const severity = document.createElement("strong");
  severity.textContent = finding.severity[0].toUpperCase() + finding.severity.slice(1);
  item.append(severity, ` ${finding.message} `);
  if (finding.excerpt) item.append(Object.assign(document.createElement("code"), { textContent: finding.excerpt }));
  if (finding.fix !== null) {
    const fix = Object.assign(document.createElement("span"), { className: "fix", textContent: "Fix: " });
    fix.append(Object.assign(document.createElement("code"), { textContent: finding.fix || "(remove it)" }));
    item.append(fix);
  }
  item.append(Object.assign(document.createElement("span"), { className: "rule", textContent: finding.rule }));
  return item;
};

const checkWhileTyping = (draft) => {
  const form = draft.form;
  const shown = document.getElementById(draft.getAttribute("aria-describedby"));
  let rest;
  let latest = 0;

  const ask = async () => {
    const turn = ++latest;
    const body = new URLSearchParams(new FormData(form));
    const { ok, facts } = await requestJson(draft.dataset.check, { method: "POST", body, headers: { Accept: "application/json" } });
    if (turn !== latest) return;
    if (!ok) {
      tell(shown, facts.message ?? NOT_CHECKED);
      return;
    }
    const { findings } = facts;
    const list = Object.assign(document.createElement("ul"), { className: "findings" });
    list.append(...findings.map(line));
    const fine = Object.assign(document.createElement("p"), { textContent: "The guards find nothing." });
    shown.replaceChildren(findings.length ? list : fine);
  };

  form.addEventListener("input", () => {
    clearTimeout(rest);
    rest = setTimeout(ask, 250);
  });
  if (draft.value !== draft.defaultValue) ask(); // typed before this script was here
};

// Passkeys: the challenge that is signed is the digest that is approved, or what the form says beside it.
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

const signAtSubmit = (form) => {
  form.addEventListener("submit", async (event) => {
    if (form.elements.signature.value) return;
    event.preventDefault();
    const allowCredentials = form.dataset.signs.split(",").map((id) => ({ type: "public-key", id: fromBase64url(id) }));
    const challenge = bytes(form.dataset.challenge ?? form.elements.digest.value);
    const publicKey = { challenge, rpId: location.hostname, allowCredentials, userVerification: "required" };
    try {
      form.elements.signature.value = JSON.stringify(await navigator.credentials.get({ publicKey }));
    } catch (error) {
      const why = error.name === "NotAllowedError" ? "The passkey did not sign: it was dismissed, or took too long." : `The passkey did not sign: ${error.message}`;
      const shown = form.querySelector("[data-message]") ?? form.appendChild(Object.assign(document.createElement("p"), { className: "warning" }));
      shown.dataset.message = "";
      shown.setAttribute("role", "alert");
      shown.textContent = `${why} Nothing was approved; try again.`;
      return;
    }
    form.submit();
  });
};

// A file whose text goes into a field of the form; the file itself is not sent.
const readInto = (input) =>
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    document.getElementById(input.dataset.into).value = await file.text();
    const name = document.getElementById(input.dataset.name);
    if (!name.value) name.value = file.name.replace(/\.[^.]*$/, "");
  });

// What a screen, or a part of it that was fetched later, needs of this script.
const prepare = (root) => {
  showTimes(root);
  offerCopies(root);
  fillKeys(root);
  root.querySelectorAll("input[data-into]").forEach(readInto);
  root.querySelectorAll("textarea[data-check]").forEach(checkWhileTyping);
  root.querySelectorAll("form[data-signs]").forEach(signAtSubmit);
};
prepare(document);

const register = document.getElementById("register");
if (register) {
  register.addEventListener("submit", async (event) => {
    event.preventDefault();
    const message = document.getElementById("message");
    const body = new URLSearchParams(new FormData(register));
    const { ok, facts: options } = await requestJson(register.dataset.begins, { method: "POST", body });
    if (!ok) {
      message.textContent = options.message ?? GONE;
      return;
    }
    try {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      register.elements.credential.value = JSON.stringify(await navigator.credentials.create({ publicKey }));
    } catch {
      message.textContent = "No passkey was made.";
      return;
    }
    register.submit();
  });
}
