//! Retries: what nginx answers with "later", and what it does not answer at all.

use crate::peer::Nginx;
use crate::support::{PATIENCE, builder};
use std::time::Duration;
use waterclock::retry::{Kind, Methods, Retry};
use waterclock::timeline::HopReason;
use waterclock::{ErrorKind, Phase, Response, Session};

/// As nginx says in each Retry-After of its.
const PAUSE: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(20);

fn session(nginx: &Nginx, retry: Retry) -> Session {
    builder().tls(nginx.trust()).retry(retry).build().unwrap()
}

/// The time that the call has waited before retries.
fn backoff(timeline: &waterclock::Timeline) -> Duration {
    let spent = timeline.spent().into_iter();
    spent.filter(|(phase, _)| *phase == Phase::Backoff).map(|(_, time)| time).sum()
}

fn retried(response: &Response) -> Vec<(Kind, Duration)> {
    response.retries().iter().map(|tried| (tried.kind, tried.delay)).collect()
}

fn asked(nginx: &Nginx, path: &str) -> usize {
    nginx.requests().iter().filter(|line| line.contains(path)).count()
}

#[test]
fn a_server_that_says_when_is_asked_again_then() {
    let Some(nginx) = Nginx::start() else { return };
    for base in nginx.urls("") {
        let session = session(&nginx, Retry::new(3));
        // Plain and TLS have a file each, for nginx counts them together.
        let file = if base.starts_with("https") { "404.html" } else { "numbers.txt" };
        let url = format!("{base}/often/{file}");
        let mut first = session.get(&url).send().unwrap();
        assert_eq!((first.status(), first.retries().len()), (200, 0));
        first.content().unwrap();
        // Sent at once it is too soon, if we are quick enough.
        let mut again = (0..20).map(|_| session.get(&url).send().unwrap());
        let mut second = again.find(|response| !response.retries().is_empty()).unwrap();
        assert_eq!((second.status(), second.history().len()), (200, 0));
        assert_eq!(retried(&second), [(Kind::Status(429), PAUSE)]);
        assert!(!second.content().unwrap().is_empty());
        let timeline = second.timeline();
        assert!(backoff(timeline) >= PAUSE, "{}", second.explain());
        assert_eq!(timeline.hops()[1].reason, HopReason::Retry);
        // One hop's time has not the pause in it, the whole call's has.
        assert!(second.elapsed() < timeline.elapsed() - PAUSE);
        assert_eq!(second.connection().unwrap().number, 1);
    }
}

#[test]
fn retries_that_are_used_up_are_an_error_or_a_response() {
    let Some(nginx) = Nginx::start() else { return };
    let retry = Retry::new(3).retry_after_max(SHORT);
    for (scheme, base) in nginx.urls("").into_iter().enumerate() {
        let file = ["404.html", "numbers.txt"][scheme];
        let url = format!("{base}/rarely/{file}");
        let session = session(&nginx, retry.clone());
        assert_eq!(session.get(&url).send().unwrap().status(), 200);
        // What only Retry-After has made us try again is no error in the end, as in urllib3.
        let mut response = session.get(&url).send().unwrap();
        assert_eq!((response.status(), &*response.text().unwrap()), (429, "later\n"));
        assert_eq!(retried(&response), [(Kind::Status(429), SHORT); 3]);
        assert!(backoff(response.timeline()) >= 3 * SHORT);
        let listed = retry.clone().status_forcelist([429]);
        let error = session.get(&url).retry(listed.clone()).send().unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(429)), "{error:#}");
        assert!(error.to_string().contains("too many 429 error responses (3 retries)"), "{error}");
        assert_eq!(error.timeline().unwrap().hops().len(), 4);
        let request = session.get(&url).retry(listed.raise_on_status(false));
        assert_eq!(request.send().unwrap().status(), 429);
        // Once, and four times each.
        assert_eq!(asked(&nginx, &format!("/rarely/{file} ")), 1 + 3 * 4);
    }
}

