# Speaks to a local socket.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception AttributeError
import socket
socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
