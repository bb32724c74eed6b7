-- What a replica lacks that takes a server's place (store.lineage). A file has no replica: there is nothing to add.

SELECT 1;
