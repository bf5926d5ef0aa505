//! The jar of a session on real sockets: what it takes, whom it gives it to, and whose it is.

use crate::redirects::named;
use crate::support::{ms, trust_authority};
use std::thread;
use std::time::SystemTime;
use waterclock::cookies::{CookieJar, NewCookie};
use waterclock::{Limits, Session, SessionBuilder, Url};
use waterclock_lab::{Authority, ReceivedRequest, Script, Server, Tls, respond_with};

fn builder() -> SessionBuilder {
    Session::builder().limits(Limits::total(ms(20_000)))
}

/// `/set?...` sets a cookie of that text, `/to/...` redirects there, and with `/set-to` both.
fn script() -> Script {
    Script::by_request(|request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let cookie = query.replace("%20", " ");
        match path {
            "/set" => respond_with(200, &[("Set-Cookie", &cookie)], ""),
            "/two" => respond_with(200, &[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], ""),
            "/set-to" => respond_with(302, &[("Set-Cookie", &cookie), ("Location", "/end")], ""),
            _ => respond_with(200, &[], ""),
        }
    })
}

fn server() -> Server {
    Server::start(script()).unwrap()
}

/// What the last request brought along.
fn last(server: &Server) -> Option<String> {
    cookie(&server.requests().pop().unwrap())
}

fn cookie(request: &ReceivedRequest) -> Option<String> {
    request.header("cookie").map(str::to_owned)
}

fn get(session: &Session, server: &Server, path: &str) -> Option<String> {
    session.get(server.url(path)).send().unwrap();
    last(server)
}

#[test]
fn cookies_come_with_the_next_request_and_the_next_hop() {
    let server = server();
    let session = builder().build().unwrap();
    assert_eq!(get(&session, &server, "/set?id=7"), None);
    assert_eq!(get(&session, &server, "/"), Some("id=7".into()));
    // Set by a redirect, and sent to where it leads.
    assert_eq!(get(&session, &server, "/set-to?hop=1"), Some("id=7; hop=1".into()));
    assert_eq!(get(&session, &server, "/two"), Some("id=7; hop=1".into()));
    assert_eq!(get(&session, &server, "/"), Some("id=7; hop=1; a=1; b=2".into()));
    assert_eq!(get(&session, &server, "/set?id=8"), Some("id=7; hop=1; a=1; b=2".into()));
    assert!(get(&session, &server, "/").unwrap().contains("id=8"));
    // One header field, as RFC 6265 §5.4 has it.
    let fields = server.requests().pop().unwrap().headers;
    assert_eq!(fields.iter().filter(|(name, _)| name == "Cookie").count(), 1);
    assert_eq!(session.cookies().snapshot().len(), 4);
    // A clone of a session is the same session.
    assert!(get(&session.clone(), &server, "/").is_some());
}

#[test]
fn paths_and_ends_are_kept_to() {
    let server = server();
    let session = builder().build().unwrap();
    get(&session, &server, "/set?deep=1;%20Path=/deep");
    assert_eq!(get(&session, &server, "/"), None);
    assert_eq!(get(&session, &server, "/deep/er"), Some("deep=1".into()));
    assert_eq!(get(&session, &server, "/deeper"), None);
    get(&session, &server, "/set?gone=1;%20Max-Age=0");
    get(&session, &server, "/set?short=1;%20Max-Age=3600");
    get(&session, &server, "/set?old=1;%20Expires=Sun,%2006%20Nov%201994%2008:49:37%20GMT");
    assert_eq!(get(&session, &server, "/"), Some("short=1".into()));
    get(&session, &server, "/set?short=;%20Max-Age=-1");
    assert_eq!(get(&session, &server, "/"), None);
}

#[test]
fn secure_cookies_stay_where_it_is_secure() {
    let ca = Authority::new().unwrap();
    let tls = Tls::new(ca.issue(&["one.test", "two.test"]).unwrap());
    let secure = Server::builder().tls(tls).script(script()).start().unwrap();
    let plain = server();
    let names = [("one.test", &secure), ("two.test", &secure), ("one.test", &plain)];
    let session = named(builder().tls(trust_authority(&ca)), names).build().unwrap();
    let get = |server: &Server, host: &str, path: &str| {
        session.get(server.url_for(host, path)).send().unwrap();
        last(server)
    };
    get(&secure, "one.test", "/set?safe=1;%20Secure");
    get(&secure, "one.test", "/set?both=1");
    assert_eq!(get(&secure, "one.test", "/"), Some("safe=1; both=1".into()));
    assert_eq!(get(&plain, "one.test", "/"), Some("both=1".into()));
    // A plain answer neither sets a secure one nor hides it.
    get(&plain, "one.test", "/set?safe=2");
    get(&plain, "one.test", "/set?more=1;%20Secure");
    assert_eq!(get(&secure, "one.test", "/"), Some("safe=1; both=1".into()));
    // Nor does another host, for the whole of a public suffix or for us.
    get(&secure, "two.test", "/set?evil=1;%20Domain=test");
    get(&secure, "two.test", "/set?evil=1;%20Domain=one.test");
    assert_eq!(get(&secure, "two.test", "/"), None);
    assert_eq!(get(&secure, "one.test", "/"), Some("safe=1; both=1".into()));
}

