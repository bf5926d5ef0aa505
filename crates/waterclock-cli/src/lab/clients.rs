//! `waterclock lab clients`: the shipped results, made by `scripts/client_table`.

use super::document::{Results, Row};
use super::{table, usage};
use crate::exit::Exit;
use crate::output::print;
use crate::report::wrap;
use clap::ArgMatches;
use std::path::PathBuf;
use waterclock::screen::{Style, escape};
use waterclock_lab::scene::{Scene, ready};

const SHIPPED: &str = include_str!("clients.json");

/// The scenes that a table shows, the most telling ones first.
const COLUMNS: [&str; 8] = [
    "seed",
    "tls-pieces",
    "drip-head",
    "drip-body",
    "stall-head",
    "stall-body",
    "slow-redirects",
    "slow-name",
];

pub(super) fn main(matches: &ArgMatches, style: &Style) -> Exit {
    if matches.get_flag("scenes") {
        return print(&scenes());
    }
    let all = match read(matches.get_one::<PathBuf>("from")) {
        Ok(all) => all,
        Err(message) => return usage(&message),
    };
    let wanted = matches.get_one::<String>("client").map(|name| name.to_lowercase());
    let is_wanted = |results: &&Results| {
        wanted.as_ref().is_none_or(|name| results.client.to_lowercase().contains(name.as_str()))
    };
    let found: Vec<&Results> = all.iter().filter(is_wanted).collect();
    if found.is_empty() {
        let names: Vec<&str> = all.iter().map(|results| results.client.as_str()).collect();
        let message = format!("no such client; there are: {}", names.join("; "));
        return usage(&escape(&message));
    }
    if matches.get_flag("json") {
        let list: Vec<String> = found.iter().map(|results| results.write()).collect();
        return print(&format!("[{}]\n", list.join(",\n")));
    }
    if matches.get_flag("markdown") {
        return print(&markdown(&found));
    }
    print(&match wanted {
        Some(_) => found.iter().map(|results| one(results, style)).collect::<String>(),
        None => overview(&found, style),
    })
}

fn read(file: Option<&PathBuf>) -> Result<Vec<Results>, String> {
    let Some(path) = file else { return Results::read_all(SHIPPED) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", escape(&name)))?;
    Results::read_all(&text).map_err(|message| format!("{}: {}", escape(&name), escape(&message)))
}

/// A line for each client, with as many scenes as fit.
fn overview(all: &[&Results], style: &Style) -> String {
    let names = all.iter().map(|results| escape(&results.client).chars().count());
    let first = names.max().unwrap_or_default() + 2;
    let room = style.width.saturating_sub(first) / CELL;
    let columns = COLUMNS.get(..room.clamp(3, COLUMNS.len())).unwrap_or(&COLUMNS);
    let mut out = format!("{:<first$}", "");
    for name in columns {
        out += &format!("{name:<CELL$}");
    }
    out = format!("{}\n", out.trim_end());
    for results in all {
        let mut line = format!("{:<first$}", escape(&results.client));
        for name in columns {
            line += &format!("{:<CELL$}", cell(results, name));
        }
        out += &format!("{}\n", table::fitted(&line, style));
    }
    out.push('\n');
    wrap(&mut out, table::KEY, 0, 0, style);
    wrap(&mut out, "More about one: waterclock lab clients NAME", 0, 0, style);
    out
}

/// The columns of a scene.
const CELL: usize = 14;

fn cell(results: &Results, scene: &str) -> String {
    let Some(row) = results.rows.iter().find(|row| row.scene == scene) else {
        return String::new();
    };
    match (row.ended.as_str(), table::word(&row.bounded)) {
        ("skipped", _) => "not tested".to_owned(),
        (_, word) => format!("{word} {}", table::time(row.took)),
    }
}

/// Everything about one client.
fn one(results: &Results, style: &Style) -> String {
    let mut out =
        format!("{}, with t = {} s\n\n", escape(&results.client), results.limit.as_secs_f64());
    out += &table::header();
    for row in &results.rows {
        out += &table::line(row, style);
    }
    out.push('\n');
    wrap(&mut out, &escape(&results.verdict), 0, 0, style);
    out.push('\n');
    out
}

/// The overview as a table, then a sentence for each client.
fn markdown(all: &[&Results]) -> String {
    let mut out = format!("| client | {} |\n", COLUMNS.join(" | "));
    out += &format!("|---|{}\n", "---|".repeat(COLUMNS.len()));
    for results in all {
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|scene| results.rows.iter().find(|row| row.scene == *scene))
            .map(|row| row.map_or_else(|| "–".to_owned(), markdown_cell))
            .collect();
        out += &format!("| {} | {} |\n", plain(&results.client), cells.join(" | "));
    }
    out.push('\n');
    for results in all {
        out += &format!("- {}\n", plain(&results.verdict));
    }
    out
}

fn markdown_cell(row: &Row) -> String {
    let took = table::time(row.took);
    match (row.bounded.as_str(), row.ended.as_str()) {
        (_, "skipped") => "–".to_owned(),
        ("yes", _) => format!("fails at {took}"),
        ("late", _) => format!("fails late, at **{took}**"),
        ("no", "killed") => format!("**waits on**, killed after {took}"),
        ("no", _) => format!("**ends well after {took}**"),
        (_, "well") => format!("over after {took}"),
        _ => format!("fails after {took}"),
    }
}

/// What the scenes are.
fn scenes() -> String {
    let line = |scene: Scene| format!("- **{}**: {}\n", scene.name, plain(&scene.description));
    ready().into_iter().map(line).collect()
}

/// Nothing in it means something in Markdown.
fn plain(text: &str) -> String {
    let text = escape(text);
    text.chars().fold(String::new(), |mut out, c| {
        if "\\`*_{}[]<>|#".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::{results, row};
    use super::*;
    use waterclock::screen::Charset;

    #[test]
    fn the_shipped_results_can_be_read() {
        assert!(read(None).is_ok());
    }

    fn sample() -> Results {
        results(vec![
            row("seed", "badly", "yes", 121),
            row("tls-pieces", "badly", "late", 204),
            row("drip-head", "well", "no", 1_803),
            row("stall-head", "killed", "no", 5_000),
            row("slow-name", "skipped", "untested", 0),
        ])
    }

    #[test]
    fn an_overview_has_as_many_scenes_as_fit() {
        let style =
            Style { width: 60, charset: Charset::Unicode, color: false, ambiguous_wide: false };
        let text = overview(&[&sample()], &style);
        let lines: Vec<&str> = text.lines().take(2).collect();
        assert_eq!(
            lines,
            [
                "           seed          tls-pieces    drip-head",
                "curl -m t  yes 121 ms    LATE 204 ms   NO 1.80 s",
            ]
        );
    }

    #[test]
    fn markdown_says_what_happened() {
        let mut sample = sample();
        sample.client = "a|b *c*".to_owned();
        let text = markdown(&[&sample]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2],
            "| a\\|b \\*c\\* | fails at 121 ms | fails late, at **204 ms** | **ends well after 1.80 s** | – | \
             **waits on**, killed after 5.00 s | – | – | – |"
        );
        assert_eq!(lines[4], "- It bounds everything.");
    }
}
