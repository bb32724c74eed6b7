"""The store on PostgreSQL 15 and later, through psycopg 3."""
