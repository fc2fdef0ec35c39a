# Makes the interpreter answer twice, once for whoever comes next.
# expect: exception InterpreterEnded
# query: 1
import sys
runner = sys.modules.get("runner") or __import__("runner")
runner._dumps = lambda *given, **named: '{"kind":"value","output":"","value":7}\n{"kind":"value","output":"","value":8}'
