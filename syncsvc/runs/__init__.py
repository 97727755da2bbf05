"""A run and the workers that registered for it: who is there, who is done, who is master."""
