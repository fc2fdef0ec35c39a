# Makes the interpreter say that the machine is to blame.
# expect: exception InterpreterEnded
# query: 1
import sys
runner = sys.modules.get("runner") or __import__("runner")
runner._dumps = lambda *given, **named: '{"kind":"starved","limit":"memory"}'
