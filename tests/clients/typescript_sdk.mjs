// The TypeScript SDK, whose version is what the folder in CLIENTS_NPM has: its first argument is the package.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const folder = createRequire(`${process.env.CLIENTS_NPM}/package.json`);
const load = (name) => import(pathToFileURL(folder.resolve(name)).href);
const one = process.argv[2] === "@modelcontextprotocol/sdk";
const { Client } = await load(one ? "@modelcontextprotocol/sdk/client/index.js" : "@modelcontextprotocol/client");
const { StreamableHTTPClientTransport } = await load(
  one ? "@modelcontextprotocol/sdk/client/streamableHttp.js" : "@modelcontextprotocol/client",
);
const { StdioClientTransport } = await load(
  one ? "@modelcontextprotocol/sdk/client/stdio.js" : "@modelcontextprotocol/client/stdio",
);

let read = "";
for await (const part of process.stdin) read += part;
const seen = [];
for (const wanted of JSON.parse(read)) {
  const headers = { Authorization: `Bearer ${wanted.token}` };
  const transport = wanted.url
    ? new StreamableHTTPClientTransport(new URL(wanted.url), { requestInit: { headers } })
    : new StdioClientTransport({
        command: wanted.command[0],
        args: wanted.command.slice(1),
        env: wanted.environment,
      });
  const client = new Client({ name: "typescript-client", version: "1.0.0" });
  await client.connect(transport);
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  const answers = [];
  for (const [name, args] of wanted.calls) {
    const result = await client.callTool({ name, arguments: args });
    answers.push({ text: result.content[0].text, is_error: result.isError === true });
  }
  await client.close();
  seen.push({ tools, answers });
}
console.log(JSON.stringify(seen));
