//! What a variable is, in text and in JSON.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Unknown: empty, or `null`.
    None,
    Text(String),
    Number(u64),
    /// A status: three digits in text.
    Status(u16),
    /// Seconds with six decimals.
    Time(Duration),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    pub(super) fn plain(&self) -> String {
        match self {
            Value::None => String::new(),
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Status(status) => format!("{status:03}"),
            Value::Time(time) => format!("{}.{:06}", time.as_secs(), time.subsec_micros()),
        }
    }

    pub(super) fn json(&self) -> String {
        match self {
            Value::None => "null".to_owned(),
            Value::Text(text) => quoted(text),
            Value::Status(status) => status.to_string(),
            Value::Number(_) | Value::Time(_) => self.plain(),
        }
    }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
