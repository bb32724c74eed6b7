// An authorization server on loopback for one test: oidc-provider, which is certified, with forms of its own.
// node identity_provider.mjs FOLDER_OF_OIDC_PROVIDER [CALLBACK…]; prints its port. With the callbacks of review pages, those
// are one client, whose secret is in PAGE_SECRET, and people have a name and groups.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(`${process.argv[2]}/lib/index.js`).href);
const CLIENT = "https://client.example/oauth/client.json";
const SCOPES = "sequences:read sequences:draft sequences:operate";
const METADATA = {
  client_id: CLIENT,
  client_name: "A client",
  redirect_uris: ["http://127.0.0.1:7777/callback"],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
  application_type: "native",
};

const CALLBACKS = process.argv.slice(3);
const PAGE = {
  client_id: "review-page",
  client_secret: process.env.PAGE_SECRET,
  redirect_uris: CALLBACKS,
  grant_types: ["authorization_code"],
  response_types: ["code"],
};
const GROUPS = { ada: ["can-approve"], bob: ["can-look"], eve: ["hopper-approves"] };
const named = (id) => ({ sub: id, name: `${id[0].toUpperCase()}${id.slice(1)} Lovelace`, groups: GROUPS[id] ?? [] });

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: CALLBACKS.length ? [PAGE] : [],
    ...(CALLBACKS.length ? { claims: { openid: ["sub"], profile: ["name", "groups"] } } : {}),
    cookies: { keys: ["of a test"] },
    scopes: ["openid", "offline_access", ...SCOPES.split(" ")],
    findAccount: (ctx, id) => ({ accountId: id, claims: () => named(id) }),
    // The one document that is looked up on the network is answered here.
    fetch: (url) =>
      Promise.resolve(
        String(url) === CLIENT
          ? new Response(JSON.stringify(METADATA), { headers: { "content-type": "application/json" } })
          : new Response("", { status: 404 }),
      ),
    features: {
      clientIdMetadataDocument: { enabled: true, ack: "draft-02" },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: SCOPES,
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  server.on("request", provider.callback());
  process.stdout.write(`${port}\n`);
});
