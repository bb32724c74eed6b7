"""Makes an SDK tool from a ``Definition``: unknown arguments refused, a compact schema, every write made once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata, func_metadata
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import ConfigDict, create_model

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


def to_tool(definition: Definition) -> Tool:
    """Return the tool of the SDK for a definition."""
    handler = definition.handler
    resolved = find_resolved_parameters(handler)
    arguments = _arguments(definition, skip=[*INJECTED, *resolved])
    metadata = FuncMetadata(arg_model=arguments, output_schema=_output_schema(handler))
    return Tool(
        fn=_runner(definition),
        name=definition.name,
        title=definition.title,
        description=" ".join((handler.__doc__ or "").split()),
        parameters=compact(arguments.model_json_schema(by_alias=True)),
        fn_metadata=metadata,
        is_async=True,
        context_kwarg="ctx",
        resolved_params=dict(resolved),
        resolver_plans=build_resolver_plans(resolved, set(arguments.model_fields)),
        annotations=_annotations(definition.title, definition.hints),
        meta=dict(definition.meta) if definition.meta else None,
    )


def _arguments(definition: Definition, *, skip: list[str]) -> type[ArgModelBase]:
    model = func_metadata(definition.handler, skip_names=skip, structured_output=False).arg_model
    more: dict[str, Any] = {}
    if definition.writes and not definition.staged:
        more["idempotency_key"] = (IdempotencyKey, None)
    strict = type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid"), "__module__": __name__})
    return create_model(model.__name__, __base__=strict, **more)


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
