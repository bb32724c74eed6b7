// A plan inside a chat (MCP Apps, spec 2026-01-26). What others wrote is set as text, never as markup; the passphrase
// stays in this frame: what leaves it is a proof, good once, for this decision about this digest.
"use strict";

const root = document.getElementById("panel");
const host = { capabilities: {} };
let planId = "";
let shown = null; // the plan, its people and the texts of one of them, as returned by show_plan
let place = {}; // what was asked for last: a person, or a page of a list that is searched and filtered
let usesKeys = true;

// The host: JSON-RPC over postMessage.
const waiting = new Map();
let lastId = 0;
const post = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
const tell = (method, params) => post({ method, params });
const ask = (method, params) =>
  new Promise((resolve, reject) => {
    waiting.set(++lastId, { resolve, reject });
    post({ id: lastId, method, params });
  });

addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== parent || message?.jsonrpc !== "2.0") return;
  if (message.method === undefined) {
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) asked?.reject(new Error(message.error.message));
    else asked?.resolve(message.result);
  } else if (message.id !== undefined) {
    const known = message.method === "ui/resource-teardown" || message.method === "ping";
    post({ id: message.id, ...(known ? { result: {} } : { error: { code: -32601, message: "unknown method" } }) });
  } else if (message.method === "ui/notifications/tool-result") {
    openResult(facts(message.params));
  } else if (message.method === "ui/notifications/host-context-changed") {
    dress(message.params);
  }
});

const facts = (result) => {
  if (result?.structuredContent) return result.structuredContent;
  try {
    return JSON.parse(result.content.find((block) => block.type === "text").text);
  } catch {
    return {};
  }
};

const call = async (name, args) => {
  const result = await ask("tools/call", { name, arguments: args });
  if (!result.isError) return facts(result);
  const { message = "That did not work.", next = "" } = facts(result);
  throw new Error(`${message} ${next}`.trim());
};

const dress = (context) => {
  if (context?.theme) document.documentElement.dataset.theme = context.theme === "dark" ? "dark" : "light";
};

const measure = () => {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  tell("ui/notifications/size-changed", { width: document.documentElement.clientWidth, height });
};

// The proof: SCRAM of RFC 5802 over scrypt, with the key that holds for the next proof beside it.
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hmac = async (key, bytes) => {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes));
};

// A cheap derivation would make the proof a good guess's test: whoever stands between asks for none here.
const LEAST = { n: 2 ** 15, r: 8, p: 1, salt: 16 };
const MOST = { n: 2 ** 19, r: 32, p: 16 };
const derivation = (words) => {
  const [name, n, r, p, salt] = words.split(":");
  const how = { n: Number(n), r: Number(r), p: Number(p), salt: unhex(salt) };
  const isPower = Math.log2(how.n) % 1 === 0;
  const fits = ["n", "r", "p"].every((one) => how[one] >= LEAST[one] && how[one] <= MOST[one]);
  if (name !== "scrypt" || !isPower || !fits || how.salt.length < LEAST.salt)
    throw new Error("Your passphrase was not used: it would have been too weakly protected. Approve on the review page.");
  return how;
};

const derived = (passphrase, how) =>
  scrypt(utf8(passphrase.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "").normalize("NFC")), how.salt, how);

const clientKey = (key, salt) => hmac(key, Uint8Array.of(...utf8("Client Key"), ...salt));

const proven = async (passphrase, { nonce, salt, derivation: words }, boundTo) => {
  const whole = await derived(passphrase, derivation(words));
  const key = await clientKey(whole, unhex(salt));
  const nextSalt = crypto.getRandomValues(new Uint8Array(16));
  const nextKey = await sha256(await clientKey(whole, nextSalt));
  const said = utf8([nonce, ...boundTo, hex(nextSalt), hex(nextKey)].join("\n"));
  const signature = await hmac(await sha256(key), said);
  const proof = key.map((byte, index) => byte ^ signature[index]);
  return [nonce, base64(proof), base64(nextSalt), base64(nextKey)].join(".");
};

const canProve = () => globalThis.crypto?.subtle !== undefined;

