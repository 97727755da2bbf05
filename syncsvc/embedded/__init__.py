"""Everything in one command: an embedded server and our processes as one supervised tree."""
