"""The database's migrations, applied by `fablab migrate`."""