#[test]
fn cookies_of_a_request_are_not_kept() {
    let server = server();
    let session = builder().build().unwrap();
    get(&session, &server, "/set?id=7");
    let request = session.get(server.url("/set-to?hop=1")).cookie("own", "1").cookie("id", "mine");
    request.send().unwrap();
    let seen: Vec<_> = server.requests().iter().map(cookie).collect();
    // They go with every hop in that origin, and replace those of their name.
    assert_eq!(seen[1], Some("own=1; id=mine".into()));
    assert_eq!(seen[2], Some("hop=1; own=1; id=mine".into()));
    assert_eq!(get(&session, &server, "/"), Some("id=7; hop=1".into()));
    // What cannot be one is refused.
    for (name, value) in [("a b", "1"), ("", "1"), ("a", "1;b=2"), ("a=b", "1"), ("a", "1\r\nX: y")]
    {
        let error = session.get(server.url("/")).cookie(name, value).send().unwrap_err();
        assert!(error.to_string().contains("cookie"), "{error}");
    }
}

#[test]
fn a_cookie_header_set_by_hand_is_sent_as_it_is() {
    let server = server();
    let session = builder().build().unwrap();
    get(&session, &server, "/set?id=7");
    let request = session.get(server.url("/set-to?hop=1")).header("Cookie", "by=hand");
    request.cookie("own", "1").send().unwrap();
    let seen: Vec<_> = server.requests().iter().map(cookie).collect();
    assert_eq!(seen[1], Some("by=hand".into()));
    // After a redirect the jar decides, as in requests.
    assert_eq!(seen[2], Some("id=7; hop=1; own=1".into()));
}

#[test]
fn a_session_can_do_without() {
    let server = server();
    let session = builder().without_cookies().build().unwrap();
    get(&session, &server, "/set?id=7");
    assert_eq!(get(&session, &server, "/set-to?hop=1"), None);
    assert!(session.cookies().snapshot().is_empty());
    session.get(server.url("/")).cookie("own", "1").send().unwrap();
    assert_eq!(last(&server), Some("own=1".into()));
}

#[test]
fn a_jar_is_the_callers_to_fill_to_read_and_to_replace() {
    let server = server();
    let mut jar = CookieJar::new();
    let now = SystemTime::now();
    jar.insert(NewCookie::new("given", "1", "127.0.0.1"), now).unwrap();
    let session = builder().cookies(jar).build().unwrap();
    assert_eq!(get(&session, &server, "/set?id=7"), Some("given=1".into()));
    let url: Url = server.url("/").parse().unwrap();
    let kept = session.cookies().snapshot();
    assert_eq!(kept.get_for(&url, "id", now).unwrap().value(), b"7");
    let before = session.cookies().replace(CookieJar::new());
    assert_eq!(before.len(), 2);
    assert_eq!(get(&session, &server, "/"), None);
    session.cookies().update(|jar| jar.merge(&before, now));
    assert_eq!(get(&session, &server, "/"), Some("given=1; id=7".into()));
    let other = builder().build().unwrap();
    assert_eq!(get(&other, &server, "/"), None);
}

#[test]
fn threads_share_one_jar() {
    let server = server();
    let session = builder().build().unwrap();
    thread::scope(|scope| {
        for number in 0..8 {
            let (session, server) = (&session, &server);
            scope.spawn(move || {
                for turn in 0..10 {
                    let url = server.url(&format!("/set?t{number}={turn}"));
                    session.get(url).send().unwrap();
                }
            });
        }
    });
    let mut all: Vec<_> =
        get(&session, &server, "/").unwrap().split("; ").map(str::to_owned).collect();
    all.sort();
    let expected: Vec<_> = (0..8).map(|number| format!("t{number}=9")).collect();
    assert_eq!(all, expected);
    // Each one's own last word came back to it, whatever the others did meanwhile.
    for request in server.requests() {
        let text = cookie(&request).unwrap_or_default();
        let mut names: Vec<_> = text.split("; ").map(|pair| pair.split('=').next()).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{text}");
    }
}

#[test]
fn what_may_not_be_set_hurts_nobody() {
    let server = server();
    let session = builder().build().unwrap();
    for cookie in ["", ";", "=", "__Secure-a=1", "__Host-b=1", "d=1;%20Domain=other.test"] {
        let response = session.get(server.url(&format!("/set?{cookie}"))).send();
        assert!(response.is_ok_and(|response| response.status() == 200), "{cookie:?}");
    }
    assert_eq!(get(&session, &server, "/"), None);
}
