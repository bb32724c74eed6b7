"""Makes an SDK tool of a ``Definition``: unknown arguments refused, each write made once; and what it declares."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata, func_metadata
from mcp.types import CallToolResult, ToolAnnotations
from mcp.types import Tool as ListedTool

from sequences_mcp.context import AppContext
from sequences_mcp.domain.ids import LOCAL, VENDORS, provider_of
from sequences_mcp.errors import ApprovalError, NotSupportedError
from sequences_mcp.ports.embedded import ToolCall
from sequences_mcp.ports.vendor import VendorWrite
from sequences_mcp.server.arguments import PAGE_SIZE, IdempotencyKey
from sequences_mcp.server.boundary import answer, fingerprint_in_parts
from sequences_mcp.server.catalog import Definition, Hints, compact
from sequences_mcp.server.text import RESULT_TOKENS
from sequences_mcp.server.view import ResultView, result_text
from sequences_mcp.services.sequences import id_there
from sequences_mcp.services.vendor_writes import run_once

INJECTED = ("app", "ctx")
WHOLE = ("full", "apply_fixes")  # arguments that ask for texts uncut


def to_tool(definition: Definition, *, listed: ListedTool) -> Tool:
    """Return the tool of the SDK that answers the calls of a definition, with the schemas it is listed with."""
    resolved = find_resolved_parameters(definition.handler)
    arguments = _arguments(definition)
    return Tool(
        fn=_runner(definition),
        name=listed.name,
        title=listed.title,
        description=listed.description or "",
        parameters=listed.input_schema,
        fn_metadata=FuncMetadata(arg_model=arguments, output_schema=listed.output_schema),
        is_async=True,
        context_kwarg="ctx",
        resolved_params=dict(resolved),
        resolver_plans=build_resolver_plans(resolved, set(arguments.model_fields)),
        annotations=listed.annotations,
        meta=listed.meta,
    )


def declaration(definition: Definition) -> ListedTool:
    """Return a tool as a host is to see it, with the schemas made from its signature and its result."""
    handler = definition.handler
    return ListedTool(
        name=definition.name,
        title=definition.title,
        description=" ".join((handler.__doc__ or "").split()),
        input_schema=compact(_arguments(definition).model_json_schema(by_alias=True)),
        output_schema=_output_schema(handler),
        annotations=_annotations(definition.title, definition.hints),
        _meta=dict(definition.meta) if definition.meta else None,
    )


def _arguments(definition: Definition) -> type[ArgModelBase]:
    """Return the model of a tool's arguments, which refuses any other."""
    handler = definition.handler
    declared = handler if definition.staged or not definition.writes else _with_key(handler)
    skip = [*INJECTED, *find_resolved_parameters(handler)]
    model = func_metadata(declared, skip_names=skip, structured_output=False).arg_model
    # Changed in its place: a class derived from it would be a second validator of everything a step can have.
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    return model


