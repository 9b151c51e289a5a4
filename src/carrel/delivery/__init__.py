"""Events reach the right user's sockets, in order, once handled."""
