//! The options of the lab's commands.

use crate::args::screen;
use crate::times;
use clap::{Arg, ArgAction, Command, value_parser};
use std::path::PathBuf;

fn base(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).term_width(80).max_term_width(80).disable_help_flag(true)
}

/// The options that all of them have, below their own.
pub(super) fn common(command: Command) -> Command {
    let screen = screen().into_iter().filter(|arg| arg.get_id() != "version");
    command.next_help_heading("Screen").args(screen)
}

pub(super) fn serve() -> Command {
    base("waterclock lab", "Serves scripted misbehaviour on 127.0.0.1, to test any client against.")
        .override_usage(
            "waterclock lab                                the list of scenes\n       \
             waterclock lab SCENE|FILE [--port N] [--once] until Ctrl-C\n       \
             waterclock lab show SCENE                     its file, to change\n       \
             waterclock lab format                         what can stand in a file\n       \
             waterclock lab check [...] -- COMMAND {url}   what its limit bounds\n       \
             waterclock lab clients [NAME]                 the same, known ones",
        )
        .arg(
            Arg::new("scene")
                .value_name("SCENE|FILE")
                .required(true)
                .help("A ready scene, or a TOML file"),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("N")
                .value_parser(value_parser!(u16))
                .default_value("0")
                .help("The server's port; 0 is a free one"),
        )
        .arg(
            Arg::new("once")
                .long("once")
                .action(ArgAction::SetTrue)
                .help("Ends when somebody came and has left"),
        )
        .after_help(super::list())
}

pub(super) fn show() -> Command {
    base("waterclock lab show", "Prints the file of a ready scene.")
        .arg(Arg::new("scene").value_name("SCENE").required(true))
}

pub(super) fn check() -> Command {
    base("waterclock lab check", "Runs a client through scenes, and says what its limit bounded.")
        .override_usage("waterclock lab check [OPTIONS] -- COMMAND {url} ...")
        .arg(
            Arg::new("scenes")
                .long("scenes")
                .value_name("A,B,...")
                .value_delimiter(',')
                .help("Scenes or files [default: all ready ones]"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("T")
                .default_value("0.12")
                .value_parser(times::parse_pause)
                .help("The client's limit, {t}. The times of the scenes grow with it"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("T")
                .value_parser(times::parse_pause)
                .help(
                    "Kills the client after this time [default: 5 s, or 40 limits if that is more]",
                ),
        )
        .arg(Arg::new("named").long("named").action(ArgAction::SetTrue).help(
            "{url} has the scene's host name, for a client that asks the name server {dns} (UDP)",
        ))
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("TEXT")
                .help("What the client and its limit are called"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("The results as JSON"))
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .last(true)
                .num_args(1..)
                .required(true)
                .help("The client, with {url}, and {t}, {ca}, {proxy}, {dns} where it needs them"),
        )
        .after_help(CHECK)
}

const CHECK: &str = "\
The client is a program that makes one request, to {url}, and fails if its exit
code is not 0. It should follow redirects. Certificate and proxy are also in the
variables CURL_CA_BUNDLE, SSL_CERT_FILE, REQUESTS_CA_BUNDLE and
NODE_EXTRA_CA_CERTS, http_proxy and https_proxy. A client that measures its call
itself can write the seconds, and on a second line how it ended, into the file
WATERCLOCK_LAB_REPORT; else time runs from its first sign at the server until it
has left. What is late is run up to three times, for this machine may
be busy, and the least late run counts.

  waterclock lab check -- curl -sSL -m {t} {url}
  waterclock lab check --scenes seed,drip-head -- python3 my_client.py {url} {t}

Exit code 0 says that the check was made, whatever it showed.
";

pub(super) fn clients() -> Command {
    base("waterclock lab clients", "What the limits of known clients bound: the shipped results.")
        .arg(Arg::new("client").value_name("NAME").help("All about the clients of this name"))
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Results of others: what `lab check --json` wrote, or a list of that"),
        )
        .arg(
            Arg::new("markdown")
                .long("markdown")
                .action(ArgAction::SetTrue)
                .help("As tables in Markdown"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON"))
        .arg(
            Arg::new("scenes")
                .long("scenes")
                .action(ArgAction::SetTrue)
                .help("What the scenes are, as a list in Markdown"),
        )
}
