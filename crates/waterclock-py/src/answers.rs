//! What other limits, and other clients, would have done with a call.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use waterclock::screen::{self, Style, Table};
use waterclock::{Limit, Limits, Timeline};
use waterclock_proto::clients::{Client, Outcome, Question};

/// The answer in words, and what would have fired.
pub(crate) type Answer = (String, Option<Fired>);
/// Limit, seconds from the start of the call, seconds into the wait, index of its span, and what a client
/// would have raised.
type Fired = (String, f64, f64, usize, Option<&'static str>);

pub(crate) fn what_if(
    timeline: &Timeline,
    limits: Limits,
    asked: &str,
    width: usize,
) -> PyResult<Answer> {
    // It ends no call, and was not asked about.
    let limits = match limits.get(Limit::Continue) {
        own if own == Limits::none().get(Limit::Continue) => limits.with(Limit::Continue, None),
        _ => limits,
    };
    let style = Style { width, ..Style::default() };
    let text = screen::what_if(asked, &limits, timeline, Table::Waterfall, &style);
    let fired = timeline.what_if(&limits).map(|fired| {
        let (at, into) = (fired.at.as_secs_f64(), fired.into.as_secs_f64());
        (fired.limit.name().to_owned(), at, into, fired.span, None)
    });
    Ok((text, fired))
}

pub(crate) fn as_client(
    timeline: &Timeline,
    name: &str,
    settings: Option<&str>,
    width: usize,
) -> PyResult<Answer> {
    let question = question(timeline, name, settings).map_err(PyValueError::new_err)?;
    let style = Style { width, ..Style::default() };
    let text = screen::as_client(&question, timeline, &style);
    let fired = match question.outcome(timeline) {
        Outcome::Succeeds => None,
        Outcome::Fires(fires) => {
            let (at, into) = (fires.at.as_secs_f64(), fires.into.as_secs_f64());
            Some((fires.limit.to_owned(), at, into, fires.span, Some(fires.error)))
        }
    };
    Ok((text, fired))
}

/// # Errors
/// In words, for a client that is not known or has no such setting.
fn question(timeline: &Timeline, name: &str, settings: Option<&str>) -> Result<Question, String> {
    let Some(client) = Client::from_name(name) else {
        let names: Vec<&str> = Client::ALL.iter().map(|client| client.name()).collect();
        return Err(format!("there are no rules for {name:?}; there are for {}", names.join(", ")));
    };
    match settings {
        Some(settings) => client.ask(settings),
        None => client.ask_as(timeline.limits()),
    }
}
