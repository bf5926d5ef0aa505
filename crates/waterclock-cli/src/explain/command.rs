//! The options of `waterclock explain`.

use crate::args::{limits, screen, views};
use crate::times::option;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::path::PathBuf;
use waterclock::Limit;

const AFTER: &str = "\
RUN.json is what `waterclock --save RUN.json URL` has written. Nothing is sent, and
nothing is read from standard input unless RUN.json is -.

A limit says what it would have done with this run, alone or with the others that
are given: `waterclock explain run.json --total 0.12`.
";

pub(super) fn command() -> Command {
    let command = Command::new("waterclock explain")
        .about("Shows a saved run again, and says what other limits would have done with it.")
        .override_usage("waterclock explain RUN.json [OPTIONS]")
        .after_help(AFTER)
        .term_width(80)
        .max_term_width(80)
        .disable_help_flag(true)
        .arg(
            Arg::new("run")
                .value_name("RUN.json")
                .value_parser(value_parser!(PathBuf))
                .help("The saved run document; - is standard input"),
        );
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let json = flag("json", "Prints the document again")
        .conflicts_with_all(["blame", "oneline"])
        .conflicts_with_all(limit_names());
    let secrets = flag("with-secrets", "Leaves credentials and cookies in it, if they are there")
        .requires("json");
    let command = command.next_help_heading("Output").args(views()).args([json, secrets]);
    let command = command.next_help_heading("What if").args(what_if());
    let screen = screen().into_iter().filter(|arg| arg.get_id() != "version");
    command.next_help_heading("Screen").args(screen)
}

/// The limits of a request, by the same names; and by those that errors print. `continue` ends no call.
fn what_if() -> impl Iterator<Item = Arg> {
    let known = limits().into_iter().filter(|arg| arg.get_id() != option(Limit::Continue));
    known.map(|arg| {
        let limit = Limit::ALL.into_iter().find(|&limit| arg.get_id() == option(limit));
        match limit.map(short) {
            Some(name) if arg.get_id() != name => arg.alias(name),
            _ => arg,
        }
    })
}

/// `--head` for `--head-timeout`.
const fn short(limit: Limit) -> &'static str {
    match limit {
        Limit::FirstByte => "first-byte",
        limit => limit.name(),
    }
}

fn limit_names() -> Vec<&'static str> {
    let named = Limit::ALL.into_iter().filter(|&limit| limit != Limit::Continue).map(option);
    ["timeout", "strict"].into_iter().chain(named).collect()
}

/// The limits as they were typed: `--total 0.12`. Empty if there are none.
pub(super) fn asked(matches: &ArgMatches) -> String {
    let mut given: Vec<(usize, String)> = Vec::new();
    for name in limit_names() {
        let (Some(indices), Ok(Some(raw))) = (matches.indices_of(name), matches.try_get_raw(name))
        else {
            continue;
        };
        let typed = indices.zip(raw);
        given
            .extend(typed.map(|(at, value)| (at, format!("--{name} {}", value.to_string_lossy()))));
    }
    given.sort();
    given.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn limits_are_shown_as_they_were_typed() {
        let of = |words: &[&str]| {
            let words = ["explain", "run.json"].iter().chain(words);
            asked(&command().try_get_matches_from(words).unwrap())
        };
        assert_eq!(of(&[]), "");
        assert_eq!(of(&["--head", "0.2", "-m", "120ms"]), "--head-timeout 0.2 --total 120ms");
        assert_eq!(of(&["-t", "1,2"]), "--timeout 1,2");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for words in [&["--json", "--total", "1"][..], &["--blame", "--oneline"]] {
            let words = ["explain", "run.json"].iter().chain(words);
            assert!(command().try_get_matches_from(words).is_err());
        }
    }
}
