# Connects to a server.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception gaierror
# proof
import socket
socket.create_connection(("127.0.0.1", 80), 1)
