//! Forms: names and values as `application/x-www-form-urlencoded`, and queries.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use url::Url;

/// What stays as it is: RFC 3986's unreserved characters, as in Python's `urlencode`. The space is
/// encoded as `+` afterwards.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b' ');

/// Names and values as `application/x-www-form-urlencoded`: in their order, repeats kept, a space
/// as `+`.
///
/// The bytes are those of Python's `urlencode`, hence of requests. The WHATWG form serializer leaves
/// `*` as it is and encodes `~`; whoever decodes either gets the same. A value that is absent or a
/// list is a matter of the pairs: leave it out, or repeat the name.
///
/// ```
/// use waterclock_proto::form::encode_form;
///
/// assert_eq!(encode_form([("q", "a b&c"), ("lang", "é")]), "q=a+b%26c&lang=%C3%A9");
/// let tags = ["x", "y"];
/// assert_eq!(encode_form(tags.iter().map(|tag| ("tag", tag))), "tag=x&tag=y");
/// ```
#[must_use]
pub fn encode_form<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> String
where
    K: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let mut form = String::new();
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            form.push('&');
        }
        push_encoded(&mut form, name.as_ref());
        form.push('=');
        push_encoded(&mut form, value.as_ref());
    }
    form
}

fn push_encoded(form: &mut String, text: &[u8]) {
    for piece in percent_encode(text, ENCODED) {
        form.extend(piece.chars().map(|c| if c == ' ' { '+' } else { c }));
    }
}

/// Adds names and values to the query of `url`, after what is there already, as `params` does in
/// requests. What is there, and the fragment, stay as they are; without pairs nothing changes.
///
/// ```
/// use waterclock_proto::form::append_query;
///
/// let mut url = url::Url::parse("http://example.com/?sort=up#top").unwrap();
/// append_query(&mut url, [("page", "2"), ("tag", "a b")]);
/// assert_eq!(url.as_str(), "http://example.com/?sort=up&page=2&tag=a+b#top");
/// ```
pub fn append_query<K, V>(url: &mut Url, pairs: impl IntoIterator<Item = (K, V)>)
where
    K: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let added = encode_form(pairs);
    if added.is_empty() {
        return;
    }
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{added}"),
        _ => added,
    };
    url.set_query(Some(&query));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What requests 2.34 makes of the same values.
    #[test]
    fn queries_are_those_of_requests() {
        let odd = ("c", "x y~*&=/ü");
        for (url, pairs, expected) in [
            ("http://h/p", vec![("a", "1"), ("a", "2"), odd], "a=1&a=2&c=x+y~%2A%26%3D%2F%C3%BC"),
            ("http://h/p?q=1#frag", vec![("a", "1")], "q=1&a=1#frag"),
            ("http://h/p?", vec![("a", "1")], "a=1"),
            ("http://h/p?q=%20a&", vec![("k", "")], "q=%20a&&k="),
            ("http://h/p?q=%20a&", vec![], "q=%20a&"),
            ("http://h/p?q='+%7e", vec![("a", "'")], "q=%27+%7e&a=%27"),
        ] {
            let mut changed = Url::parse(url).unwrap();
            append_query(&mut changed, pairs);
            assert_eq!(changed.as_str(), format!("http://h/p?{expected}"), "{url}");
        }
    }

    #[test]
    fn without_pairs_a_url_stays_as_it_is() {
        for text in ["http://h/p", "http://h/p?", "http://h/p#f"] {
            let mut url = Url::parse(text).unwrap();
            append_query::<&str, &str>(&mut url, []);
            assert_eq!(url.as_str(), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_can_be_sent() {
        assert_eq!(encode_form([(b"\xff\0", b"\r\n")]), "%FF%00=%0D%0A");
        assert_eq!(encode_form([("", "")]), "=");
    }

    proptest! {
        #[test]
        fn every_pair_comes_back(
            pairs in proptest::collection::vec(("\\PC{0,8}", "(?s:.){0,8}"), 0..5),
        ) {
            let form = encode_form(pairs.iter().map(|(name, value)| (name, value)));
            prop_assert!(form.bytes().all(|byte| byte.is_ascii_graphic()));
            let decoded: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            prop_assert_eq!(&decoded, &pairs);

            let mut url = Url::parse("http://h/?q=1#f").unwrap();
            append_query(&mut url, pairs.clone());
            let query: Vec<_> = url.query_pairs().into_owned().skip(1).collect();
            prop_assert_eq!(query, pairs);
            prop_assert_eq!(url.fragment(), Some("f"));
        }
    }
}
