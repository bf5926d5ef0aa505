//! Observers, hooks and the timeline of calls that really go somewhere.

use crate::peer::{Httpbin, Nginx, PASSWORD, Squid, USER};
use crate::support::builder;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::observe::{
    CallEnded, CallStarted, HopEnded, HopStarted, Observer, SpanEnded, SpanStarted,
};
use waterclock::timeline::HopReason;
use waterclock::{Auth, Phase, Timeline};

/// Keeps what it is told as words.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn call_started(&self, call: &CallStarted<'_>) {
        self.add(format!("call {}", call.request.url.path()));
    }

    fn hop_started(&self, hop: &HopStarted<'_>) {
        self.add(format!(
            "{} {} {}",
            hop.reason.name(),
            hop.request.method,
            hop.request.url.path()
        ));
    }

    fn span_started(&self, wait: &SpanStarted<'_>) {
        assert!(wait.limit.is_some() && wait.left.is_some(), "no wait is without a limit");
        self.add(format!("+{}", wait.phase));
    }

    fn span_ended(&self, ended: &SpanEnded<'_>) {
        if ended.span.phase.is_wait() {
            self.add(format!("-{}", ended.span.phase));
        }
    }

    fn hop_ended(&self, hop: &HopEnded<'_>) {
        self.add(format!("{:?} {:?}", hop.record.status, hop.error));
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        assert_eq!(call.timeline.unaccounted(), Duration::ZERO);
        self.add(format!("{:?}", call.outcome));
    }
}

/// What is fast enough is not waited for, but for an answer the call always waits: once or more,
/// which is the network's affair.
fn outline(mut notes: Vec<String>) -> Vec<String> {
    notes.retain(|note| note == "+first_byte" || !note.starts_with(['+', '-']));
    notes.dedup();
    notes
}

/// Every wait that was told is on the timeline, in that order.
fn assert_complete(notes: &[String], timeline: &Timeline) {
    let told = notes.iter().filter_map(|note| note.strip_prefix('-'));
    let kept = timeline.spans().iter().map(|span| span.phase).filter(|phase| phase.is_wait());
    assert!(told.eq(kept.map(Phase::name)), "{notes:?}");
    assert_eq!(timeline.unaccounted(), Duration::ZERO);
}

#[test]
fn a_redirect_is_seen_as_it_happens() {
    let Some(nginx) = Nginx::shared() else { return };
    let notes = Arc::new(Notes::default());
    let session = builder().tls(nginx.trust()).observer(notes.clone()).build().unwrap();
    let mut response = session.get(nginx.url("/to-tls")).send().unwrap();
    response.text().unwrap();
    let told = notes.take();
    assert_complete(&told, response.timeline());
    let wanted = [
        "call /to-tls",
        "first GET /to-tls",
        "+first_byte",
        "Some(302) None",
        "redirect GET /hello",
        "+first_byte",
        "Some(200) None",
        "Response(200)",
    ];
    assert_eq!(outline(told), wanted);
}

#[test]
fn challenges_and_tunnels_are_seen() {
    let (Some(nginx), Some(httpbin), Some(squid)) =
        (Nginx::shared(), Httpbin::shared(), Squid::shared())
    else {
        return;
    };
    let notes = Arc::new(Notes::default());
    let session = builder().tls(nginx.trust()).proxy_tls(squid.trust()).observer(notes.clone());
    let session = session.build().unwrap();
    let url = httpbin.url("/digest-auth/auth/u/p");
    let mut response = session.get(url).auth(Auth::digest("u", "p")).send().unwrap();
    response.content().unwrap();
    let told = notes.take();
    assert_complete(&told, response.timeline());
    assert!(told.contains(&"Some(401) None".into()), "{told:?}");
    assert!(told.contains(&"auth GET /digest-auth/auth/u/p".into()), "{told:?}");

    let proxy = squid.guarded_tls_url(&format!("{USER}:{PASSWORD}@"));
    let mut response = session.get(nginx.tls_url("/hello")).proxy(&proxy).send().unwrap();
    response.content().unwrap();
    let told = notes.take();
    assert_complete(&told, response.timeline());
    // TLS to the proxy, and TLS in the tunnel; what is fast enough is not waited for.
    let mut order = ["connect", "tls", "tunnel", "tls", "first_byte", "head", "body"].iter();
    let mut phases: Vec<&str> = told.iter().filter_map(|note| note.strip_prefix('-')).collect();
    phases.dedup();
    assert!(phases.iter().all(|phase| order.any(|next| next == phase)), "{phases:?}");
    assert!(phases.contains(&"first_byte"));
    assert!(!told.iter().any(|note| note.contains(PASSWORD)));
}

#[test]
fn hooks_see_each_hop() {
    let (Some(nginx), Some(httpbin)) = (Nginx::shared(), Httpbin::shared()) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (asked, answered) = (seen.clone(), seen.clone());
    let session = builder()
        .tls(nginx.trust())
        .on_request(move |request| {
            asked.lock().unwrap().push(request.url().path().to_owned());
            request.set_for_hop("X-Thing", "hooked")
        })
        .on_response(move |response| {
            answered.lock().unwrap().push(response.status().to_string());
            Ok(())
        })
        .build()
        .unwrap();
    let request =
        session.get(httpbin.url("/redirect-to")).query([("url", nginx.tls_url("/received"))]);
    let mut response = request.send().unwrap();
    assert_eq!(response.text().unwrap(), "|||hooked");
    assert_eq!(*seen.lock().unwrap(), ["/redirect-to", "302", "/received", "200"]);
    let reasons = response.timeline().hops().iter().map(|hop| hop.reason);
    assert!(reasons.eq([HopReason::First, HopReason::Redirect]));
}
