# Asks for an address.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception gaierror
# expect: exception InterpreterEnded
import socket
socket.getaddrinfo("example.org", 80)
