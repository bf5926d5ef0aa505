"""One slow call, and what other limits and other clients would have done with it. Nothing is sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from local_server import Step, response, serving

import waterclock as requests


def slow_body(path: str) -> Iterator[Step]:
    """Sends the head after 0.1 s, and the end of the body another 0.15 s later."""
    whole = response(b"hello\n")
    yield 0.1
    yield whole[:-3]
    yield 0.15
    yield whole[-3:]


with serving(slow_body) as url:
    timeline = requests.get(url, timeout=5).timeline

assert timeline is not None
total = timeline.what_if(total=0.2)
assert total.at is not None
assert total.wait is not None
print(f"total=0.2 would have fired after {total.at:.3f} s, in the phase {total.wait.phase}.")
print("timeout=0.2 would have fired:", timeline.what_if(0.2).fires)
for client, settings in [("requests", {"timeout": 0.2}), ("curl", {"max_time": 0.2})]:
    answer = timeline.as_client(client, **settings)
    print(f"{client} would have ended with", answer.error if answer.fires else "success")

print(timeline.as_client("curl", max_time=0.2))

# For other tools; with a path they write a file: timeline.to_html("call.html").
archive = json.loads(timeline.to_har())
print(
    "HAR entries:", len(archive["log"]["entries"]), " page:", len(timeline.to_html()), "characters"
)
