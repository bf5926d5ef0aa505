//! A URL: what can be requested is clean, shows no password, means the same when it is read again
//! and when a redirect leads to it; what cannot be is refused in a line without the password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock::{Error, PreparedRequest, Session, SessionBuilder};
use waterclock_fuzz::input::Input;
use waterclock_proto::message::Method;
use waterclock_proto::redirect::{RedirectPolicy, next};
use waterclock_sim::SimWorld;

/// What is put in front of an input, a password in place of `PASSWORD`.
const BEGINNINGS: [&str; 6] =
    ["", "http://", "https://user:PASSWORD@", "http+unix://", "http://[", "https://h/"];

thread_local! {
    static SESSION: Session =
        SessionBuilder::in_world(SimWorld::new()).build().expect("nothing is wrong with it");
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let beginning = BEGINNINGS[usize::from(input.byte()) % BEGINNINGS.len()];
    let Ok(text) = str::from_utf8(input.0) else { return };
    let password = input.secret(0);
    let told = |shown: &str| shown.contains(&password);
    let text = format!("{}{text}", beginning.replace("PASSWORD", &password));
    SESSION.with(|session| {
        let prepared = session.get(&text).prepare();
        let written = session.request_as_written(Method::Get, &text).prepare();
        for outcome in [&prepared, &written] {
            match outcome {
                Ok(request) => clean(request, told),
                Err(error) => in_a_line(error, told),
            }
        }
        if let Ok(request) = &prepared {
            again(session, request);
        }
    });
});

fn clean(request: &PreparedRequest, told: impl Fn(&str) -> bool) {
    let (url, target) = (request.url(), request.target());
    if !matches!(url.scheme(), "http" | "https" | "http+unix") {
        return;
    }
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && !told(url.as_str()), "{url}");
    assert!(url.host_str().is_some_and(|host| !host.is_empty()) && url.port() != Some(0), "{url}");
    assert!(target.starts_with('/') && !target.contains('#'), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
}

fn in_a_line(error: &Error, told: impl Fn(&str) -> bool) {
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains(char::is_control) && !told(&shown), "{shown:?}");
    }
}

/// What was shown leads to the same place, typed or in a Location.
fn again(session: &Session, request: &PreparedRequest) {
    let url = request.url();
    // The parser drops the host of file://host/c:/, and not of every way to write it. We request no files.
    if url.scheme() == "file" {
        return;
    }
    let again = session.get(url.as_str()).prepare().expect("a URL that was shown is one");
    assert_eq!((again.url(), again.target()), (url, request.target()));
    if !matches!(url.scheme(), "http" | "https") {
        return;
    }
    let from = "http://from.test/a/b?c".parse().expect("a URL");
    let policy = RedirectPolicy::default();
    let to = next(&Method::Get, &from, 302, Some(url.as_str().as_bytes()), &policy, 0);
    let to = to.expect("it can be followed").expect("it is a redirect");
    assert_eq!(&to.url, url);
}
