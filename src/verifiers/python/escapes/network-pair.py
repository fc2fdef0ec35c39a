# Makes a pair of sockets.
# expect: exception PermissionError FileNotFoundError OSError BlockingIOError
# expect: exception InterpreterEnded
# expect: exception AttributeError
import socket
socket.socketpair()
