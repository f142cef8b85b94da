"""What `tracehound run` has Python do first, in the program and in those that it starts: `import mlflow` is Tracehound.

Python imports a module of this name when it starts. This one takes its folder away again and hands over to the one that
would have been imported without it, if there is any.
"""

import importlib
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent

sys.path[:] = [place for place in sys.path if Path(place) != _FOLDER]
try:
    from tracehound.compat.mlflow import put_finder
except ImportError:  # another Python, which the program starts
    pass
else:
    put_finder()
_this = sys.modules.pop(__name__)
try:
    importlib.import_module(__name__)
except ModuleNotFoundError as error:
    sys.modules.setdefault(__name__, _this)
    if error.name != __name__:
        raise
