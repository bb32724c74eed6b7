"""The store on SQLite: connections, transactions, the schema and its migrations, backups."""
