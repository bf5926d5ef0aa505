//! What another client's timeout would have done with a call.

use super::words::wrap;
use super::{Style, fit, number, table, verdict};
use crate::clients::{Fires, Outcome, Question};
use crate::timeline::{HopReason, Timeline};

/// The answer in sentences: whether that client's setting would have fired, when and in which wait; how it
/// works; and what this answer does not know.
#[must_use]
pub fn as_client(question: &Question, timeline: &Timeline, style: &Style) -> String {
    let room = style.width.clamp(table::LEAST_WIDTH, table::MOST_WIDTH);
    let client = question.client();
    let mut out = String::new();
    let mut say =
        |text: &str, first, rest| wrap(&mut out, &fit(text, timeline, style), first, rest, room);
    say(&format!("What if this had been {question}?"), 0, 2);
    say("", 0, 0);
    let outcome = question.outcome(timeline);
    say(&answer(question, timeline, &outcome), 1, 3);
    for caveat in caveats(question, timeline, &outcome) {
        say(&caveat, 3, 3);
    }
    say("", 0, 0);
    say(&format!("How {} counts:", client.name()), 1, 3);
    for rule in client.rules() {
        say(rule, 3, 5);
    }
    if !client.unbounded().is_empty() {
        say(client.unbounded(), 3, 5);
    }
    say(&format!("Source: {}.", client.source()), 3, 5);
    out
}

fn answer(question: &Question, timeline: &Timeline, outcome: &Outcome) -> String {
    let took = number::with_unit(timeline.elapsed());
    match outcome {
        Outcome::Succeeds => {
            let ended = match timeline.fired() {
                Some(own) => {
                    format!("up to {took}, where this run was ended by its limit {}", own.limit)
                }
                None => format!("the call took {took}"),
            };
            format!("It would not have fired: {ended}.")
        }
        Outcome::Fires(fires) => format!(
            "It would have fired at {} in {}, {} into it: {}, by {}. The call itself took {took}.",
            number::with_unit(fires.at),
            verdict::place(timeline, fires.span),
            number::with_unit(fires.into),
            fires.error,
            limit(question, fires),
        ),
    }
}

/// `its connect timeout of 120 ms`
fn limit(question: &Question, fires: &Fires) -> String {
    let of = number::configured_with_unit(fires.value);
    // An option is a name; the rest are words.
    match (fires.limit.starts_with('-') || fires.limit.contains('.'), question.client().name()) {
        (true, _) | (_, "aiohttp" | "go") => format!("{} of {of}", fires.limit),
        (false, _) if fires.limit.starts_with("what ") => format!("{} ({of})", fires.limit),
        (false, _) => format!("its {} of {of}", fires.limit),
    }
}

/// What the recorded waits cannot tell about another client.
fn caveats(question: &Question, timeline: &Timeline, outcome: &Outcome) -> Vec<String> {
    let name = question.client().name();
    let mut out = Vec::new();
    if *outcome == Outcome::Succeeds && timeline.fired().is_some() {
        out.push("What would have come after that is not known.".to_owned());
    }
    if timeline.hops().iter().any(|hop| hop.reason == HopReason::Retry) {
        out.push(format!(
            "There is a retry in this run; {name} is taken to have made the same requests."
        ));
    }
    let raced = timeline.attempts().windows(2).any(|pair| pair[0].hop == pair[1].hop);
    if raced && !matches!(name, "curl" | "aiohttp" | "go") {
        out.push(format!(
            "Several addresses were tried at once here; {name} tries one after the other, each with all of \
             its limit, so it may take longer to find the one that answers."
        ));
    }
    if timeline.hops().iter().any(|hop| hop.connection.is_some_and(|it| it.idle.is_some())) {
        out.push(format!(
            "A connection was reused in this run; if {name} had made a new one, it would have had to wait for \
             that, too."
        ));
    }
    if timeline.folds().iter().any(|fold| fold.waits > 0) {
        out.push("Of folded waits only the longest is known; it decides for all.".to_owned());
    }
    out
}
