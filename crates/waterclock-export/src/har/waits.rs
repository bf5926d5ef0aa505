//! `_waits`: what HAR has no place for. Each wait, the limit in force, and how much of it was used.

use crate::number::{Ms, at};
use crate::phases::{HopView, phase_of};
use serde::Serialize;
use waterclock_proto::screen;
use waterclock_proto::timeline::Span;

#[derive(Serialize)]
pub(super) struct WaitPart {
    phase: &'static str,
    label: String,
    /// Since the start of the call.
    started: Ms,
    duration: Ms,
    /// How many waits this stands for, and the longest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest: Option<Ms>,
    limit: Option<&'static str>,
    /// What there was of the limit, of which `used` was gone at the end, earlier waits included.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<Ms>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<Ms>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    bytes: u64,
    end: &'static str,
}

pub(super) fn of(hop: HopView<'_>) -> Vec<WaitPart> {
    let waits = hop.spans().filter(|(_, span)| phase_of(hop.timeline, span).is_wait());
    waits.map(|(index, span)| wait(hop, index, span)).collect()
}

fn wait(hop: HopView<'_>, index: usize, span: &Span) -> WaitPart {
    let timeline = hop.timeline;
    let fold = timeline.fold_of(span);
    let used = screen::used(timeline, index);
    WaitPart {
        phase: phase_of(timeline, span).name(),
        label: screen::label(timeline, index),
        started: Ms(at(timeline, span.started)),
        duration: Ms(fold.map_or(span.duration(), |fold| fold.waited)),
        count: fold.map(|fold| fold.waits),
        longest: fold.and_then(|fold| fold.longest).map(|longest| Ms(longest.duration())),
        limit: used.map(|used| used.limit.name()),
        of: used.map(|used| Ms(used.of)),
        used: used.map(|used| Ms(used.used)),
        percent: used.map(|used| used.percent()),
        bytes: span.bytes,
        end: span.end.name(),
    }
}
