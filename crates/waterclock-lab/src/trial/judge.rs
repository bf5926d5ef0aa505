//! What became of a limit in one scene.

use std::time::Duration;

use super::Ended;
use crate::scene::{Ends, Scene};

/// What became of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounded {
    /// The client failed when the limit was at its end, and not much later.
    Yes,
    /// The client failed, but later than its limit allows.
    Late,
    /// The client waited longer than its limit.
    No,
    /// There was nothing to bound: the call was over before.
    Nothing,
    /// The client took a failure for success.
    Unnoticed,
    /// The scene shows nothing about this client.
    Untested,
}

impl Bounded {
    /// Its one spelling, for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Bounded::Yes => "yes",
            Bounded::Late => "late",
            Bounded::No => "no",
            Bounded::Nothing => "nothing",
            Bounded::Unnoticed => "unnoticed",
            Bounded::Untested => "untested",
        }
    }
}

/// How a time was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// By the client, around its call.
    ByClient,
    /// From the first sign of the client at the servers, until it left them.
    FromContact,
    /// The same until its process had ended, because it did not leave before.
    UntilExit,
    /// From the start of the process, where the servers see no contact (a full backlog).
    FromStart,
}

impl Measured {
    /// In words, for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Measured::ByClient => "by the client",
            Measured::FromContact => "from its first contact",
            Measured::UntilExit => "until its end",
            Measured::FromStart => "from its start",
        }
    }

    /// What may be added to the time of a failure by how it is measured: interpreters take a while to
    /// say what happened, and to end.
    const fn slack(self) -> Duration {
        Duration::from_millis(match self {
            Measured::ByClient => 15,
            Measured::FromContact => 40,
            Measured::UntilExit => 150,
            Measured::FromStart => 1_000,
        })
    }
}

/// Judges the end of a call that took so long. Time measured from outside has the end of the process
/// in it, and its beginning where there was no contact.
pub fn judge(
    scene: &Scene,
    ended: &Ended,
    took: Duration,
    limit: Duration,
    measured: Measured,
) -> Bounded {
    let slack = limit / 10 + measured.slack();
    let by_client = measured == Measured::ByClient;
    // No scene about time takes less than half as long again as the limit.
    let well = limit / 10 + measured.slack().min(Duration::from_millis(40));
    match ended {
        Ended::Skipped(_) => Bounded::Untested,
        Ended::Well if scene.ends == Ends::Badly => Bounded::Unnoticed,
        _ if scene.tests.is_none() && *ended != Ended::Killed => Bounded::Nothing,
        Ended::Killed => Bounded::No,
        Ended::Badly(_) if took > limit + slack => Bounded::Late,
        // From outside a part of the limit may have passed before the first contact.
        Ended::Badly(_) if took >= limit.mul_f64(if by_client { 0.9 } else { 0.5 }) => Bounded::Yes,
        Ended::Well if took > limit + well => Bounded::No,
        Ended::Well | Ended::Badly(_) => Bounded::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(scene: &str, ended: &Ended, ms: u64, by_client: bool) -> Bounded {
        let measured = if by_client { Measured::ByClient } else { Measured::FromContact };
        let scene = Scene::ready(scene).unwrap();
        let limit = Duration::from_millis(120);
        judge(&scene, ended, Duration::from_millis(ms), limit, measured)
    }

    #[test]
    fn a_limit_bounds_what_fails_in_time() {
        let failed = Ended::Badly(Some(28));
        for (scene, ended, ms, by_client, bounded) in [
            ("seed", &failed, 121, true, Bounded::Yes),
            ("seed", &failed, 147, true, Bounded::Yes),
            ("seed", &failed, 148, true, Bounded::Late),
            ("seed", &failed, 172, false, Bounded::Yes),
            ("seed", &failed, 173, false, Bounded::Late),
            ("seed", &failed, 107, true, Bounded::Nothing),
            ("seed", &failed, 60, false, Bounded::Yes),
            ("seed", &failed, 59, false, Bounded::Nothing),
            ("seed", &Ended::Well, 330, true, Bounded::No),
            ("seed", &Ended::Well, 130, true, Bounded::Nothing),
            ("seed", &Ended::Well, 172, false, Bounded::Nothing),
            ("seed", &Ended::Well, 190, false, Bounded::No),
            ("stall-head", &Ended::Killed, 5_000, false, Bounded::No),
            ("stall-head", &Ended::Badly(None), 121, true, Bounded::Yes),
            ("ok", &Ended::Well, 500, false, Bounded::Nothing),
            ("ok", &Ended::Killed, 5_000, false, Bounded::No),
            ("half-body", &Ended::Well, 5, true, Bounded::Unnoticed),
            ("half-body", &failed, 5, true, Bounded::Nothing),
            ("redirect-loop", &failed, 300, true, Bounded::Nothing),
            ("slow-name", &Ended::Skipped("no"), 0, true, Bounded::Untested),
        ] {
            assert_eq!(judged(scene, ended, ms, by_client), bounded, "{scene} {ended:?} {ms}");
        }
    }
}
