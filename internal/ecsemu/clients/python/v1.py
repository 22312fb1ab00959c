"""Drives the older Python SDK (aliyun-python-sdk-*). It signs with the older signature, sends all parameters in the
query, and leaves the reading of answers to its caller, so that XML can be asked for."""

import importlib
import json

from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient

import drive

PACKAGES = {"ecs": "aliyunsdkecs.request.v20140526", "sts": "aliyunsdksts.request.v20150401"}


def connect(r):
    """What is to be trusted is said here, the endpoint and the scheme by each request."""
    credential = AccessKeyCredential(r["key"], r["secret"])
    if r["token"]:
        credential = StsTokenCredential(r["key"], r["secret"], r["token"])
    return AcsClient(
        region_id="cn-hangzhou", credential=credential, auto_retry=False, verify=r["ca"] if r["scheme"] == "https" else None
    )


def build(r):
    module = importlib.import_module(f"{PACKAGES[r['product']]}.{r['action']}Request")
    request = getattr(module, r["action"] + "Request")()
    request.set_endpoint(r["endpoint"])
    request.set_protocol_type(r["scheme"])
    request.set_accept_format(r["format"] or "JSON")
    for name, value in r["parameters"].items():
        # Lists have the plural in their setter. The region has none.
        setter = getattr(request, "set_" + name, None) or getattr(request, f"set_{name}s", None)
        if setter is not None:
            setter(value)
        else:
            request.add_query_param(name, value)
    return request


def call(r):
    try:
        raw = connect(r).do_action_with_exception(build(r)).decode()
    except ServerException as e:
        return {
            "ok": False, "type": type(e).__name__, "status": e.get_http_status(), "code": e.get_error_code(),
            "message": e.get_error_msg(), "requestId": e.get_request_id(),
        }
    except ClientException as e:
        return {"ok": False, "type": type(e).__name__, "code": e.get_error_code(), "message": e.get_error_msg()}
    if r["format"] == "XML":
        return {"ok": True, "status": 200, "raw": raw}
    return {"ok": True, "status": 200, "data": json.loads(raw)}


drive.run(call)
