-- Blueprints that were put away: not listed unless asked for, and not started. What was started goes on.

CREATE TABLE archived_blueprint (
  blueprint_id TEXT PRIMARY KEY,
  archived_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
