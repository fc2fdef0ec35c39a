# Opens a port.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
import socket
server = socket.socket()
server.bind(("0.0.0.0", 0))
server.listen()
