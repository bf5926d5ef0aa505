//! What holds for any failures and any Retry-After.

use super::{get, now, url};
use crate::message::Method;
use crate::retry::{Cause, Decision, Delay, Failed, Kind, Retry, RetryState};
use crate::timeline::RequestSent::{No, Partly, Yes};
use proptest::prelude::*;
use std::time::{Duration, UNIX_EPOCH};

fn methods() -> impl Strategy<Value = Method> {
    let names = vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "PURGE"];
    prop::sample::select(names).prop_map(|name| name.parse().unwrap())
}

/// Bytes, and things that look like one of the two forms.
fn retry_afters() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[0-9]{1,40}".prop_map(String::into_bytes),
        "(Mon|Sun|Friday), ?[0-9]{2}[ -](Feb|Nov|Dec)[ -]([0-9]{2}){1,2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
            .prop_map(String::into_bytes),
        "(Mon|Sun) (Feb|Nov) [ 0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}".prop_map(String::into_bytes),
    ]
}

fn causes() -> impl Strategy<Value = (u8, u16, Option<Vec<u8>>)> {
    (0u8..4, prop::sample::select(vec![200, 413, 429, 500, 503]), prop::option::of(retry_afters()))
}

fn cause((kind, status, retry_after): &(u8, u16, Option<Vec<u8>>)) -> Cause<'_> {
    match kind {
        0 => Cause::Connect,
        1 => Cause::Read,
        2 => Cause::Other,
        _ => Cause::Status { status: *status, retry_after: retry_after.as_deref() },
    }
}

proptest! {
    #[test]
    fn no_delay_is_above_its_cap(
        failures in prop::collection::vec(causes(), 1..12),
        factor in any::<f64>(),
        jitter in any::<u64>(),
        random in any::<f64>(),
        now in 0u64..300_000_000_000,
        caps in prop::array::uniform2(0u64..100_000),
    ) {
        let [backoff_max, retry_after_max] = caps.map(Duration::from_secs);
        let retry = Retry::new(20)
            .status_forcelist([500])
            .backoff_factor(factor)
            .backoff_jitter(Duration::from_secs(jitter))
            .backoff_max(backoff_max)
            .retry_after_max(retry_after_max);
        let mut state = RetryState::new(retry.clone());
        let now = UNIX_EPOCH + Duration::from_secs(now);
        for failure in &failures {
            let failed = Failed {
                method: &Method::Get,
                url: &url(),
                cause: cause(failure),
                sent: Yes,
                body_replayable: true,
            };
            match state.decide(&failed, now, random) {
                Decision::Again { delay, why: Delay::Backoff } => prop_assert!(delay <= backoff_max),
                Decision::Again { delay, .. } => prop_assert!(delay <= retry_after_max),
                Decision::Stop(_) => {}
            }
        }
    }

    #[test]
    fn what_is_not_allowed_is_never_sent_twice(
        method in methods(),
        allowed in prop::collection::vec(methods(), 0..4),
        failure in causes(),
        sent in prop::sample::select(vec![No, Partly, Yes]),
        body_replayable in any::<bool>(),
    ) {
        let retry = Retry::new(3).allowed_methods(allowed.clone()).status_forcelist([200, 500]);
        let failed =
            Failed { method: &method, url: &url(), cause: cause(&failure), sent, body_replayable };
        let decision = RetryState::new(retry.clone()).decide(&failed, now(), 0.5);
        if let Decision::Again { .. } = decision {
            prop_assert!(allowed.contains(&method) || sent == No);
            prop_assert!(body_replayable);
        }
    }

    #[test]
    fn total_is_never_passed(
        total in 0u32..6,
        connect in prop::option::of(0u32..6),
        failures in prop::collection::vec(causes(), 0..20),
    ) {
        let retry = Retry::new(total).connect(connect).status_forcelist([500]);
        let mut state = RetryState::new(retry.clone());
        for failure in &failures {
            get(&mut state, cause(failure));
        }
        prop_assert!(state.retries() <= total);
        let connects = state.history().iter().filter(|done| done.kind == Kind::Connect).count();
        prop_assert!(connect.is_none_or(|connect| connects <= connect as usize));
    }
}
