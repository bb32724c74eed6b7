-- present --
-- Where this data folder belongs.
SELECT *, server_line() AS present_line FROM lineage WHERE folder = :host_folder

-- compared --
-- This host has compared its journals with this server.
UPDATE lineage SET line = server_line(), line_at = :now WHERE folder = :host_folder

-- compared_all --
-- With it all that it hands over.
UPDATE handing_over SET line = server_line() WHERE folder = :host_folder AND line <> server_line()

-- hands_over --
-- What this host hands over.
INSERT INTO handing_over (folder, what, line) VALUES (:host_folder, :what, server_line())
ON CONFLICT (folder, what) DO NOTHING

-- standstills --
-- Why nothing leaves. That is also so while another host, which hands over the same as this one, has not compared its
-- journals with this server.
SELECT kind, since FROM standstill
UNION ALL
(SELECT 'failed_over', here.line_at
 FROM handing_over mine JOIN handing_over theirs ON theirs.what = mine.what AND theirs.folder <> mine.folder
 JOIN lineage here ON here.folder = mine.folder
 WHERE mine.folder = :host_folder AND theirs.line <> server_line() LIMIT 1)
ORDER BY since, kind

-- hosts_are_lost --
-- A person has said that the hosts which are behind will not compare anything.
UPDATE handing_over SET line = server_line() WHERE line <> server_line()

-- adopt --
-- The place it belongs to from now on.
INSERT INTO lineage (folder, mark, machine, file) VALUES (:host_folder, :mark, :machine, :file)
ON CONFLICT (folder) DO UPDATE SET mark = excluded.mark, machine = excluded.machine, file = excluded.file

-- sent_read --
-- How far this folder's journal of what was sent was compared.
UPDATE lineage SET sent_read = :sent_read WHERE folder = :host_folder

-- line_read --
-- A line of that journal is known, and so is all before it.
UPDATE lineage SET sent_read = :sent_read WHERE folder = :host_folder AND sent_read = :begun

-- suppressions_read --
-- How far its other journal was compared. A change of the list (-1) is lacking in the journals of all hosts, which get it
-- at their next start: whichever host is left after the server was put back, its journal has them all.
UPDATE lineage SET suppressions_read = :suppressions_read WHERE folder = :host_folder OR :suppressions_read < 0
