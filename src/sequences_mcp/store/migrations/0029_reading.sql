-- Which folders of a mailbox could not be read when all that matter were: quoted names, with commas between.

ALTER TABLE mailbox_reading ADD COLUMN left_out TEXT NOT NULL DEFAULT '';
