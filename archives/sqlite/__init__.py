"""One SQLite file: connections, typed rows, sqlite-utils without its weight."""