// Drawing. Every text is a text node.
const make = (tag, options = {}, ...children) => {
  const { class: className, ...rest } = options;
  const element = Object.assign(document.createElement(tag), rest);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
};
const button = (words, act, className = "") => {
  const made = make("button", { type: "button", class: className }, words);
  made.addEventListener("click", act);
  return made;
};
const draw = (...children) => {
  root.replaceChildren(...children.filter(Boolean));
  measure();
};
const pieces = (text) =>
  (text.match(/\n|[^\n]{1,200}/gu) ?? []).map((part) => (part.trim() ? make("span", { class: "piece" }, part) : part));
const stretches = (parts) =>
  parts.flatMap(({ text, field }) => (field ? make("mark", { title: field }, ...pieces(text)) : pieces(text)));
const number = (value) => value.toLocaleString("en");
const warnings = (count) => (count ? `${number(count)} ${count === 1 ? "warning" : "warnings"}` : "");
const people = (count) => `${number(count)} ${count === 1 ? "person" : "people"}`;
const CHANNELS = { EMAIL: "E-mail", SMS: "SMS", WHATSAPP: "WhatsApp", LINKEDIN_INMAIL: "LinkedIn InMail" };
const channel = (name) =>
  CHANNELS[name] ?? name.toLowerCase().replaceAll("_", " ").replace("linkedin", "LinkedIn");
const notice = (words, good = false) =>
  words ? make("div", { class: good ? "notice good" : "notice", role: good ? "status" : "alert" }, make("p", {}, words)) : null;

// The server's words, with each instant in them on the reader's clock; of somebody elsewhere on theirs beside it.
const clock = ({ words, at, local }) => {
  const here = new Date(at);
  const said = here.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  const isElsewhere = local && !local.startsWith(here.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }));
  return make("time", { dateTime: at, title: words }, isElsewhere ? `${said} (${local})` : said);
};
const timed = (words) =>
  shown.times.reduce(
    (parts, time) =>
      parts.flatMap((part) =>
        typeof part === "string" ? part.split(time.words).flatMap((rest, place) => (place ? [clock(time), rest] : [rest])) : [part],
      ),
    [words],
  );

const list = (className, items) => (items.length ? make("ul", { class: className }, ...items) : null);

// What was on screen. A text, or what a vendor is given about somebody, counts once every piece of it was, each small enough for any screen: what a server sent
// is not read.
const MARKS = 200; // of one report
const read = new Set();
const reported = new Set();
const unseen = new WeakMap(); // of each text that is drawn, its pieces that were not on screen yet
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, intersectionRatio: part } of entries) {
      const text = target.closest("[data-mark]");
      if (part < 0.9 || !text) continue;
      watcher.unobserve(target);
      unseen.get(text).delete(target);
      if (!unseen.get(text).size) read.add(text.dataset.mark);
    }
    report();
  },
  { threshold: [0.9, 1] },
);
const unreported = () => [...read].filter((mark) => !reported.has(mark)).slice(0, MARKS);

const watched = (made, mark) => {
  made.dataset.mark = mark;
  const parts = new Set([made.querySelector("h3"), ...made.querySelectorAll(".piece")].filter(Boolean));
  unseen.set(made, parts);
  for (const part of parts) watcher.observe(part);
  return made;
};

const exactText = (one) => watched(letter(one), one.mark);
const handed = (one) => watched(make("p", { class: "soft" }, ...pieces(one.handed)), one.mark);

const letter = (one) =>
  make(
    "section",
    { class: "letter" },
    make("h3", {}, one.name, " ", make("span", { class: "badge" }, channel(one.channel)), " ", one.is_own ? make("span", { class: "badge" }, "for this person alone") : null),
    one.channel === "EMAIL" && shown.window ? make("p", { class: "soft" }, `From ${shown.sender}`) : null,
    make("p", { class: "soft" }, `To ${one.recipient ?? "nobody: this step is left out"}, `, ...timed(one.when)),
    one.subject ? make("p", {}, make("strong", {}, ...stretches(one.subject))) : null,
    make(
      "p",
      { class: "text" },
      ...(one.content ? stretches(one.content) : ["This text is still to be written."]),
      one.closing ? make("span", { class: "closing" }, ...pieces(one.closing)) : null,
    ),
    list("findings", one.findings.map((words) => make("li", {}, words))),
    one.draft && shown.decidable ? editor(one) : null,
  );

