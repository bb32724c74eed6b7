"""What the official conformance suite asks of a server, on the product's own class, beside its own tools.

Each tool, resource and prompt is what a scenario of ``@modelcontextprotocol/conformance`` describes under "Server
Implementation Requirements", whose names begin with ``test_``.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import anyio
import uvicorn
from mcp import MCPError, types
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from pydantic import Field
from tests.world.product import World

from sequences_mcp.server.app import OpenedContext, SequencesServer
from sequences_sandbox.serve import listening

Ctx = Context[Any, Any]
DESCRIBED = "A fixture of the conformance suite."
Asked = types.InputRequiredResult
# One red pixel, and a WAV file of no samples.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
WAV = base64.b64encode(
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"
).decode()
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def form(message: str, **properties: dict[str, Any]) -> types.ElicitRequest:
    """Return a question with these fields, all of them required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def model_asked(prompt: str, tokens: int) -> types.CreateMessageRequest:
    """Return a request for so many tokens of a model's answer."""
    content = types.TextContent(type="text", text=prompt)
    message = types.SamplingMessage(role="user", content=content)
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[message], max_tokens=tokens)
    )


def _embedded(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    contents = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return types.EmbeddedResource(type="resource", resource=contents)


def _image() -> types.ImageContent:
    return types.ImageContent(type="image", data=PNG, mime_type="image/png")


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


# tools that answer at once


def simple_text() -> str:
    return "This is a simple text response for testing."


def image_content() -> types.ImageContent:
    return _image()


def audio_content() -> types.AudioContent:
    return types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")


def embedded_resource() -> types.EmbeddedResource:
    return _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")


def multiple_content_types() -> types.CallToolResult:
    data = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return types.CallToolResult(content=[_text("Multiple content types test:"), _image(), data])


def error_handling() -> str:
    raise ToolError("This tool intentionally returns an error for testing")


async def tool_with_progress(ctx: Ctx) -> str:
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.lowlevel.checkpoint()
    return "Progress was reported."


async def tool_with_logging(ctx: Ctx) -> str:
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.request_context.session.send_log_message(
            level="info", data=line, related_request_id=ctx.request_id
        )
    return "Three lines were logged."


def x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    return f"region={region}"


async def reconnection(ctx: Ctx) -> str:
    await ctx.close_sse_stream()
    return "The stream was closed, and this came after it."


def schema_of_2020_12() -> str:
    return "The schema is the subject."


async def trigger_tool_change(ctx: Ctx) -> str:
    await ctx.notify_tools_changed()
    return "Said."


async def trigger_prompt_change(ctx: Ctx) -> str:
    await ctx.notify_prompts_changed()
    return "Said."


# tools that ask the client


async def sampling(prompt: str, ctx: Ctx) -> str:
    message = types.SamplingMessage(role="user", content=_text(prompt))
    answer = await ctx.request_context.session.create_message(
        [message], max_tokens=100, related_request_id=ctx.request_id
    )
    return f"LLM response: {getattr(answer.content, 'text', answer.content)}"


async def _elicited(ctx: Ctx, message: str, properties: dict[str, Any], required: list[str]) -> str:
    schema = {"type": "object", "properties": properties, "required": required}
    answer = await ctx.request_context.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return f"action={answer.action}, content={json.dumps(answer.content)}"


async def elicitation(message: str, ctx: Ctx) -> str:
    fields = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return f"User response: {await _elicited(ctx, message, fields, list(fields))}"


async def elicitation_sep1034_defaults(ctx: Ctx) -> str:
    fields = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return f"Elicitation completed: {await _elicited(ctx, 'Your details', fields, [])}"


async def elicitation_sep1330_enums(ctx: Ctx) -> str:
    options = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{number}", "title": f"{name} Option"}
        for number, name in enumerate(("First", "Second", "Third"), 1)
    ]
    fields = {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    return f"Elicitation completed: {await _elicited(ctx, 'Your choice', fields, [])}"


# tools whose call ends with a question, and is repeated with the answer

NAME = form("What is your name?", name={"type": "string"})


def _answered(ctx: Ctx, key: str, field: str) -> Any:
    """Return one field of an accepted form, or None where there is no such answer."""
    answer = (ctx.input_responses or {}).get(key)
    content = answer.content if isinstance(answer, types.ElicitResult) and answer.action == "accept" else None
    return (content or {}).get(field)


def input_required_result_elicitation(ctx: Ctx) -> str | Asked:
    name = _answered(ctx, "user_name", "name")
    return f"Hello, {name}!" if isinstance(name, str) else Asked(input_requests={"user_name": NAME})


def input_required_result_sampling(ctx: Ctx) -> str | Asked:
    answer = (ctx.input_responses or {}).get("capital_question")
    if isinstance(answer, types.CreateMessageResult):
        return f"The model said: {getattr(answer.content, 'text', '')}"
    return Asked(input_requests={"capital_question": model_asked("What is the capital of France?", 100)})


def input_required_result_list_roots(ctx: Ctx) -> str | Asked:
    answer = (ctx.input_responses or {}).get("client_roots")
    if isinstance(answer, types.ListRootsResult):
        return f"Roots: {', '.join(str(root.uri) for root in answer.roots)}"
    return Asked(input_requests={"client_roots": types.ListRootsRequest()})


CONFIRM = form("Please confirm", ok={"type": "boolean"})


def input_required_result_request_state(ctx: Ctx) -> str | Asked:
    if ctx.request_state == "asked" and _answered(ctx, "confirm", "ok") is not None:
        return "state-ok"
    return Asked(input_requests={"confirm": CONFIRM}, request_state="asked")


def input_required_result_multiple_inputs(ctx: Ctx) -> str | Asked:
    wanted = {
        "user_name": NAME,
        "greeting": model_asked("Generate a greeting", 50),
        "client_roots": types.ListRootsRequest(),
    }
    if ctx.request_state == "asked" and wanted.keys() <= (ctx.input_responses or {}).keys():
        return f"Hello, {_answered(ctx, 'user_name', 'name')}!"
    return Asked(input_requests=wanted, request_state="asked")


def input_required_result_multi_round(ctx: Ctx) -> str | Asked:
    name, color = _answered(ctx, "step1", "name"), _answered(ctx, "step2", "color")
    if ctx.request_state and ctx.request_state.startswith("second:") and color is not None:
        return f"{ctx.request_state.removeprefix('second:')} likes {color}."
    if ctx.request_state == "first" and name is not None:
        ask = form("Step 2: What is your favorite color?", color={"type": "string"})
        return Asked(input_requests={"step2": ask}, request_state=f"second:{name}")
    ask = form("Step 1: What is your name?", name={"type": "string"})
    return Asked(input_requests={"step1": ask}, request_state="first")


def input_required_result_capabilities(ctx: Ctx) -> str | Asked:
    can = ctx.client_capabilities
    wanted: dict[str, Any] = {}
    if can and can.sampling is not None:
        wanted["greeting"] = model_asked("Generate a greeting", 50)
    if can and can.elicitation is not None:
        wanted["user_name"] = NAME
    return Asked(input_requests=wanted) if wanted and not ctx.input_responses else "Done."


def missing_capability(ctx: Ctx) -> str:
    can = ctx.client_capabilities
    if can is None or can.sampling is None:
        raise _missing(types.ClientCapabilities(sampling=types.SamplingCapability()))
    return "It can."


def _missing(required: types.ClientCapabilities) -> Exception:
    """Return the protocol's error for a client that cannot do what is needed."""
    data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=required)
    return MCPError(
        code=types.MISSING_REQUIRED_CLIENT_CAPABILITY,
        message="This tool needs a capability that the client did not declare.",
        data=data.model_dump(by_alias=True, mode="json", exclude_none=True),
    )


