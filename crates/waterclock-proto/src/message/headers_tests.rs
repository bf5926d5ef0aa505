//! Tests of [`Headers`], the model being a plain list of pairs.

use super::*;
use proptest::prelude::*;

fn of(pairs: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.append(name, value).unwrap();
    }
    headers
}

fn pairs(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

#[test]
fn set_keeps_the_first_place_and_takes_the_new_case() {
    let mut headers = of(&[("A", "1"), ("b", "2"), ("C", "3"), ("B", "4")]);
    headers.set("B", "five").unwrap();
    assert_eq!(headers, of(&[("A", "1"), ("B", "five"), ("C", "3")]));
    headers.set("d", "").unwrap();
    assert_eq!(headers.get("D"), Some(b"".as_slice()));
    assert_eq!(headers.len(), 4);
}

#[test]
fn a_refused_set_changes_nothing() {
    let mut headers = of(&[("A", "1")]);
    assert!(headers.set("a", "x\n").is_err());
    assert_eq!(headers, of(&[("A", "1")]));
}

#[test]
fn removed_bytes_leave_the_block() {
    let mut headers = of(&[("A", "1"), ("Cookie", "secret"), ("B", "2")]);
    assert_eq!(headers.remove("cookie"), 1);
    assert_eq!(headers.remove("cookie"), 0);
    assert!(!headers.block.windows(6).any(|window| window == b"secret"));
    assert_eq!(headers, of(&[("A", "1"), ("B", "2")]));
}

#[test]
fn a_field_that_is_set_again_may_be_longer() {
    let mut headers = of(&[("A", "1"), ("B", "2")]);
    headers.set("a", "x".repeat(1000)).unwrap();
    assert_eq!(headers.get("A").map(<[u8]>::len), Some(1000));
    assert_eq!(headers.raw().nth(1), Some((b"B".as_slice(), b"2".as_slice())));
    assert!(headers.contains("b") && headers.contains_raw(b"B") && !headers.contains_raw(b"C"));
}

#[test]
fn equality_keeps_order_and_case() {
    assert_ne!(of(&[("A", "1"), ("B", "2")]), of(&[("B", "2"), ("A", "1")]));
    assert_ne!(of(&[("A", "1")]), of(&[("a", "1")]));
}

#[test]
fn refusals_say_what_where_and_not_the_value() {
    let mut headers = Headers::new();
    let mut refused =
        |name: &str, value: &str| headers.append(name, value).unwrap_err().to_string();
    assert_eq!(refused("", "x"), "a header name is empty");
    assert_eq!(
        refused("X Y\r", "x"),
        "header name \"X Y\\r\" has a byte at offset 1 that names cannot have"
    );
    assert_eq!(
        refused("Authorization", "top-secret\nEvil: 1"),
        "the value of header Authorization has a line feed (LF) at offset 10"
    );
    assert_eq!(
        refused("X", "a\rb"),
        "the value of header X has a carriage return (CR) at offset 1"
    );
    assert_eq!(refused("X", "\0"), "the value of header X has a NUL byte at offset 0");
    for byte in (1..0x20).chain([0x7f]).filter(|byte| !b"\t\n\r".contains(byte)).map(char::from) {
        let words = "the value of header X has a control byte at offset 2";
        assert_eq!(refused("X", &format!("a\t{byte}")), words);
    }
    assert_eq!(refused("X", " a"), "the value of header X has leading white space at offset 0");
    assert!(refused("X\u{e4}", "a").contains("offset 1"));
    assert!(headers.is_empty());
}

#[test]
fn values_may_be_any_other_bytes() {
    let mut headers = Headers::new();
    headers.append("X", [0xff, b'\t', 0x80, b' ']).unwrap();
    assert_eq!(headers.get("x"), Some([0xff, b'\t', 0x80, b' '].as_slice()));
    assert_eq!(headers.get_str("x"), None);
}

#[test]
fn tokens_are_found_in_every_list() {
    let headers = of(&[("Connection", "foo ,\tCLOSE"), ("connection", "upgrade")]);
    assert!(headers.has_token("CONNECTION", "close"));
    assert!(headers.has_token("Connection", "Upgrade"));
    assert!(!headers.has_token("Connection", "clos"));
    assert!(!headers.has_token("Connection", "keep-alive"));
}

#[test]
fn debug_shows_no_secret() {
    let headers = of(&[
        ("authorization", "s3cret"),
        ("Proxy-Authorization", "s3cret"),
        ("COOKIE", "s3cret"),
        ("Set-Cookie", "s3cret"),
        ("X-Shown", "y\"e\u{e4}"),
    ]);
    let text = format!("{headers:?}");
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("\"X-Shown\": \"y\\\"e\\xc3\\xa4\""), "{text}");
}

#[derive(Clone, Debug)]
enum Act {
    Append(String, Vec<u8>),
    Set(String, Vec<u8>),
    Remove(String),
    ExtendBySelf,
}

fn act() -> impl Strategy<Value = Act> {
    let name = "[aAbBcC]{1,2}";
    let value = proptest::collection::vec(b'!'..=b'~', 0..5);
    prop_oneof![
        4 => (name, value.clone()).prop_map(|(name, value)| Act::Append(name, value)),
        2 => (name, value).prop_map(|(name, value)| Act::Set(name, value)),
        2 => name.prop_map(Act::Remove),
        1 => Just(Act::ExtendBySelf),
    ]
}

proptest! {
    /// Whatever is done to it, the block behaves like a list of pairs.
    #[test]
    fn behaves_like_a_list(acts in proptest::collection::vec(act(), 0..12)) {
        let mut headers = Headers::new();
        let mut model: Vec<(String, Vec<u8>)> = Vec::new();
        for act in acts {
            match act {
                Act::Append(name, value) => {
                    headers.append(&name, &value).unwrap();
                    model.push((name, value));
                }
                Act::Set(name, value) => {
                    headers.set(&name, &value).unwrap();
                    let same = |pair: &(String, Vec<u8>)| pair.0.eq_ignore_ascii_case(&name);
                    let place = model.iter().position(same).unwrap_or(model.len());
                    model.retain(|pair| !same(pair));
                    model.insert(place, (name.clone(), value));
                }
                Act::Remove(name) => {
                    let before = model.len();
                    model.retain(|pair| !pair.0.eq_ignore_ascii_case(&name));
                    prop_assert_eq!(headers.remove(&name), before - model.len());
                }
                Act::ExtendBySelf => {
                    headers.extend(&headers.clone());
                    model.extend(model.clone());
                }
            }
            prop_assert_eq!(pairs(&headers), model.clone());
        }
    }
}
