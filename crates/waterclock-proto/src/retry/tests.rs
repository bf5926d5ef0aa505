mod any;

use super::*;
use crate::message::Headers;
use crate::redirect::Credentials;
use crate::timeline::RequestSent::{self, No, Partly, Yes};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

const SECOND: Duration = Duration::from_secs(1);
/// Sun, 06 Nov 1994 08:49:37 GMT
const THEN: u64 = 784_111_777;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(THEN)
}

fn url() -> Url {
    "http://a.test/".parse().unwrap()
}

fn status(status: u16) -> Cause<'static> {
    Cause::Status { status, retry_after: None }
}

fn busy(retry_after: &[u8]) -> Cause<'_> {
    Cause::Status { status: 503, retry_after: Some(retry_after) }
}

fn failed(
    state: &mut RetryState,
    method: &Method,
    cause: Cause<'_>,
    sent: RequestSent,
) -> Decision {
    let failed = Failed { method, url: &url(), cause, sent, body_replayable: true };
    state.decide(&failed, now(), 0.5)
}

/// What is decided first.
fn first(retry: &Retry, method: &Method, cause: Cause<'_>, sent: RequestSent) -> Decision {
    failed(&mut RetryState::new(retry.clone()), method, cause, sent)
}

/// What is decided when a GET fails so.
fn get(state: &mut RetryState, cause: Cause<'_>) -> Decision {
    failed(state, &Method::Get, cause, Yes)
}

fn at_once() -> Decision {
    again(Duration::ZERO, Delay::Backoff)
}

fn again(delay: Duration, why: Delay) -> Decision {
    Decision::Again { delay, why }
}

fn refused(decision: Decision) -> StopReason {
    match decision {
        Decision::Stop(reason) => reason,
        Decision::Again { .. } => panic!("{decision:?}"),
    }
}

/// How often `cause` is retried.
fn count(retry: &Retry, cause: Cause<'_>) -> (usize, StopReason) {
    let mut state = RetryState::new(retry.clone());
    for done in 0..50 {
        if let Decision::Stop(reason) = get(&mut state, cause) {
            assert_eq!(state.history().len(), done);
            return (done, reason);
        }
    }
    panic!("without end");
}

#[test]
fn the_defaults_are_urllib3s() {
    let retry = Retry::new(3);
    let none = [retry.connect, retry.read, retry.redirect, retry.status, retry.other];
    assert_eq!((retry.total, none), (Some(3), [None; 5]));
    for name in ["HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "get"] {
        let method: Method = name.parse().unwrap();
        assert_eq!(retry.allowed_methods.contains(&method), method.is_idempotent(), "{name}");
    }
    assert_eq!(retry.retry_after_max, 21_600 * SECOND);
    assert_eq!(retry.backoff_max, 120 * SECOND);
    assert!(retry.raise_on_status && retry.raise_on_redirect && retry.respect_retry_after);
    assert_eq!(Retry::from(3), retry);
    assert_eq!(Retry::default().total, Some(0));
}

#[test]
fn without_retries_a_failure_speaks_for_itself() {
    for cause in [Cause::Connect, Cause::Read, Cause::Other] {
        assert_eq!(
            first(&Retry::none(), &Method::Post, cause, No),
            Decision::Stop(StopReason::Off)
        );
    }
    let reason = refused(first(&Retry::none(), &Method::Get, busy(b"1"), Yes));
    assert_eq!(reason, StopReason::Status { status: 503 });
    assert!(!Retry::none().raises(&reason));
}

#[test]
fn total_caps_all_and_each_count_its_own() {
    let retry = Retry::new(5).connect(1).read(2).other(3).status(4).status_forcelist([500]);
    for (cause, times, said) in [
        (Cause::Connect, 1, "too many failures to connect (1 retry)"),
        (Cause::Read, 2, "too many failures to read a response (2 retries)"),
        (Cause::Other, 3, "too many failures (3 retries)"),
        (status(500), 4, "too many 500 error responses (4 retries)"),
    ] {
        let (done, reason) = count(&retry, cause);
        assert_eq!((done, reason.to_string().as_str()), (times, said));
        assert_eq!(count(&retry.clone().total(None), cause).0, times);
        assert_eq!(count(&retry.clone().total(1), cause).0, 1);
    }
    assert_eq!(count(&Retry::new(5), Cause::Connect).0, 5);

    let mut state = RetryState::new(retry.clone());
    for cause in [Cause::Connect, Cause::Read, Cause::Read, Cause::Other, status(500)] {
        assert_eq!(get(&mut state, cause), at_once());
    }
    let reason = refused(get(&mut state, Cause::Other));
    assert_eq!(reason, StopReason::Exhausted { kind: Kind::Other, after: 5 });
    assert_eq!(state.retries(), 5);
}

