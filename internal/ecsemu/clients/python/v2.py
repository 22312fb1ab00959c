"""Drives the Python SDK of today's generation (alibabacloud_*). It signs with ACS3 and sends all parameters in the
query."""

import re

from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as Sts
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import DaraException
from darabonba.runtime import RuntimeOptions

import drive

PRODUCTS = {"ecs": (Ecs, ecs_models), "sts": (Sts, sts_models)}


def configure(r):
    """All that is needed to point this SDK at the emulator: endpoint and protocol, and ca in the options of a call."""
    config = Config(
        access_key_id=r["key"], access_key_secret=r["secret"], security_token=r["token"] or None,
        endpoint=r["endpoint"], protocol=r["scheme"],
    )
    return config, RuntimeOptions(ca=r["ca"] if r["scheme"] == "https" else None)


def call(r):
    client, models = PRODUCTS[r["product"]]
    config, options = configure(r)
    method = getattr(client(config), re.sub(r"(?<!^)(?=[A-Z])", "_", r["action"]).lower() + "_with_options")
    request = getattr(models, r["action"] + "Request", None)
    try:
        if request is None:
            response = method(options)
        else:
            response = method(request().from_map(r["parameters"]), options)
    except DaraException as e:
        return {
            "ok": False, "type": type(e).__name__, "status": getattr(e, "status_code", None), "code": e.code,
            "message": e.message, "requestId": getattr(e, "request_id", None), "wait": getattr(e, "retry_after", None),
        }
    return {"ok": True, "status": response.status_code, "data": response.body.to_map()}


drive.run(call)
