//! [`Rule`]: which requests the mock answers, and how.

use super::answer::{Answer, Planned};
use super::{MockAdapter, Recorded, Reply};
use crate::error::ErrorKind;
use crate::request::PreparedRequest;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use waterclock_proto::limit::Limit;
use waterclock_proto::message::Method;

type Condition = Arc<dyn Fn(&PreparedRequest) -> bool + Send + Sync>;

/// A rule of a [`MockAdapter`], which has it already: nothing is to be kept or finished. A rule that
/// was given no answer answers nothing.
///
/// Several answers are given in turn, call by call, and the last one repeats.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use waterclock::{ErrorKind, Session, mock::MockAdapter};
/// let mock = MockAdapter::new();
/// mock.get("http://api.example/job")
///     .reply(202)
///     .fail(ErrorKind::Closed, "the server went away")
///     .after(Duration::from_millis(2))
///     .reply(200);
/// # let session = Session::builder().mount("http://", Arc::new(mock)).build()?;
/// # let mut job = || session.get("http://api.example/job").send();
/// assert_eq!(job()?.status(), 202);
/// assert_eq!(job().unwrap_err().kind(), ErrorKind::Closed);
/// assert_eq!(job()?.status(), 200);
/// assert_eq!(job()?.status(), 200);
/// # Ok::<(), waterclock::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) mock: MockAdapter,
    pub(super) index: usize,
}

impl Rule {
    /// Answers only requests for which `condition` holds too: a header, a body in memory, a query
    /// parameter that must not be there.
    pub fn when(
        self,
        condition: impl Fn(&PreparedRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.edit(|rule| rule.matcher.conditions.push(Arc::new(condition)))
    }

    /// Answers so many calls and no more, and is [unmet](MockAdapter::unmet) until there were so
    /// many.
    pub fn times(self, calls: usize) -> Self {
        self.edit(|rule| rule.expected = Expected::Exactly(calls))
    }

    /// Need not be called.
    pub fn optional(self) -> Self {
        self.edit(|rule| rule.expected = Expected::Nothing)
    }

    /// The next answer takes so long: a wait for the first byte of the response, or in the phase
    /// that it fails in.
    pub fn after(self, delay: Duration) -> Self {
        self.edit(|rule| rule.delay = delay)
    }

    /// Answers with a response.
    pub fn reply(self, status: u16) -> Replying {
        let rule = self.then(Answer::Reply(Reply::new(status)));
        let answer = rule.mock.lock().rules.get(rule.index).map_or(0, |rule| rule.planned.len());
        Replying { rule, answer: answer.saturating_sub(1) }
    }

    /// Answers with a response that is made from the request, its body included.
    pub fn respond_with(
        self,
        respond: impl Fn(&Recorded) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.then(Answer::Computed(Arc::new(respond)))
    }

    /// Fails. The kind decides how much of the request was sent before, and so whether it may be
    /// retried: nothing with [`ErrorKind::Resolve`], [`ErrorKind::Connect`], [`ErrorKind::Proxy`],
    /// [`ErrorKind::Tls`] and [`ErrorKind::Certificate`]; a part with [`ErrorKind::Send`]; all of it
    /// with what comes later. [`ErrorKind::Timeout`] is [`time_out`](Self::time_out) of
    /// [`Limit::Read`].
    pub fn fail(self, kind: ErrorKind, message: &str) -> Self {
        self.then(Answer::Fail(kind, message.into()))
    }

    /// Fails as if this limit had fired, without a wait and whether it is set or not. Limits that are
    /// set fire by themselves if the answer comes [`after`](Self::after) them.
    pub fn time_out(self, limit: Limit) -> Self {
        self.then(Answer::TimeOut(limit))
    }

    fn then(self, answer: Answer) -> Self {
        self.edit(|rule| {
            let delay = std::mem::take(&mut rule.delay);
            rule.planned.push(Planned { delay, answer });
        })
    }

    fn edit(self, change: impl FnOnce(&mut RuleState)) -> Self {
        // After a reset there is nothing to change.
        if let Some(rule) = self.mock.lock().rules.get_mut(self.index) {
            change(rule);
        }
        self
    }
}

/// A [`Rule`] whose reply may be completed, or followed by the next answer.
#[derive(Clone, Debug)]
pub struct Replying {
    rule: Rule,
    answer: usize,
}

impl Replying {
    /// As [`Reply::header`].
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.edit(|reply| reply.header(name, value))
    }

