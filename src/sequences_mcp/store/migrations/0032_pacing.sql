-- Steps that wait by themselves, by why and until when: where somebody of one company waits, the next one waits longer.

CREATE INDEX step_run_paced ON step_run (reason, until) WHERE state = 'held' AND until IS NOT NULL AND replaced = 0;
