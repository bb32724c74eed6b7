-- find --
-- The rest of a mailbox.
SELECT sender, since, until, refusals, why, account, reply FROM mailbox_rest WHERE sender = :sender

-- complaints --
-- How many of a mailbox's last e-mails were marked as spam since a person last said that it goes on, and when the last.
SELECT count(DISTINCT i.key) AS number, max(i.found_at) AS last
FROM inbound i INDEXED BY inbound_complaint
WHERE i.kind = 'complaint' AND i.basis IN ('message_id', 'provider_id')
  AND i.found_at > coalesce((SELECT cleared_at FROM mailbox_complaints WHERE sender = :sender), 0)
  AND i.key IN (SELECT key FROM attempt INDEXED BY attempt_sender
                WHERE sender = :sender AND answer = 'accepted' ORDER BY claimed_at DESC, lease DESC LIMIT :size)

-- clear_complaints --
-- A person says that a mailbox goes on.
INSERT INTO mailbox_complaints (sender, cleared_at, cleared_by) VALUES (:sender, :now, :actor)
ON CONFLICT (sender) DO UPDATE SET cleared_at = :now, cleared_by = :actor

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
UPDATE mailbox_rest SET until = :now WHERE sender = :sender AND until > :now

-- recovered --
-- An e-mail of it was accepted.
DELETE FROM mailbox_rest WHERE sender = :sender
