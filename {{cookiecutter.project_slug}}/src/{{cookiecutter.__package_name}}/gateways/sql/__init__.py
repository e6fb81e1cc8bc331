"""The SQL store: schema, repository, migrations."""
