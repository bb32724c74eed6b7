// A host of MCP Apps, small and by the letter: it renders one panel in a sandbox, lets it call the tools that are
// visible to it, and writes down everything the panel sends.
"use strict";

const query = new URLSearchParams(location.search);
const view = document.getElementById("view");
const sent = (window.sent = []);
const opened = (window.opened = []);

const server = async (method, params) => {
  const answer = await fetch("/rpc", { method: "POST", body: JSON.stringify({ method, params }) });
  return answer.json();
};
const post = (message) => view.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");

const visible = (tool, to) => (tool._meta?.ui?.visibility ?? ["model", "app"]).includes(to);

const callTool = async ({ name, arguments: args }) => {
  const { tools } = await server("tools/list", {});
  const tool = tools.find((one) => one.name === name);
  if (!tool || !visible(tool, "app")) throw new Error(`${name} is not for panels`);
  return server("tools/call", { name, arguments: args });
};

const requests = {
  "ui/initialize": async () => ({
    protocolVersion: "2026-01-26",
    hostInfo: { name: "test host", version: "1" },
    hostCapabilities: { openLinks: {}, serverTools: {}, updateModelContext: { text: {} } },
    hostContext: { theme: query.get("theme") ?? "light", displayMode: "inline" },
  }),
  "tools/call": callTool,
  "ui/open-link": async ({ url }) => (opened.push(url), {}),
  "ui/update-model-context": async () => ({}),
};

const notifications = {
  "ui/notifications/initialized": async () => {
    const args = JSON.parse(query.get("arguments") ?? "{}");
    const name = query.get("tool");
    post({ method: "ui/notifications/tool-input", params: { arguments: args } });
    post({ method: "ui/notifications/tool-result", params: await server("tools/call", { name, arguments: args }) });
  },
  "ui/notifications/size-changed": ({ height }) => (view.style.height = `${Math.min(height + 2, 4000)}px`),
};

addEventListener("message", async (event) => {
  if (event.source !== view.contentWindow) return;
  const { id, method, params } = event.data;
  sent.push(event.data);
  if (id === undefined) return notifications[method]?.(params);
  try {
    post({ id, result: await requests[method](params) });
  } catch (error) {
    post({ id, error: { code: -32000, message: error.message } });
  }
});

(async () => {
  const { contents } = await server("resources/read", { uri: "ui://sequences-mcp/plan.html" });
  const policy =
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'none'";
  view.setAttribute("csp", policy);
  view.srcdoc = contents[0].text;
})();