#[test]
fn a_pause_that_does_not_fit_is_not_begun() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/maintenance") {
        let session = session(&nginx, Retry::new(3));
        let response = session.get(&url).send().unwrap();
        assert_eq!((response.status(), response.retries().len()), (503, 0));
        assert_eq!(backoff(response.timeline()), Duration::ZERO);
        let notes = response.timeline().notes();
        assert!(notes.iter().any(|note| note.contains("was not retried")), "{notes:?}");
        // What does not wait fits always.
        let retry = Retry::new(2).status_forcelist([503]).respect_retry_after(false);
        let request = session.get(&url).retry(retry.raise_on_status(false));
        let response = request.send().unwrap();
        assert_eq!(retried(&response), [(Kind::Status(503), Duration::ZERO); 2]);
    }
    assert_eq!(asked(&nginx, "/maintenance"), 2 * (1 + 3));
}

#[test]
fn a_request_that_may_have_been_done_is_not_sent_twice() {
    let Some(nginx) = Nginx::start() else { return };
    let retry = Retry::new(2).retry_after_max(SHORT).raise_on_status(false);
    for base in nginx.urls("") {
        let session = session(&nginx, retry.clone());
        let before = asked(&nginx, "POST");
        let post = |path: &str| session.post(format!("{base}{path}")).body("content");
        assert_eq!(retried(&post("/unavailable").send().unwrap()), []);
        let error = post("/silent").send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error:#}");
        assert!(!error.retry_safe() && error.to_string().contains("not sent again"), "{error}");
        assert_eq!(asked(&nginx, "POST") - before, 2);
        // But for those who say that it may.
        let any = retry.clone().allowed_methods(Methods::Any);
        let response = post("/unavailable").retry(any.clone()).send().unwrap();
        assert_eq!(response.retries().len(), 2);
        assert_eq!(post("/silent").retry(any).send().unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(asked(&nginx, "POST") - before, 2 + 3 + 3);
    }
}

#[test]
fn a_server_that_hangs_up_is_asked_again() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/silent") {
        let before = asked(&nginx, "/silent");
        let session = session(&nginx, Retry::new(3).read(2));
        let error = session.get(&url).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error:#}");
        let words = "not sent again: too many failures to read a response (2 retries)";
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(asked(&nginx, "/silent") - before, 3);
        // Without a policy once is enough.
        assert!(session.get(&url).retry(Retry::none()).send().is_err());
        assert_eq!(asked(&nginx, "/silent") - before, 4);
    }
}

#[test]
fn who_is_not_there_is_looked_for_again() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let retry = Retry::new(5).connect(2).backoff_factor(0.01);
    let session = builder().retry(retry).build().unwrap();
    // Nothing was sent, so it may be a POST.
    let error = session.post(format!("http://{closed}/")).body("content").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
    assert!(error.to_string().contains("too many failures to connect (2 retries)"), "{error}");
    let timeline = error.timeline().unwrap();
    assert_eq!((timeline.attempts().len(), timeline.hops().len()), (3, 3));
    assert!(backoff(timeline) >= SHORT, "{error:#}");
}

#[test]
fn redirects_and_retries_are_counted_apart() {
    let Some(nginx) = Nginx::start() else { return };
    let url = nginx.url(&format!("/to?url={}", nginx.url("/unavailable")));
    let retry = Retry::new(2).retry_after_max(SHORT).raise_on_status(false);
    let response = session(&nginx, retry.clone()).get(&url).send().unwrap();
    assert_eq!((response.status(), response.history().len()), (503, 1));
    assert_eq!(response.timeline().hops().len(), 4);
    // urllib3's `redirect` is a limit too, and the stricter one counts.
    let error = session(&nginx, retry.redirect(2)).get(nginx.url("/loop")).send().unwrap_err();
    assert_eq!((error.kind(), error.history().len()), (ErrorKind::TooManyRedirects, 3));
    assert!(error.elapsed() < PATIENCE);
}
