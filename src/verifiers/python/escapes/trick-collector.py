# Searches all objects for the runner and changes it.
# expect: value None
# expect: value *
# expect: exception InterpreterEnded
import gc
for thing in gc.get_objects():
    if type(thing) is dict and "answer_text" in thing and "run" in thing:
        thing["answer_text"] = lambda answer: "{}"
