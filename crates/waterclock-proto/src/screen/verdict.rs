//! The verdict: which limit fired or why none did, in sentences.

use super::{failure, number, rows, words};
use crate::limit::{Limit, Limits};
use crate::timeline::{Phase, SpanEnd, Tightest, Timeline};
use std::time::Duration;

/// Says in words how the call's waits and limits went together: the headline first, then one
/// element for each further statement. None of them is wrapped.
#[must_use]
pub fn verdict(timeline: &Timeline) -> Vec<String> {
    let mut out = if let Some(fired) = timeline.fired() {
        failure::fired(timeline, fired)
    } else if let Some(stopped) = failure::stopped(timeline) {
        stopped
    } else if let Some(why) = why_not(timeline) {
        why
    } else {
        within(timeline)
    };
    if timeline.fired().is_none() {
        out.extend(gateway(timeline));
    }
    out.extend(timeline.notes().iter().map(|note| words::escape(note).into_owned()));
    if !timeline.is_finished() {
        out.push("The call is not over: what it still waits for is not in here yet.".to_owned());
    }
    out
}

/// `timeout=0.12` as requests writes it, if the limits are exactly that.
struct Profile {
    connect: Option<Duration>,
    read: Option<Duration>,
    /// Whether the name lookup is bounded too.
    resolve: bool,
}

impl Profile {
    fn of(limits: &Limits) -> Option<Profile> {
        let (connect, read) = (limits.get(Limit::Address), limits.get(Limit::Read));
        connect.or(read)?;
        let profile = Limits::requests(connect, read);
        let resolve = connect.is_some() && *limits == profile;
        let without = *limits == profile.with(Limit::Resolve, None);
        (resolve || without).then_some(Profile { connect, read, resolve })
    }

    fn spelled(&self) -> String {
        let one = |limit: Option<Duration>| match limit {
            Some(limit) => number::seconds(limit, 0),
            None => "None".to_owned(),
        };
        if self.connect == self.read {
            format!("timeout={}", one(self.read))
        } else {
            format!("timeout=({}, {})", one(self.connect), one(self.read))
        }
    }
}

/// Answers "I set a limit, the call took longer, nothing happened: why?", if that is so.
fn why_not(timeline: &Timeline) -> Option<Vec<String>> {
    let limits = timeline.limits();
    if limits.get(Limit::Total).is_some() {
        return None;
    }
    let profile = Profile::of(limits);
    // `read` and `write` are what people take for a bound on the call.
    let candidates = match &profile {
        Some(profile) => [profile.connect, profile.read],
        None => [limits.get(Limit::Write), limits.get(Limit::Read)],
    };
    let passed = |limit: &Duration| *limit < timeline.elapsed();
    let exceeded = candidates.into_iter().flatten().filter(passed).max()?;
    let title = match &profile {
        Some(profile) => format!("Why did {} not fire?", profile.spelled()),
        None => "Why did no limit fire?".to_owned(),
    };
    let one_value = profile.as_ref().is_some_and(|profile| profile.connect == profile.read);
    let reached =
        if one_value { number::configured_with_unit(exceeded) } else { "its limit".to_owned() };
    let mut closest = format!("No single wait reached {reached}.");
    if let Some(tightest) = timeline.tightest() {
        closest += &format!(" {}", closest_wait(timeline, &tightest));
    }
    let mut out = vec![title, closest, restarts(timeline, profile.as_ref())];
    out.extend(what_if(timeline, exceeded));
    Some(out)
}

/// Why such limits do not add up.
fn restarts(timeline: &Timeline, profile: Option<&Profile>) -> String {
    let had = |phase| timeline.spans().iter().any(|span| span.phase == phase);
    let whole: Vec<&str> = [(Phase::Tls, "a TLS handshake"), (Phase::Tunnel, "a proxy dialogue")]
        .into_iter()
        .filter_map(|(phase, name)| had(phase).then_some(name))
        .collect();
    let whole = match whole.as_slice() {
        [] => String::new(),
        [one] => format!(" ({one} counts as one)"),
        several => format!(" ({} count as one each)", several.join(" and ")),
    };
    let Some(profile) = profile else {
        return format!(
            "Limits on each wait start again for every new one{whole}, so they never add up."
        );
    };
    let each = format!(
        "{} is two limits, connect and read. Each starts again for every new wait{whole}, so they \
         never add up.",
        profile.spelled()
    );
    match (had(Phase::Resolve), profile.resolve) {
        (false, _) => each,
        (true, false) => format!("{each} dns had no limit at all."),
        (true, true) => {
            format!("{each} dns was under connect as well; requests has no limit there.")
        }
    }
}

