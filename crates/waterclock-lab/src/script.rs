//! Which steps a connection gets.

use std::sync::Arc;

use crate::log::ReceivedRequest;
use crate::step::{Step, respond};

/// What a server does with its connections. Cheap to clone.
///
/// ```
/// use waterclock_lab::{Script, Step, respond};
///
/// // A server that keeps connections alive and answers by path.
/// let polite = Script::by_request(|request| match request.path() {
///     "/" => respond(200, "hello"),
///     _ => respond(404, ""),
/// });
/// // The first connection is reset after the request, the others are served.
/// let moody = Script::by_connection(move |number| match number {
///     0 => Script::steps([Step::ReadHead, Step::Reset]),
///     _ => polite.clone(),
/// });
/// # let _ = moody;
/// ```
#[derive(Clone)]
pub struct Script(pub(crate) Plan);

#[derive(Clone)]
pub(crate) enum Plan {
    Steps(Arc<[Step]>),
    ByConnection(Arc<dyn Fn(usize) -> Script + Send + Sync>),
    ByRequest { answer: Answer, body_first: bool },
}

pub(crate) type Answer = Arc<dyn Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync>;

impl Script {
    /// These steps on every connection, and then [`Step::Close`]. Nothing is read that no step
    /// reads.
    pub fn steps(steps: impl Into<Vec<Step>>) -> Self {
        Script(Plan::Steps(steps.into().into()))
    }

    /// One list of steps for each connection in turn; further connections get the last one.
    pub fn connections(lists: impl Into<Vec<Vec<Step>>>) -> Self {
        let lists: Vec<Script> = lists.into().into_iter().map(Script::steps).collect();
        let last = lists.last().cloned().unwrap_or_else(|| Script::steps([]));
        Self::by_connection(move |number| lists.get(number).unwrap_or(&last).clone())
    }

    /// Chooses a script by the connection's number, counted from 0.
    pub fn by_connection(choose: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        Script(Plan::ByConnection(Arc::new(choose)))
    }

    /// Reads whole requests, answers each with the steps that `answer` chooses, and keeps the
    /// connection alive unless the request or a step ends it.
    pub fn by_request(
        answer: impl Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Script(Plan::ByRequest { answer: Arc::new(answer), body_first: true })
    }

    /// Like [`by_request`](Self::by_request), but chooses when only the head has been read; the
    /// steps may read the body. If they leave any of it, the connection is closed after them.
    pub fn by_head(answer: impl Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Script(Plan::ByRequest { answer: Arc::new(answer), body_first: false })
    }

    /// The same answer to every request, on connections kept alive.
    pub fn every_request(steps: impl Into<Vec<Step>>) -> Self {
        let steps = steps.into();
        Self::by_request(move |_| steps.clone())
    }
}

impl Default for Script {
    /// Answers every request with 200 and `ok`.
    fn default() -> Self {
        Self::every_request(respond(200, "ok"))
    }
}

impl From<Vec<Step>> for Script {
    fn from(steps: Vec<Step>) -> Self {
        Self::steps(steps)
    }
}
