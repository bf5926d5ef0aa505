//! What was measured, as a table for people and as JSON.

use serde_json::{Map, Value, json};
use waterclock_benches::client::Result;
use waterclock_benches::clients::ALL;

use crate::measure::{Samples, median};

/// Which way is good, for ratios: 1 is the floor, and more is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Good {
    Low,
    High,
    /// Without a ratio.
    Absolute,
}

pub(crate) struct Report {
    pub(crate) rounds: usize,
    only: Option<String>,
    rows: Vec<Value>,
}

impl Report {
    pub(crate) fn new(rounds: usize, only: Option<String>) -> Self {
        Report { rounds, only, rows: Vec::new() }
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// A new table. Nothing is printed if nothing of it is wanted.
    pub(crate) fn table(&self, title: &str, names: &[&str]) -> bool {
        if !names.iter().any(|name| self.wants(name)) {
            return false;
        }
        println!("\n### {title}\n");
        let names: Vec<&str> = ALL.iter().map(|kind| kind.name).collect();
        println!("| | {} |", names.join(" | "));
        println!("|---|{}", "--:|".repeat(ALL.len()));
        true
    }

    /// One row: for each client the median over its rounds, and the median of the ratios to the
    /// floor's same round.
    pub(crate) fn row(&mut self, name: &str, unit: &str, good: Good, samples: &[Samples]) {
        let mut cells = Vec::new();
        let mut clients = Map::new();
        for (kind, own) in ALL.iter().zip(samples) {
            if own.is_empty() {
                cells.push("-".to_owned());
                continue;
            }
            let value = median(own);
            let ratio = ratio(good, &samples[0], own);
            cells.push(match ratio {
                Some(ratio) => format!("{} ({ratio:.2})", digits(value)),
                None => digits(value),
            });
            clients.insert(
                kind.name.to_owned(),
                json!({"value": value, "ratio": ratio, "rounds": own}),
            );
        }
        println!("| {name}, {unit} | {} |", cells.join(" | "));
        self.rows.push(json!({"scenario": name, "unit": unit, "clients": clients}));
    }

    pub(crate) fn write(&self, path: &str) -> Result<()> {
        let whole = json!({"rounds": self.rounds, "rows": self.rows});
        Ok(std::fs::write(path, serde_json::to_string_pretty(&whole)? + "\n")?)
    }
}

fn ratio(good: Good, floor: &[f64], own: &[f64]) -> Option<f64> {
    if good == Good::Absolute || floor.is_empty() {
        return None;
    }
    let ratios: Vec<f64> = floor
        .iter()
        .zip(own)
        .map(|(floor, own)| if good == Good::Low { floor / own } else { own / floor })
        .collect();
    Some(median(&ratios))
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
