//! Scenes that are part of the program.

use super::Scene;

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../scenes/", $name, ".toml")))),*]
    };
}

/// Names and files, in the order in which a list shows them: what happens early in a call first.
const SOURCES: &[(&str, &str)] = sources![
    "ok",
    "seed",
    "slow-name",
    "backlog",
    "slow-proxy",
    "slow-tls",
    "tls-pieces",
    "slow-head",
    "drip-head",
    "stall-head",
    "reset-head",
    "early-hints",
    "continue",
    "drip-body",
    "stall-body",
    "reset-body",
    "half-body",
    "no-close-notify",
    "retry-after",
    "redirect-chain",
    "redirect-loop",
    "slow-redirects",
];

/// The names and texts of the ready scenes, to begin one's own from.
pub fn sources() -> &'static [(&'static str, &'static str)] {
    SOURCES
}

/// The ready scenes. (A test reads each of them; what could not be read would be left out.)
pub fn ready() -> Vec<Scene> {
    SOURCES.iter().filter_map(|(_, text)| Scene::parse(text).ok()).collect()
}
