//! One page with everything: the picture, the verdict, tables, heads. For people.

mod heads;
pub(crate) mod program;
mod summary;
mod tables;

use crate::markup::escape;
use crate::svg::{self, Place};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use waterclock::run::{Run, Secrets};
use waterclock_proto::screen;

const PAGE_STYLE: &str = include_str!("html/page.css");

/// The run as one page that needs no other file and no script: the waterfall as a picture, the verdict in
/// words, and tables of waits, limits, hops and header fields.
///
/// The page follows the reader's choice of light or dark, fits from 360 pixels on (tables and picture
/// scroll in their own place), and reads aloud. Its content security policy allows its own style and
/// nothing else, and everything that others wrote is escaped.
#[must_use]
pub fn html(run: &Run, secrets: Secrets) -> String {
    let style = format!("\n{}{PAGE_STYLE}", svg::STYLE);
    let title = format!("{} {} · waterclock", run.request.method, run.request.url);
    let mut out = head(&title, &style);
    out += "<body>\n<main>\n";
    summary::write(&mut out, run);
    verdict(&mut out, run);
    if let Some(timeline) = &run.timeline {
        picture(&mut out, run);
        tables::waits(&mut out, timeline);
        tables::limits(&mut out, timeline);
        tables::hops(&mut out, timeline);
        tables::attempts(&mut out, timeline);
    }
    heads::error(&mut out, run);
    heads::write(&mut out, run, secrets);
    let _ = writeln!(
        out,
        "<footer>Made by {} {} from the record of one call. This page loads nothing and runs \
         nothing.</footer>",
        crate::NAME,
        crate::VERSION
    );
    out += "</main>\n</body>\n</html>\n";
    out
}

fn head(title: &str, style: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(style));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"{} {}\">\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n",
        crate::NAME,
        crate::VERSION,
        escape(title)
    )
}

/// Begins a section; gives the identifier of its heading.
fn section(out: &mut String, id: &str, heading: &str) {
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>",
        escape(heading)
    );
}

fn verdict(out: &mut String, run: &Run) {
    let sentences = match &run.timeline {
        Some(timeline) => screen::verdict(timeline),
        None => run.error.iter().map(|error| error.message.clone()).collect(),
    };
    let Some((first, rest)) = sentences.split_first() else { return };
    out.push_str("<section class=\"verdict\" aria-label=\"Verdict\">\n");
    let _ = writeln!(out, "<h2 class=\"first\">{}</h2>", escape(first));
    let of_error = run.error.iter().flat_map(|error| &error.remarks);
    for sentence in rest.iter().chain(of_error).chain(&run.remarks) {
        let _ = writeln!(out, "<p>{}</p>", sentence_of(sentence));
    }
    out.push_str("</section>\n");
}

/// What is to be typed is set apart, and stays in one piece.
fn sentence_of(sentence: &str) -> String {
    match sentence.split_once("Try: --") {
        Some((before, option)) => {
            format!("{}Try: <code>--{}</code>", escape(before), escape(option))
        }
        None => escape(sentence),
    }
}

fn picture(out: &mut String, run: &Run) {
    section(out, "picture", "Where the time went");
    out.push_str(
        "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" \
         aria-labelledby=\"picture\">\n",
    );
    out.push_str(&svg::picture(run, &Place { style: &[], edged: false, id: "wc" }));
    out.push_str("\n</div>\n</figure>\n</section>\n");
}
