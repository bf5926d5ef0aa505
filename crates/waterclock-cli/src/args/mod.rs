//! The command line, read.

mod command;

pub(crate) use command::{command, limits, screen, views, write_out};

use crate::exports::Exports;
use crate::items::HeaderItem;
use crate::parts::PartItem;
use crate::policy::Statuses;
use crate::repeat::Repeat;
use crate::slo::Bounds;
use crate::times;
use clap::ArgMatches;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use waterclock::screen::Table;
use waterclock::{Limit, ResolveOverride};

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
    pub(crate) multipart: bool,
    pub(crate) parts: Vec<PartItem>,
    pub(crate) expect_continue: bool,
    pub(crate) compressed: bool,
    pub(crate) decode: bool,
    pub(crate) fail: bool,
    pub(crate) curl: bool,
    pub(crate) limits: times::Wanted,
    pub(crate) credentials: Credentials,
    pub(crate) cookies: Cookies,
    pub(crate) policy: Policy,
    pub(crate) file: Destination,
    pub(crate) include: bool,
    pub(crate) json: bool,
    /// A format, or `@FILE`.
    pub(crate) write_out: Option<String>,
    pub(crate) slo: Bounds,
    pub(crate) repeat: Option<Repeat>,
    pub(crate) save: Option<PathBuf>,
    pub(crate) with_secrets: bool,
    pub(crate) exports: Exports,
    pub(crate) quiet: u8,
    /// What went over the sockets is to be in the run document.
    pub(crate) capture: bool,
    pub(crate) resolve: Vec<ResolveOverride>,
    pub(crate) proxy: Proxy,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) trust: Trust,
    pub(crate) screen: Screen,
    pub(crate) view: View,
}

/// The options about who is asking.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// `USER` or `USER:PASSWORD`.
    pub(crate) auth: Option<String>,
    pub(crate) digest: bool,
    pub(crate) bearer: Option<String>,
    pub(crate) netrc: bool,
    pub(crate) netrc_file: Option<PathBuf>,
    pub(crate) no_env: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// The options about cookies and sessions.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    pub(crate) given: Vec<String>,
    pub(crate) jar: Option<PathBuf>,
    pub(crate) session: Option<PathBuf>,
    pub(crate) read_only: bool,
}

/// The options about redirects and retries.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    pub(crate) follow: bool,
    pub(crate) max_redirects: Option<u32>,
    pub(crate) keep_method: bool,
    pub(crate) retry: Option<u32>,
    pub(crate) backoff: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) statuses: Option<Statuses>,
    pub(crate) all_methods: bool,
    pub(crate) ignore_retry_after: bool,
}

/// The options about the file that gets the body.
#[derive(Debug, Default)]
pub(crate) struct Destination {
    pub(crate) output: Option<String>,
    /// `-O`: the URL names it.
    pub(crate) remote_name: bool,
    /// `-J`: the server may.
    pub(crate) remote_header_name: bool,
    pub(crate) overwrite: bool,
    pub(crate) resume: bool,
    pub(crate) no_progress: bool,
}

/// The options about proxies.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    pub(crate) url: Option<String>,
    pub(crate) none_for: Option<String>,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) insecure: bool,
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

impl Screen {
    /// As if no option had been given.
    pub(crate) fn auto() -> Self {
        let auto = || "auto".to_owned();
        Screen { color: auto(), charset: auto(), ambiguous_wide: false }
    }
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
            multipart: matches.get_flag("multipart"),
            parts: all(matches, "part"),
            expect_continue: matches.get_flag("expect-continue"),
            compressed: !matches.get_flag("no-compressed"),
            decode: !matches.get_flag("no-decode"),
            fail: matches.get_flag("fail"),
            curl: matches.get_flag("curl"),
            limits: wanted(matches),
            credentials: Credentials {
                auth: text("auth"),
                digest: matches.get_flag("digest"),
                bearer: text("bearer"),
                netrc: matches.get_flag("netrc"),
                netrc_file: path("netrc-file"),
                no_env: matches.get_flag("no-env"),
            },
            cookies: Cookies {
                given: all(matches, "cookie"),
                jar: path("cookie-jar"),
                session: path("session").or_else(|| path("session-read-only")),
                read_only: matches.contains_id("session-read-only"),
            },
            policy: policy(matches),
            file: Destination {
                output: text("output"),
                remote_name: matches.get_flag("remote-name"),
                remote_header_name: matches.get_flag("remote-header-name"),
                overwrite: matches.get_flag("overwrite"),
                resume: matches.get_flag("continue") || matches.contains_id("continue-at"),
                no_progress: matches.get_flag("no-progress"),
            },
            include: matches.get_flag("include"),
            json: matches.get_flag("json"),
            write_out: text("write-out"),
            slo: matches.get_one("slo").cloned().unwrap_or_default(),
            repeat: matches
                .get_one("repeat")
                .map(|&count| Repeat { count, fresh: matches.get_flag("fresh") }),
            save: path("save"),
            with_secrets: matches.get_flag("with-secrets"),
            exports: Exports::read(matches),
            quiet: matches.get_count("quiet"),
            capture: matches.get_flag("capture"),
            resolve: all(matches, "resolve"),
            proxy: Proxy {
                url: text("proxy"),
                none_for: text("noproxy"),
                cacert: path("proxy-cacert"),
                insecure: matches.get_flag("proxy-insecure"),
            },
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
            view: View::read(matches),
        }
    }
}

/// What is shown of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The screen with this table.
    Table(Table),
    OneLine,
}

impl View {
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        if matches.get_flag("oneline") {
            View::OneLine
        } else if matches.get_flag("blame") {
            View::Table(Table::Blame)
        } else {
            View::Table(Table::Waterfall)
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

fn policy(matches: &ArgMatches) -> Policy {
    let number = |name: &str| matches.get_one::<u32>(name).copied();
    let pause = |name: &str| matches.get_one::<Duration>(name).copied();
    let max_redirects = number("max-redirects");
    Policy {
        follow: matches.get_flag("follow") || max_redirects.is_some(),
        max_redirects,
        keep_method: matches.get_flag("keep-method"),
        retry: number("retry"),
        backoff: pause("retry-backoff"),
        max_delay: pause("retry-max-delay"),
        statuses: matches.get_one("retry-status").cloned(),
        all_methods: matches.get_flag("retry-all-methods"),
        ignore_retry_after: matches.get_flag("no-retry-after"),
    }
}

type Time = Option<Duration>;

pub(crate) fn wanted(matches: &ArgMatches) -> times::Wanted {
    let named = Limit::ALL.into_iter().filter_map(|limit| {
        let value = matches.try_get_one::<Time>(times::option(limit)).ok().flatten();
        value.map(|value| (limit, *value))
    });
    times::Wanted {
        timeout: matches.get_one("timeout").copied(),
        strict: matches.get_one("strict").copied(),
        named: named.collect(),
    }
}