// A text is edited as it will leave; the guards look at it when it is saved, and what was typed stays until they agree.
const editor = (one) => {
  const subject = one.source_subject === undefined ? null : make("input", { value: one.source_subject, autocomplete: "off" });
  const content = make("textarea", { rows: 7, value: one.source });
  const live = make("div", { class: "live" });
  live.setAttribute("role", "status");
  const saves = button("Save", () => inTurn(() => save(one, { subject, content, live })));
  const form = make(
    "div",
    { class: "fields" },
    subject && make("label", {}, "Subject", subject),
    make("label", {}, one.closing ? "Text; what closes every e-mail is added below it" : "Text", content),
    live,
    make("div", { class: "row" }, saves),
  );
  const made = make("details", { class: "edit" }, make("summary", {}, `${one.content ? "Edit" : "Write"} this text`), form);
  if (one.is_own) made.dataset.own = "";
  made.addEventListener("toggle", () => made.open && content.focus());
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) saves.click();
    else if (event.key === "Escape" && made.open) {
      made.open = false;
      made.querySelector("summary").focus();
    }
  });
  return made;
};

const save = async (one, { subject, content, live }) => {
  live.replaceChildren();
  try {
    const { person: now } = await call("show_plan", { plan_id: planId, person: shown.person.id });
    if (now.texts.find(({ draft }) => draft === one.draft)?.mark !== one.mark)
      throw new Error("This text was changed by somebody else meanwhile. Copy what you typed and open the person again.");
    const edited = { draft_id: one.draft, content: content.value, ...(subject && { subject: subject.value }) };
    await call("edit_draft", edited);
  } catch (error) {
    live.replaceChildren(notice(error.message));
    measure();
    return;
  }
  await go({ ...place, person: shown.person.id });
};

const fields = (all) =>
  all.length
    ? make(
        "p",
        { class: "soft" },
        "Marked, and filled in for each person: ",
        ...all.flatMap(({ label, value }, at) => [at ? ", " : "", `${label} `, make("mark", {}, value)]),
      )
    : null;

const UNTOLD = "These texts are written at the vendor; its API does not show them.";
const person = (one) =>
  make(
    "article",
    { class: "person", tabIndex: -1, id: "texts" },
    walk(),
    make("h2", {}, one.name, " ", one.out ? make("span", { class: "badge" }, "taken out") : null),
    make("p", { class: "soft" }, one.about.map(({ label, value }) => `${label}: ${value}`).join(" · ")),
    one.handed ? handed(one) : null,
    one.not_given ? make("p", { class: "soft" }, one.not_given) : null,
    fields(one.fields),
    list("findings", one.findings.map((words) => make("li", {}, ...timed(words)))),
    one.handed && !one.texts.length ? make("p", { class: "soft" }, UNTOLD) : null,
    ...one.texts.map(exactText),
    one.waits && shown.decidable ? button(`Take ${one.name} out`, () => inTurn(() => takeOut([one.id])), "quiet no") : null,
  );

// From person to person, and through those that have to be read.
const walk = () => {
  const { before, after, turn, unread, person: one } = shown;
  const words = one.has_own_text ? "Read, next" : "To the next to read";
  return make(
    "nav",
    { class: "walk", ariaLabel: "From person to person" },
    before ? button("Previous person", () => inTurn(() => go({ ...place, person: before })), "quiet") : null,
    after ? button("Next person", () => inTurn(() => go({ ...place, person: after })), "quiet") : null,
    turn && shown.decidable ? button(`${words}: ${number(unread)} to go`, () => inTurn(readNext), "turn") : null,
  );
};

