// What a start is compared with besides the SDK for Python: a server of the TypeScript SDK with ten small tools.
// NODE_MODULES names the folder in which @modelcontextprotocol/sdk is installed.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const folder = createRequire(`${process.env.NODE_MODULES}/package.json`);
const load = (name) => import(pathToFileURL(folder.resolve(name)).href);
const { McpServer } = await load("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = await load("@modelcontextprotocol/sdk/server/stdio.js");
const { z } = await load("zod");

const server = new McpServer({ name: "bare", version: "0" });
for (let number = 0; number < 9; number++) {
  const description = `Search collection ${number} and return how many rows match.`;
  const inputSchema = { query: z.string(), limit: z.number().int().default(20) };
  server.registerTool(`search_${number}`, { description, inputSchema }, async () => ({ content: [] }));
}
const echo = { description: "Return the text unchanged.", inputSchema: { text: z.string() } };
server.registerTool("echo", echo, async ({ text }) => ({ content: [{ type: "text", text }] }));
await server.connect(new StdioServerTransport());
