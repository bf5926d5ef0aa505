//! `Record`: what Python's `Timeline` is made from.

use crate::apart::guarded;
use crate::world::world;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::time::{Duration, SystemTime};
use waterclock::run::{RequestRecord, ResponseRecord, Run, Secrets};
use waterclock::screen::{self, Style};
use waterclock::timeline::{Hop, HopReason, RequestLine};
use waterclock::{Headers, Method, Phase, Response, Timeline, Url};

/// The record of one call. `waterclock.Timeline` shows it.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Record(pub(crate) Run);

#[pymethods]
impl Record {
    /// The run document (docs/run-document.schema.json), as JSON.
    #[pyo3(signature = (with_secrets = false))]
    fn to_json(&self, with_secrets: bool) -> String {
        self.0.to_json(if with_secrets { Secrets::Shown } else { Secrets::Redacted })
    }

    /// The waterfall and what it means.
    #[pyo3(signature = (width = 80, color = false))]
    fn explain(&self, width: usize, color: bool) -> String {
        let style = Style { width, color, ..Style::default() };
        self.timeline().map_or_else(String::new, |timeline| screen::screen(&[], timeline, &style))
    }

    /// The same in a line.
    fn headline(&self) -> String {
        let verdict = self.timeline().map(screen::verdict).unwrap_or_default();
        verdict.into_iter().next().unwrap_or_default()
    }
}

impl Record {
    /// Of the call that `response` is the last answer of, so far.
    pub(crate) fn of(
        response: &Response,
        headers: &Headers,
        request: RequestRecord,
        body_bytes: u64,
    ) -> Self {
        let mut timeline = response.timeline().clone();
        // More hops may follow; if they do not, this is how it ended.
        if let Some(ended) = timeline.hops().last().and_then(|hop| hop.ended) {
            timeline.finish(ended);
        }
        let mut run = Run::new(Self::wall_of(&timeline), request);
        let record = ResponseRecord::of(response, body_bytes, None);
        run.response = Some(record.with_headers(headers.clone()));
        run.timeline = Some(timeline);
        Record(run)
    }

    /// What the calendar said when the call began.
    pub(crate) fn wall_of(timeline: &Timeline) -> SystemTime {
        let ago = world().now().since(timeline.started());
        world().wall().checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn timeline(&self) -> Option<&Timeline> {
        self.0.timeline.as_ref()
    }

    /// As Python's `waterclock.Timeline`.
    pub(crate) fn into_timeline(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static TIMELINE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        guarded(|| {
            let class = TIMELINE.get_or_try_init(py, || {
                py.import("waterclock._timeline")?.getattr("Timeline").map(Bound::unbind)
            })?;
            class.call1(py, (Py::new(py, self)?,))
        })
    }
}

/// The timeline of a call that another client made, of which only the whole is known.
#[pyfunction]
#[pyo3(signature = (method, url, elapsed, status, note, timeout = None))]
pub(crate) fn external_timeline(
    py: Python<'_>,
    method: &str,
    url: &str,
    elapsed: f64,
    status: Option<u16>,
    note: &str,
    timeout: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let now = world().now();
    let took = Duration::try_from_secs_f64(elapsed).unwrap_or_default();
    let started = waterclock::Tick::from_nanos(
        now.as_nanos().saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
    );
    let limits = timeout.and_then(crate::limits::of_timeout);
    let mut timeline = Timeline::new(started, limits.unwrap_or(waterclock::Limits::none()));
    if let (Ok(method), Ok(url)) = (method.parse::<Method>(), Url::parse(url)) {
        timeline.begin_hop(Hop {
            request: std::sync::Arc::new(RequestLine { method, url }),
            reason: HopReason::First,
            started,
            sent: None,
            head_ended: status.map(|_| now),
            ended: Some(now),
            status,
            connection: None,
        });
    }
    let what = waterclock::timeline::What::Answer;
    let end = waterclock::timeline::SpanEnd::Done;
    timeline.record_wait(Phase::Head, what, started, now, None, end);
    timeline.note(note);
    timeline.finish(now);
    let mut run = Run::new(Record::wall_of(&timeline), RequestRecord::refused(method, url));
    run.timeline = Some(timeline);
    Record(run).into_timeline(py)
}
