"""Keeps the caller of the requests able to call, and signs what has to be signed.

Random requests end tokens and disable users: those that would hit the caller are sent to a neighbour that is not there.
What follows a null (an alert rule for every inbox names none) or a word as if it were an id goes there too. And where schemathesis
spoils a value by a star at its end, which most of our patterns allow, the star becomes a control character, which they do
not. Runs of sync are not waited for.
"""

import hashlib
import hmac
import os
import time
from urllib.parse import quote

import schemathesis

TOKEN_ID = os.environ["CALLER_TOKEN"].split("|")[0]
USER_ID = os.environ["CALLER_ID"]
APP_ID = os.environ["PUSHER_APP_ID"]
NOBODY = 987654321


@schemathesis.hook
def before_call(context, case, kwargs):
    path, parameters = case.operation.path, case.path_parameters or {}
    own = {"/api/v1/tokens/{id}": TOKEN_ID, "/api/v1/users/{id}": USER_ID}.get(path)
    if own is not None and str(parameters.get("id")) == own:
        parameters["id"] = NOBODY
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    numbers = numbers_of(case.operation.definition.raw)
    for name, value in parameters.items():
        if positive and (value in (None, "None") or name in numbers and not str(value).lstrip("-").isdigit()):
            parameters[name] = NOBODY
    if not positive and case.meta is not None:
        for mutation in getattr(case.meta.phase.data, "mutations", ()):
            if "pattern" in mutation.keywords:
                spoil(case.body, mutation.path)
    if path.startswith("/apps/") and positive:
        sign(case, parameters)
    if positive and case.operation.definition.raw.get("operationId") in ("sync_connection", "run_sync"):
        hurry(case)


def numbers_of(operation):
    """The names of the parts of the address that are whole numbers."""
    told = [part for part in operation.get("parameters", []) if part.get("in") == "path"]
    return {part["name"] for part in told if part.get("schema", {}).get("type") == "integer"}


def spoil(body, path):
    """Makes a value that only got a star at its end one that no pattern of ours takes."""
    *parents, last = path or (None,)
    try:
        for step in parents:
            body = body[step]
        if isinstance(body[last], str) and body[last].endswith("*"):
            body[last] = body[last][:-1] + "\x01"
    except (KeyError, IndexError, TypeError):
        return  # the body was spoiled in another way too


def hurry(case):
    """Nothing is there to be synced with: waiting for the end of a run would take half a minute each."""
    if isinstance(case.body, dict):
        case.body["wait"] = min(case.body.get("wait") or 0, 1)
    else:
        case.query = {**(case.query or {}), "wait": 1}


def sign(case, parameters):
    """Pusher's signature over what is about to be sent, so that requests get beyond it."""
    parameters["app_id"] = APP_ID
    body = case.as_transport_kwargs().get("json")
    if body is not None:
        return  # how a body is written is known only when it is sent: those stay unsigned
    query = {k: v for k, v in (case.query or {}).items() if k in ("info", "filter_by_prefix") and isinstance(v, str)}
    query |= {
        "auth_key": os.environ["PUSHER_APP_KEY"],
        "auth_timestamp": str(int(time.time())),
        "auth_version": "1.0",
    }
    path = case.operation.path
    for name, value in parameters.items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    text = "\n".join([case.method.upper(), path, "&".join(f"{k}={query[k]}" for k in sorted(query))])
    secret = os.environ["PUSHER_APP_SECRET"].encode()
    query["auth_signature"] = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    case.query = query
