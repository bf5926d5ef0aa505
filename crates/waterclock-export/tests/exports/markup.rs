//! SVG and HTML: well-formed whatever others wrote, without anything that runs or loads, legible in
//! light and dark.

use crate::{any, runs};
use proptest::prelude::*;
use std::collections::BTreeMap;
use waterclock::run::{Run, Secrets};
use waterclock_export::{html, svg};

/// Elements of HTML that have no end tag.
const VOID: [&str; 2] = ["meta", "br"];

/// What was found in a document that is well-formed.
#[derive(Default)]
pub(crate) struct Found {
    /// Elements with their attributes.
    pub(crate) elements: Vec<(String, BTreeMap<String, String>)>,
    /// Text, references resolved.
    pub(crate) text: String,
}

/// Reads the markup that the exports write, and nothing else: every tag closed in its order, every
/// attribute quoted, no character that XML 1.0 forbids.
pub(crate) fn read(markup: &str) -> Found {
    let bad = |c: char| {
        (c < ' ' && c != '\n')
            || matches!(c, '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}')
    };
    assert!(!markup.contains(bad), "{:?}", markup.chars().find(|&c| bad(c)));
    let mut found = Found::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = markup.strip_prefix("<!DOCTYPE html>").unwrap_or(markup);
    while let Some((text, tail)) = rest.split_once('<') {
        assert!(!text.contains('>') || open.last().is_some_and(|name| name == "style"), "{text}");
        found.text += &resolved(text);
        let (tag, after) = tail.split_once('>').expect("an open tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{markup}");
            continue;
        }
        let alone = tag.ends_with('/');
        let (name, attributes) = element(tag.trim_end_matches('/'));
        if !alone && !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        found.elements.push((name, attributes));
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    found
}

fn element(tag: &str) -> (String, BTreeMap<String, String>) {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        let (name, tail) = rest.split_once("=\"").expect("a quoted attribute");
        let (value, after) = tail.split_once('"').expect("the end of an attribute");
        let known = attributes.insert(name.trim().to_owned(), resolved(value));
        assert!(known.is_none(), "twice in {tag}");
        rest = after;
    }
    (name.to_owned(), attributes)
}

fn resolved(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out += parts.next().unwrap_or_default();
    for part in parts {
        let (name, rest) = part.split_once(';').expect("a reference");
        out += match name {
            "lt" => "<",
            "gt" => ">",
            "amp" => "&",
            "quot" => "\"",
            "#39" => "'",
            unknown => panic!("&{unknown};"),
        };
        out += rest;
    }
    out
}

/// Nothing runs, nothing is loaded, nothing leads away.
pub(crate) fn check_still(found: &Found) {
    for (name, attributes) in &found.elements {
        let calm = [
            "html", "head", "meta", "title", "style", "body", "main", "header", "footer",
            "section", "figure", "div", "span", "p", "h1", "h2", "b", "small", "code", "dl", "dt",
            "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "desc", "defs",
            "pattern", "line", "rect", "g", "path", "circle", "text", "a",
        ];
        assert!(calm.contains(&name.as_str()), "<{name}>");
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on"), "{attribute}");
            let leads = ["src", "href", "style", "xlink:href"].contains(&attribute.as_str());
            let stays = name == "a" && attribute == "href" && value.starts_with('#');
            assert!(!leads || stays, "{attribute}");
            let hatch = value.strip_prefix("url(#wc").and_then(|rest| rest.strip_suffix("-hatch)"));
            let here = !value.contains("url(") || hatch.is_some_and(|id| !id.contains('('));
            assert!(here, "{value}");
        }
    }
}

fn check(run: &Run) -> (Found, Found) {
    let picture = read(&svg(run));
    check_still(&picture);
    let page = read(&html(run, Secrets::Shown));
    check_still(&page);
    (picture, page)
}

#[test]
fn every_run_is_well_formed_and_still() {
    for (name, run) in runs::all() {
        println!("{name}");
        check(&run);
    }
}

#[test]
fn what_others_wrote_is_text() {
    let (picture, page) = check(&runs::hostile());
    let shown = "</script></style></title><img src=x onerror=alert(1)>\"'&amp;]]>--\\u{202e}\\u{7f}\\u{feff}\\u{ffff}";
    assert!(page.text.matches(shown).count() >= 6, "{}", page.text);
    assert!(page.text.contains("a\\u{0}b\\u{1b}[2J"), "{}", page.text);
    assert!(page.text.contains("</script><b>\\u{202e}\\u{80}"));
    assert!(picture.text.contains(shown));
}

#[test]
fn the_policy_allows_the_page_its_own_style_and_nothing_else() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let page = html(&runs::seed(), Secrets::Redacted);
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, after) = rest.split_once("</style>").unwrap();
    assert!(!after.contains("<style"), "one style");
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let meta = |(name, of): &&(String, BTreeMap<String, String>)| {
        name == "meta" && of.get("http-equiv").is_some_and(|name| name == "Content-Security-Policy")
    };
    let found = read(&page);
    assert_eq!(found.elements.iter().find(meta).unwrap().1["content"], policy);
    assert!(!style.contains("@import") && !style.contains("url("));
}

