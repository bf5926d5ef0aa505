//! The results of a check as JSON, and back.

use serde_json::{Value, json};
use std::time::Duration;
use waterclock_lab::trial::{Ended, Outcome};

/// What is known about a client.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Results {
    /// What the client and its limit are called.
    pub(super) client: String,
    pub(super) command: Vec<String>,
    pub(super) limit: Duration,
    pub(super) named: bool,
    pub(super) verdict: String,
    pub(super) rows: Vec<Row>,
}

/// Of what a client said, so many characters are kept.
const LONGEST: usize = 200;

/// How it fared in a scene.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) scene: String,
    pub(super) tests: Option<String>,
    /// `well`, `badly`, `killed`, `skipped`.
    pub(super) ended: String,
    pub(super) code: Option<i64>,
    pub(super) took: Duration,
    /// One of the names of `Measured`.
    pub(super) measured: String,
    /// One of the names of `Bounded`.
    pub(super) bounded: String,
    pub(super) said: String,
}

impl Row {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let (ended, code) = match &outcome.ended {
            Ended::Well => ("well", Some(0)),
            Ended::Badly(code) => ("badly", code.map(i64::from)),
            Ended::Killed => ("killed", None),
            Ended::Skipped(_) => ("skipped", None),
        };
        let said = match &outcome.ended {
            Ended::Skipped(reason) => (*reason).to_owned(),
            _ => outcome.said.chars().take(LONGEST).collect(),
        };
        Row {
            scene: outcome.scene.clone(),
            tests: outcome.tests.as_ref().map(|tested| tested.what.clone()),
            ended: ended.to_owned(),
            code,
            took: outcome.took,
            measured: outcome.measured.name().to_owned(),
            bounded: outcome.bounded.name().to_owned(),
            said,
        }
    }

    fn write(&self) -> Value {
        json!({
            "scene": self.scene,
            "tests": self.tests,
            "ended": self.ended,
            "code": self.code,
            "seconds": seconds(self.took),
            "measured": self.measured,
            "bounded": self.bounded,
            "said": self.said,
        })
    }

    fn read(value: &Value) -> Option<Row> {
        Some(Row {
            scene: text(value, "scene")?,
            tests: text(value, "tests"),
            ended: text(value, "ended")?,
            code: value.get("code").and_then(Value::as_i64),
            took: duration(value, "seconds")?,
            measured: text(value, "measured")?,
            bounded: text(value, "bounded")?,
            said: text(value, "said").unwrap_or_default(),
        })
    }
}

impl Results {
    /// A scene a line, so that a change can be seen in a diff.
    pub(super) fn write(&self) -> String {
        let fields = [
            ("schema_version", json!(1)),
            ("client", json!(self.client)),
            ("command", json!(self.command)),
            ("limit", json!(seconds(self.limit))),
            ("named", json!(self.named)),
            ("verdict", json!(self.verdict)),
        ];
        let fields: String =
            fields.iter().map(|(name, value)| format!("  \"{name}\": {value},\n")).collect();
        let rows: Vec<String> =
            self.rows.iter().map(|row| format!("    {}", row.write())).collect();
        format!("{{\n{fields}  \"scenes\": [\n{}\n  ]\n}}", rows.join(",\n"))
    }

    fn read(value: &Value) -> Option<Results> {
        let list = |name: &str| value.get(name).and_then(Value::as_array);
        let words = list("command")?.iter().map(|word| word.as_str().map(str::to_owned));
        Some(Results {
            client: text(value, "client")?,
            command: words.collect::<Option<_>>()?,
            limit: duration(value, "limit")?,
            named: value.get("named").and_then(Value::as_bool)?,
            verdict: text(value, "verdict")?,
            rows: list("scenes")?.iter().map(Row::read).collect::<Option<_>>()?,
        })
    }

    /// The results of one client, or a list of them.
    pub(super) fn read_all(text: &str) -> Result<Vec<Results>, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let one = std::slice::from_ref(&value);
        let items = value.as_array().map_or(one, Vec::as_slice);
        let read = |(index, item)| {
            Results::read(item).ok_or_else(|| {
                format!("item {} is not what `waterclock lab check --json` writes", index + 1)
            })
        };
        items.iter().enumerate().map(read).collect()
    }
}

/// To the tenth of a millisecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10_000.0
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn duration(value: &Value, name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(value.get(name)?.as_f64()?).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::lab) fn row(scene: &str, ended: &str, bounded: &str, ms: u64) -> Row {
        Row {
            scene: scene.to_owned(),
            tests: Some("something".to_owned()),
            ended: ended.to_owned(),
            code: (ended == "badly").then_some(28),
            took: Duration::from_millis(ms),
            measured: "by the client".to_owned(),
            bounded: bounded.to_owned(),
            said: String::new(),
        }
    }

    pub(in crate::lab) fn results(rows: Vec<Row>) -> Results {
        Results {
            client: "curl -m t".to_owned(),
            command: vec!["curl".to_owned(), "{url}".to_owned()],
            limit: Duration::from_millis(120),
            named: false,
            verdict: "It bounds everything.".to_owned(),
            rows,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let written =
            results(vec![row("seed", "badly", "yes", 121), row("ok", "well", "nothing", 3)]);
        let text = written.write();
        assert_eq!(Results::read_all(&text), Ok(vec![written.clone()]));
        assert_eq!(text.lines().count(), 12, "{text}");
        let list = format!("[{text}, {text}]");
        assert_eq!(Results::read_all(&list), Ok(vec![written.clone(), written]));
    }

    #[test]
    fn what_is_something_else_is_refused() {
        assert!(Results::read_all("{").unwrap_err().starts_with("no JSON: "));
        assert_eq!(
            Results::read_all("[{}]"),
            Err("item 1 is not what `waterclock lab check --json` writes".to_owned())
        );
        let text = results(vec![row("seed", "badly", "yes", 1)]).write();
        assert!(Results::read_all(&text.replace("0.001", "-1")).is_err());
    }
}
