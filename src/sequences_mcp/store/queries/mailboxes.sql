-- find --
-- The rest of a mailbox.
SELECT sender, since, until, refusals, why, account, reply FROM mailbox_rest WHERE sender = :sender

-- rest --
-- A mailbox was refused: it rests.
INSERT INTO mailbox_rest (sender, since, until, refusals, why, account, reply)
VALUES (:sender, :since, :until, :refusals, :why, :account, :reply)
ON CONFLICT (sender) DO UPDATE
SET since = :since, until = :until, refusals = :refusals, why = :why, account = :account, reply = :reply

-- postpone --
-- Nobody else tries it before an instant.
UPDATE mailbox_rest SET until = :until WHERE sender = :sender

-- advance --
-- The next try may come at once.
UPDATE mailbox_rest SET until = min(until, :now) WHERE sender = :sender

-- recovered --
-- An e-mail of it was accepted.
DELETE FROM mailbox_rest WHERE sender = :sender
