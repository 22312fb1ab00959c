"""How the Python drivers are spoken to: see the README of the clients for the protocol."""

import json
import sys

VERSIONS = {"ecs": "2014-05-26", "sts": "2015-04-01"}


def run(call):
    """Answers requests, one a line, until the input ends."""
    for line in sys.stdin:
        print(json.dumps(call(json.loads(line)), default=str), flush=True)
