//! A URL: what can be requested is clean, shows no password, means the same when it is read again
//! and when a redirect leads to it; what cannot be is refused in a line. Neither depends on the password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock::{Error, PreparedRequest, Session, SessionBuilder};
use waterclock_fuzz::input::Input;
use waterclock_proto::message::Method;
use waterclock_proto::redirect::{RedirectPolicy, next};
use waterclock_sim::SimWorld;

/// What is put in front of an input.
const BEGINNINGS: [&str; 6] =
    ["", "http://", "https://user:hush-hush@", "http+unix://", "http://[", "https://h/"];

/// The third beginning with another password. An input can spell the first one itself, in letters that a host makes
/// small: what is shown tells the password if it is another with this one.
const OTHER_PASSWORD: &str = "https://user:not-a-sou@";

thread_local! {
    static SESSION: Session =
        SessionBuilder::in_world(SimWorld::new()).build().expect("nothing is wrong with it");
}

type Prepared = Result<PreparedRequest, Error>;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let which = usize::from(input.byte()) % BEGINNINGS.len();
    let Ok(rest) = str::from_utf8(input.0) else { return };
    let text = format!("{}{rest}", BEGINNINGS[which]);
    SESSION.with(|session| {
        let both = both_ways(session, &text);
        if which == 2 {
            let other = both_ways(session, &format!("{OTHER_PASSWORD}{rest}"));
            assert_eq!(both.each_ref().map(shown), other.each_ref().map(shown));
        }
        for outcome in &both {
            match outcome {
                Ok(request) => clean(request),
                Err(error) => in_a_line(error),
            }
        }
        if let [Ok(request), _] = &both {
            again(session, request);
        }
    });
});

/// As a browser reads it, and as it is written.
fn both_ways(session: &Session, text: &str) -> [Prepared; 2] {
    [session.get(text).prepare(), session.request_as_written(Method::Get, text).prepare()]
}

fn shown(outcome: &Prepared) -> [String; 2] {
    match outcome {
        Ok(request) => [request.url().to_string(), request.target().to_string()],
        Err(error) => [error.to_string(), format!("{error:?}")],
    }
}

fn clean(request: &PreparedRequest) {
    let (url, target) = (request.url(), request.target());
    if !matches!(url.scheme(), "http" | "https" | "http+unix") {
        return;
    }
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    assert!(url.host_str().is_some_and(|host| !host.is_empty()) && url.port() != Some(0), "{url}");
    assert!(target.starts_with('/') && !target.contains('#'), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
}

fn in_a_line(error: &Error) {
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains(char::is_control), "{shown:?}");
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
