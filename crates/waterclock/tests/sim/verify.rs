//! What must hold for every call that a limit has ended.

use waterclock::run::{RequestRecord, Run, Secrets};
use waterclock::screen::{self, Style};
use waterclock::timeline::{SpanEnd, Timeline};
use waterclock::{Error, ErrorKind, Limit, Phase, Tick};

/// The spans tile the call: each begins where the one before it ended, and nothing is left over.
#[track_caller]
pub(crate) fn tiles(timeline: &Timeline) {
    let mut at = timeline.started();
    for span in timeline.spans() {
        assert_eq!(span.started, at, "a gap before {span:?}");
        at = span.ended;
    }
    assert_eq!(at, timeline.ended());
    assert_eq!(timeline.waiting() + timeline.local(), timeline.elapsed());
    assert!(timeline.unaccounted().is_zero());
    reads_the_same_when_saved(timeline);
}

/// A run document of it is read back to the same screen, and to the same document.
#[track_caller]
fn reads_the_same_when_saved(timeline: &Timeline) {
    let mut run = Run::new(std::time::UNIX_EPOCH, RequestRecord::refused("GET", "http://h.test/"));
    run.timeline = Some(timeline.clone());
    let text = run.to_json(Secrets::Redacted);
    let again = Run::from_json(&text).unwrap();
    assert_eq!(again.to_json(Secrets::Redacted), text);
    let screen = |timeline: &Timeline| screen::screen(&[], timeline, &Style::default());
    assert_eq!(screen(&again.timeline.unwrap()), screen(timeline));
}

/// `limit` has ended the call in `phase`, at exactly `deadline`.
#[track_caller]
pub(crate) fn fired(error: &Error, limit: Limit, phase: Phase, deadline: Tick) {
    let seen = (error.kind(), error.limit(), error.phase());
    assert_eq!(seen, (ErrorKind::Timeout, Some(limit), Some(phase)), "{error:#}");
    let timeline = error.timeline().unwrap();
    assert_eq!(timeline.ended(), deadline, "{error:#}");
    assert!(timeline.is_finished());
    let fired = timeline.fired().unwrap();
    assert_eq!((fired.deadline, fired.noticed), (deadline, deadline));
    assert!(error.late_by().unwrap().is_zero());
    assert_eq!(error.configured(), timeline.limits().get(limit));
    tiles(timeline);
    let last = timeline.spans().last().unwrap();
    assert_eq!((last.phase, last.end, last.limit), (phase, SpanEnd::Expired, Some(limit)));
    assert_eq!((last.ended, last.deadline), (deadline, deadline));
    assert!(error.to_string().contains(limit.name()), "{error}");
}
