// The page works without this: it shows times as this browser's clock does, and copies, and checks while one types.
"use strict";

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = "Copied";
  });
}

// A cookie goes to every port of this machine; what is kept here stays with this one. A yes needs both.
const KEY = "sequences-review-key";
const kept = (act) => {
  try {
    return act(localStorage);
  } catch {
    return null; // a browser that keeps nothing: the passphrase is asked for with each yes
  }
};

const unlock = document.getElementById("unlock");
if (unlock) {
  unlock.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(unlock));
    const answer = await fetch(unlock.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const { told, next, key } = await answer.json();
    if (answer.ok) {
      kept((storage) => storage.setItem(KEY, key));
      location.assign(next);
      return;
    }
    const shown = document.getElementById("told");
    shown.replaceChildren(Object.assign(document.createElement("p"), { textContent: told }));
    shown.hidden = false;
    unlock.elements.passphrase.select();
  });
}

for (const field of document.querySelectorAll("input[data-key]")) field.value = kept((storage) => storage.getItem(KEY)) ?? "";

const lock = document.querySelector('form[action="/lock"]');
if (lock) lock.addEventListener("submit", () => kept((storage) => storage.removeItem(KEY)));

const alert = document.querySelector("[role=alert][tabindex]");
if (alert) alert.focus();

// While a text is written, the guards are asked after a short rest; nothing is stored before Save.
const draft = document.querySelector("textarea[data-check]");
if (draft) {
  const form = draft.form;
  const shown = document.getElementById("findings");
  let rest;
  let latest = 0;

  const line = (found) => {
    const item = document.createElement("li");
    item.className = found.severity;
    const severity = document.createElement("strong");
    severity.textContent = found.severity[0].toUpperCase() + found.severity.slice(1);
    item.append(severity, ` ${found.message} `);
    if (found.excerpt) item.append(Object.assign(document.createElement("code"), { textContent: found.excerpt }));
    if (found.fix !== null) {
      const fix = Object.assign(document.createElement("span"), { className: "fix", textContent: "Fix: " });
      fix.append(Object.assign(document.createElement("code"), { textContent: found.fix || "(remove it)" }));
      item.append(fix);
    }
    item.append(Object.assign(document.createElement("span"), { className: "rule", textContent: found.rule }));
    return item;
  };

  const ask = async () => {
    const turn = ++latest;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(draft.dataset.check, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok || turn !== latest) return;
    const { findings } = await answer.json();
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
}

// Passkeys: the challenge that is signed is the digest that is approved.
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

for (const form of document.querySelectorAll("form[data-signs]")) {
  form.addEventListener("submit", async (event) => {
    if (form.elements.signature.value) return;
    event.preventDefault();
    const allowCredentials = form.dataset.signs.split(",").map((id) => ({ type: "public-key", id: fromBase64url(id) }));
    const challenge = bytes(form.elements.digest.value);
    const publicKey = { challenge, rpId: "localhost", allowCredentials, userVerification: "required" };
    try {
      form.elements.signature.value = JSON.stringify(await navigator.credentials.get({ publicKey }));
    } catch {
      return; // dismissed: nothing is approved, and the button is there to try again
    }
    form.submit();
  });
}

const register = document.getElementById("register");
if (register) {
  register.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("told");
    const body = new URLSearchParams(new FormData(register));
    const answer = await fetch(register.dataset.begins, { method: "POST", body });
    const options = await answer.json();
    if (!answer.ok) {
      told.textContent = options.told;
      return;
    }
    try {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      register.elements.credential.value = JSON.stringify(await navigator.credentials.create({ publicKey }));
    } catch {
      told.textContent = "No passkey was made.";
      return;
    }
    register.submit();
  });
}