TOOLS: tuple[Callable[..., Any], ...] = (
    simple_text,
    image_content,
    audio_content,
    embedded_resource,
    multiple_content_types,
    error_handling,
    tool_with_progress,
    tool_with_logging,
    x_mcp_header,
    reconnection,
    trigger_tool_change,
    trigger_prompt_change,
    sampling,
    elicitation,
    elicitation_sep1034_defaults,
    elicitation_sep1330_enums,
    input_required_result_elicitation,
    input_required_result_sampling,
    input_required_result_list_roots,
    input_required_result_request_state,
    input_required_result_multiple_inputs,
    input_required_result_multi_round,
    input_required_result_capabilities,
    missing_capability,
)


# resources and prompts


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "Watched."

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


Prompted = types.GetPromptResult | Asked


def _said(*contents: types.ContentBlock) -> types.GetPromptResult:
    return types.GetPromptResult(
        messages=[types.PromptMessage(role="user", content=content) for content in contents]
    )


def _simple(_: dict[str, Any], __: Ctx | None) -> Prompted:
    return _said(_text("This is a simple prompt for testing."))


def _with_arguments(given: dict[str, Any], _: Ctx | None) -> Prompted:
    return _said(_text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))


def _with_resource(given: dict[str, Any], _: Ctx | None) -> Prompted:
    resource = _embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
    return _said(resource, _text("Please process the embedded resource above."))