// The list of people: searched, filtered, selected, taken out.
const KINDS = { "": "Everybody", own: "Texts of their own", warned: "With warnings", out: "Taken out" };
const find = () => {
  const words = make("input", { type: "search", id: "find", value: place.search ?? "", placeholder: "Name, company, title", autocomplete: "off", ariaLabel: "Search people" });
  const kind = make("select", { id: "show", ariaLabel: "Show" }, ...Object.entries(KINDS).map(([value, text]) => make("option", { value, selected: value === (place.show ?? "") }, text)));
  const act = () => inTurn(() => go({ search: words.value, show: kind.value }, { focus: "find" }));
  words.addEventListener("keydown", (event) => event.key === "Enter" && act());
  kind.addEventListener("change", act);
  return make("div", { class: "row find" }, words, kind, button("Find", act, "quiet"));
};

const row = (one) => {
  const isChosen = one.id === shown.person?.id;
  const name = button(one.name, () => inTurn(() => go({ ...place, person: one.id })), "name");
  if (isChosen) name.setAttribute("aria-current", "true");
  return make(
    "li",
    { class: isChosen ? "chosen" : "" },
    one.waits && shown.decidable ? make("input", { type: "checkbox", value: one.id, ariaLabel: `Select ${one.name}` }) : make("span"),
    make(
      "div",
      { class: "who" },
      name,
      make("span", { class: "soft" }, [one.facts, one.address].filter(Boolean).join(", ")),
      ...one.findings.map((words) => make("span", { class: "warning" }, ...timed(words))),
    ),
    one.state ? make("span", { class: one.unread ? "badge unread" : "badge" }, one.state) : make("span"),
  );
};

const rows = () => {
  const { items } = shown.persons;
  const groups = [...new Set(items.map(({ group }) => group))];
  const selected = new Set([...root.querySelectorAll(".people :checked")].map(({ value }) => value));
  const made = make(
    "div",
    { class: "scrolls", tabIndex: 0, ariaLabel: "People" },
    ...groups.flatMap((group) => [make("h3", {}, group), list("people", items.filter((one) => one.group === group).map(row))]),
    items.length ? null : make("p", {}, "Nobody."),
  );
  made.setAttribute("role", "group");
  for (const box of made.querySelectorAll("input")) box.checked = selected.has(box.value);
  return made;
};

const keys = () => {
  const used = make("input", { type: "checkbox", id: "keys", checked: usesKeys });
  used.addEventListener("change", () => (usesKeys = used.checked));
  const told = [["j", "next"], ["k", "previous"], ["Enter", "read, next"], ["e", "edit"], ["x", "take out"]];
  return make("p", { class: "soft keys" }, ...told.flatMap(([key, words]) => [make("kbd", {}, key), ` ${words} `]), make("label", { class: "tick" }, used, "use these keys"));
};

const side = () =>
  make(
    "section",
    { class: "side", ariaLabel: "People of the plan" },
    make("h2", {}, `People (${number(shown.persons.total_count)})`),
    find(),
    rows(),
    shown.decidable && shown.persons.items.length ? button("Take the selected out", () => inTurn(() => takeOut([...root.querySelectorAll(".people :checked")].map(({ value }) => value))), "quiet no") : null,
    pager(shown.persons),
    keys(),
  );

const terms = (plan) =>
  make(
    "dl",
    { class: "terms" },
    ...[
      ["From", plan.sender],
      ["Through", plan.delivery],
      ["Needs", plan.accounts],
      ["Window", plan.window && `${plan.window}, in each person's time zone`],
      ["Pace", plan.pace],
      ["Fingerprint", `${plan.digest.slice(0, 16)}…`],
    ].flatMap(([name, value]) => !value ? [] : [make("dt", {}, name), make("dd", {}, value)]),
  );

const step = (one) =>
  make(
    "li",
    {},
    make("strong", {}, one.name),
    make("span", {}, channel(one.channel)),
    make("span", {}, one.wait),
    make("span", { class: "soft" }, ...timed(one.when)),
    make("span", {}, one.told),
  );

const pager = ({ page, total_pages: pages, total_count: count, has_more: more }) =>
  pages > 1
    ? make(
        "nav",
        { class: "row", ariaLabel: "Pages" },
        page > 1 ? button("Previous", () => inTurn(() => turnTo(page - 1)), "quiet") : null,
        make("span", { class: "soft" }, `Page ${number(page)} of ${number(pages)} (${people(count)})`),
        more ? button("Next", () => inTurn(() => turnTo(page + 1)), "quiet") : null,
      )
    : null;

