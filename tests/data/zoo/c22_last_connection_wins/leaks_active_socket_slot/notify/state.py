active_socket = None
