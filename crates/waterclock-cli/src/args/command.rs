//! Which options there are, and what they say.

use crate::{exports, items, parts, policy, repeat, slo, times};
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, Command, value_parser};
use std::net::IpAddr;
use std::path::PathBuf;
use waterclock::{Limit, ResolveOverride};

const LIMITS: &str = "Limits (seconds, or 120ms, 3s, 2m; none for no limit)";
const REQUEST: &str = "Request";
const CREDENTIALS: &str = "Credentials";
const COOKIES: &str = "Cookies and sessions";
const REDIRECTS: &str = "Redirects and retries";
const OUTPUT: &str = "Output";
const EXPORTS: &str = "Exports of the run (to FILE; - is standard output, instead of the body)";
const CONNECTION: &str = "Connection";
const TLS: &str = "TLS";
const SCREEN: &str = "Screen";

/// The program's options and operands.
pub(crate) fn command() -> Command {
    let command = Command::new("waterclock")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Makes an HTTP request and says where the time went.")
        .override_usage(concat!(
            "waterclock [METHOD] URL [ITEM...] [OPTIONS]\n",
            "       waterclock explain RUN.json [OPTIONS]\n",
            "       waterclock convert RUN.json --html FILE ...\n",
            "       waterclock lab [SCENE|FILE|check|clients]\n",
            "       waterclock demo [SCENE...|list|all]\n",
            "       waterclock env\n",
            "       waterclock generate complete-bash|man|...\n",
            "       waterclock help timeouts"
        ))
        .after_help(crate::help::AFTER)
        .term_width(80)
        .max_term_width(80)
        // The configuration file comes first, and the command line goes before it.
        .args_override_self(true)
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
    let command = command.next_help_heading(CREDENTIALS).args(credentials());
    let command = command.next_help_heading(COOKIES).args(cookies());
    let command = command.next_help_heading(REDIRECTS).args(redirects());
    let command = command.next_help_heading(OUTPUT).args(output()).args(repeat::args());
    let command = command.next_help_heading(EXPORTS).args(exports::args());
    let command = command.next_help_heading(CONNECTION).args(connection());
    let command = command.next_help_heading(TLS).args(tls());
    command.next_help_heading(SCREEN).args(views()).args(configuration()).args(screen())
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn value(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help)
}

fn request() -> [Arg; 14] {
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
        flag("multipart", "Sends fields as multipart/form-data, as a file among them does"),
        value("part", "NAME=VALUE|NAME=@FILE", PART)
            .short('F')
            .action(ArgAction::Append)
            .value_parser(parts::parse)
            .conflicts_with_all(["data", "stdin"]),
        flag("expect-continue", "Waits for '100 Continue' before the body is sent"),
        flag("compressed", "Asks for a compressed body and undoes that; the default")
            .overrides_with("no-compressed"),
        flag("no-compressed", "Asks for a body that is not compressed"),
        flag("no-decode", "Leaves gzip and other content codings as they are"),
        flag("fail", "Takes a status of 400 or above for a failure (exit code 22, no body)")
            .short('f'),
        flag("curl", "Prints the curl command for the same request, and sends nothing"),
        value("user-agent", "NAME", "Sets User-Agent").short('A').hide_short_help(true),
    ]
}

const PART: &str = "Adds a part to a form with files (multipart/form-data): a value, '=@FILE' a file, \
    '=<FILE' a value from a file; ';type=TYPE' and ';filename=NAME' may follow";