const duty = ({ words, done }) =>
  make("li", { class: done ? "done" : "" }, make("span", { ariaHidden: "true" }, done ? "✓ " : "○ "), words);

const openPage = () =>
  shown.address
    ? button("Open the review page", () => ask("ui/open-link", { url: shown.address }).catch(fail), "quiet")
    : make("p", { class: "soft" }, "The review page opens with ", make("code", {}, "sequences-mcp review --open"), " in a terminal.");

const field = (words, options) => make("label", {}, words, make("input", options));

let isDeciding = false;
const isReady = () => shown.duties.every(({ done }) => done !== false);
const approval = () => {
  const secret = field("Your passphrase", { type: "password", id: "passphrase", autocomplete: "off", required: true });
  const count = shown.many
    ? field("People it reaches", { id: "count", inputMode: "numeric", autocomplete: "off", required: true })
    : null;
  const act = async () => {
    if (isDeciding) return;
    isDeciding = true;
    await inTurn(() => approve(secret.lastChild, count?.lastChild));
    isDeciding = false;
  };
  const approveButton = button(`Approve ${people(shown.waiting)}`, act, "end yes");
  approveButton.disabled = !isReady();
  const warned = shown.warnings
    ? make("label", { class: "tick" }, make("input", { type: "checkbox", id: "warned" }), `I have seen the ${warnings(shown.warnings)}`)
    : null;
  const form = make("div", { class: "row" }, warned, count, secret, approveButton); // a sandbox need not let forms be submitted
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) act();
  });
  return form;
};

const decide = () => {
  if (!shown.decidable) return null;
  const here = shown.challenge && canProve();
  const why = shown.elsewhere || (canProve() ? "" : "This host gives the panel no cryptography: approve on the review page.");
  return make(
    "section",
    { class: "decide", id: "decide", tabIndex: -1, ariaLabel: "Decide" },
    make("p", { class: "consequence" }, ...timed(shown.consequence)),
    here ? list("duties", shown.duties.map(duty)) : make("p", {}, why),
    here ? approval() : null,
    make("div", { class: "row" }, button("Reject all", () => inTurn(refuse), "no"), openPage()),
  );
};

// What was typed into the bar stays where somebody goes on to read.
const keepTyped = (act) => {
  const typed = new Map([...root.querySelectorAll(".decide input")].map((field) => [field.id, field]));
  const before = drawn?.warnings;
  act();
  for (const field of root.querySelectorAll(".decide input")) {
    const known = typed.get(field.id);
    if (!known) continue;
    if (field.type !== "checkbox") field.value = known.value;
    else field.checked = known.checked && before === shown.warnings;
  }
};

let drawn = null; // the answer that is on the screen
const drawPlan = (words = "", good = false) => {
  const isOpen = root.querySelector(".terms-of")?.open ?? false;
  const scrolled = root.querySelector(".scrolls")?.scrollTop ?? 0;
  keepTyped(() =>
    draw(
      make("h1", {}, shown.blueprint_name, " ", make("span", { class: "badge" }, shown.status)),
      notice(words, good),
      shown.reason ? make("p", { class: "soft" }, shown.reason) : null,
      shown.decidable ? null : make("p", {}, shown.elsewhere),
      make(
        "details",
        { class: "terms-of", open: isOpen },
        make("summary", {}, "What happens, and when"),
        shown.decidable ? make("ul", { class: "steps" }, ...shown.steps.map(step)) : null,
        terms(shown),
      ),
      list("findings", shown.findings.map((found) => make("li", {}, found))),
      make("div", { class: "review" }, side(), shown.person ? person(shown.person) : null),
      decide(),
    ),
  );
  drawn = shown;
  const inList = root.querySelector(".scrolls");
  inList.scrollTop = scrolled;
  const chosen = inList.querySelector(".chosen");
  if (!chosen) return;
  const top = chosen.offsetTop - inList.offsetTop;
  if (top < scrolled + 32 || top + chosen.offsetHeight > scrolled + inList.clientHeight) inList.scrollTop = top - inList.clientHeight / 3;
};

