"""The embedded engine's database: the only place that knows SQLite."""
