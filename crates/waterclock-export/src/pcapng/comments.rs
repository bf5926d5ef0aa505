//! Which wait is told at which packet.

use super::block::Way;
use super::stream::{Kind, Packet};
use std::time::Duration;
use waterclock_proto::screen::{escape, wait_notes};
use waterclock_proto::timeline::{Phase, Span, SpanEnd, Timeline, What};

/// More than this is no comment any more.
const LONGEST: usize = 4_000;

/// The comments of each packet, and those for which there is none.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// As many as there are packets.
    pub(super) of_packet: Vec<Vec<String>>,
    pub(super) homeless: Vec<String>,
}

/// Puts each wait at the packet that ended it. `packets` are sorted by time.
pub(super) fn place(timeline: Option<&Timeline>, packets: &[Packet]) -> Comments {
    let of_packet = vec![Vec::new(); packets.len()];
    let mut comments = Comments { of_packet, homeless: Vec::new() };
    let Some(timeline) = timeline else { return comments };
    for note in wait_notes(timeline) {
        let Some(span) = timeline.spans().get(note.span) else { continue };
        let place = packet_of(span, span.ended.since(timeline.started()), packets);
        match place.and_then(|index| comments.of_packet.get_mut(index)) {
            Some(comments) => comments.push(text(&note.text)),
            None => comments.homeless.push(text(&note.text)),
        }
    }
    comments
}

/// The packet that ended a wait; else the next one of any kind, else the last one there is.
fn packet_of(span: &Span, ended: Duration, packets: &[Packet]) -> Option<usize> {
    let from = packets.partition_point(|packet| packet.at < ended);
    let later = packets.get(from..).unwrap_or_default();
    let wanted = later.iter().position(|packet| ends(span, packet));
    let next = (!later.is_empty()).then_some(0);
    wanted.or(next).map(|offset| from + offset).or(packets.len().checked_sub(1))
}

/// Whether a packet of this kind is what such a wait was for, or what came of it.
fn ends(span: &Span, packet: &Packet) -> bool {
    let Packet { way, kind, .. } = *packet;
    match (span.end, span.phase) {
        (SpanEnd::Expired | SpanEnd::Failed | SpanEnd::Cancelled, _) => kind == Kind::End,
        // Nothing came: it was time to go on, or something else is free.
        (SpanEnd::Done, _) | (_, Phase::Pool | Phase::Resolve | Phase::Backoff) => {
            matches!(kind, Kind::Begin | Kind::Data) && way == Way::Out
        }
        (SpanEnd::Ready, Phase::Connect) => way == Way::In && kind != Kind::Data,
        (SpanEnd::Ready, _) if span.what == What::Write => way == Way::Out && kind == Kind::Data,
        (SpanEnd::Ready, _) => way == Way::In && matches!(kind, Kind::Data | Kind::End),
    }
}

/// A comment that a terminal and a window can show.
pub(super) fn text(text: &str) -> String {
    let mut text = escape(text).into_owned();
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