const card = (plan) => {
  const choose = () => {
    planId = plan.plan_id;
    inTurn(() => go({}));
  };
  const words = [people(plan.people), plan.status === "void" ? "changed since: read again" : "", plan.to_read ? `${number(plan.to_read)} texts to read` : "", warnings(plan.warnings)];
  return make("li", {}, button(`${plan.blueprint_name}: ${words.filter(Boolean).join(", ")}`, choose, "quiet"));
};

const elsewhere = (count) =>
  count ? `${number(count)} ${count === 1 ? "change" : "changes"} at vendors to decide about on the review page.` : "";

const drawPlans = (plans, changes) =>
  draw(
    make("h1", {}, plans.length ? "Starts to approve" : "No start waits for you"),
    changes ? make("p", {}, elsewhere(changes)) : null,
    list("cards", plans.map(card)),
  );

// What is done.
const fail = (error) => (shown ? drawPlan(error.message) : draw(notice(error.message)));

let last = Promise.resolve();
let pending = 0;
const queue = (act) => (last = last.then(act).catch(fail));
const inTurn = (act) => {
  pending += 1;
  return queue(act).finally(() => (pending -= 1));
};

const look = async (wanted) => {
  const marks = unreported();
  const { search = "", show = "", ...rest } = wanted;
  const asked = { ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value)), ...((search || show) && { listing: `${show}:${search}` }) };
  shown = await call("show_plan", { plan_id: planId, ...asked, ...(marks.length && { seen: marks.join(",") }) });
  for (const mark of marks) reported.add(mark);
};
const here = () => ({ ...place, ...(shown.person ? { person: shown.person.id } : { page: shown.persons.page }) });

// Tells the server what was read, and draws anew what is left to do; nothing that is being typed is touched.
let isDue = false;
const report = () => {
  if (isDue || !shown?.decidable || !unreported().length) return;
  isDue = true;
  queue(() => {
    isDue = false;
    return reportAll();
  });
};
const reportAll = async () => {
  while (shown?.decidable && unreported().length) {
    const { digest, person: one } = shown;
    await look(here());
    if (shown.digest !== digest) return drawPlan("The plan has changed since you read it. Read it again.");
    if (shown.person?.id !== one?.id) return drawPlan();
    drawn = shown;
    root.querySelector(".duties")?.replaceWith(list("duties", shown.duties.map(duty)));
    root.querySelector(".walk")?.replaceWith(walk());
    const known = root.querySelector(".scrolls");
    const fresh = rows();
    if (!known.contains(document.activeElement)) {
      const { scrollTop } = known;
      known.replaceWith(fresh);
      fresh.scrollTop = scrollTop;
    }
    const approves = root.querySelector("button.yes");
    if (approves) approves.disabled = !isReady();
  }
};

const go = async (wanted, { focus = "texts", words = "" } = {}) => {
  await look(wanted);
  const { person: _, page: __, ...list } = wanted;
  place = list;
  drawPlan(words, true);
  const goal = focus && document.getElementById(focus);
  goal?.focus({ preventScroll: true });
  if (focus === "texts") goal?.querySelector("h2").scrollIntoView({ block: "nearest" });
};
const turnTo = (page) => go({ ...place, page }, { focus: "find" });

const takeOut = async (ids) => {
  if (!ids.length) return drawPlan("Nobody is selected. Select people in the list first.");
  const { after, before, turn, person: one } = shown;
  const isChosen = ids.includes(one?.id);
  for (const id of ids) await call("stop_sequence", { sequence_id: id, reason: "LOSE" });
  const next = isChosen ? [one.has_own_text && turn, after, before].find((id) => id && !ids.includes(id)) : one?.id;
  await go({ ...place, person: next }, { words: ids.length > 1 ? `${people(ids.length)} were taken out.` : "One person was taken out." });
};

const unseenPiece = () => {
  const left = [...root.querySelectorAll("#texts [data-mark]")].find((text) => unseen.get(text)?.size);
  return left && [...unseen.get(left)][0];
};