/// What a deadline over the whole call would have done.
fn what_if(timeline: &Timeline, total: Duration) -> Option<String> {
    let fired = timeline.what_if(&Limits::total(total))?;
    Some(format!(
        "A total deadline of {} would have fired at {} in {}, {} into it. Try: --total {}",
        number::configured_with_unit(total),
        number::with_unit(fired.at),
        place(timeline, fired.span),
        number::with_unit(fired.into),
        number::seconds(total, 0),
    ))
}

/// `The closest was tls: 111.0 of 120 ms (93%).`
fn closest_wait(timeline: &Timeline, tightest: &Tightest) -> String {
    let span = timeline.spans().get(tightest.span);
    let several = |phase: Phase, hop: u16| {
        let same = |span: &&crate::timeline::Span| span.phase == phase && span.hop == hop;
        timeline.spans().iter().filter(same).count() > 1
    };
    // A limit over several waits was used by all of them.
    let name = match span {
        Some(span) if !tightest.limit.restarts_every_wait() && several(span.phase, span.hop) => {
            words::short(span.phase).to_owned()
        }
        _ => words::label(timeline, tightest.span),
    };
    let expected = ["resolve", "address", "tls", "tunnel", "read", "write", "pool", "continue"];
    let limit = tightest.limit.name();
    let limit = if expected.contains(&limit) {
        String::new()
    } else {
        format!(", under the limit {limit}")
    };
    format!(
        "The closest was {name}: {} of {} ({}%){limit}.",
        number::as_part_of(tightest.used, tightest.of),
        number::configured_with_unit(tightest.of),
        number::percent(tightest.used, tightest.of),
    )
}

/// A call that stayed within limits that nobody would take for more than they are.
fn within(timeline: &Timeline) -> Vec<String> {
    let limits = timeline.limits();
    if limits.iter().all(|(limit, _)| limit == Limit::Continue) {
        return vec!["No limit was set: nothing bounded this call.".to_owned()];
    }
    let mut out = vec!["No limit fired.".to_owned()];
    match timeline.tightest() {
        Some(tightest) => out[0] += &format!(" {}", closest_wait(timeline, &tightest)),
        None => out[0] += " No wait was under a limit.",
    }
    if limits.get(Limit::Total).is_none() {
        out.push("No deadline bounds the whole call (total is not set).".to_owned());
    }
    out
}

/// A gateway's timeout is easily taken for one's own.
fn gateway(timeline: &Timeline) -> Option<String> {
    let status = timeline.hops().last()?.status?;
    let whose = match status {
        504 => "The 504 came from the server, which waited in vain for another one",
        408 => "The 408 came from the server, which had waited too long for the request",
        _ => return None,
    };
    Some(format!("{whose}; no limit of this call fired."))
}

/// `wait 3 (tls read 1)`, with the number that the table shows.
pub(super) fn place(timeline: &Timeline, span: usize) -> String {
    let label = words::label(timeline, span);
    match rows::numbers_of(timeline, span) {
        Some((first, last)) if first == last => format!("wait {first} ({label})"),
        Some((first, last)) => format!("waits {first}-{last} ({label})"),
        None => match timeline.spans().get(span).map(|span| span.phase) {
            Some(Phase::Local) => "local work".to_owned(),
            Some(Phase::Caller) => "the caller's own time".to_owned(),
            _ => label,
        },
    }
}

/// The last wait, if it ended the call.
pub(super) fn last_wait(timeline: &Timeline, ends: &[SpanEnd]) -> Option<usize> {
    let last = timeline.spans().iter().rposition(|span| span.phase != Phase::Local)?;
    ends.contains(&timeline.spans()[last].end).then_some(last)
}
