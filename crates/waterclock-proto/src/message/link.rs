//! [`Link`]: the Link header field (RFC 8288).

use super::params::{take_param, take_until, to_text};
use super::trim;
use encoding_rs::Encoding;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// One link of a response: where to, and what it is.
///
/// ```
/// use waterclock_proto::message::{by_rel, parse_links};
///
/// let field: &[u8] = b"</items?page=3>; rel=next, </items?page=9>; rel=\"last index\"";
/// let links = parse_links([field].into_iter());
/// assert_eq!(by_rel(&links, "next").unwrap().target, "/items?page=3");
/// assert_eq!(by_rel(&links, "last").unwrap().target, "/items?page=9");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URI reference as sent: relative to the URL of the response, or whole.
    pub target: String,
    /// Names in lower case, in order, repeats kept. Values of names that end in `*` are decoded
    /// (RFC 8187); those that cannot be are left out.
    pub params: Vec<(String, String)>,
}

impl Link {
    /// The first parameter of that name, whatever its case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The relation types, from the first `rel` (others have no meaning: RFC 8288 §3.3).
    pub fn rel(&self) -> impl Iterator<Item = &str> {
        self.param("rel").unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether this is one of the relation types, whatever its case.
    #[must_use]
    pub fn has_rel(&self, rel: &str) -> bool {
        self.rel().any(|known| known.eq_ignore_ascii_case(rel))
    }

    /// The title, with its `title*` form preferred (RFC 8288 §3.4.1).
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.param("title*").or_else(|| self.param("title"))
    }

    /// The key that requests' `Response.links` has for it: the whole `rel`, else the target.
    #[must_use]
    pub fn key(&self) -> &str {
        self.param("rel").filter(|rel| !rel.is_empty()).unwrap_or(&self.target)
    }
}

/// The first link with that relation type. Links of another context (`anchor`) are not left out.
#[must_use]
pub fn by_rel<'a>(links: &'a [Link], rel: &str) -> Option<&'a Link> {
    links.iter().find(|link| link.has_rel(rel))
}

/// Reads the values of all Link fields of a response. What is no link is passed over.
///
/// requests keeps its `Response.links` by [`Link::key`], where a later link replaces an earlier one
/// of the same key, and `rel="next last"` is a key of its own. It also breaks a quoted value at
/// `;` and at `, <`; here quotes hold together.
pub fn parse_links<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<Link> {
    let mut links = Vec::new();
    for mut rest in values {
        while let Some(link) = take_link(&mut rest) {
            links.push(link);
        }
    }
    links
}

/// The next `<target>` with its parameters.
fn take_link(rest: &mut &[u8]) -> Option<Link> {
    take_until(rest, b"<");
    *rest = rest.get(1..)?;
    let target = to_text(trim(take_until(rest, b">")));
    *rest = rest.get(1..)?;
    take_until(rest, b";,");
    let mut params = Vec::new();
    while let Some((name, value)) = take_param(rest) {
        if !name.ends_with('*') {
            params.push((name, value));
        } else if let Some(decoded) = decode_extended(&value) {
            params.push((name, decoded));
        }
    }
    Some(Link { target, params })
}

/// `charset'language'percent-encoded` (RFC 8187 §3.2.1), if all of it can be decoded.
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, coded) = rest.split_once('\'')?;
    let bytes: Cow<'_, [u8]> = percent_decode_str(coded).into();
    let encoding = Encoding::for_label(charset.as_bytes())?;
    encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn links(field: &str) -> Vec<Link> {
        parse_links([field.as_bytes()].into_iter())
    }

    /// Target, `rel` as written, title.
    fn short(field: &str) -> Vec<(String, String, String)> {
        let own = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let row = |link: &Link| (link.target.clone(), own(link.param("rel")), own(link.title()));
        links(field).iter().map(row).collect()
    }

    #[test]
    fn fields_as_servers_write_them() {
        for (field, expected) in [
            ("<u>; rel=next", vec![("u", "next", "-")]),
            ("<u>;REL = \"next\" ;title=t", vec![("u", "next", "t")]),
            ("<a>; rel=next, <b>; rel=prev", vec![("a", "next", "-"), ("b", "prev", "-")]),
            ("<a>,<b>", vec![("a", "-", "-"), ("b", "-", "-")]),
            ("<a,b;c>; rel=x", vec![("a,b;c", "x", "-")]),
            (r#"<a>; title="x; y, <z>\"q"; rel=q"#, vec![("a", "q", "x; y, <z>\"q")]),
            ("<u>; rel=next; rel=prev", vec![("u", "next", "-")]),
            ("<u>; title=plain; title*=UTF-8'en'%e2%82%ac", vec![("u", "-", "€")]),
            ("<u>; title*=iso-8859-1''%A3", vec![("u", "-", "£")]),
            ("<u>; title=plain; title*=UTF-8''%ff", vec![("u", "-", "plain")]),
            ("<u>; title=plain; title*=broken", vec![("u", "-", "plain")]),
            ("<u>; rel", vec![("u", "", "-")]),
            ("< u > junk; rel=x", vec![("u", "x", "-")]),
            ("junk, <u>; rel=x", vec![("u", "x", "-")]),
            ("<>; rel=self", vec![("", "self", "-")]),
            ("<u>; rel=\"open", vec![("u", "open", "-")]),
            ("<u; rel=x", vec![]),
            ("u; rel=x", vec![]),
            (",,;", vec![]),
            ("", vec![]),
        ] {
            let own = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
            let expected: Vec<_> = expected.into_iter().map(own).collect();
            assert_eq!(short(field), expected, "{field}");
        }
    }

    #[test]
    fn relation_types_are_found_one_by_one() {
        let links = links("<a>; rel=\"Next  chapter\", <b>; rel=next, <c>");
        assert_eq!(links[0].rel().collect::<Vec<_>>(), ["Next", "chapter"]);
        assert_eq!(by_rel(&links, "next").unwrap().target, "a");
        assert_eq!(by_rel(&links, "CHAPTER").unwrap().target, "a");
        assert_eq!(by_rel(&links, "nex"), None);
        let keys: Vec<_> = links.iter().map(Link::key).collect();
        assert_eq!(keys, ["Next  chapter", "next", "c"], "the keys of requests");
    }

    #[test]
    fn several_fields_are_one_list() {
        let fields = [b"<a>; rel=next".as_slice(), b"<b>; rel=\"\xe9\""];
        let links = parse_links(fields.into_iter());
        assert_eq!(links.len(), 2);
        assert!(links[1].has_rel("\u{e9}"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(b"<>;,=\"\\ *'%u".to_vec())], 0..80,
        )) {
            let links = parse_links([bytes.as_slice()].into_iter());
            let targets = bytes.iter().filter(|&&byte| byte == b'<').count();
            prop_assert!(links.len() <= targets);
        }

        #[test]
        fn what_is_written_is_read(
            list in proptest::collection::vec(("[!-;?-~=]{0,9}", "[a-z]{1,6}", "[ -~]{0,9}"), 0..5),
        ) {
            let write = |(target, rel, title): &(String, String, String)| {
                let title = title.replace('\\', "\\\\").replace('"', "\\\"");
                format!("<{target}>; rel={rel}; title=\"{title}\"")
            };
            let field = list.iter().map(write).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(short(&field), list);
        }
    }
}
