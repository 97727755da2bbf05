"""Foreign protocols, one room each; none knows another."""
