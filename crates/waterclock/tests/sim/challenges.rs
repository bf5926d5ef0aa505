//! Challenges in time: how many exchanges an answer costs, and what limits and timeline say of them.

use crate::bench::{Bench, CONNECT, PATH, RESOLVE, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use std::io::Cursor;
use std::sync::atomic::{AtomicU32, Ordering};
use waterclock::timeline::{HopReason, What};
use waterclock::{
    Auth, Authenticate, Error, ErrorKind, Limit, Phase, PreparedRequest, RequestBody, Response,
};
use waterclock_sim::Script;

/// When the client is connected, and the first request leaves.
const READY: u64 = RESOLVE + CONNECT;

fn challenge(nonce: &str, more: &str) -> String {
    format!(
        "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=\"lab\", qop=\"auth\", \
         algorithm=SHA-256, nonce=\"{nonce}\"{more}\r\nContent-Length: 4\r\n\r\nwho?"
    )
}

/// Says 401 after 20 ms to what brings no answer to the nonce `n`, and 200 after 30 ms to what does.
fn guarded(route: Route) -> Bench {
    let exchange = Script::new().expect_head().expect_body().respond(|head| {
        let answered = String::from_utf8_lossy(head).contains("nonce=\"n\"");
        if answered { ok("in").into() } else { challenge("n", "").into_bytes() }
    });
    Bench::serving(route, Script::new().repeat(exchange))
}

/// Each of these answers in turn, on one connection.
fn answers(answers: &[String]) -> Bench {
    let script = answers.iter().fold(Script::new(), |script, answer| {
        script.expect_head().expect_body().wait(ms(10)).send(answer)
    });
    Bench::serving(Route::Http, script)
}

fn digest() -> Auth {
    Auth::digest("user", "password")
}

fn reasons(response: &Response) -> Vec<HopReason> {
    response.timeline().hops().iter().map(|hop| hop.reason).collect()
}

fn count(bench: &Bench, field: &str) -> usize {
    bench.requests().iter().map(|text| text.matches(field).count()).sum()
}

/// How many requests were begun. (An answer has the target in it once more.)
fn sent(bench: &Bench) -> usize {
    count(bench, " HTTP/1.1\r\n")
}

#[test]
fn digest_costs_one_exchange_more_and_then_none() {
    for &route in Route::ALL {
        let bench = guarded(route);
        let session = bench.builder().auth(digest()).build().unwrap();
        let response = bench.post(&session).body("content").send().unwrap();
        assert_eq!(reasons(&response), [HopReason::First, HopReason::Auth]);
        assert_eq!(response.history()[0].raw_body(), b"who?");
        assert_eq!((response.status(), response.history()[0].status()), (200, 401));
        drop(response);
        for uses in 2..4 {
            let response = bench.post(&session).body("content").send().unwrap();
            assert_eq!((response.status(), reasons(&response)), (200, vec![HopReason::First]));
            assert_eq!(count(&bench, "nc=0000000"), uses);
        }
        // The use of the nonce is counted.
        assert_eq!(count(&bench, "nc=00000003"), 1);
        assert_eq!(count(&bench, "\r\n\r\ncontent"), 4);
        // And all of it on one connection.
        assert_eq!(bench.world.connections(route.door()).len(), 1);
    }
}

#[test]
fn both_exchanges_are_on_the_timeline() {
    let bench = answers(&[challenge("n", ""), ok("in")]);
    let session = bench.session();
    let mut response = bench.get(&session).auth(digest()).send().unwrap();
    assert_eq!(response.text().unwrap(), "in");
    assert_eq!((response.history()[0].elapsed(), response.elapsed()), (ms(READY + 10), ms(10)));
    assert_eq!(response.timeline().elapsed(), ms(READY + 20));
    tiles(response.timeline());
    // `total` spans both, the others begin anew.
    for (limit, fires_at) in [(Limit::Total, READY + 15), (Limit::Read, READY + 10 + 15)] {
        let bench = answers(&[challenge("n", "")]);
        let session = bench.session();
        let duration = if limit == Limit::Total { READY + 15 } else { 15 };
        let request = bench.get(&session).auth(digest());
        let error = request.limits(only(limit, ms(duration))).send().unwrap_err();
        fired(&error, limit, Phase::FirstByte, at(fires_at));
        assert_eq!(error.history().len(), 1);
        assert_eq!(error.timeline().unwrap().hops()[1].reason, HopReason::Auth);
    }
}

#[test]
fn a_wrong_password_ends_after_one_answer() {
    let bench = answers(&[challenge("n", ""), challenge("m", ""), ok("never")]);
    let session = bench.session();
    let mut response = bench.get(&session).auth(digest()).send().unwrap();
    assert_eq!((response.status(), response.text().unwrap().as_str()), (401, "who?"));
    assert_eq!((sent(&bench), response.history().len()), (2, 1));
}

#[test]
fn a_stale_nonce_is_replaced_once() {
    let stale = challenge("new", ", stale=true");
    let bench = answers(&[challenge("old", ""), stale.clone(), ok("in")]);
    let session = bench.session();
    let response = bench.get(&session).auth(digest()).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (200, 2));
    assert_eq!((count(&bench, "nonce=\"old\""), count(&bench, "nonce=\"new\"")), (1, 1));

    // For ever stale: two answers, and no more.
    let ever = |nonce: &str| challenge(nonce, ", stale=true");
    let bench = answers(&[ever("a"), ever("b"), ever("c"), ever("d")]);
    let session = bench.session();
    let response = bench.get(&session).auth(digest()).send().unwrap();
    assert_eq!((response.status(), sent(&bench)), (401, 3));

    // One that a later request brought along does not count against it.
    let bench = answers(&[challenge("one", ""), ok("in"), challenge("two", ""), ok("in")]);
    let session = bench.builder().auth(digest()).build().unwrap();
    for _ in 0..2 {
        let response = bench.get(&session).send().unwrap();
        assert_eq!((response.status(), response.history().len()), (200, 1));
    }
}

