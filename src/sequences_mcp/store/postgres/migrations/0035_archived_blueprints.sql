-- Blueprints that were put away: not listed unless asked for, and not started. What was started goes on.

CREATE TABLE archived_blueprint (
  blueprint_id text COLLATE "C" PRIMARY KEY,
  archived_at  bigint NOT NULL
);
