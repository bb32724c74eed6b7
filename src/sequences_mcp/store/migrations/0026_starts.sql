-- A start is its plan: the plan names the call that made it, by the key and the SHA-256 of the arguments, and keeps what
-- was learnt while it was made and stands in no run. `learnt` is JSON: `why` people were left out, with counts; the
-- `first` of them; from where time `zones` are known; how many people were `saved`.

ALTER TABLE plan ADD COLUMN call_tool TEXT;
ALTER TABLE plan ADD COLUMN call_key TEXT;
ALTER TABLE plan ADD COLUMN fingerprint TEXT;
ALTER TABLE plan ADD COLUMN key_expires_at INTEGER;
ALTER TABLE plan ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0 CHECK (left_out >= 0);
ALTER TABLE plan ADD COLUMN learnt TEXT;

CREATE UNIQUE INDEX plan_call_key ON plan (call_key) WHERE call_key IS NOT NULL;
CREATE INDEX plan_learnt ON plan (created_at) WHERE learnt IS NOT NULL;

-- An older program stored the answer of a start under `<key>#plan` and, once more, under its key.

UPDATE plan SET
  call_tool = 'start_sequence',
  call_key = substr(o.key, 1, length(o.key) - length('#plan')),
  fingerprint = o.fingerprint,
  key_expires_at = o.expires_at,
  left_out = coalesce(json_extract(o.answer, '$.left_out'), json_extract(o.answer, '$.view.left_out_count'), 0),
  learnt = json_object(
    'why', json(coalesce(json_extract(o.answer, '$.told.left_out_why'), json_extract(o.answer, '$.view.left_out_why'), '[]')),
    'first', json(coalesce(json_extract(o.answer, '$.told.left_out'), json_extract(o.answer, '$.view.left_out'), '[]')),
    'zones', json(coalesce(json_extract(o.answer, '$.told.time_zones_from'), json_extract(o.answer, '$.view.time_zones_from'), '{}')),
    'saved', 0)
FROM operation o
WHERE o.tool = 'start_sequence.plan' AND o.key LIKE '%#plan' AND json_valid(o.answer)
  AND plan.id = coalesce(json_extract(o.answer, '$.plan_id'), json_extract(o.answer, '$.view.plan_id'));

-- A key of this tool may have been that of a start as well.
UPDATE plan SET
  call_tool = 'retry_failed',
  call_key = o.key,
  fingerprint = o.fingerprint,
  key_expires_at = o.expires_at,
  left_out = coalesce(json_extract(o.answer, '$.left_out'), 0),
  learnt = json_object('why', json('[]'), 'first', json('[]'), 'zones', json('{}'), 'saved', 0)
FROM operation o
WHERE o.tool = 'retry_failed' AND o.key IS NOT NULL AND json_valid(o.answer)
  AND json_type(o.answer, '$.left_out') = 'integer' AND plan.id = json_extract(o.answer, '$.plan_id')
  AND NOT EXISTS (SELECT 1 FROM plan AS named WHERE named.call_key = o.key);

DELETE FROM operation
WHERE tool = 'start_sequence.plan' AND key IN (SELECT call_key || '#plan' FROM plan WHERE call_key IS NOT NULL)
   OR tool IN ('start_sequence', 'retry_failed') AND key IN (SELECT call_key FROM plan WHERE call_key IS NOT NULL);