// Goes on once all that has to be read of this person was on the screen; until then to what was not.
const readNext = async () => {
  const left = shown.person.has_own_text ? unseenPiece() : null;
  if (left) return left.scrollIntoView({ block: "start" });
  await reportAll();
  if (shown.turn && shown.turn !== shown.person.id) return go({ ...place, person: shown.turn });
  const asked = [...root.querySelectorAll(".decide input")].find(({ type, checked, value }) => (type === "checkbox" ? !checked : !value));
  (asked ?? document.getElementById("decide"))?.focus();
};

// The same keys as on the review page. They can be turned off, and do nothing where somebody types or has a control.
const ACTS = {
  j: () => shown.after && go({ ...place, person: shown.after }),
  k: () => shown.before && go({ ...place, person: shown.before }),
  Enter: readNext,
  x: () => shown.person?.waits && takeOut([shown.person.id]),
  e: () => {
    const found = root.querySelector(".edit[data-own]") ?? root.querySelector(".edit");
    if (!found) return;
    found.open = true;
    found.querySelector("textarea").focus();
  },
};
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!usesKeys || !(event.key in ACTS) || !shown?.decidable || !document.getElementById("texts")) return;
  if (event.target.closest("textarea, select, input:not([type=checkbox])")) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary, input, label")) return;
  event.preventDefault();
  if (event.repeat || (pending && event.key !== "e")) return;
  const left = pending ? drawn : undefined; // an editor opens once the next person is there, and not where nobody comes
  inTurn(() => drawn !== left && ACTS[event.key]());
});

const openResult = (result) => {
  if (result.plan_id) {
    planId = result.plan_id;
    return inTurn(() => go({}, { focus: "" }));
  }
  const plans = result.plans?.items;
  const changes = result.changes?.total_count ?? 0;
  if (plans?.length === 1 && !changes) {
    planId = plans[0].plan_id;
    return inTurn(() => go({}, { focus: "" }));
  }
  return plans ? drawPlans(plans, changes) : draw(notice(result.message ?? "There is no plan to show."));
};

const approve = async (secret, count) => {
  const { digest } = shown;
  const typed = secret.value;
  const stated = (count?.value ?? "").replace(/[\s,]/g, "");
  secret.value = "";
  if (shown.warnings && !document.getElementById("warned").checked)
    return drawPlan(`This plan has ${warnings(shown.warnings)}. Say that you have seen what it warns of.`);
  if (shown.many && stated !== String(shown.waiting))
    return drawPlan(`This plan reaches ${people(shown.waiting)}. State that number to approve it.`);
  try {
    await look(here()); // a challenge of its own for each try, and the plan as it is now
    if (shown.digest !== digest) return drawPlan("The plan has changed since you read it. Read it again.");
    if (!shown.challenge) return drawPlan(shown.elsewhere);
    const proof = await proven(typed, shown.challenge, [planId, digest, "approve", stated]);
    await call("decide_plan", { plan_id: planId, digest, decision: "approve", proof });
    await reportDecision("approved", `Approved: ${people(shown.waiting)}.`);
  } catch (error) {
    fail(error);
  }
};

const refuse = async () => {
  try {
    await call("decide_plan", { plan_id: planId, digest: shown.digest, decision: "refuse" });
    await reportDecision("rejected", "Rejected: nothing of it is sent.");
  } catch (error) {
    fail(error);
  }
};

const reportDecision = async (what, words) => {
  await look(here());
  drawPlan(words, true);
  const text = `The person ${what} plan ${planId} in the panel.`;
  const content = [{ type: "text", text }];
  if (host.capabilities.updateModelContext) await ask("ui/update-model-context", { content }).catch(() => {});
  else if (host.capabilities.message) await ask("ui/message", { role: "user", content }).catch(() => {});
};

ask("ui/initialize", {
  protocolVersion: "2026-01-26",
  appInfo: { name: "sequences-mcp plan", version: "1" },
  appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
}).then((answer) => {
  host.capabilities = answer.hostCapabilities ?? {};
  dress(answer.hostContext);
  tell("ui/notifications/initialized", {});
  new ResizeObserver(measure).observe(document.body);
}, fail);
