//! `waterclock env`: every effective setting, and where it comes from.

use crate::args::Screen;
use crate::config::{self, Place, Setting};
use crate::exit::Exit;
use crate::output::{print, tell};
use crate::subcommand;
use crate::terminal::{self, Stream};
use crate::trust;
use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use unicode_width::UnicodeWidthStr;
use waterclock::ProxyUrl;
use waterclock::limit::{Limit, Limits};
use waterclock::screen::{Charset, configured_with_unit, escape};

/// A setting, its value, and who says so.
type Row = (String, String, String);

/// Prints the settings that a request would have if it had no options.
pub(crate) fn main(arguments: &[OsString]) -> u8 {
    if let Err(exit) = subcommand::read(command(), arguments) {
        return exit;
    }
    let variable = |name: &str| std::env::var_os(name);
    let place = config::place(variable);
    let settings = match place.as_ref().map(config::read).transpose() {
        Ok(settings) => settings.unwrap_or_default(),
        Err(error) => {
            tell(&format!("waterclock: {}\n", escape(&error)));
            return Exit::Usage.into();
        }
    };
    let mut rows = vec![file(place.as_ref())];
    rows.extend(settings.iter().map(option));
    rows.extend(limits(&settings));
    rows.extend(network(variable));
    rows.extend(drawing(variable));
    print(&table(&rows)).into()
}

pub(crate) fn command() -> Command {
    let help = Arg::new("help").long("help").short('h').action(ArgAction::SetTrue);
    Command::new("waterclock env")
        .about("Prints every effective setting, and where it comes from.")
        .after_help(
            "The configuration file is $WATERCLOCK_CONFIG, else\n\
             $XDG_CONFIG_HOME/waterclock/config.toml, else\n\
             ~/.config/waterclock/config.toml. It is TOML; a key is an option's long name:\n\n\
             \x20 total = 30\n  header = [\"X-Team: blue\"]\n  follow = true\n\n\
             The command line goes before it; --no-config leaves it out.",
        )
        .term_width(80)
        .max_term_width(80)
        .disable_help_flag(true)
        .arg(help.help("Prints this help"))
}

fn row(name: &str, value: impl Into<String>, source: impl Into<String>) -> Row {
    (name.to_owned(), value.into(), source.into())
}

fn file(place: Option<&Place>) -> Row {
    let Some(Place { path, from }) = place else {
        return row("configuration", "none", "neither WATERCLOCK_CONFIG nor HOME is set");
    };
    // A pipe would block, once it was read.
    let opened = path.metadata().and_then(|meta| match meta.is_file() {
        true => File::open(path).map(drop),
        false => Ok(()),
    });
    let there = match opened.map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => " (not readable)",
        Err(_) => " (not there)",
        Ok(()) => "",
    };
    row("configuration", format!("{}{there}", path.display()), *from)
}

fn option(setting: &Setting) -> Row {
    let secret = ["auth", "bearer", "cookie", "header", "proxy"].contains(&&*setting.name);
    let value = match &setting.value {
        Some(_) if secret => "(not shown)",
        Some(value) => value,
        None => "yes",
    };
    let name = format!("--{}", setting.name);
    (name, value.to_owned(), format!("configuration, line {}", setting.line))
}

/// The limits that hold if nothing is said; what the file sets has a row of its own.
fn limits(settings: &[Setting]) -> Vec<Row> {
    let defaults = Limits::default();
    let is_set = |name: &str| settings.iter().any(|setting| setting.name == name);
    let some = ["timeout", "strict"].into_iter().any(is_set);
    let of = |limit: Limit| {
        let name = crate::times::option(limit);
        let value = defaults.get(limit).map_or("none".to_owned(), configured_with_unit);
        let source = if some { "default, unless --timeout or --strict says it" } else { "default" };
        (!is_set(name)).then(|| (format!("--{name}"), value, source.to_owned()))
    };
    Limit::ALL.into_iter().filter_map(of).collect()
}

fn network(variable: impl Fn(&str) -> Option<OsString>) -> Vec<Row> {
    let first = |names: &[&'static str]| {
        let of = |name: &&'static str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some((*name, value.to_string_lossy().into_owned()))
        };
        names.iter().find_map(of)
    };
    let proxy = |label: &str, names: &[&'static str]| match first(names) {
        Some((name, text)) => match ProxyUrl::parse(&text) {
            // Without its password.
            Ok(proxy) => row(label, proxy.to_string(), name),
            Err(error) => row(label, format!("unusable: {error}"), name),
        },
        None => row(label, "none", names.join(", ")),
    };
    let or_none = |label: &str, names: &[&'static str]| match first(names) {
        Some((name, value)) => row(label, value, name),
        None => row(label, "none", names.join(", ")),
    };
    let roots = match trust::roots(None, &variable) {
        Some(path) => {
            (path.display().to_string(), first(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]))
        }
        None => match first(&["SSL_CERT_FILE", "SSL_CERT_DIR"]) {
            Some((name, value)) => (value.clone(), Some((name, value))),
            None => ("the system's".to_owned(), None),
        },
    };
    let netrc = match first(&["NETRC"]) {
        Some((name, path)) => row("--netrc means", path, name),
        None => match first(&["HOME"]) {
            Some((name, home)) => {
                row("--netrc means", Path::new(&home).join(".netrc").display().to_string(), name)
            }
            None => row("--netrc means", "none", "NETRC, HOME"),
        },
    };
    vec![
        proxy("proxy for http", &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
        proxy("proxy for https", &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
        or_none("no proxy for", &["no_proxy", "NO_PROXY"]),
        row("certificates", roots.0, roots.1.map_or("default", |(name, _)| name)),
        netrc,
        or_none("TLS secrets to", &["SSLKEYLOGFILE"]),
    ]
}

fn drawing(variable: impl Fn(&str) -> Option<OsString>) -> Vec<Row> {
    let style = terminal::style(&Screen::auto(), Stream::Err);
    let set = |names: &[&'static str]| {
        let is_set = |name: &&'static str| variable(name).is_some_and(|value| !value.is_empty());
        names.iter().copied().find(is_set)
    };
    let color = if style.color { "yes" } else { "no" };
    let colors = set(&["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"]);
    let charset = if style.charset == Charset::Unicode { "unicode" } else { "ascii" };
    let locale = set(&["LC_ALL", "LC_CTYPE", "LANG"]);
    vec![
        row("colour", color, colors.unwrap_or("standard error is a terminal, or is not")),
        row("characters", charset, locale.unwrap_or("no locale is set")),
        row("columns", style.width.to_string(), "the terminal, else 80"),
    ]
}

fn table(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> &String| {
        rows.iter().map(|row| escape(of(row)).width()).max().unwrap_or_default()
    };
    let (names, values) = (width(|row| &row.0), width(|row| &row.1).min(40));
    let mut out = String::new();
    for (name, value, source) in rows {
        let value = escape(value);
        let gap = " ".repeat(values.saturating_sub(value.width()));
        out += &format!("{name:<names$}  {value}{gap}  {}\n", escape(source));
    }
    out
}
