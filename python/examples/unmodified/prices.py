"""Somebody's program, which uses requests."""

import sys

import requests
from requests.adapters import HTTPAdapter

with requests.Session() as session:
    session.mount("http://", HTTPAdapter(max_retries=2))
    reply = session.get(sys.argv[1], timeout=1)
    reply.raise_for_status()
    for name, price in reply.json().items():
        print(f"{name}: {price}")
    print("made by", type(reply).__module__)