def _with_key(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return something with the signature of a write, and the idempotency key, which the handler does not take."""
    signature = inspect.signature(handler, eval_str=True)
    key = inspect.Parameter(
        "idempotency_key", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=IdempotencyKey
    )
    keyed = partial(handler)
    keyed.__name__ = handler.__name__  # type: ignore[attr-defined]
    keyed.__signature__ = signature.replace(parameters=[*signature.parameters.values(), key])  # type: ignore[attr-defined]
    return keyed


def _output_schema(handler: Callable[..., Awaitable[ResultView]]) -> dict[str, Any]:
    view: type[ResultView] = get_type_hints(handler)["return"]
    return compact(view.model_json_schema(by_alias=True, mode="serialization"))


def _annotations(title: str, hints: Hints) -> ToolAnnotations:
    return ToolAnnotations(
        title=title,
        read_only_hint=hints.read_only,
        destructive_hint=hints.destructive,
        idempotent_hint=hints.idempotent,
        open_world_hint=hints.open_world,
    )


def _runner(definition: Definition) -> Callable[..., Awaitable[CallToolResult]]:
    async def run(ctx: Context[Any, Any], **arguments: Any) -> CallToolResult:
        app = await ctx.request_context.lifespan_context.get()
        if definition.safe:
            # Wait for the database as long as a write does: the reads below give up sooner, and would fail a tool
            # that must never be blocked.
            await app.ledger.turn()
        if definition.staged:
            return answer(result_text(await definition.handler(app, ctx=ctx, **arguments)))
        if not definition.writes:
            return answer(result_text(await definition.handler(app, **arguments), most=_most_tokens(arguments)))
        ours = arguments["sequence_id"] if definition.moves_runs else ""
        if definition.moves_runs:
            # The handler addresses a vendor's run by the vendor's id; a caller may give ours.
            arguments["sequence_id"] = await id_there(app, ours)
        # The handler does not take the key: the ledger uses it.
        key = arguments.pop("idempotency_key")
        call = ToolCall(definition.name, key, await fingerprint_in_parts(arguments))
        if (subject := vendor_subject(arguments)) is not None:
            write = _write(definition, call, subject, arguments=arguments)
            with _once_over(ours):
                return answer(await _at_vendor(app, ctx, write, definition=definition, arguments=arguments))
        if definition.read_first is not None:
            stored = await app.ledger.recall(call)
            if stored is not None:
                return answer(stored)
            arguments = await definition.read_first(app, arguments)
        if definition.is_long is not None and definition.is_long(arguments):
            return answer(await app.apart(partial(_once, definition=definition, call=call, arguments=arguments)))
        effect = partial(_effect, definition, app, arguments)
        return answer(await app.ledger.once(call, effect, insist=definition.safe))

    return run


async def _once(app: AppContext, *, definition: Definition, call: ToolCall, arguments: Mapping[str, Any]) -> str:
    """Return what a write comes to on the connection of another thread, in one transaction."""
    return await app.ledger.once(call, partial(_effect, definition, app, arguments))


def _effect(definition: Definition, app: Any, arguments: Mapping[str, Any]) -> Awaitable[str]:
    return _result_text(definition.handler(app, **arguments))


async def _at_vendor(
    app: AppContext,
    ctx: Context[Any, Any],
    write: VendorWrite,
    *,
    definition: Definition,
    arguments: Mapping[str, Any],
) -> str:
    """Return the result of a write at a vendor; a change that needs a person is asked about in a dialog."""

    async def effect(at: AppContext) -> str:
        return await _result_text(definition.handler(at, **arguments))

    try:
        return await run_once(app, write, lambda: effect(app))
    except ApprovalError as error:
        if "change_id" not in error.data:
            raise
        from sequences_mcp.server.start_answers import change_decided

        return await change_decided(app, ctx, error, effect=effect)


@contextmanager
def _once_over(ours: str) -> Iterator[None]:
    """Add to NotSupportedError how a person records the end of a run that the vendor's API cannot move."""
    try:
        yield
    except NotSupportedError as error:
        if provider_of(ours) != LOCAL:
            raise
        over = f"Once it is over there and nothing tells, in a terminal: sequences-mcp review resolve {ours}"
        raise NotSupportedError(error.message, next_step=f"{error.next_step} {over}", data=error.data) from error


def _write(definition: Definition, call: ToolCall, subject: str, *, arguments: Mapping[str, Any]) -> VendorWrite:
    apart = definition.distinguished_by
    return VendorWrite(
        call=call,
        provider=provider_of(subject),
        subject=f"{subject} {arguments[apart].strip()}" if apart else subject,
        arguments=arguments,
        safe=definition.safe,
        repeatable=definition.repeatable,
    )


def vendor_subject(arguments: Mapping[str, Any]) -> str | None:
    """Return the id of the vendor's object that a write is about, or None when it is about no vendor."""
    given = (arguments.get(name) for name in ("sequence_id", "blueprint_id", "task_id", "provider"))
    return next((text for text in given if isinstance(text, str) and provider_of(text) in VENDORS), None)


async def _result_text(result: Awaitable[ResultView]) -> str:
    return result_text(await result)


def _most_tokens(arguments: Mapping[str, Any]) -> int | None:
    """Return how many tokens the result of a read may have; None where its texts were asked for whole."""
    if any(arguments.get(name) for name in WHOLE):
        return None
    size: int = arguments.get("size", PAGE_SIZE)
    return RESULT_TOKENS * max(size, PAGE_SIZE) // PAGE_SIZE
