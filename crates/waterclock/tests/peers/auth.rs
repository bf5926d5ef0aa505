//! Basic, bearer and digest, asked for by nginx and httpbin.

use crate::peer::{Httpbin, Nginx, PASSWORD, USER, numbers};
use crate::support::{builder, session};
use serde_json::{Value, json};
use waterclock::timeline::HopReason;
use waterclock::{Auth, Method, Response, Session};

fn basic(user: &str, password: &str) -> Auth {
    Auth::basic(user, password).unwrap()
}

fn get(session: &Session, url: &str, auth: Auth) -> Response {
    session.get(url).auth(auth).send().unwrap()
}

#[test]
fn nginx_asks_for_a_password() {
    let Some(nginx) = Nginx::shared() else { return };
    for url in nginx.urls("/private/numbers.txt") {
        let session = nginx.session();
        assert_eq!(get(&session, &url, Auth::none()).status(), 401);
        assert_eq!(get(&session, &url, basic(USER, "wrong")).status(), 401);
        let mut response = get(&session, &url, basic(USER, PASSWORD));
        assert_eq!((response.status(), response.history().len()), (200, 0), "sent unasked");
        assert!(response.text().unwrap() == numbers());
        // What is refused keeps the connection, and leaves nothing on it.
        assert_eq!(response.connection().unwrap().number, 1);
        // nginx has no digest: nothing is answered, and nothing sent again.
        let response = get(&session, &url, Auth::digest(USER, PASSWORD));
        assert_eq!((response.status(), response.history().len()), (401, 0));
    }
}

#[test]
fn the_nearest_credentials_count() {
    let Some(nginx) = Nginx::shared() else { return };
    let session = builder().tls(nginx.trust()).auth(basic(USER, PASSWORD)).build().unwrap();
    for url in nginx.urls("/private/404.html") {
        let with = |userinfo: &str| session.get(url.replace("//", &format!("//{userinfo}@")));
        let status = |request: waterclock::Request<'_>| request.send().unwrap().status();
        assert_eq!(status(session.get(&url)), 200);
        assert_eq!(status(session.get(&url).auth(basic(USER, "wrong"))), 401);
        assert_eq!(status(session.get(&url).auth(Auth::none())), 401);
        assert_eq!(status(with("user:wrong")), 200, "the session before the URL");
        assert_eq!(status(session.get(&url).header("Authorization", "Basic x")), 200);
    }
}

#[test]
fn httpbin_asks_for_a_password() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    // Path, user, password and their percent-encoded forms: text is UTF-8 (RFC 7617 §2.1).
    for (user, password, path) in
        [("u", "p", "u/p"), ("müller", "geheim:ß", "m%C3%BCller/geheim:%C3%9F")]
    {
        for (kind, refusal) in [("basic-auth", 401), ("hidden-basic-auth", 404)] {
            let url = httpbin.url(&format!("/{kind}/{path}"));
            let mut response = get(&session, &url, basic(user, password));
            let expected = json!({"authenticated": true, "user": user});
            assert_eq!(response.json::<Value>().unwrap(), expected, "{url}");
            assert_eq!(get(&session, &url, basic(user, "wrong")).status(), refusal);
            assert_eq!(session.get(&url).send().unwrap().status(), refusal);
        }
    }
    let mut response = get(&session, &httpbin.url("/bearer"), Auth::bearer("abc.def").unwrap());
    let expected = json!({"authenticated": true, "token": "abc.def"});
    assert_eq!(response.json::<Value>().unwrap(), expected);
}

const ALGORITHMS: [&str; 3] = ["MD5", "SHA-256", "SHA-512"];

#[test]
fn every_digest_is_answered() {
    let Some(httpbin) = Httpbin::shared() else { return };
    for protection in ["auth", "auth-int", "both"] {
        for algorithm in ALGORITHMS {
            let url = httpbin.url(&format!("/digest-auth/{protection}/u/p/{algorithm}"));
            let session = builder().auth(Auth::digest("u", "p")).build().unwrap();
            let ask = || {
                let mut response = session.get(&url).body("a body").send().unwrap();
                let expected = json!({"authenticated": true, "user": "u"});
                assert_eq!(response.json::<Value>().unwrap(), expected, "{url}");
                response
            };
            let first = ask();
            let [past] = first.history() else { panic!("{:?}", first.history()) };
            let challenge = past.headers().get("WWW-Authenticate").unwrap();
            let challenge = String::from_utf8_lossy(challenge);
            assert!(past.status() == 401 && challenge.contains(algorithm), "{challenge}");
            let hops = first.timeline().hops();
            assert_eq!([hops[0].reason, hops[1].reason], [HopReason::First, HopReason::Auth]);
            // What is known is answered ahead, with a count that httpbin hashes too.
            assert_eq!(ask().history().len(), 0, "{url}");
            assert_eq!(ask().history().len(), 0, "{url}");
        }
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    let Some(httpbin) = Httpbin::shared() else { return };
    for algorithm in ALGORITHMS {
        let url = httpbin.url(&format!("/digest-auth/auth/u/p/{algorithm}"));
        let response = get(&session(), &url, Auth::digest("u", "wrong"));
        assert_eq!((response.status(), response.history().len()), (401, 1));
    }
}

#[test]
fn a_stale_nonce_is_replaced() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = builder().auth(Auth::digest("u", "p")).build().unwrap();
    // By way of cookies httpbin takes each nonce once.
    let url = httpbin.url("/digest-auth/auth/u/p/SHA-256/1");
    let challenges = [(); 3].map(|()| {
        let response = session.get(&url).send().unwrap();
        assert_eq!((response.status(), response.history().len()), (200, 1));
        let challenge = response.history()[0].headers().get("WWW-Authenticate").unwrap().to_vec();
        String::from_utf8(challenge).unwrap().to_lowercase().contains("stale=true")
    });
    assert_eq!(challenges, [false, true, true]);
}

#[test]
fn a_streamed_body_cannot_answer_a_challenge() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = builder().auth(Auth::digest("u", "p")).build().unwrap();
    let url = httpbin.url("/digest-auth/auth/u/p");
    let request = || session.request(Method::Get, &url).body_reader(&b"once"[..], Some(4));
    let response = request().send().unwrap();
    assert_eq!((response.status(), response.history().len()), (401, 0));
    let notes = response.timeline().notes();
    assert!(notes.iter().any(|note| note.contains("cannot be sent a second time")), "{notes:?}");
    // The next one is answered ahead.
    assert_eq!(request().send().unwrap().status(), 200);
}

#[test]
fn an_answer_is_for_nobody_else() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::shared()) else { return };
    let session = builder().tls(nginx.trust()).auth(Auth::digest("u", "p")).build().unwrap();
    assert_eq!(session.get(httpbin.url("/digest-auth/auth/u/p")).send().unwrap().status(), 200);
    for url in nginx.urls("/received") {
        let mut direct = session.get(&url).send().unwrap();
        assert!(direct.text().unwrap().starts_with("||"));
        let redirected = session.get(httpbin.url("/redirect-to")).query([("url", &url)]).send();
        assert!(redirected.unwrap().text().unwrap().starts_with("||"));
    }
    // httpbin gets one ahead, wherever on it, for the challenge names no paths: this is the fourth.
    let mut seen = session.get(httpbin.url("/headers")).send().unwrap();
    let seen: Value = seen.json().unwrap();
    let sent = seen["headers"]["Authorization"].as_str().unwrap();
    assert!(sent.starts_with("Digest username=\"u\"") && sent.contains("nc=00000004"), "{sent}");
}
