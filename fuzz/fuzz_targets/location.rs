//! A Location: where a redirect leads is clean, is the same when it is read again, and keeps
//! credentials only where they belong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::LazyCell;
use url::Url;
use waterclock_fuzz::input::Input;
use waterclock_proto::message::Method;
use waterclock_proto::redirect::{Credentials, RedirectPolicy, next, same_origin};

/// The last one is given a password.
const BASES: [&str; 4] =
    ["http://a.test/p/q?r#f", "https://a.test:8443/", "http://[::1]/x/y/z", "http://127.0.0.1:80/"];

thread_local! {
    static PARSED: LazyCell<Vec<Url>> = const {
        LazyCell::new(|| BASES.iter().map(|base| base.parse().expect("a URL")).collect())
    };
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = input.byte();
    let status = [301, 302, 303, 307, 308][usize::from(choice >> 3) % 5];
    let which = usize::from(choice % 4);
    let mut from = PARSED.with(|bases| bases[which].clone());
    let password = (which == 3).then(|| input.secret(0));
    if password.is_some() {
        from.set_username("user").expect("it has a host");
        from.set_password(password.as_deref()).expect("it has a host");
    }
    follow(&from, status, input.0, password.as_deref());
});

fn follow(from: &Url, status: u16, location: &[u8], password: Option<&str>) {
    let policy = RedirectPolicy::default();
    let to = match next(&Method::Post, from, status, Some(location), &policy, 0) {
        Ok(Some(redirected)) => redirected,
        Ok(None) => return,
        Err(error) => {
            let text = error.to_string();
            assert!(password.is_none_or(|password| !text.contains(password)), "{text:?}");
            assert!(!text.contains(char::is_control), "{text:?}");
            return;
        }
    };
    let url = &to.url;
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.host_str().is_some_and(|host| !host.is_empty()), "{url}");
    assert!(url.port() != Some(0) && url.username().is_empty() && url.password().is_none());
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    let again: Url = url.as_str().parse().expect("a URL is one");
    assert_eq!((&again, again.host()), (url, url.host()));
    let upgrade = from.scheme() == "http" && url.scheme() == "https" && from.host() == url.host();
    if !same_origin(from, url) && !upgrade {
        assert_eq!(to.credentials, Credentials::Strip, "{from} to {url}");
    }
}
