"""Prints `TOKEN USER_ID` of a fresh API token for someone who signs in: callers.py URL E-MAIL PASSWORD."""

import json
import sys
from urllib.request import Request, urlopen

url, email, password = sys.argv[1:]


def post(path, body, headers):
    headers = {"Content-Type": "application/json", **headers}
    return urlopen(Request(url + path, json.dumps(body).encode(), headers), timeout=20)


with post("/api/v1/session", {"email": email, "password": password}, {}) as answer:
    cookie, user = answer.headers["Set-Cookie"].split(";")[0], json.load(answer)
with post("/api/v1/tokens", {"name": "schema"}, {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}) as answer:
    print(json.load(answer)["token"], user["id"])
