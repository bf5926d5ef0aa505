//! A mock for the tests of programs that use this crate: [`MockAdapter`] answers from memory.
//!
//! It takes the place of the network and of nothing else. Redirects, cookies, authentication, hooks,
//! limits and retries work over it as they do over HTTP, so they are tested too. Mount it at
//! `https://` and `http://`, and no request can escape to the network.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use waterclock::mock::MockAdapter;
//! use waterclock::{ErrorKind, Limit, Limits, Method, Retry, Session};
//!
//! let mock = MockAdapter::new();
//! mock.get("https://api.example/items/7")
//!     .reply(200)
//!     .header("Content-Type", "application/json")
//!     .body(r#"{"id":7}"#);
//! mock.on(Method::Post, "https://api.example/items").times(1).reply(201);
//! mock.get("https://api.example/busy").reply(503).header("Retry-After", "0").reply(200);
//! mock.get("https://api.example/down").fail(ErrorKind::Connect, "connection refused");
//! mock.get("https://api.example/slow").after(Duration::from_secs(30)).reply(200);
//!
//! let session = Session::builder()
//!     .mount("https://", Arc::new(mock.clone()))
//!     .limits(Limits::builder().first_byte(Duration::from_millis(5)).build())
//!     .retry(Retry::new(1).connect(0).read(0))
//!     .build()?;
//!
//! assert_eq!(session.get("https://api.example/items/7").send()?.text()?, r#"{"id":7}"#);
//! let created = session.post("https://api.example/items").body("name=clepsydra").send()?;
//! assert_eq!(created.status(), 201);
//! assert_eq!(mock.calls()[1].body(), b"name=clepsydra");
//!
//! assert_eq!(session.get("https://api.example/busy").send()?.status(), 200); // at the second try
//! let down = session.get("https://api.example/down").send().unwrap_err();
//! assert_eq!(down.kind(), ErrorKind::Connect);
//! let slow = session.get("https://api.example/slow").send().unwrap_err();
//! assert_eq!(slow.limit(), Some(Limit::FirstByte));
//!
//! assert!(mock.unmet().is_empty(), "{:?}", mock.unmet());
//! # Ok::<(), waterclock::Error>(())
//! ```
//!
//! # Time
//!
//! A delay is a wait of the call under its limits. In the real world it takes real time; in the
//! simulated one of `waterclock-sim` it takes virtual time, and limits fire to the nanosecond:
//! `SessionBuilder::in_world(SimWorld::new())`. What happens below HTTP (a drip of bytes, a
//! handshake that stalls) is for that crate's peers, which the whole client runs against.
//!
//! # Retries
//!
//! The mock retries as the adapter for HTTP does, by the same code ([`Retrying`](crate::Retrying)):
//! whoever sets a [`Retry`](crate::Retry) wants to see it at work. Each try is a request of its own
//! in [`MockAdapter::calls`].

mod answer;
mod recorded;
mod reply;
mod rule;

pub use recorded::Recorded;
pub use reply::Reply;
pub use rule::{Replying, Rule};

use crate::adapter::Adapter;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::retrying_adapter::retried;
use rule::{Pattern, RuleState};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use waterclock_proto::message::Method;

/// Answers requests from memory; see the [module](self). Clones share rules and record.
///
/// A request is answered by the first rule that matches it and has calls left
/// ([`Rule::times`]). One that none answers fails with [`ErrorKind::UnsupportedScheme`], which no
/// policy retries, and its message lists what is mocked.
///
/// A URL of a rule matches if scheme, host, port and path are equal and the request has the rule's
/// query parameters, in any order and perhaps among others. A rule's URL that ends with `*` matches
/// all URLs that begin with what is before it.
#[derive(Clone, Default)]
pub struct MockAdapter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rules: Vec<RuleState>,
    calls: Vec<Recorded>,
}

impl MockAdapter {
    /// A mock without rules.
    #[must_use]
    pub fn new() -> Self {
        MockAdapter::default()
    }

    /// A rule for one method and URL.
    pub fn on(&self, method: Method, url: impl AsRef<str>) -> Rule {
        self.add(Some(method), Pattern::parse(url.as_ref()))
    }

