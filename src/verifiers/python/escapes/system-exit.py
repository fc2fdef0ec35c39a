# Leaves as scripts do.
# expect: exception SystemExit
import sys
sys.exit(0)
