sockets = {}
