"""The SQL database: its tables, its transactions and its migrations."""
