//! Attributes as protobuf's JSON has them: `{"key": K, "value": {"stringValue": V}}`.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Names with values, in order.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Attributes(Vec<Attribute>);

#[derive(Debug, PartialEq, Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Value::Text(text) => map.serialize_entry("stringValue", text)?,
            Value::Number(number) => map.serialize_entry("intValue", &number.to_string())?,
            Value::Flag(flag) => map.serialize_entry("boolValue", flag)?,
        }
        map.end()
    }
}

impl Attributes {
    fn with(mut self, key: &'static str, value: Option<Value>) -> Self {
        self.0.extend(value.map(|value| Attribute { key, value }));
        self
    }

    pub(super) fn text(self, key: &'static str, text: impl Into<String>) -> Self {
        self.with(key, Some(Value::Text(text.into())))
    }

    pub(super) fn text_if(self, key: &'static str, text: Option<impl Into<String>>) -> Self {
        self.with(key, text.map(|text| Value::Text(text.into())))
    }

    pub(super) fn number_if(self, key: &'static str, number: Option<impl Into<u64>>) -> Self {
        self.with(key, number.map(|number| Value::Number(number.into())))
    }

    pub(super) fn flag_if(self, key: &'static str, flag: Option<bool>) -> Self {
        self.with(key, flag.map(Value::Flag))
    }
}
