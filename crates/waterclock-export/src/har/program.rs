//! The calls of a program as one archive: a page for each.

use super::{Creator, Entry, Har, LimitsPart, entries};
use crate::number::document;
use crate::phases::began;
use crate::program::Program;
use serde::Serialize;
use waterclock::run::{Run, Secrets, rfc3339};
use waterclock_proto::screen;

#[derive(Serialize)]
struct Log<'a> {
    version: &'static str,
    creator: Creator,
    pages: Vec<Page>,
    entries: Vec<Entry<'a>>,
    /// Calls that are not in it.
    #[serde(rename = "_leftOut")]
    left_out: u64,
}

/// One call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    started_date_time: String,
    id: String,
    title: String,
    page_timings: PageTimings,
    #[serde(rename = "_limits", skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsPart>,
    #[serde(rename = "_verdict")]
    verdict: Vec<String>,
}

/// A page of a browser has some; a call has none.
#[derive(Serialize)]
struct PageTimings {}

pub(crate) fn har(program: &Program<'_>, secrets: Secrets) -> String {
    let id = |number: usize| format!("call_{}", number + 1);
    let of_call = |(number, run)| {
        entries(run, secrets)
            .into_iter()
            .map(move |entry| Entry { pageref: Some(id(number)), ..entry })
    };
    document(&Har {
        log: Log {
            version: "1.2",
            creator: Creator { name: crate::NAME, version: crate::VERSION },
            pages: program.runs.iter().enumerate().map(|(at, run)| page(id(at), run)).collect(),
            entries: program.runs.iter().enumerate().flat_map(of_call).collect(),
            left_out: program.left_out,
        },
    })
}

fn page(id: String, run: &Run) -> Page {
    let timeline = run.timeline.as_ref();
    Page {
        started_date_time: rfc3339(began(run)),
        id,
        title: format!("{} {}", run.request.method, run.request.url),
        page_timings: PageTimings {},
        limits: timeline.map(|timeline| LimitsPart(*timeline.limits())),
        verdict: timeline.map(screen::verdict).unwrap_or_default(),
    }
}
