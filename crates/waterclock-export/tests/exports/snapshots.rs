//! Exports as exact text, in `tests/data`. To renew them after a wanted change, and see the difference:
//! `WATERCLOCK_BLESS=1 cargo test -p waterclock-export --test exports && git diff`.

use crate::{any, runs};
use proptest::prelude::*;
use std::path::PathBuf;
use waterclock::run::{Run, Secrets};
use waterclock_export::{har, html, otlp, svg, trace};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_saved_run_is_exported_as_the_live_one(live in any::runs()) {
        let saved = Run::from_json(&live.to_json(Secrets::Shown)).unwrap();
        prop_assert_eq!(exports(&live), exports(&saved));
    }
}

fn exports(run: &Run) -> [(&'static str, String); 5] {
    [
        ("har", har(run, Secrets::Redacted)),
        ("trace.json", trace(run)),
        ("otlp.json", otlp(run, Secrets::Redacted)),
        ("svg", svg(run)),
        ("html", html(run, Secrets::Redacted)),
    ]
}

#[test]
fn exports_are_what_they_were() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let bless = std::env::var_os("WATERCLOCK_BLESS").is_some();
    let mut differences = Vec::new();
    for (name, run) in runs::all() {
        for (kind, text) in exports(&run) {
            let path = folder.join(format!("{name}.{kind}"));
            if bless {
                std::fs::write(&path, &text).unwrap();
                continue;
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            if kept != text {
                differences.push(format!("{}:\n{}", path.display(), difference(&kept, &text)));
            }
        }
    }
    let advice = "If that is wanted: WATERCLOCK_BLESS=1 cargo test -p waterclock-export";
    assert!(differences.is_empty(), "{}\n{advice}", differences.join("\n"));
}

#[test]
fn a_saved_run_is_exported_as_the_live_one() {
    for (name, live) in runs::all() {
        let saved = Run::from_json(&live.to_json(Secrets::Shown)).unwrap();
        for ((kind, live), (_, saved)) in exports(&live).iter().zip(&exports(&saved)) {
            assert!(live == saved, "{name}.{kind}:\n{}", difference(live, saved));
        }
    }
}

/// The first lines that differ, with the line before them.
fn difference(kept: &str, made: &str) -> String {
    let (kept, made): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), made.lines().collect());
    let same = kept.iter().zip(&made).take_while(|(a, b)| a == b).count();
    let show = |sign: char, lines: &[&str]| -> String {
        lines.iter().skip(same).take(5).map(|line| format!("  {sign} {line}\n")).collect()
    };
    let before = same.checked_sub(1).and_then(|at| kept.get(at)).unwrap_or(&"");
    format!("  line {}:\n    {before}\n{}{}", same + 1, show('-', &kept), show('+', &made))
}

#[test]
fn a_difference_is_shown_where_it_begins() {
    assert_eq!(difference("a\nb\nc", "a\nx\nc"), "  line 2:\n    a\n  - b\n  - c\n  + x\n  + c\n");
}
