-- When it was looked for people whom time erases. Who is due is judged by such instants, so that a clock that leaps
-- ahead erases nobody: they lie in the future as soon as it is put right, and are removed then.

CREATE TABLE erasure_look (at bigint PRIMARY KEY);