/// What the server asks for elsewhere only is answered where it was asked for all the same.
#[test]
fn a_challenge_is_answered_outside_of_its_domain() {
    let more = ", domain=\"/elsewhere\"";
    let bench = answers(&[challenge("n", more), ok("in"), challenge("n", more), ok("in")]);
    let session = bench.builder().auth(digest()).build().unwrap();
    for times in [2, 4] {
        let response = bench.get(&session).send().unwrap();
        assert_eq!((response.status(), sent(&bench)), (200, times));
    }
}

#[test]
fn the_server_can_name_the_next_nonce() {
    let info =
        "HTTP/1.1 200 OK\r\nAuthentication-Info: nextnonce=\"second\"\r\nContent-Length: 0\r\n\r\n";
    let bench = answers(&[challenge("first", ""), info.to_owned(), ok("in")]);
    let session = bench.builder().auth(digest()).build().unwrap();
    bench.get(&session).send().unwrap();
    assert_eq!(bench.get(&session).send().unwrap().status(), 200);
    assert_eq!((count(&bench, "nonce=\"first\""), count(&bench, "nonce=\"second\"")), (1, 1));
}

#[test]
fn a_body_goes_back_to_its_beginning() {
    let bench = guarded(Route::Http);
    let session = bench.session();
    let body = RequestBody::seekable(Cursor::new("content")).unwrap();
    let response = bench.post(&session).auth(digest()).body(body).send().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(count(&bench, "\r\n\r\ncontent"), 2);
}

#[test]
fn a_body_that_cannot_go_back_leaves_the_challenge_as_it_is() {
    let bench = guarded(Route::Http);
    let session = bench.builder().auth(digest()).build().unwrap();
    let request = bench.post(&session).body_reader(Cursor::new("once"), None);
    let mut response = request.send().unwrap();
    assert_eq!((response.status(), response.text().unwrap().as_str()), (401, "who?"));
    assert_eq!((sent(&bench), response.history().len()), (1, 0));
    let note = &response.timeline().notes()[0];
    assert!(note.contains("The challenge was not answered"), "{note}");
    assert!(response.explain().contains("The challenge was not answered"));
    // The next one is answered ahead.
    let request = bench.post(&session).body_reader(Cursor::new("once"), Some(4));
    assert_eq!(request.send().unwrap().status(), 200);
}

