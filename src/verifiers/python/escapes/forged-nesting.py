# Makes the interpreter say a value nested so deeply that whoever reads it breaks.
# expect: exception InterpreterEnded
# query: 1
import sys
runner = sys.modules.get("runner") or __import__("runner")
runner._dumps = lambda *given, **named: '{"kind":"value","output":"","value":' + '["list",' * 20000 + "1" + "]" * 20000 + "}"
