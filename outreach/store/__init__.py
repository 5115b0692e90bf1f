"""The only SQL: named queries, migrations, one module an aggregate."""