#[test]
fn a_count_of_zero_stops_the_first_of_its_kind() {
    let retry = Retry::new(5).connect(0).status(0).status_forcelist([500]);
    assert_eq!(refused(first(&retry, &Method::Get, Cause::Connect, No)), StopReason::Off);
    let reason = refused(first(&retry, &Method::Get, status(500), Yes));
    assert_eq!(reason.to_string(), "too many 500 error responses (0 retries)");
    assert!(retry.raises(&reason));
}

#[test]
fn a_retry_that_is_taken_back_is_none() {
    let mut state = RetryState::new(Retry::new(3));
    assert_eq!(get(&mut state, busy(b"0")), at_once());
    assert_eq!(get(&mut state, busy(b"9")), again(Duration::from_secs(9), Delay::RetryAfter));
    state.take_back();
    assert_eq!((state.retries(), state.history().len()), (1, 1));
    assert!(state.history()[0].delay.is_zero());
}

#[test]
fn without_any_limit_it_goes_on() {
    let retry = Retry::new(0).total(None).status_forcelist([500]);
    let mut state = RetryState::new(retry.clone());
    for _ in 0..200 {
        assert_eq!(get(&mut state, status(500)), at_once());
    }
}

#[test]
fn what_was_not_sent_is_retried_for_any_method() {
    let retry = Retry::new(1);
    for cause in [Cause::Connect, Cause::Read, Cause::Other] {
        assert_eq!(first(&retry, &Method::Post, cause, No), at_once(), "{cause:?}");
        assert_eq!(first(&retry, &Method::Put, cause, Yes), at_once(), "{cause:?}");
    }
}

#[test]
fn no_id_post_is_not_sent_again_after_a_tls_error_in_mid_upload() {
    let retry = Retry::new(3);
    for (cause, sent, said) in [
        (Cause::Other, Partly, "POST is not retried once part of it was sent"),
        (Cause::Other, Yes, "POST is not retried once it was sent"),
        (Cause::Read, Partly, "POST is not retried once part of it was sent"),
        (Cause::Read, Yes, "POST is not retried once it was sent"),
        (Cause::Connect, Partly, "POST is not retried once part of it was sent"),
    ] {
        let reason = refused(first(&retry, &Method::Post, cause, sent));
        assert_eq!(reason.to_string(), said);
    }
    for methods in [Methods::Any, [Method::Post].into(), vec![Method::Post].into()] {
        let told = Retry::new(3).allowed_methods(methods);
        assert_eq!(first(&told, &Method::Post, Cause::Other, Partly), at_once());
    }
    let told = Retry::new(3).allowed_methods([Method::Post]);
    let reason = refused(first(&told, &Method::Get, Cause::Read, Yes));
    assert_eq!(reason, StopReason::Method { method: Method::Get, sent: Yes });
}

#[test]
fn a_body_without_a_way_back_stops() {
    let retry = Retry::new(3).status_forcelist([503]);
    for cause in [Cause::Connect, Cause::Read, Cause::Other, status(503)] {
        let mut failed = Failed {
            method: &Method::Put,
            url: &url(),
            cause,
            sent: Partly,
            body_replayable: false,
        };
        let mut state = RetryState::new(retry.clone());
        let reason = refused(state.decide(&failed, now(), 0.5));
        assert_eq!(reason.to_string(), "the body cannot be sent again from its start");
        assert!(!retry.raises(&reason) && state.history().is_empty());
        failed.body_replayable = true;
        assert_eq!(state.decide(&failed, now(), 0.5), at_once());
    }
}

#[test]
fn statuses_to_retry() {
    let plain = Retry::new(3);
    let listed = Retry::new(3).status_forcelist([500, 503]);
    let deaf = Retry::new(3).respect_retry_after(false);
    let with = |status| Cause::Status { status, retry_after: Some(b"7") };
    let seven = again(7 * SECOND, Delay::RetryAfter);
    let not = |status| Decision::Stop(StopReason::Status { status });
    for (retry, cause, expected) in [
        (&plain, status(503), not(503)),
        (&plain, with(503), seven.clone()),
        (&plain, with(429), seven.clone()),
        (&plain, with(413), seven.clone()),
        (&plain, with(500), not(500)),
        (&plain, with(200), not(200)),
        (&listed, status(503), at_once()),
        (&listed, status(500), at_once()),
        (&listed, with(500), seven),
        (&listed, status(404), not(404)),
        (&deaf, with(503), not(503)),
        (&deaf.clone().status_forcelist([503]), with(503), at_once()),
        (&plain.clone().total(None), with(503), not(503)),
    ] {
        assert_eq!(first(retry, &Method::Get, cause, Yes), expected, "{cause:?}");
    }
    let reason = refused(first(&listed, &Method::Post, status(503), No));
    assert_eq!(reason.to_string(), "POST is not one of the methods to retry");
    assert!(!listed.raises(&reason));
}