/// The redirect is another request: it may be challenged again.
#[test]
fn a_redirect_is_challenged_anew() {
    let to = "HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n".to_owned();
    let bench = answers(&[challenge("a", ""), to, challenge("b", ""), ok("in")]);
    let session = bench.session();
    let response = bench.get(&session).auth(digest()).send().unwrap();
    let statuses: Vec<_> =
        response.history().iter().map(waterclock::PastResponse::status).collect();
    assert_eq!((response.status(), statuses), (200, vec![401, 302, 401]));
    let expected = [HopReason::First, HopReason::Auth, HopReason::Redirect, HopReason::Auth];
    assert_eq!(reasons(&response), expected);
}

/// Takes a while, and answers each 401 up to three times.
struct Slow(std::sync::Arc<waterclock_sim::SimWorld>, AtomicU32);

impl Authenticate for Slow {
    fn authorize(&self, request: &mut PreparedRequest) -> Result<(), Error> {
        self.0.advance(ms(5));
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        request.set_for_hop("Authorization", format!("Slow {number}"))
    }

    fn challenged(&self, response: &mut Response, answered: u32) -> Result<bool, Error> {
        self.0.advance(ms(7));
        match response.headers().get("X-Refuse") {
            Some(_) => Err(Error::invalid_request("refused")),
            None => Ok(response.status() == 401 && answered < 3),
        }
    }
}

#[test]
fn a_way_of_the_callers_own_spends_the_callers_time() {
    let who = || challenge("n", "");
    let bench = answers(&[who(), who(), ok("in")]);
    let session = bench.session();
    let auth = Auth::custom(Slow(bench.world.clone(), AtomicU32::new(0)));
    let mut response = bench.get(&session).auth(auth).send().unwrap();
    assert_eq!(response.text().unwrap(), "in");
    for number in 0..3 {
        assert_eq!(count(&bench, &format!("authorization: Slow {number}")), 0);
        assert_eq!(count(&bench, &format!("Authorization: Slow {number}")), 1);
    }
    let timeline = response.timeline();
    assert_eq!(timeline.caller(), ms(3 * (5 + 7)));
    assert!(timeline.spans().iter().any(|span| span.what == What::Hook));
    assert_eq!(timeline.elapsed(), ms(READY + 30 + 36));
    tiles(timeline);

    let bench = answers(&[who(), who(), who(), who(), ok("never")]);
    let session = bench.session();
    let auth = Auth::custom(Slow(bench.world.clone(), AtomicU32::new(0)));
    assert_eq!(bench.get(&session).auth(auth).send().unwrap().status(), 401);
    assert_eq!(sent(&bench), 4);
}

#[test]
fn an_error_of_the_callers_own_way_ends_the_call_and_has_its_record() {
    let refuse = "HTTP/1.1 401 Who\r\nX-Refuse: yes\r\nContent-Length: 4\r\n\r\nwho?".to_owned();
    let bench = answers(&[challenge("n", ""), refuse]);
    let session = bench.session();
    let auth = Auth::custom(Slow(bench.world.clone(), AtomicU32::new(0)));
    let error = bench.get(&session).auth(auth).send().unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidRequest, "refused"));
    assert_eq!((error.history().len(), error.status()), (1, Some(401)));
    let timeline = error.timeline().unwrap();
    assert!(timeline.is_finished());
    assert_eq!(timeline.hops().len(), 2);
    tiles(timeline);
    assert!(error.to_string().contains(PATH), "{error}");
}

/// `total` is over while the answer is worked out: nothing more is sent.
#[test]
fn a_deadline_that_passes_in_it_keeps_the_answer_back() {
    let bench = answers(&[challenge("n", ""), ok("never")]);
    let session = bench.session();
    let auth = Auth::custom(Slow(bench.world.clone(), AtomicU32::new(0)));
    // 5 and 8 and 10 and 7 and 5 would be 35.
    let request = bench.get(&session).auth(auth).limits(only(Limit::Total, ms(33)));
    let error = request.send().unwrap_err();
    assert_eq!((error.limit(), sent(&bench)), (Some(Limit::Total), 1));
    assert!(error.to_string().contains("nothing of the request was sent"), "{error}");
    assert_eq!(error.late_by(), Some(ms(2)));
    tiles(error.timeline().unwrap());
}
