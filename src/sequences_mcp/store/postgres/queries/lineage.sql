-- present --
-- Where this data folder belongs.
SELECT * FROM lineage WHERE folder = :host_folder

-- adopt --
-- The place it belongs to from now on.
INSERT INTO lineage (folder, mark, machine, file) VALUES (:host_folder, :mark, :machine, :file)
ON CONFLICT (folder) DO UPDATE SET mark = excluded.mark, machine = excluded.machine, file = excluded.file

-- sent_read --
-- How far this folder's journal of what was sent was compared.
UPDATE lineage SET sent_read = :sent_read WHERE folder = :host_folder

-- suppressions_read --
-- How far its other journal was compared. A change of the list (-1) is lacking in the journals of all hosts, which get it
-- at their next start: whichever host is left after the server was put back, its journal has them all.
UPDATE lineage SET suppressions_read = :suppressions_read WHERE folder = :host_folder OR :suppressions_read < 0
