"""What keeps two syncs of a customer apart: between hosts, on one host, and in one process.

They are taken in that order, then the record's running row; nobody who has a later one waits
for an earlier one.
"""
