// A plan inside a chat (MCP Apps, spec 2026-01-26). What others wrote is set as text, never as markup; the passphrase
// stays in this frame: what leaves it is a proof, good once, for this decision about this digest.
"use strict";

const root = document.getElementById("panel");
const host = { capabilities: {} };
let planId = "";
let shown = null; // the last page of the plan, as returned by show_plan

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
    make("h3", {}, one.name, " ", make("span", { class: "badge" }, channel(one.channel)), one.is_own ? make("span", { class: "badge" }, "for this person alone") : null),
    one.channel === "EMAIL" && shown.window ? make("p", { class: "soft" }, `From ${shown.sender}`) : null,
    make("p", { class: "soft" }, `To ${one.recipient ?? "nobody: this step is left out"}, ${one.when}`),
    one.subject ? make("p", {}, make("strong", {}, ...stretches(one.subject))) : null,
    make(
      "p",
      { class: "text" },
      ...(one.content ? stretches(one.content) : ["This text is still to be written."]),
      one.closing ? make("span", { class: "closing" }, ...pieces(one.closing)) : null,
    ),
    list("findings", one.findings.map((words) => make("li", {}, words))),
  );

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
    { class: "person" },
    make("h2", {}, one.name, " ", one.out ? make("span", { class: "badge" }, "taken out") : null),
    one.handed ? handed(one) : null,
    one.not_given ? make("p", { class: "soft" }, one.not_given) : null,
    fields(one.fields),
    list("findings", one.findings.map((words) => make("li", {}, words))),
    one.handed && !one.texts.length ? make("p", { class: "soft" }, UNTOLD) : null,
    ...one.texts.map(exactText),
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
    make("span", { class: "soft" }, one.when),
    make("span", {}, one.told),
  );

const pager = ({ page, total_pages: pages, total_count: count, has_more: more }) =>
  pages > 1
    ? make(
        "nav",
        { class: "row", ariaLabel: "Pages" },
        page > 1 ? button("Previous", () => open(page - 1), "quiet") : null,
        make("span", { class: "soft" }, `Page ${number(page)} of ${number(pages)} (${people(count)})`),
        more ? button("Next", () => open(page + 1), "quiet") : null,
      )
    : null;

const duty = ({ words, done }) =>
  make("li", { class: done ? "done" : "" }, make("span", { ariaHidden: "true" }, done ? "✓ " : "○ "), words);

const openPage = () =>
  shown.address
    ? button("Open the review page", () => ask("ui/open-link", { url: shown.address }).catch(fail), "quiet")
    : make("p", { class: "soft" }, "The review page opens with ", make("code", {}, "sequences-mcp review --open"), " in a terminal.");

const field = (words, options) => make("label", {}, words, make("input", options));

const approval = () => {
  const secret = field("Your passphrase", { type: "password", id: "passphrase", autocomplete: "off", required: true });
  const count = shown.many
    ? field("People it reaches", { id: "count", inputMode: "numeric", autocomplete: "off", required: true })
    : null;
  const act = async () => {
    approveButton.disabled = true;
    await approve(secret.lastChild, count?.lastChild);
    approveButton.disabled = false;
  };
  const approveButton = button(`Approve ${people(shown.waiting)}`, act, "end");
  const warned = shown.warnings
    ? make("label", { class: "tick" }, make("input", { type: "checkbox", id: "warned" }), `I have seen the ${warnings(shown.warnings)}`)
    : null;
  const form = make("div", { class: "row" }, warned, count, secret, approveButton); // a sandbox need not let forms be submitted
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input") && !approveButton.disabled) act();
  });
  return form;
};

const decide = () => {
  if (!shown.decidable) return null;
  const here = shown.challenge && canProve();
  const why = shown.elsewhere || (canProve() ? "" : "This host gives the panel no cryptography: approve on the review page.");
  return make(
    "section",
    { class: "decide", ariaLabel: "Decide" },
    here ? list("duties", shown.duties.map(duty)) : make("p", {}, why),
    here ? approval() : null,
    make("div", { class: "row" }, button("Reject all", refuse, "no"), openPage()),
  );
};

const drawPlan = (words = "", good = false) =>
  draw(
    make("h1", {}, shown.blueprint_name, " ", make("span", { class: "badge" }, shown.status)),
    notice(words, good),
    shown.reason ? make("p", { class: "soft" }, shown.reason) : null,
    shown.decidable ? make("p", { class: "consequence" }, shown.consequence) : make("p", {}, shown.elsewhere),
    shown.decidable ? make("ul", { class: "steps" }, ...shown.steps.map(step)) : null,
    terms(shown),
    list("findings", shown.findings.map((found) => make("li", {}, found))),
    make("h2", {}, "Exactly what each person gets"),
    ...shown.persons.items.map(person),
    pager(shown.persons),
    decide(),
  );

const card = (plan) => {
  const choose = () => {
    planId = plan.plan_id;
    open(1);
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

const look = async (page) => {
  const marks = unreported();
  shown = await call("show_plan", { plan_id: planId, page, ...(marks.length && { seen: marks.join(",") }) });
  for (const mark of marks) reported.add(mark);
};

// Tells the server what was read, and draws anew what is left to do; nothing that is being typed is touched.
let reporting = false;
const report = async () => {
  if (reporting || !shown?.decidable || !unreported().length) return;
  reporting = true;
  try {
    const { digest } = shown;
    await look(shown.persons.page);
    if (shown.digest !== digest) drawPlan("The plan has changed since you read it. Read it again.");
    else root.querySelector(".duties")?.replaceWith(list("duties", shown.duties.map(duty)));
  } catch (error) {
    fail(error);
  }
  reporting = false;
  report();
};

const open = async (page) => {
  try {
    await look(page);
    drawPlan();
    scrollTo(0, 0);
  } catch (error) {
    fail(error);
  }
};

const openResult = (result) => {
  if (result.plan_id) {
    planId = result.plan_id;
    return open(1);
  }
  const plans = result.plans?.items;
  const changes = result.changes?.total_count ?? 0;
  if (plans?.length === 1 && !changes) {
    planId = plans[0].plan_id;
    return open(1);
  }
  return plans ? drawPlans(plans, changes) : draw(notice(result.message ?? "There is no plan to show."));
};

const approve = async (secret, count) => {
  const { digest, persons } = shown;
  const typed = secret.value;
  const stated = (count?.value ?? "").replace(/[\s,]/g, "");
  secret.value = "";
  if (shown.warnings && !document.getElementById("warned").checked)
    return drawPlan(`This plan has ${warnings(shown.warnings)}. Say that you have seen what it warns of.`);
  if (shown.many && stated !== String(shown.waiting))
    return drawPlan(`This plan reaches ${people(shown.waiting)}. State that number to approve it.`);
  try {
    await look(persons.page); // a challenge of its own for each try, and the plan as it is now
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
  await look(1);
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
