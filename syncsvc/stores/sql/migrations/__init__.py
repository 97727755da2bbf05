"""The steps from an empty database to the tables of today; each goes forward only."""
