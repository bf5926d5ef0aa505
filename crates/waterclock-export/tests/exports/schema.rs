//! Checks an archive against `tests/data/har-1.2.schema.json`: the part of JSON Schema that it uses. A
//! keyword that is not known here fails, and so does a member that is neither known nor ours, so that
//! nothing goes unchecked.

use serde_json::{Map, Value};

const SCHEMA: &str = include_str!("../data/har-1.2.schema.json");

#[track_caller]
pub(crate) fn check(document: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let problems = problems(&schema, &schema, document, "$");
    assert!(problems.is_empty(), "{problems:#?}\nin {document:#}");
}

fn problems(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (keyword, wanted) in schema.as_object().unwrap() {
        let least = usize::try_from(wanted.as_u64().unwrap_or(0)).unwrap();
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                problems.extend(self::problems(root, &root["$defs"][name], value, at));
                true
            }
            "type" => is(value, wanted.as_str().unwrap()),
            "const" => value == wanted,
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= least),
            "minLength" => value.as_str().is_none_or(|text| text.len() >= least),
            "format" => wanted == "date-time" && value.as_str().is_none_or(is_date_time),
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                wanted.as_array().unwrap().iter().all(has)
            }
            "properties" => {
                for (name, member) in value.as_object().unwrap_or(&Map::new()) {
                    let at = format!("{at}.{name}");
                    match wanted.get(name) {
                        Some(schema) => problems.extend(self::problems(root, schema, member, &at)),
                        None if name.starts_with('_') => {}
                        None => problems.push(format!("{at} is not a member of HAR 1.2")),
                    }
                }
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    problems.extend(self::problems(root, wanted, item, &format!("{at}[{index}]")));
                }
                true
            }
            unknown => panic!("the keyword {unknown} is not known here"),
        };
        if !holds {
            problems.push(format!("{at}: {keyword} {wanted}: {value}"));
        }
    }
    problems
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        unknown => panic!("the type {unknown} is not known here"),
    }
}

/// RFC 3339 in UTC, with microseconds.
fn is_date_time(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(shape).collect::<String>() == "0000-00-00T00:00:00.000000Z"
}

#[test]
fn what_is_wrong_is_seen() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let wrong = |text: &str| problems(&schema, &schema, &serde_json::from_str(text).unwrap(), "$");
    let log = |log: &str| format!("{{\"log\": {{{log}}}}}");
    let start = "\"version\": \"1.2\", \"creator\": {\"name\": \"a\", \"version\": \"1\"}";
    assert_eq!(wrong("{}").len(), 1);
    assert_eq!(wrong(&log(&format!("{start}, \"entries\": []"))).len(), 1);
    assert_eq!(wrong(&log(&format!("{start}, \"entries\": [{{}}], \"_own\": 1"))).len(), 1);
    assert_eq!(wrong(&log(&format!("{start}, \"entries\": [], \"own\": 1"))).len(), 2);
    assert!(!is_date_time("2026-11-22 09:30"));
}
