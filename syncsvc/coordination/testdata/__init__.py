"""What the agents of a test leave for each other in one piece: TestSync's data of a test."""
