//! What a client's limit really bounds, in words.

use std::time::Duration;

use super::{Bounded, Outcome};

/// A few sentences about a client from how it fared in its scenes. `limit` is how the limit is
/// called, `-m 0.12` for instance.
pub fn sentence(limit: &str, outcomes: &[Outcome]) -> String {
    let with = |bounded: Bounded| -> Vec<&Outcome> {
        let tested = outcomes.iter().filter(|outcome| outcome.tests.is_some());
        tested.filter(|outcome| outcome.bounded == bounded).collect()
    };
    let (yes, late, no) = (with(Bounded::Yes), with(Bounded::Late), with(Bounded::No));
    let mut said = Vec::new();
    if yes.is_empty() && late.is_empty() && no.is_empty() {
        said.push(format!("No scene made the client wait longer than {limit}."));
    } else if late.is_empty() && no.is_empty() {
        let latest = yes.iter().map(|outcome| outcome.took).max().unwrap_or_default();
        let tested: Vec<String> = yes.iter().filter_map(|outcome| what(outcome)).collect();
        said.push(format!(
            "{limit} bounded all that was tested, at the latest after {}: {}.",
            time(latest),
            list(&tested)
        ));
    } else {
        let bounded: Vec<String> = yes.iter().filter_map(|outcome| what(outcome)).collect();
        match bounded.is_empty() {
            true => said.push(format!("{limit} bounded nothing here.")),
            false => said.push(format!("{limit} bounded {}.", list(&bounded))),
        }
        said.extend((!late.is_empty()).then(|| format!("It was late with {}.", timed(&late))));
        said.extend((!no.is_empty()).then(|| format!("It did NOT bound {}.", timed(&no))));
        said.extend(class(&yes, &no).map(str::to_owned));
    }
    let unnoticed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome.bounded == Bounded::Unnoticed)
        .map(|outcome| outcome.scene.clone())
        .collect();
    if !unnoticed.is_empty() {
        said.push(format!("It took a failure for success in {}.", list(&unnoticed)));
    }
    said.join(" ")
}

/// What kind of limit that is.
fn class(yes: &[&Outcome], no: &[&Outcome]) -> Option<&'static str> {
    let many = |outcomes: &[&Outcome]| {
        outcomes.iter().filter(|it| it.tests.as_ref().is_some_and(|it| it.many_waits)).count()
    };
    match (many(yes), many(no)) {
        _ if yes.is_empty() => None,
        (_, 0) => None,
        (0, _) => Some("So it is a limit on single waits, and not on their sum."),
        _ => Some("So it is a limit on parts of a call, and not on the whole."),
    }
}

fn what(outcome: &Outcome) -> Option<String> {
    outcome.tests.as_ref().map(|tested| tested.what.clone())
}

fn timed(outcomes: &[&Outcome]) -> String {
    let one = |outcome: &&Outcome| Some(format!("{} ({})", what(outcome)?, time(outcome.took)));
    list(&outcomes.iter().filter_map(one).collect::<Vec<_>>())
}

/// `a, b and c`.
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
    }
}

/// `122 ms`, `1.80 s`.
pub(crate) fn time(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..=999 => format!("{ms} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;
    use crate::trial::{Ended, Measured};

    fn outcome(scene: &str, bounded: Bounded, ms: u64) -> Outcome {
        Outcome {
            scene: scene.to_owned(),
            tests: Scene::ready(scene).unwrap().tests,
            ended: Ended::Well,
            took: Duration::from_millis(ms),
            measured: Measured::ByClient,
            said: String::new(),
            bounded,
        }
    }

    #[test]
    fn a_total_bounds_everything() {
        let outcomes = [
            outcome("seed", Bounded::Yes, 121),
            outcome("ok", Bounded::Nothing, 3),
            outcome("drip-head", Bounded::Yes, 124),
        ];
        assert_eq!(
            sentence("-m 0.12", &outcomes),
            "-m 0.12 bounded all that was tested, at the latest after 124 ms: the sum of many short \
             waits and headers that trickle in."
        );
    }

    #[test]
    fn a_limit_on_each_wait_is_called_that() {
        let outcomes = [
            outcome("stall-head", Bounded::Yes, 121),
            outcome("tls-pieces", Bounded::Late, 204),
            outcome("seed", Bounded::No, 341),
            outcome("drip-head", Bounded::No, 1_803),
            outcome("no-close-notify", Bounded::Unnoticed, 3),
        ];
        assert_eq!(
            sentence("timeout=0.12", &outcomes),
            "timeout=0.12 bounded silence instead of an answer. It was late with a TLS handshake in \
             pieces (204 ms). It did NOT bound the sum of many short waits (341 ms) and headers that \
             trickle in (1.80 s). So it is a limit on single waits, and not on their sum. It took a \
             failure for success in no-close-notify."
        );
    }

    #[test]
    fn a_limit_that_holds_for_some_sums_is_no_total() {
        let outcomes =
            [outcome("tls-pieces", Bounded::Yes, 125), outcome("drip-body", Bounded::No, 1_600)];
        assert_eq!(
            sentence("t", &outcomes),
            "t bounded a TLS handshake in pieces. It did NOT bound a body that trickles in (1.60 s). So \
             it is a limit on parts of a call, and not on the whole."
        );
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        assert_eq!(sentence("t", &[]), "No scene made the client wait longer than t.");
        let outcomes = [outcome("stall-head", Bounded::No, 5_000)];
        assert_eq!(
            sentence("t", &outcomes),
            "t bounded nothing here. It did NOT bound silence instead of an answer (5.00 s)."
        );
    }
}