#[test]
fn the_last_response_is_an_error_only_if_asked_for() {
    let retry = Retry::new(3).status_forcelist([503]);
    let (_, reason) = count(&retry, status(503));
    assert_eq!(reason.to_string(), "too many 503 error responses (3 retries)");
    assert!(retry.raises(&reason));
    assert!(!retry.clone().raise_on_status(false).raises(&reason));
    // With Retry-After alone the last one is a response like any other.
    let (done, reason) = count(&Retry::new(3), busy(b"1"));
    assert_eq!((done, &reason), (3, &StopReason::Status { status: 503 }));
    assert_eq!(reason.to_string(), "status 503 is not retried");
    assert!(!retry.raises(&reason) && !retry.raises(&StopReason::Off));
}

#[test]
fn backoff_doubles_from_the_second_retry_on() {
    let retry = Retry::new(99).backoff_factor(0.5).backoff_max(6 * SECOND);
    let mut state = RetryState::new(retry.clone());
    for millis in [0, 1000, 2000, 4000, 6000, 6000] {
        let expected = again(Duration::from_millis(millis), Delay::Backoff);
        assert_eq!(get(&mut state, Cause::Read), expected);
    }
    state.redirected(&Method::Get, &url(), 302, &url()).unwrap();
    for millis in [0, 1000] {
        let expected = again(Duration::from_millis(millis), Delay::Backoff);
        assert_eq!(get(&mut state, Cause::Connect), expected, "a redirect begins anew");
    }
    let delays: Vec<_> = state.history().iter().map(|done| done.delay.as_millis()).collect();
    assert_eq!(delays, [0, 1000, 2000, 4000, 6000, 6000, 0, 0, 1000]);
}

#[test]
fn jitter_is_added_before_the_cap() {
    let retry = Retry::new(9).backoff_factor(0.5).backoff_jitter(2 * SECOND);
    for (failures, random, millis) in [
        (1, 1.0, 0),
        (2, 0.0, 1000),
        (2, 0.25, 1500),
        (2, 1.0, 3000),
        (2, 7.0, 3000),
        (2, -1.0, 1000),
    ] {
        let pause = retry.backoff(failures, random);
        assert_eq!(pause, Duration::from_millis(millis), "{failures} {random}");
    }
    let capped = retry.backoff_max(Duration::from_millis(1200));
    assert_eq!(capped.backoff(2, 1.0), Duration::from_millis(1200));
    let only = Retry::new(9).backoff_jitter(SECOND);
    assert_eq!(only.backoff(2, 0.5), SECOND / 2);
}

#[test]
fn senseless_backoff_does_not_panic() {
    for factor in [-1.0, f64::NAN, f64::NEG_INFINITY, 0.0] {
        assert_eq!(Retry::new(9).backoff_factor(factor).backoff(u32::MAX, 0.5), Duration::ZERO);
    }
    for factor in [f64::INFINITY, f64::MAX, 1.0] {
        let retry = Retry::new(9).backoff_factor(factor);
        assert_eq!(retry.backoff(u32::MAX, 0.5), 120 * SECOND);
        assert_eq!(retry.backoff_max(Duration::MAX).backoff(u32::MAX, f64::NAN), Duration::ZERO);
    }
}

#[test]
fn retry_after_in_all_forms() {
    let cap = 21_600 * SECOND;
    for (value, expected) in [
        (b"0".as_slice(), Some(Duration::ZERO)),
        (b"120", Some(120 * SECOND)),
        (b" 5\t", Some(5 * SECOND)),
        (b"007", Some(7 * SECOND)),
        (b"21600", Some(cap)),
        (b"21601", Some(cap)),
        (b"18446744073709551616", Some(cap)),
        (b"1000000000000000000000000000000", Some(cap)),
        (b"Sun, 06 Nov 1994 08:50:07 GMT", Some(30 * SECOND)),
        (b"Sunday, 06-Nov-94 08:50:07 GMT", Some(30 * SECOND)),
        (b"Sun Nov  6 08:50:07 1994", Some(30 * SECOND)),
        (b"Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::ZERO)),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", Some(Duration::ZERO)),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", Some(cap)),
        (b"", None),
        (b"+5", None),
        (b"-5", None),
        (b"5.5", None),
        (b"0x5", None),
        (b"5 6", None),
        (b"soon", None),
        ("\u{0665}".as_bytes(), None),
        (b"\xff", None),
        (b"Sun, 32 Nov 1994 08:50:07 GMT", None),
    ] {
        let found = Retry::new(1).retry_after(Some(value), now());
        assert_eq!(found, expected, "{}", value.escape_ascii());
    }
    assert_eq!(Retry::new(1).retry_after(None, now()), None);
    let short = Retry::new(1).retry_after_max(SECOND);
    assert_eq!(short.retry_after(Some(b"9"), now()), Some(SECOND));
}

