# Fetches a page.
# expect: exception URLError OSError ImportError ModuleNotFoundError
import urllib.request
urllib.request.urlopen("http://127.0.0.1:80/", timeout=1)
