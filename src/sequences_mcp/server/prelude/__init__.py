"""The first part of a conversation over stdio, answered while the SDK is loaded: docs/prelude.md."""
