"""One request of one user, executed."""
