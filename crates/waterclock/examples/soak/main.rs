//! `soak --requests N --seconds S --threads T`: requests through a server that resets, stalls, drips, cuts and
//! poisons one answer in a hundred each, until N were made or S seconds have passed. `soak --idle I --busy B
//! --seconds S`: I connections held idle while B threads ask. Both fail unless every body is the request's own,
//! every failure is the one that the server caused, no POST came twice, and descriptors, threads and memory
//! are at the end what they were. For `scripts/soak`, which builds it optimised.

#![allow(clippy::disallowed_methods, reason = "a program that measures, with a server of its own")]

mod load;
mod server;

use std::collections::HashMap;
use std::error::Error;

/// What the server does to the request of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Fate {
    Good,
    Reset,
    Stall,
    Drip,
    Cut,
    Poison,
}

impl Fate {
    /// One in a hundred each, in no order that a client could follow.
    fn of(number: u64) -> Fate {
        match (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 100 {
            0 => Fate::Reset,
            1 => Fate::Stall,
            2 => Fate::Drip,
            3 => Fate::Cut,
            4 => Fate::Poison,
            _ => Fate::Good,
        }
    }
}

/// The only right body of an answer.
fn body(number: u64) -> String {
    format!("{number};").repeat(30)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "serve") {
        return Ok(server::serve()?);
    }
    let options: HashMap<&str, u64> = arguments
        .chunks(2)
        .filter_map(|pair| Some((pair[0].as_str(), pair.get(1)?.parse().ok()?)))
        .collect();
    let option = |name: &str, default| options.get(name).copied().unwrap_or(default);
    if options.contains_key("--idle") {
        return load::idle(option("--idle", 1000), option("--busy", 100), option("--seconds", 60));
    }
    let (seconds, threads) = (option("--seconds", 3600), option("--threads", 128));
    load::faults(option("--requests", u64::MAX), seconds, threads)
}
