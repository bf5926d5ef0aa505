//! The calls of a program on one time axis: a process for each.

use super::{Args, Event, Trace, call_events};
use crate::number::{Us, document};
use crate::program::Program;
use serde::Serialize;
use waterclock::run::rfc3339;

#[derive(Serialize)]
struct OtherData<'a> {
    maker: String,
    started_at: String,
    program: &'a str,
    calls: usize,
    left_out: u64,
}

pub(crate) fn trace(program: &Program<'_>) -> String {
    let mut events = Vec::new();
    for (run, number) in program.runs.iter().zip(1_u32..) {
        let offset = program.offset(run);
        let name = format!("call {number}: {} {}", run.request.method, run.request.url);
        let index = Args::default().number("sort_index", Some(number.into()));
        let sort = Event { ph: "M", name: "process_sort_index".to_owned(), ..Event::new(0, index) };
        let of_call = run.timeline.iter().flat_map(call_events);
        let all = [Event::name("process_name", 0, name), sort].into_iter().chain(of_call);
        events.extend(all.map(|event| {
            let ts = event.ts.map(|Us(since)| Us(since.saturating_add(offset)));
            Event { pid: number, ts, ..event }
        }));
    }
    document(&Trace {
        display_time_unit: "ms",
        other_data: OtherData {
            maker: format!("{} {}", crate::NAME, crate::VERSION),
            started_at: rfc3339(program.began()),
            program: program.name,
            calls: program.runs.len(),
            left_out: program.left_out,
        },
        trace_events: events,
    })
}
