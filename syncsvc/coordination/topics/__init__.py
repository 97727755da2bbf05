"""Topics: what is published once is read by everybody, from any offset on."""
