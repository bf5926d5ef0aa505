//! Checks a document against `docs/run-document.schema.json`: the part of JSON Schema that the
//! schema uses. A keyword that is not known here fails, so that nothing goes unchecked.

use serde_json::{Map, Value};

pub(crate) fn schema() -> Value {
    let path = super::root().join("docs/run-document.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn check(document: &Value) {
    let schema = schema();
    let mut problems = Vec::new();
    Checker { root: &schema, problems: &mut problems }.value(&schema, document, "$");
    assert!(problems.is_empty(), "{problems:#?}\nin {document:#}");
}

struct Checker<'a> {
    root: &'a Value,
    problems: &'a mut Vec<String>,
}

impl Checker<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        for (keyword, wanted) in schema.as_object().unwrap() {
            if !self.holds(keyword, wanted, schema, value, at) {
                self.problems.push(format!("{at}: {keyword} {wanted}: {value}"));
            }
        }
    }

    fn holds(
        &mut self,
        keyword: &str,
        wanted: &Value,
        schema: &Value,
        value: &Value,
        at: &str,
    ) -> bool {
        let number = |bound: fn(f64, f64) -> bool| {
            value.as_f64().is_none_or(|number| bound(number, wanted.as_f64().unwrap()))
        };
        let length = value.as_str().map(str::len).or(value.as_array().map(Vec::len));
        let size = |bound: fn(u64, u64) -> bool| {
            length.is_none_or(|length| bound(length as u64, wanted.as_u64().unwrap()))
        };
        match keyword {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                self.value(&self.root["$defs"][name], value, at);
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|name| is(value, name)),
                name => is(value, name),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => number(|number, least| number >= least),
            "maximum" => number(|number, most| number <= most),
            "minItems" | "minLength" => size(|size, least| size >= least),
            "maxItems" | "maxLength" => size(|size, most| size <= most),
            "format" => wanted == "date-time" && value.as_str().is_none_or(is_date_time),
            "required" => {
                let names = wanted.as_array().unwrap();
                value.as_object().is_none_or(|object| {
                    names.iter().all(|name| object.contains_key(name.as_str().unwrap()))
                })
            }
            "properties" => {
                let none = Map::new();
                for (name, member) in value.as_object().unwrap_or(&none) {
                    if let Some(schema) = wanted.get(name) {
                        self.value(schema, member, &format!("{at}.{name}"));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                wanted == false
                    && value
                        .as_object()
                        .is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.value(wanted, item, &format!("{at}[{index}]"));
                }
                true
            }
            unknown => panic!("the keyword {unknown} is not known here"),
        }
    }
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        unknown => panic!("the type {unknown} is not known here"),
    }
}

/// RFC 3339 in UTC, with microseconds.
fn is_date_time(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(shape).collect::<String>() == "0000-00-00T00:00:00.000000Z"
}
