//! The command line: which options there are, and what they say.

use crate::items::{self, HeaderItem};
use crate::times;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::net::IpAddr;
use std::path::PathBuf;
use waterclock::{Limit, ResolveOverride};

const LIMITS: &str = "Limits (seconds, or 120ms, 3s, 2m; none for no limit)";
const REQUEST: &str = "Request";
const OUTPUT: &str = "Output";
const CONNECTION: &str = "Connection";
const TLS: &str = "TLS";
const SCREEN: &str = "Screen";

/// The program's options and operands.
pub(crate) fn command() -> Command {
    let command = Command::new("waterclock")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Makes an HTTP request and says where the time went.")
        .override_usage("waterclock [METHOD] URL [ITEM...] [OPTIONS]\n       waterclock demo [SCENE...|list|all]\n       waterclock help timeouts")
        .after_help(crate::help::AFTER)
        .term_width(80)
        .max_term_width(80)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("words")
                .value_name("[METHOD] URL [ITEM...]")
                .num_args(0..)
                .help("The method (GET, or POST if there is a body), the URL, and request items"),
        );
    let command = command.next_help_heading(REQUEST).args(request());
    let command = command.next_help_heading(LIMITS).args(limits());
    let command = command.next_help_heading(OUTPUT).args(output());
    let command = command.next_help_heading(CONNECTION).args(connection());
    let command = command.next_help_heading(TLS).args(tls());
    command.next_help_heading(SCREEN).args(screen())
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn value(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help)
}

fn request() -> [Arg; 9] {
    [
        value("request", "METHOD", "The method")
            .short('X')
            .value_parser(NonEmptyStringValueParser::new()),
        value("header", "NAME: VALUE", "Sets a header; 'Name;' sends it empty, 'Name:' not at all")
            .short('H')
            .action(ArgAction::Append)
            .value_parser(items::parse_header),
        value("data", "DATA|@FILE", "Sends DATA, or what is in FILE, as it is").short('d'),
        flag("stdin", "Streams the body from standard input, which is not read otherwise")
            .conflicts_with("data"),
        flag("form", "Sends fields as a form instead of JSON"),
        flag("expect-continue", "Waits for '100 Continue' before the body is sent"),
        flag("no-decode", "Leaves gzip and other content codings as they are"),
        flag("fail", "Takes a status of 400 or above for a failure (exit code 22, no body)")
            .short('f'),
        value("user-agent", "NAME", "Sets User-Agent").short('A').hide_short_help(true),
    ]
}

fn limits() -> Vec<Arg> {
    let time = |arg: Arg| arg.value_name("T").allow_negative_numbers(true);
    let mut args = vec![
        time(Arg::new("timeout").long("timeout").short('t'))
            .value_name("T|C,R")
            .value_parser(times::parse_pair)
            .help(
                "What timeout= means in Python's requests: C for the lookup and for connecting, \
                 sending and the TLS handshake, R for each wait for bytes; nothing adds up",
            ),
        time(Arg::new("strict").long("strict"))
            .value_parser(times::parse)
            .help("--total T, and T for every limit that is not set"),
    ];
    args.extend(Limit::ALL.into_iter().map(|limit| {
        let arg = Arg::new(times::option(limit)).long(times::option(limit));
        let arg = match limit {
            Limit::Total => arg.short('m').visible_alias("max-time"),
            _ => arg,
        };
        time(arg).value_parser(times::parse).help(crate::help::bounds(limit))
    }));
    args
}

fn output() -> [Arg; 6] {
    [
        value("output", "FILE", "Writes the body to FILE; '-' is standard output, even a terminal")
            .short('o'),
        flag("include", "Writes the response's head before the body").short('i'),
        flag("json", "Writes the run document, as JSON, instead of the body"),
        value("save", "FILE", "Writes the run document to FILE")
            .value_parser(value_parser!(PathBuf)),
        flag("with-secrets", "Leaves credentials and cookies in the run document"),
        Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::Count)
            .help("Shows no waterfall; -qq shows no error either"),
    ]
}

fn connection() -> [Arg; 4] {
    [
        value("resolve", "HOST:PORT:ADDR", "Uses this address for HOST and PORT; may be repeated")
            .action(ArgAction::Append)
            .value_parser(value_parser!(ResolveOverride)),
        value("proxy", "[http://]HOST[:PORT]", "Goes through this HTTP proxy").short('x'),
        value("unix-socket", "PATH", "Connects to this Unix socket, whatever the URL's host is")
            .value_parser(value_parser!(PathBuf)),
        value("local-address", "IP", "Connects from this address")
            .value_parser(value_parser!(IpAddr)),
    ]
}