#[test]
fn retry_after_takes_the_place_of_backoff_unless_it_is_zero() {
    let retry = Retry::new(9).backoff_factor(8.0);
    let mut state = RetryState::new(retry.clone());
    assert_eq!(get(&mut state, busy(b"1")), again(SECOND, Delay::RetryAfter));
    assert_eq!(get(&mut state, busy(b"1")), again(SECOND, Delay::RetryAfter));
    assert_eq!(get(&mut state, busy(b"0")), again(32 * SECOND, Delay::Backoff));
    assert_eq!(get(&mut state, busy(b"junk")), Decision::Stop(StopReason::Status { status: 503 }));
}

#[test]
fn no_id_a_retry_after_of_six_hours_is_refused_if_it_does_not_fit() {
    let decision = first(&Retry::from(3), &Method::Get, busy(b"21600"), Yes);
    assert_eq!(decision, again(21_600 * SECOND, Delay::RetryAfter));
    let refused = fits(21_600 * SECOND, Some(30 * SECOND)).unwrap_err();
    assert_eq!(refused, DelayRefused { wanted: 21_600 * SECOND, left: 30 * SECOND });
    assert_eq!(refused.to_string(), "the next try is due in 21600 s, but only 30 s are left");
    for (delay, left, ok) in [
        (SECOND, None, true),
        (SECOND, Some(2 * SECOND), true),
        (SECOND, Some(SECOND), false),
        (SECOND, Some(Duration::ZERO), false),
        (Duration::ZERO, Some(Duration::ZERO), true),
        (Duration::MAX, Some(Duration::MAX), false),
    ] {
        assert_eq!(fits(delay, left).is_ok(), ok, "{delay:?} {left:?}");
    }
}

#[test]
fn cve_2025_50181_a_redirect_count_of_the_policy_holds() {
    let step = |state: &mut RetryState| state.redirected(&Method::Get, &url(), 302, &url());
    let never = Retry::new(10).redirect(0);
    let reason = step(&mut RetryState::new(never.clone())).unwrap_err();
    assert_eq!(reason.to_string(), "too many redirects (0 followed)");
    assert!(never.raises(&reason));
    assert!(!never.clone().raise_on_redirect(false).raises(&reason));

    let two = Retry::new(10).redirect(2);
    let mut state = RetryState::new(two.clone());
    assert_eq!((step(&mut state), step(&mut state)), (Ok(()), Ok(())));
    let reason = step(&mut state).unwrap_err();
    assert_eq!(reason, StopReason::Exhausted { kind: Kind::Redirect(302), after: 2 });

    let capped = Retry::new(1).redirect(5);
    let mut state = RetryState::new(capped.clone());
    assert_eq!(step(&mut state), Ok(()));
    assert!(step(&mut state).is_err(), "total takes precedence");
}

#[test]
fn redirects_are_not_counted_by_default() {
    let retry = Retry::new(1);
    let mut state = RetryState::new(retry.clone());
    let to: Url = "http://b.test/".parse().unwrap();
    for _ in 0..40 {
        state.redirected(&Method::Post, &url(), 307, &to).unwrap();
    }
    assert_eq!(get(&mut state, Cause::Read), at_once());
    assert_eq!(
        state.history().first(),
        Some(&Attempted {
            method: Method::Post,
            url: url(),
            kind: Kind::Redirect(307),
            redirect_location: Some(to),
            delay: Duration::ZERO,
        })
    );
    assert_eq!(state.history().last().unwrap().kind, Kind::Read);
}

#[test]
fn named_fields_go_with_the_credentials() {
    let retry = Retry::none().remove_headers_on_redirect(["X-Api-Key"]);
    let mut headers = Headers::new();
    headers.append("x-api-key", "secret").unwrap();
    retry.prune(Credentials::Keep, &mut headers);
    assert_eq!(headers.len(), 1);
    retry.prune(Credentials::Strip, &mut headers);
    assert!(headers.is_empty());
}

#[test]
fn most_statuses_concern_no_policy() {
    let retry = Retry::new(3).status_forcelist([500]);
    let concerned: Vec<u16> = (100..600).filter(|&status| retry.concerns(status)).collect();
    assert_eq!(concerned, [413, 429, 500, 503]);
}