    /// As [`Reply::body`].
    pub fn body(self, bytes: impl AsRef<[u8]>) -> Self {
        self.edit(|reply| reply.body(bytes))
    }

    /// As [`Reply::reason`].
    pub fn reason(self, phrase: &str) -> Self {
        self.edit(|reply| reply.reason(phrase))
    }

    /// As [`Reply::cut_after`].
    pub fn cut_after(self, bytes: usize) -> Self {
        self.edit(|reply| reply.cut_after(bytes))
    }

    /// Then takes so long for the next answer; see [`Rule::after`].
    pub fn after(self, delay: Duration) -> Rule {
        self.rule.after(delay)
    }

    /// Then answers with another response.
    pub fn reply(self, status: u16) -> Replying {
        self.rule.reply(status)
    }

    /// Then answers with a response that is made from the request.
    pub fn respond_with(
        self,
        respond: impl Fn(&Recorded) -> Reply + Send + Sync + 'static,
    ) -> Rule {
        self.rule.respond_with(respond)
    }

    /// Then fails; see [`Rule::fail`].
    pub fn fail(self, kind: ErrorKind, message: &str) -> Rule {
        self.rule.fail(kind, message)
    }

    /// Then fails as if a limit had fired; see [`Rule::time_out`].
    pub fn time_out(self, limit: Limit) -> Rule {
        self.rule.time_out(limit)
    }

    fn edit(mut self, change: impl FnOnce(Reply) -> Reply) -> Self {
        let answer = self.answer;
        self.rule = self.rule.edit(|rule| {
            if let Some(Planned { answer: Answer::Reply(reply), .. }) = rule.planned.get_mut(answer)
            {
                *reply = change(std::mem::replace(reply, Reply::new(200)));
            }
        });
        self
    }
}

/// What the mock has of a rule.
pub(crate) struct RuleState {
    pub(super) matcher: Matcher,
    expected: Expected,
    calls: usize,
    planned: Vec<Planned>,
    /// Of the next answer.
    delay: Duration,
}

/// How often a rule is to be called.
#[derive(Clone, Copy)]
enum Expected {
    Once,
    Exactly(usize),
    Nothing,
}