fn tls() -> [Arg; 6] {
    [
        value("cacert", "FILE|DIR", "Trusts these root certificates (PEM) and no others")
            .value_parser(value_parser!(PathBuf)),
        value("cert", "FILE", "Shows this client certificate (PEM)")
            .short('E')
            .value_parser(value_parser!(PathBuf)),
        value("key", "FILE", "The client certificate's private key, if not in its file")
            .requires("cert")
            .value_parser(value_parser!(PathBuf)),
        value(
            "pinnedpubkey",
            "sha256//BASE64",
            "Accepts only this public key; ';' between several",
        ),
        value("tls-min", "VERSION", "The oldest TLS version to accept")
            .value_parser(PossibleValuesParser::new(["1.2", "1.3"])),
        flag("insecure", "Accepts every certificate: anybody on the way can read and change all")
            .short('k'),
    ]
}

pub(crate) fn screen() -> [Arg; 6] {
    let one_of = |arg: Arg, values: [&'static str; 3]| {
        arg.default_value("auto").value_parser(PossibleValuesParser::new(values))
    };
    [
        one_of(value("color", "WHEN", "Colours on standard error"), ["auto", "always", "never"]),
        one_of(value("charset", "SET", "What bars are drawn with"), ["auto", "unicode", "ascii"]),
        value(
            "ambiguous-width",
            "COLUMNS",
            "2 if the terminal draws █ over two columns (Korean, Japanese and Chinese ones may)",
        )
        .default_value("1")
        .value_parser(PossibleValuesParser::new(["1", "2"])),
        Arg::new("h").short('h').action(ArgAction::SetTrue).help("Prints a short help"),
        flag("help", "Prints this help"),
        flag("version", "Prints the version").short('V'),
    ]
}

/// Where the body comes from.
#[derive(Debug, Default)]
pub(crate) enum Data {
    #[default]
    None,
    Text(String),
    File(PathBuf),
    Stdin,
}

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) words: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<HeaderItem>,
    pub(crate) data: Data,
    pub(crate) form: bool,
    pub(crate) expect_continue: bool,
    pub(crate) decode: bool,
    pub(crate) fail: bool,
    pub(crate) limits: times::Wanted,
    pub(crate) output: Option<String>,
    pub(crate) include: bool,
    pub(crate) json: bool,
    pub(crate) save: Option<PathBuf>,
    pub(crate) with_secrets: bool,
    pub(crate) quiet: u8,
    pub(crate) resolve: Vec<ResolveOverride>,
    pub(crate) proxy: Option<String>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) trust: Trust,
    pub(crate) screen: Screen,
}

/// The options about TLS.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) pins: Option<String>,
    pub(crate) only_tls13: bool,
    pub(crate) insecure: bool,
}

/// The options about the screen; the defaults are clap's.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) color: String,
    pub(crate) charset: String,
    pub(crate) ambiguous_wide: bool,
}

impl Options {
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let mut headers: Vec<HeaderItem> = all(matches, "header");
        headers.extend(
            text("user-agent")
                .map(|value| HeaderItem { name: "User-Agent".into(), value: Some(value) }),
        );
        Options {
            words: all(matches, "words"),
            method: text("request"),
            headers,
            data: data(text("data"), matches.get_flag("stdin")),
            form: matches.get_flag("form"),
            expect_continue: matches.get_flag("expect-continue"),
            decode: !matches.get_flag("no-decode"),
            fail: matches.get_flag("fail"),
            limits: wanted(matches),
            output: text("output"),
            include: matches.get_flag("include"),
            json: matches.get_flag("json"),
            save: path("save"),
            with_secrets: matches.get_flag("with-secrets"),
            quiet: matches.get_count("quiet"),
            resolve: all(matches, "resolve"),
            proxy: text("proxy"),
            unix_socket: path("unix-socket"),
            local_address: matches.get_one("local-address").copied(),
            trust: Trust {
                cacert: path("cacert"),
                cert: path("cert"),
                key: path("key"),
                pins: text("pinnedpubkey"),
                only_tls13: text("tls-min").as_deref() == Some("1.3"),
                insecure: matches.get_flag("insecure"),
            },
            screen: Screen::read(matches),
        }
    }
}

impl Screen {
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
        Screen {
            color: text("color"),
            charset: text("charset"),
            ambiguous_wide: text("ambiguous-width") == "2",
        }
    }
}

fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    matches.get_many(name).map(|values| values.cloned().collect()).unwrap_or_default()
}

fn data(data: Option<String>, stdin: bool) -> Data {
    match data {
        _ if stdin => Data::Stdin,
        None => Data::None,
        Some(data) => match data.strip_prefix('@') {
            Some(path) => Data::File(path.into()),
            None => Data::Text(data),
        },
    }
}

type Time = Option<std::time::Duration>;

fn wanted(matches: &ArgMatches) -> times::Wanted {
    let named = Limit::ALL.into_iter().filter_map(|limit| {
        matches.get_one::<Time>(times::option(limit)).map(|value| (limit, *value))
    });
    times::Wanted {
        timeout: matches.get_one("timeout").copied(),
        strict: matches.get_one("strict").copied(),
        named: named.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_limit_has_an_option() {
        let command = command();
        for limit in Limit::ALL {
            let found =
                command.get_arguments().any(|arg| arg.get_long() == Some(times::option(limit)));
            assert!(found, "{limit}");
        }
    }
}
