//! What other limits would have done with a call.

use super::{Style, Table, number, screen_of, verdict};
use crate::limit::{Limit, Limits};
use crate::timeline::{Phase, SpanEnd, Timeline, What, WhatIf};

/// What these limits, and no others, would have done with a recorded call: in sentences, and as the
/// screen of a call that they end. Nothing is sent for it.
///
/// `asked` is how the limits were given: `--total 0.12`.
#[must_use]
pub fn what_if(
    asked: &str,
    limits: &Limits,
    timeline: &Timeline,
    which: Table,
    style: &Style,
) -> String {
    let mut head = vec![format!("What if: {asked}")];
    head.extend(sentences(asked, limits, timeline));
    screen_of(&head, which, &timeline.under(limits), style)
}

/// When and where one of these limits would have fired, and what that does not say.
pub(super) fn sentences(asked: &str, limits: &Limits, timeline: &Timeline) -> Vec<String> {
    let fired = timeline.what_if(limits);
    let mut out = vec![match &fired {
        Some(fired) => would_have_fired(timeline, fired),
        None => format!("{asked} would not have fired in this call."),
    }];
    out.extend(caveats(timeline, fired.as_ref()));
    out
}

/// `total would have fired at 120.0 ms in wait 3 (tls read 1), 8.4 ms into it.`
fn would_have_fired(timeline: &Timeline, fired: &WhatIf) -> String {
    let ended = number::with_unit(timeline.elapsed());
    let rest = match timeline.fired() {
        Some(own) => format!("The call itself was ended by {} after {ended}.", own.limit),
        None => format!("The call itself took {ended}."),
    };
    format!(
        "{} would have fired at {} in {}, {} into it. {rest}",
        fired.limit,
        number::with_unit(fired.at),
        verdict::place(timeline, fired.span),
        number::with_unit(fired.into),
    )
}

fn caveats(timeline: &Timeline, fired: Option<&WhatIf>) -> Vec<String> {
    let mut out = Vec::new();
    let until = fired.map_or(timeline.spans().len(), |fired| fired.span);
    let before = timeline.spans().iter().take(until).enumerate();
    // When `continue` expires the call goes on, and so it does after an address.
    let own = |limit| !matches!(limit, Some(Limit::Continue | Limit::Address));
    let ended = before.clone().rfind(|(_, span)| span.end == SpanEnd::Expired && own(span.limit));
    if let Some((index, span)) = ended {
        let name = span.limit.map_or("its own", Limit::name);
        out.push(format!(
            "{} had been ended by the limit {name}; how long it would have gone on without that is not \
             known.",
            verdict::place(timeline, index),
        ));
    }
    if let Some(fired) = fired
        && fired.limit == Limit::Address
        && let Some(span) = timeline.spans().get(fired.span)
        && let What::Connect(attempt) = span.what
        && timeline
            .attempts()
            .iter()
            .skip(usize::from(attempt) + 1)
            .any(|next| next.hop == span.hop)
    {
        out.push(
            "Other addresses were tried after it; the call would have gone on there.".to_owned(),
        );
    }
    if let Some(fired) = fired
        && timeline.spans().get(fired.span).is_some_and(|span| span.phase == Phase::Local)
    {
        out.push(
            "That is between two waits; it would have been noticed before the next one.".to_owned(),
        );
    }
    out
}
