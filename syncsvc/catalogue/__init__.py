"""Products, features and tests of a foreign catalogue, kept in step by a three-phase sync."""