fn credentials() -> [Arg; 6] {
    [
        value(
            "auth",
            "USER[:PASSWORD]",
            "Sends user name and password (Basic); asks for a missing password on a terminal",
        )
        .short('u')
        .visible_alias("user"),
        flag("digest", "Answers the server's challenge, and sends no password (with --auth)")
            .requires("auth"),
        value("bearer", "TOKEN", "Sends a token")
            .visible_alias("oauth2-bearer")
            .conflicts_with("auth"),
        flag("netrc", "Insists on the file that NETRC names, or ~/.netrc"),
        value("netrc-file", "FILE", "Takes credentials by host from FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("netrc"),
        flag("no-env", "Takes neither proxies nor .netrc from the environment"),
    ]
}

fn cookies() -> [Arg; 4] {
    [
        value("cookie", "NAME=VALUE|FILE", "Sends this cookie to the URL's origin, or those of FILE to whom they are for")
            .short('b')
            .action(ArgAction::Append),
        value("cookie-jar", "FILE", "Reads cookies from FILE, if there is one, and writes them there at the end")
            .short('c')
            .value_parser(value_parser!(PathBuf)),
        value("session", "FILE", "Keeps cookies, and the headers and credentials that are given, in FILE; SECRETS as they are")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("cookie-jar"),
        value("session-read-only", "FILE", "The same, without writing FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with_all(["session", "cookie-jar"]),
    ]
}

fn redirects() -> [Arg; 9] {
    [
        flag("follow", "Follows redirects; without it a redirect is a response like any other")
            .short('L')
            .visible_alias("location"),
        value(
            "max-redirects",
            "N",
            "Follows up to N of them (30 with --follow alone); one more is an error",
        )
        .visible_alias("max-redirs")
        .value_parser(value_parser!(u32)),
        flag("keep-method", "Leaves a POST a POST, with its body, after 301 and 302"),
        value("retry", "N", "Tries up to N times more, where nothing can happen twice by that")
            .value_parser(value_parser!(u32)),
        value("retry-backoff", "T", "Waits 0, 2T, 4T, 8T... before the retries [0.5 s]")
            .allow_negative_numbers(true)
            .value_parser(times::parse_pause)
            .requires("retry"),
        value("retry-max-delay", "T", "The longest wait, also if Retry-After asks for more")
            .allow_negative_numbers(true)
            .value_parser(times::parse_pause)
            .requires("retry"),
        value(
            "retry-status",
            "CODE,...",
            "The statuses to retry [408,429,500,502,503,504]; or none",
        )
        .value_parser(policy::parse_statuses)
        .requires("retry"),
        flag("retry-all-methods", "Also what may then happen twice, such as POST")
            .requires("retry"),
        flag("no-retry-after", "Ignores the server's Retry-After").requires("retry"),
    ]
}

pub(crate) fn limits() -> Vec<Arg> {
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

const CAPTURE: &str = "Keeps what went over the sockets in the run document, for convert --pcapng: \
    without TLS ALL TEXT of the call; with --save or --json";

/// What is written about a call in a form of the user's own.
pub(crate) fn write_out() -> Arg {
    value(
        "write-out",
        "FORMAT|@FILE",
        "Writes this about the call, with curl's variables: '%{time_total}\\n'",
    )
    .short('w')
    .allow_hyphen_values(true)
}

fn output() -> [Arg; 15] {
    [
        value("output", "FILE", "Writes the body to FILE; '-' is standard output, even a terminal")
            .short('o'),
        flag("remote-name", "Writes it to a file named as the URL's last part; an old one is kept")
            .short('O')
            .conflicts_with("output"),
        flag("remote-header-name", "With -O: named as the server says, if it does")
            .short('J')
            .requires("remote-name"),
        flag("overwrite", "Lets -O overwrite a file"),
        flag("continue", "Goes on where FILE ends; starts over if the server's file has changed")
            .conflicts_with("remote-header-name"),
        Arg::new("continue-at")
            .short('C')
            .value_name("-")
            .value_parser(PossibleValuesParser::new(["-"]))
            .hide_possible_values(true)
            .conflicts_with("remote-header-name")
            .help("curl's way to say --continue: '-C -'"),
        flag("no-progress", "Shows neither a download's progress nor what the call waits for"),
        flag("include", "Writes the response's head before the body").short('i'),
        flag("json", "Writes the run document, as JSON, instead of the body"),
        write_out(),
        slo::arg(),
        value("save", "FILE", "Writes the run document to FILE")
            .value_parser(value_parser!(PathBuf)),
        flag("capture", CAPTURE),
        flag("with-secrets", "Leaves credentials and cookies in the run document and in exports"),
        Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::Count)
            .help("Shows no waterfall; -qq shows no error either"),
    ]
}

fn connection() -> [Arg; 7] {
    [
        value("resolve", "HOST:PORT:ADDR", "Uses this address for HOST and PORT; may be repeated")
            .action(ArgAction::Append)
            .value_parser(value_parser!(ResolveOverride)),
        value(
            "proxy",
            "[SCHEME://]HOST[:PORT]",
            "Goes through this proxy: http, https, socks4, socks4a, socks5 or socks5h",
        )
        .short('x'),
        value(
            "noproxy",
            "LIST",
            "Goes directly to these hosts: names, .suffixes, addresses, CIDR, or *",
        ),
        value("proxy-cacert", "FILE", "Trusts these roots for an https:// proxy")
            .value_parser(value_parser!(PathBuf)),
        flag("proxy-insecure", "Accepts every certificate of an https:// proxy"),
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

/// What is shown in the waterfall's place.
pub(crate) fn views() -> [Arg; 2] {
    [
        flag("blame", "Sorts the waits by length instead of drawing them in order"),
        flag("oneline", "Shows one line, for logs: limit=... spent=... and each phase's sum")
            .conflicts_with("blame"),
    ]
}

/// What is read before anything else.
fn configuration() -> [Arg; 1] {
    [flag("no-config", "Leaves the configuration file out (see waterclock env)")]
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