def _with_image(_: dict[str, Any], __: Ctx | None) -> Prompted:
    return _said(_image(), _text("Please analyze the image above."))


def _asking(_: dict[str, Any], ctx: Ctx | None) -> Prompted:
    context = _answered(ctx, "user_context", "context") if ctx else None
    if context is None:
        ask = form("What context should the prompt use?", context={"type": "string"})
        return Asked(input_requests={"user_context": ask})
    return _said(_text(f"Use this context: {context}"))


PROMPTS: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any], Ctx | None], Prompted]]] = {
    "test_simple_prompt": ((), _simple),
    "test_prompt_with_arguments": (("arg1", "arg2"), _with_arguments),
    "test_prompt_with_embedded_resource": (("resourceUri",), _with_resource),
    "test_prompt_with_image": ((), _with_image),
    "test_input_required_result_prompt": ((), _asking),
}


class FixturedServer(SequencesServer):
    """The product's server with the fixtures beside its own tools, resources and prompts."""

    def __init__(self, world: World) -> None:
        super().__init__(OpenedContext(world.app), log_level="WARNING", vendors=())
        for tool in TOOLS:
            self.add_tool(tool, f"test_{tool.__name__}", description=DESCRIBED, structured_output=False)
        for tool, name in (
            (input_required_result_request_state, "test_input_required_result_tampered_state"),
            (schema_of_2020_12, "json_schema_2020_12_tool"),
        ):
            self.add_tool(tool, name, description=DESCRIBED, structured_output=False)
        self._tool_manager.get_tool("json_schema_2020_12_tool").parameters = SCHEMA  # type: ignore[union-attr]
        _add_resources(self)
        for method, params in (
            ("resources/subscribe", types.SubscribeRequestParams),
            ("resources/unsubscribe", types.UnsubscribeRequestParams),
            ("logging/setLevel", types.SetLevelRequestParams),
        ):
            self._lowlevel_server.add_request_handler(method, params, _accepted)

    async def list_tools(self) -> list[types.Tool]:
        """Return the product's tools and the fixtures."""
        return [*await super().list_tools(), *await MCPServer.list_tools(self)]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[OpenedContext, Any] | None = None
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a fixture, or else a tool of the product."""
        if self._tool_manager.get_tool(name) is None:
            return await super().call_tool(name, arguments, context)
        return await MCPServer.call_tool(self, name, arguments, context)

    async def list_prompts(self) -> list[types.Prompt]:
        """Return the product's prompts and the fixtures."""
        fixtures = [
            types.Prompt(
                name=name,
                description=DESCRIBED,
                arguments=[types.PromptArgument(name=key, required=True) for key in keys],
            )
            for name, (keys, _) in PROMPTS.items()
        ]
        return [*await super().list_prompts(), *fixtures]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[OpenedContext, Any] | None = None,
    ) -> types.GetPromptResult | types.InputRequiredResult:
        """Return a fixture, or else a prompt of the product."""
        if name not in PROMPTS:
            return await super().get_prompt(name, arguments, context)
        return PROMPTS[name][1](arguments or {}, context)


async def _accepted(_: Any, __: Any) -> types.EmptyResult:
    return types.EmptyResult()


class Events(EventStore):
    """The events of all streams in memory, so that a client that was cut off reads on."""

    def __init__(self) -> None:
        self._events: list[tuple[StreamId, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: types.JSONRPCMessage | None) -> EventId:
        """Keep an event under its number."""
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send what came after this event on its stream."""
        after = int(last_event_id)
        if not 0 < after <= len(self._events):
            return None
        stream = self._events[after - 1][0]
        for number, (of, message) in enumerate(self._events[after:], after + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve on a free port of loopback, and give its address."""
    app = FixturedServer(World(folder)).streamable_http_app(event_store=Events(), retry_interval=500)
    listener = listening(0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
