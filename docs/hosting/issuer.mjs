// An issuer for trying out docs/hosting.md where you have none: oidc-provider, which is certified, with two forms of its own.
// It keeps everything in memory, so that after a restart everybody signs in anew: for a trial, and not for more.
//
//   ISSUER=https://login.example.com PORT=3000 PEOPLE=people.json CALLBACK=https://review.example.com/sign-in/back \
//   CLIENT_SECRET=… node issuer.mjs
//
// PEOPLE is a file: {"ada": {"password": "…", "name": "Ada Lovelace", "groups": ["approvers"]}}.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { ISSUER, PORT, PEOPLE, CALLBACK, CLIENT_SECRET } = process.env;
const people = JSON.parse(readFileSync(PEOPLE, "utf8"));
const scopes = ["sequences:read", "sequences:draft", "sequences:operate"];

const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: "sequences-review",
      client_secret: CLIENT_SECRET,
      redirect_uris: [CALLBACK],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email", "email_verified"] },
  scopes: ["openid", "offline_access", ...scopes],
  cookies: { keys: [createHash("sha256").update(`cookies ${CLIENT_SECRET}`).digest("hex")] },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  findAccount: (_, id) =>
    Object.hasOwn(people, id)
      ? { accountId: id, claims: () => ({ sub: id, name: people[id].name, groups: people[id].groups }) }
      : undefined,
  features: {
    devInteractions: { enabled: false },
    clientIdMetadataDocument: { enabled: true, ack: "draft-02" },
    registration: { enabled: true }, // programs that have no metadata document register themselves
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: scopes.join(" "),
        audience: resource,
        accessTokenFormat: "jwt", // RFC 9068, typ at+jwt
        accessTokenTTL: 600,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});
provider.proxy = true; // nginx says that the browser came over https

const hash = (text) => createHash("sha256").update(text).digest();
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const page = (response, status, body) =>
  response
    .writeHead(status, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" })
    .end(`<!doctype html><meta name="viewport" content="width=device-width"><form method="post">${body}</form>`);

async function filled(request) {
  let text = "";
  for await (const piece of request) if ((text += piece).length > 10_000) throw new Error("too long");
  return new URLSearchParams(text);
}

async function consented({ params, session, prompt, grantId }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, names] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(resource, names.join(" "));
  return { consent: { grantId: await grant.save() } };
}

async function interaction(request, response) {
  const details = await provider.interactionDetails(request, response);
  const form = request.method === "POST" ? await filled(request) : undefined;
  if (details.prompt.name === "login") {
    const name = form?.get("login") ?? "";
    const known = Object.hasOwn(people, name) ? people[name].password : "";
    if (known && timingSafeEqual(hash(known), hash(form.get("password") ?? "")))
      return provider.interactionFinished(request, response, { login: { accountId: name } });
    const wrong = form ? "<p>That is not right.</p>" : "";
    return page(
      response,
      form ? 401 : 200,
      `${wrong}<p><label>Name <input name="login" autofocus></label>
      <p><label>Password <input name="password" type="password"></label><p><button>Sign in</button>`,
    );
  }
  if (form)
    return provider.interactionFinished(request, response, await consented(details), { mergeWithLastSubmission: true });
  const { client_id, scope } = details.params;
  return page(response, 200, `<p>${escaped(client_id)} asks for: ${escaped(scope)}</p><button>Allow</button>`);
}

createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return provider.callback()(request, response);
  interaction(request, response).catch(() => page(response, 400, "<p>This sign-in is over. Begin it anew.</p>"));
}).listen(Number(PORT), "127.0.0.1");
