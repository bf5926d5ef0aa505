"""Sessions and responses travel to the processes of a cluster and back."""

from __future__ import annotations

import requests
from distributed import Client, LocalCluster
from loopback import STALL, answer


def fetch(session, url):
    found = session.get(url, timeout=10)
    return found, found.status_code, type(found).__module__


def fail(session, url):
    session.get(url, timeout=0.1)


def reply(request):
    if request.target == "/stall":
        return [STALL]
    return answer(request.target, headers=[("X-From", request.header("X-Mine") or "")])


def test_a_local_cluster(serve, tmp_path, is_waterclock):
    server = serve(reply)
    session = requests.Session()
    session.headers["X-Mine"] = "m"
    session.get(server.url)  # a session that has connections travels as well
    # The function is sent with its code: the workers know nothing of this file.
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__))
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        Client(cluster) as client,
    ):
        futures = client.map(fetch, [session] * 6, [f"{server.url}/{n}" for n in range(6)])
        results = client.gather(futures)
        # The worker has connections by now, and its failures tell the same story here.
        failure = client.submit(fail, session, server.url + "/stall").exception()
    for number, (found, status, module) in enumerate(results):
        assert isinstance(found, requests.Response)
        assert (found.text, status, found.headers["X-From"]) == (f"/{number}", 200, "m")
        assert module == requests.Response.__module__
    assert isinstance(failure, requests.ReadTimeout)
    assert "Read timed out. (read timeout=0.1)" in str(failure)
    if is_waterclock:
        assert failure.phase == "first_byte"
        assert "read limit of 100 ms fired" in failure.explain()
