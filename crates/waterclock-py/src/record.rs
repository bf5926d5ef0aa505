//! `Record`: what Python's `Timeline` is made from.

use crate::answers::{self, Answer};
use crate::apart::guarded;
use crate::capture;
use crate::limits::of_timeout;
use crate::open::Open;
use crate::world::world;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use std::time::{Duration, SystemTime};
use waterclock::run::{RequestRecord, ResponseRecord, Run, Secrets};
use waterclock::screen::{self, Style};
use waterclock::timeline::{Hop, HopReason, RequestLine};
use waterclock::{Headers, Method, Phase, Timeline, Url};
use waterclock_export::{Keys, Program};

/// The record of one call. `waterclock.Timeline` shows it.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Record(pub(crate) Run);

#[pymethods]
impl Record {
    /// Reads a run document back. ValueError, in words, if it is none.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        Run::from_json(text).map(Record).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The run document (docs/run-document.schema.json), as JSON; with what was recorded of its sockets if
    /// that is asked for.
    #[pyo3(signature = (with_secrets = false, wire = false))]
    fn to_json(&self, with_secrets: bool, wire: bool) -> String {
        if wire || self.0.wire.is_none() {
            return self.0.to_json(secrets(with_secrets));
        }
        Run { wire: None, ..self.0.clone() }.to_json(secrets(with_secrets))
    }

    #[pyo3(signature = (with_secrets = false))]
    fn to_har(&self, with_secrets: bool) -> String {
        waterclock_export::har(&self.0, secrets(with_secrets))
    }

    #[pyo3(signature = (with_secrets = false))]
    fn to_html(&self, with_secrets: bool) -> String {
        waterclock_export::html(&self.0, secrets(with_secrets))
    }

    #[pyo3(signature = (with_secrets = false))]
    fn to_otlp(&self, with_secrets: bool) -> String {
        waterclock_export::otlp(&self.0, secrets(with_secrets))
    }

    fn to_trace(&self) -> String {
        waterclock_export::trace(&self.0)
    }

    /// The waterfall as a picture; as a part of a page if it is to be `inline`.
    #[pyo3(signature = (inline = false))]
    fn to_svg(&self, inline: bool) -> String {
        if inline {
            waterclock_export::inline_svg(&self.0)
        } else {
            waterclock_export::svg(&self.0)
        }
    }

    /// A packet capture; None if the sockets were not recorded.
    #[pyo3(signature = (with_secrets = false, keys = false))]
    fn to_pcapng<'py>(
        &self,
        py: Python<'py>,
        with_secrets: bool,
        keys: bool,
    ) -> Option<Bound<'py, PyBytes>> {
        let keys = if keys { Keys::Included } else { Keys::LeftOut };
        let made = waterclock_export::pcapng(&self.0, secrets(with_secrets), keys).ok()?;
        Some(PyBytes::new(py, &made))
    }

    /// What the limits of a timeout that was checked, and no others, would have done; `asked` is how they
    /// were given.
    fn what_if(&self, timeout: &Bound<'_, PyAny>, asked: &str, width: usize) -> PyResult<Answer> {
        let limits =
            of_timeout(timeout).ok_or_else(|| PyValueError::new_err("this is no timeout"))?;
        answers::what_if(self.begun()?, limits, asked, width)
    }

    /// What a client with these settings would have done; without, with those nearest to the call's own.
    fn as_client(&self, name: &str, settings: Option<&str>, width: usize) -> PyResult<Answer> {
        answers::as_client(self.begun()?, name, settings, width)
    }

    /// The waterfall and what it means.
    #[pyo3(signature = (width = 80, color = false))]
    fn explain(&self, width: usize, color: bool) -> String {
        let style = Style { width, color, ..Style::default() };
        self.timeline().map_or_else(String::new, |timeline| screen::screen(&[], timeline, &style))
    }

    /// What it means, in sentences.
    fn verdict(&self) -> Vec<String> {
        match self.timeline() {
            Some(timeline) => screen::verdict(timeline),
            None => self.0.error.iter().map(|error| error.message.clone()).collect(),
        }
    }

    /// The same in a line.
    fn headline(&self) -> String {
        let verdict = self.timeline().map(screen::verdict).unwrap_or_default();
        verdict.into_iter().next().unwrap_or_default()
    }
}

impl Record {
    /// Of the call that `open` has the last answer of, so far.
    pub(crate) fn of(open: &Open, headers: &Headers, request: RequestRecord) -> Self {
        let response = &open.response;
        let mut timeline = response.timeline().clone();
        // What was asked for first, and not where redirects have led.
        let asked = timeline.hops().first().map(|hop| RequestRecord {
            method: hop.request.method.to_string(),
            url: hop.request.url.to_string(),
            headers: request.headers.clone(),
        });
        let request = asked.unwrap_or(request);
        // More hops may follow; if they do not, this is how it ended.
        if let Some(ended) = timeline.hops().last().and_then(|hop| hop.ended) {
            timeline.finish(ended);
        }
        let mut run = Run::new(open.began(), request);
        let record = ResponseRecord::of(response, open.given, None);
        run.response = Some(record.with_headers(headers.clone()));
        run.wire = capture::of_call(timeline.started(), timeline.ended());
        run.timeline = Some(timeline);
        Record(run)
    }

    fn begun(&self) -> PyResult<&Timeline> {
        let text = "the call had not begun, so no limit could have fired";
        self.timeline().ok_or_else(|| PyValueError::new_err(text))
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

const fn secrets(shown: bool) -> Secrets {
    if shown { Secrets::Shown } else { Secrets::Redacted }
}

/// The calls of a program in one file; `format` is html, trace, har or otlp.
#[pyfunction]
pub(crate) fn export_program(
    format: &str,
    name: &str,
    records: Vec<PyRef<'_, Record>>,
    left_out: u64,
) -> PyResult<String> {
    let runs: Vec<Run> =
        records.iter().map(|record| Run { wire: None, ..record.0.clone() }).collect();
    let program = Program { name, runs: &runs, left_out };
    match format {
        "html" => Ok(program.html()),
        "trace" => Ok(program.trace()),
        "har" => Ok(program.har(Secrets::Redacted)),
        "otlp" => Ok(program.otlp(Secrets::Redacted)),
        _ => Err(PyValueError::new_err(format!("programs are not exported to {format:?}"))),
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
