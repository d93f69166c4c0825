"""The rehearsal's web process: `python -m portal.demo.web PORT`."""

import sys

from portal import create_app
from portal.cli.serve import run_web
from portal.config import SERVING, read_settings
from portal.logs import configure

if __name__ == "__main__":
    configure()
    app = create_app(read_settings(need=SERVING), as_demo=True)
    run_web(app, f"127.0.0.1:{sys.argv[1]}", workers=2, threads=16)
