# Makes the interpreter say a number that is none, over which a comparison would never end.
# expect: exception InterpreterEnded
# query: 1
import sys
runner = sys.modules.get("runner") or __import__("runner")
runner._dumps = lambda *given, **named: '{"kind":"value","value":["float","abc"],"output":""}'
