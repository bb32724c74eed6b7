-- What the mail server said when it refused a mailbox, apart from why this program lets it rest.

ALTER TABLE mailbox_rest ADD COLUMN reply TEXT NOT NULL DEFAULT '';
