# Imports the bridge to JavaScript.
# expect: exception ModuleNotFoundError ImportError
# proof
import js
js.process.exit(0)
