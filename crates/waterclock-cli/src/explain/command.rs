//! The options of `waterclock explain`.

use crate::args::{limits, screen, views, write_out};
use crate::slo;
use crate::times::option;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::path::PathBuf;
use waterclock::Limit;

const AFTER: &str = "\
RUN.json is what `waterclock --save RUN.json URL` has written. Nothing is
sent, and nothing is read from standard input unless RUN.json is -.

A limit says what it would have done with this run, alone or with the
others that are given: `waterclock explain run.json --total 0.12`.

--as takes a client's settings as they are written there:
  --as requests timeout=0.12         timeout='(3.05, 27)', timeout=None
  --as urllib3 total=0.12            timeout=, connect=, read=
  --as httpx timeout=0.12            connect=, read=, write=, pool=
  --as aiohttp total=0.12            connect=, sock_connect=, sock_read=
  --as curl --max-time 0.12          -m, --connect-timeout
  --as wget --timeout 0.12           -T, --dns-timeout, --connect-timeout,
                                     --read-timeout
  --as go Client.Timeout=120ms       Dialer.Timeout=, TLSHandshakeTimeout=,
                                     ResponseHeaderTimeout=
Without a setting it is --total or --timeout, given here, else those of the run.
";

pub(crate) fn command() -> Command {
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
    let command = command.arg(
        write_out()
            .conflicts_with_all(["json", "blame", "oneline"])
            .conflicts_with_all(limit_names()),
    );
    let command = command.arg(slo::arg().conflicts_with("json").conflicts_with_all(limit_names()));
    let client = Arg::new("as")
        .long("as")
        .value_name("CLIENT [SETTING...]")
        .num_args(1..)
        .allow_hyphen_values(true)
        .conflicts_with_all(["json", "blame", "oneline", "write-out", "slo"])
        .help(
            "Says what this client would have done, with its own settings: requests, urllib3, httpx, \
             aiohttp, curl, wget or go; everything after it is the client's",
        );
    let command = command.next_help_heading("What if").args(what_if()).arg(client);
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

/// The client that is asked about, and its settings.
pub(super) fn client(matches: &ArgMatches) -> Option<(String, String)> {
    let mut words = matches.get_many::<String>("as")?;
    let name = words.next()?.clone();
    Some((name, words.map(String::as_str).collect::<Vec<_>>().join(" ")))
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
    fn everything_after_a_client_is_for_it() {
        let words = ["explain", "run.json", "--charset", "ascii", "--as", "curl", "-m", "0.12"];
        let matches = command().try_get_matches_from(words).unwrap();
        assert_eq!(client(&matches), Some(("curl".to_owned(), "-m 0.12".to_owned())));
        assert_eq!(asked(&matches), "");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for words in [&["--json", "--total", "1"][..], &["--blame", "--oneline"]] {
            let words = ["explain", "run.json"].iter().chain(words);
            assert!(command().try_get_matches_from(words).is_err());
        }
    }
}