impl RuleState {
    pub(super) fn new(method: Option<Method>, pattern: Pattern) -> Self {
        RuleState {
            matcher: Matcher { method, pattern, conditions: Vec::new() },
            expected: Expected::Once,
            calls: 0,
            planned: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    /// The answer to the next call, if there is one.
    pub(super) fn take(&mut self) -> Option<Planned> {
        if matches!(self.expected, Expected::Exactly(most) if self.calls >= most) {
            return None;
        }
        let planned = self.planned.get(self.calls).or(self.planned.last())?.clone();
        self.calls += 1;
        Some(planned)
    }

    pub(super) fn unmet(&self) -> Option<String> {
        let (calls, matcher) = (self.calls, &self.matcher);
        match self.expected {
            Expected::Once if calls == 0 => Some(format!("{matcher}: never called")),
            Expected::Exactly(expected) if calls < expected => {
                Some(format!("{matcher}: called {calls} of {expected} times"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.matcher.fmt(f)?;
        match self.expected {
            _ if self.planned.is_empty() => f.write_str(" (without an answer)"),
            Expected::Exactly(most) if self.calls >= most => {
                write!(f, " (used up: called {most} of {most} times)")
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone)]
pub(super) struct Matcher {
    method: Option<Method>,
    pattern: Pattern,
    conditions: Vec<Condition>,
}

impl Matcher {
    pub(super) fn matches(&self, request: &PreparedRequest) -> bool {
        self.method.as_ref().is_none_or(|method| method == request.method())
            && self.pattern.matches(request.url())
            && self.conditions.iter().all(|condition| condition(request))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.method {
            Some(method) => write!(f, "{method} {}", self.pattern)?,
            None => write!(f, "any {}", self.pattern)?,
        }
        if self.conditions.is_empty() { Ok(()) } else { f.write_str(" (under a condition)") }
    }
}

/// Which URLs a rule is for.
#[derive(Clone)]
pub(super) enum Pattern {
    Any,
    Exactly(Url),
    /// Those that begin so.
    Prefix(Url),
    /// None: it is no URL, and why.
    Invalid(Box<str>, url::ParseError),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Self {
        let prefix = text.strip_suffix('*');
        match (Url::parse(prefix.unwrap_or(text)), prefix) {
            (Ok(url), Some(_)) => Pattern::Prefix(url),
            (Ok(url), None) => Pattern::Exactly(url),
            (Err(error), _) => Pattern::Invalid(text.into(), error),
        }
    }

    fn matches(&self, url: &Url) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Prefix(prefix) => url.as_str().starts_with(prefix.as_str()),
            Pattern::Exactly(wanted) => {
                wanted.scheme() == url.scheme()
                    && wanted.host() == url.host()
                    && wanted.port_or_known_default() == url.port_or_known_default()
                    && wanted.path() == url.path()
                    && has_pairs(url, wanted)
            }
            Pattern::Invalid(..) => false,
        }
    }
}

/// Whether the query of `url` has that of `wanted`: a pair that is wanted twice is there twice.
fn has_pairs(url: &Url, wanted: &Url) -> bool {
    let mut pairs: Vec<_> = url.query_pairs().collect();
    wanted.query_pairs().all(|wanted| {
        let found = pairs.iter().position(|pair| *pair == wanted);
        found.map(|at| pairs.swap_remove(at)).is_some()
    })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Any => f.write_str("request"),
            Pattern::Exactly(url) => f.write_str(url.as_str()),
            Pattern::Prefix(url) => write!(f, "{url}*"),
            Pattern::Invalid(text, error) => {
                write!(f, "\"{}\" (which is no URL: {error})", text.escape_debug())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, url: &str) -> bool {
        Pattern::parse(pattern).matches(&url.parse().unwrap())
    }

    #[test]
    fn urls_are_compared_as_parsed() {
        assert!(matches("https://API.example:443/a%20b", "https://api.example/a b#part"));
        assert!(matches("http://api.example", "http://api.example/"));
        for other in
            ["http://api.example/a", "https://api.example:8443/a", "https://api.example/a/"]
        {
            assert!(!matches("https://api.example/a", other), "{other}");
        }
        assert!(!matches("no url", "https://api.example/"));
    }

    #[test]
    fn query_parameters_may_come_in_any_order_and_among_others() {
        let wanted = "http://a.example/?b=2&a=1&a=1";
        assert!(matches(wanted, "http://a.example/?a=1&b=2&c=3&a=1"));
        assert!(!matches(wanted, "http://a.example/?a=1&b=2"));
        assert!(matches("http://a.example/", "http://a.example/?a=1"));
        assert!(matches("http://a.example/?q=a+b", "http://a.example/?q=a%20b"));
    }

    #[test]
    fn a_prefix_does_not_end_within_a_host() {
        assert!(matches("https://api.example/v1/*", "https://api.example/v1/items?x=1"));
        assert!(matches("https://api.example*", "https://api.example/v1"));
        assert!(!matches("https://api.example*", "https://api.example.evil/v1"));
    }
}