    /// A rule for every request, to be narrowed with [`Rule::when`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use waterclock::{Session, mock::MockAdapter};
    /// let mock = MockAdapter::new();
    /// mock.any().when(|request| request.header("X-Api-Key").is_none()).reply(401);
    /// mock.any().optional().reply(200);
    /// # let session = Session::builder().mount("http://", Arc::new(mock.clone())).build()?;
    /// assert_eq!(session.get("http://api.example/").send()?.status(), 401);
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn any(&self) -> Rule {
        self.add(None, Pattern::Any)
    }

    /// A rule for GET.
    pub fn get(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Get, url)
    }

    /// A rule for HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Head, url)
    }

    /// A rule for POST.
    pub fn post(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Post, url)
    }

    /// A rule for PUT.
    pub fn put(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Put, url)
    }

    /// A rule for PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Patch, url)
    }

    /// A rule for DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> Rule {
        self.on(Method::Delete, url)
    }

    /// The requests that came, answered or not, the oldest first: redirects, answers to challenges
    /// and retries are requests of their own.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        self.lock().calls.clone()
    }

    /// A sentence for each rule that was called fewer times than it expects: the number that
    /// [`Rule::times`] says, at least once without it, never if it is [`Rule::optional`].
    #[must_use]
    pub fn unmet(&self) -> Vec<String> {
        self.lock().rules.iter().filter_map(RuleState::unmet).collect()
    }

    /// Forgets rules and record.
    pub fn reset(&self) {
        *self.lock() = State::default();
    }

    fn add(&self, method: Option<Method>, pattern: Pattern) -> Rule {
        let mut state = self.lock();
        state.rules.push(RuleState::new(method, pattern));
        Rule { mock: self.clone(), index: state.rules.len() - 1 }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One try.
    fn answer(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        let matching = self.matching(request);
        let seen = Recorded::of(request);
        let mut state = self.lock();
        let index = state.calls.len();
        state.calls.push(seen.clone());
        let planned = matching.iter().find_map(|&rule| state.rules.get_mut(rule)?.take());
        let Some(planned) = planned else {
            let text = unmatched(request, &state.rules);
            return Err(call.into_error(ErrorKind::UnsupportedScheme, text));
        };
        drop(state);
        planned.give(request, call, seen, |sent| self.complete(index, sent))
    }

    /// The rules that match. Conditions run without the lock, as they may use the mock themselves.
    fn matching(&self, request: &PreparedRequest) -> Vec<usize> {
        let matchers: Vec<_> = self.lock().rules.iter().map(|rule| rule.matcher.clone()).collect();
        let matches = matchers.iter().enumerate().filter(|(_, matcher)| matcher.matches(request));
        matches.map(|(index, _)| index).collect()
    }

    /// Adds the content to the record of a request, once that was sent.
    fn complete(&self, index: usize, sent: &Recorded) {
        let mut state = self.lock();
        // The record may have been forgotten meanwhile.
        if let Some(seen) = state.calls.get_mut(index).filter(|seen| seen.is_same(sent)) {
            *seen = sent.clone();
        }
    }
}

impl Adapter for MockAdapter {
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        retried(request, call, |request, call| self.answer(request, call))
    }
}

impl fmt::Debug for MockAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let rules: Vec<_> = state.rules.iter().map(ToString::to_string).collect();
        f.debug_struct("MockAdapter")
            .field("rules", &rules)
            .field("calls", &state.calls.len())
            .finish()
    }
}

/// The most rules that a message lists.
const LISTED: usize = 20;

fn unmatched(request: &PreparedRequest, rules: &[RuleState]) -> String {
    let mut text = format!("the mock has no answer for {} {}", request.method(), request.url());
    if rules.is_empty() {
        return text + "; it has no rules";
    }
    text += "; it has ";
    let listed: Vec<_> = rules.iter().take(LISTED).map(ToString::to_string).collect();
    text += &listed.join(", ");
    if rules.len() > LISTED {
        text += &format!(" and {} more", rules.len() - LISTED);
    }
    text
}