#[test]
fn readers_of_screens_are_told_what_things_are() {
    let found = read(&html(&runs::hops(), Secrets::Redacted));
    let all = |name: &str| {
        found.elements.iter().filter(|(n, _)| n == name).map(|(_, of)| of).collect::<Vec<_>>()
    };
    assert_eq!(all("html")[0]["lang"], "en");
    assert!(all("th").iter().all(|th| th.contains_key("scope")));
    assert_eq!(all("svg")[0]["role"], "img");
    let ids: Vec<&String> = found.elements.iter().filter_map(|(_, of)| of.get("id")).collect();
    let named = found.elements.iter().filter_map(|(_, of)| of.get("aria-labelledby"));
    for id in named.flat_map(|names| names.split(' ')) {
        assert_eq!(ids.iter().filter(|known| **known == id).count(), 1, "{id}");
    }
    assert!(all("caption").len() >= 4);
    for words in [
        "56% of 250",
        "✗ expired",
        "abandoned",
        "한국인터넷정보센터.한국",
        "503 Service Unavailable",
    ] {
        assert!(found.text.contains(words), "{words}");
    }
}

#[test]
fn secrets_are_shown_only_if_that_is_asked_for() {
    let page = html(&runs::seed(), Secrets::Redacted);
    assert!(!page.contains("hush") && !page.contains("c2VjcmV0") && page.contains("[redacted]"));
    assert!(html(&runs::seed(), Secrets::Shown).contains("c2VjcmV0"));
}

#[test]
fn the_picture_shows_limits_and_what_was_left_of_them() {
    let picture = svg(&runs::seed());
    assert_eq!(picture.matches("-left\" x=").count(), 5, "four waits, and the legend");
    assert!(picture.contains(">93% of 120</text>") && picture.contains(">no limit</text>"));
    assert!(!picture.contains("class=\"fired\""));
    let fired = svg(&runs::deadline());
    assert!(fired.contains("class=\"fired\"") && fired.contains("✗ total limit of 120 ms fired"));
    assert!(fired.contains("class=\"cross\"") && fired.contains("not reached: send request"));
}

#[test]
fn ten_thousand_waits_are_a_small_picture() {
    let picture = svg(&runs::drip(10_000));
    assert!(picture.contains("read body ×9991") && picture.len() < 12_000, "{}", picture.len());
}

/// WCAG 2.2: at least 4.5 for text, 3 for what is not text.
#[test]
fn colours_are_told_apart_from_their_ground() {
    let style =
        ["", include_str!("../../src/svg/chart.css"), include_str!("../../src/html/page.css")];
    let style = style.join("\n");
    let light = colours(&style, "\n:root{");
    let mut dark = light.clone();
    dark.extend(colours(&style, "dark){:root{"));
    assert!(light.len() > 15 && dark["--wc-bg"] != light["--wc-bg"], "{light:?}");
    for theme in [light, dark] {
        let ratio = |a: &str, b: &str| {
            let (a, b) = (luminance(theme[a]), luminance(theme[b]));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        for ground in ["--wc-bg", "--wc-band", "--page"] {
            for text in ["--wc-ink", "--wc-soft", "--wc-calm", "--wc-warm-text", "--wc-hot-text"] {
                assert!(ratio(text, ground) >= 4.5, "{text} on {ground}: {}", ratio(text, ground));
            }
        }
        for (text, ground) in [("--good", "--good-back"), ("--wc-hot-text", "--bad-back")] {
            assert!(ratio(text, ground) >= 4.5, "{text} on {ground}: {}", ratio(text, ground));
        }
        for bar in ["--wc-calm", "--wc-warm", "--wc-hot", "--wc-free"] {
            for ground in ["--wc-bg", "--wc-band"] {
                assert!(ratio(bar, ground) >= 3.0, "{bar} on {ground}: {}", ratio(bar, ground));
            }
        }
        for bar in ["calm", "warm", "hot"] {
            let (bar, left) = (format!("--wc-{bar}"), format!("--wc-{bar}-left"));
            assert!(ratio(&bar, &left) >= 2.0, "{bar}: {}", ratio(&bar, &left));
        }
    }
}

/// The colours by name that blocks with this beginning set.
fn colours(style: &str, start: &str) -> BTreeMap<String, [f64; 3]> {
    let blocks = style.split(start).skip(1).map(|block| block.split('}').next().unwrap());
    let pairs = blocks.flat_map(|block| block.split(';')).filter_map(|part| part.split_once(':'));
    pairs.filter_map(|(name, value)| Some((name.trim().to_owned(), colour(value)?))).collect()
}

/// `#abc` or `#aabbcc`.
fn colour(value: &str) -> Option<[f64; 3]> {
    let digits: Vec<u32> =
        value.trim().strip_prefix('#')?.chars().filter_map(|c| c.to_digit(16)).collect();
    let of = |high: u32, low: u32| f64::from(high * 16 + low) / 255.0;
    match digits[..] {
        [r, g, b] => Some([of(r, r), of(g, g), of(b, b)]),
        [a, b, c, d, e, f] => Some([of(a, b), of(c, d), of(e, f)]),
        _ => None,
    }
}

fn luminance(rgb: [f64; 3]) -> f64 {
    let linear =
        rgb.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_run_is_well_formed_and_still(run in any::runs(), words in any::<String>()) {
        let mut run = run;
        run.request.method.clone_from(&words);
        run.request.url.clone_from(&words);
        check(&run);
    }
}
