//! Settings as they are written for a client: `timeout=(3.05, 27)`, `--max-time 0.12`.

use super::Client;
use crate::limit::{InvalidSeconds, duration_from_seconds};
use std::fmt;
use std::time::Duration;

/// One setting of a client.
#[derive(Debug)]
pub(super) struct Knob {
    /// How it is written; the first is how it is shown. Names that begin with a dash are options.
    pub(super) names: &'static [&'static str],
    /// Whether it may be `(connect, read)`.
    pub(super) pair: bool,
    /// What becomes of zero.
    pub(super) zero: Zero,
}

/// What a client makes of a timeout of zero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Zero {
    /// No limit.
    NoLimit,
    /// It is refused, in these words.
    Refused(&'static str),
}

impl Knob {
    pub(super) const fn new(names: &'static [&'static str], zero: Zero) -> Knob {
        Knob { names, pair: false, zero }
    }
}

/// A value that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    One(Option<Duration>),
    /// For connecting and for reading.
    Pair(Option<Duration>, Option<Duration>),
}

/// The settings that were given; the rest has the client's defaults.
#[derive(Debug)]
pub(super) struct Given {
    knobs: &'static [Knob],
    values: Vec<(usize, Value)>,
}

impl Given {
    pub(super) fn one(knobs: &'static [Knob], index: usize, value: Value) -> Given {
        Given { knobs, values: vec![(index, value)] }
    }

    /// The value of a setting, by its first name. The last one counts.
    fn get(&self, name: &str) -> Option<Value> {
        let named =
            |index: &usize| self.knobs.get(*index).is_some_and(|knob| knob.names[0] == name);
        self.values.iter().rev().find(|(index, _)| named(index)).map(|(_, value)| *value)
    }

    /// The value of a setting, or the client's default.
    pub(super) fn or(&self, name: &str, default: Option<Duration>) -> Option<Duration> {
        match self.get(name) {
            Some(Value::One(value) | Value::Pair(_, value)) => value,
            None => default,
        }
    }

    /// The values for connecting and reading of a setting that may be a pair.
    pub(super) fn pair(&self, name: &str) -> Option<(Option<Duration>, Option<Duration>)> {
        match self.get(name)? {
            Value::One(both) => Some((both, both)),
            Value::Pair(connect, read) => Some((connect, read)),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (index, value)) in self.values.iter().enumerate() {
            let name = self.knobs.get(*index).map_or("", |knob| knob.names[0]);
            let space = if position > 0 { " " } else { "" };
            let between = if name.starts_with('-') { " " } else { "=" };
            write!(f, "{space}{name}{between}")?;
            match value {
                Value::One(value) => f.write_str(&shown(*value))?,
                Value::Pair(connect, read) => {
                    write!(f, "({}, {})", shown(*connect), shown(*read))?;
                }
            }
        }
        Ok(())
    }
}

fn shown(value: Option<Duration>) -> String {
    value.map_or_else(|| "None".to_owned(), crate::screen::seconds)
}

/// Reads settings: `name=value`, `--name value` or `--name=value`, with blanks or commas in between.
pub(super) fn parse(client: &'static Client, text: &str) -> Result<Given, String> {
    let mut values = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(index) = client.knobs.iter().position(|knob| knob.names.contains(&name)) else {
            return Err(unknown(client, name));
        };
        let knob = &client.knobs[index];
        let after = after.trim_start_matches(['=', ' ']);
        let (value, after) = split_value(after);
        let value = read(client, knob, value)?;
        values.push((index, value));
        rest = after.trim_start_matches([',', ' ']);
    }
    if values.is_empty() {
        return Err(format!("say the settings of {}: {}", client.name, client.example));
    }
    Ok(Given { knobs: client.knobs, values })
}

fn unknown(client: &Client, name: &str) -> String {
    let names: Vec<&str> = client.knobs.iter().map(|knob| knob.names[0]).collect();
    let name: String = name.chars().take(40).collect();
    format!(
        "{} has no timeout \"{}\"; it has {}. Everything after --as is for it, so options of waterclock go \
         before that",
        client.name,
        crate::screen::escape(&name),
        names.join(", ")
    )
}

/// The value at the beginning, which may be in parentheses.
fn split_value(text: &str) -> (&str, &str) {
    let end = match text.strip_prefix('(') {
        Some(inner) => inner.find(')').map_or(text.len(), |end| end + 2),
        None => text.find([' ', ',']).unwrap_or(text.len()),
    };
    text.split_at(end)
}

fn read(client: &Client, knob: &Knob, text: &str) -> Result<Value, String> {
    let Some(inner) = text.strip_prefix('(') else {
        return one(client, knob, text).map(Value::One);
    };
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    match inner.split_once(',') {
        Some((connect, read)) if knob.pair => {
            Ok(Value::Pair(one(client, knob, connect.trim())?, one(client, knob, read.trim())?))
        }
        _ => Err(format!("{} of {} is one number of seconds", knob.names[0], client.name)),
    }
}

fn one(client: &Client, knob: &Knob, text: &str) -> Result<Option<Duration>, String> {
    if matches!(text, "None" | "none") {
        return Ok(None);
    }
    let name = knob.names[0];
    // Durations of Go have a unit.
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let unit = units.iter().find_map(|&(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (digits, factor) = unit.filter(|_| client.name == "go").unwrap_or((text, 1.0));
    let decimal = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let number = Some(digits).filter(|digits| digits.chars().all(decimal));
    let number = number.and_then(|digits| digits.parse::<f64>().ok());
    let Some(seconds) = number else {
        let text: String = text.chars().take(40).collect();
        let text = crate::screen::escape(&text).into_owned();
        return Err(format!(
            "\"{text}\" is no number of seconds for {name}; write {}",
            client.example
        ));
    };
    match duration_from_seconds(seconds * factor) {
        Ok(duration) => Ok(duration),
        Err(InvalidSeconds::Zero) => match knob.zero {
            Zero::NoLimit => Ok(None),
            Zero::Refused(words) => Err(words.to_owned()),
        },
        Err(_) => Err(format!("{name} of {} cannot be negative", client.name)),
    }
}
