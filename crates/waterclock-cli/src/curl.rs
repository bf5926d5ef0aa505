//! `--curl`: the curl command that makes the same request. Nothing is sent, and nothing is written.
//!
//! Not translated is what says who speaks (User-Agent), in what words codings are asked for, and the
//! boundary of a form with files. Secrets stand in it as given: it is a command to be run.

mod quote;

use crate::access::{self, Login};
use crate::args::{Cookies, Data, Options};
use crate::exit::Exit;
use crate::items::HeaderItem;
use crate::output::{print, tell};
use crate::parts::{Content, PartItem};
use crate::remote_name;
use crate::request::{Fields, Plan};
use crate::state::State;
use crate::trust;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use waterclock::cookies::SiteContext;
use waterclock::world::real::RealWorld;
use waterclock::{Limit, Limits, Method, Url};
use waterclock_proto::decode::Coding;

/// Prints it, and what it leaves out on standard error.
///
/// # Errors
/// In words, if the command line cannot be used.
pub(crate) fn main(options: &Options) -> Result<Exit, String> {
    let command = Command::of(options, &|name| std::env::var_os(name))?;
    let words: Vec<String> = command.words.iter().map(|word| quote::for_shell(word)).collect();
    let exit = print(&format!("{}\n", words.join(" ")));
    for note in &command.notes {
        tell(&format!("waterclock: {note}\n"));
    }
    Ok(exit)
}

type Variable<'v> = dyn Fn(&str) -> Option<OsString> + 'v;

/// A command in the making.
struct Command {
    words: Vec<String>,
    /// What differs.
    notes: Vec<String>,
}

impl Command {
    fn of(options: &Options, variable: &Variable<'_>) -> Result<Self, String> {
        let mut plan = Plan::read(options)?;
        let now = RealWorld::shared().wall();
        let kept = Cookies {
            session: options.cookies.session.clone(),
            read_only: options.cookies.read_only,
            ..Cookies::default()
        };
        let mut state = State::open(&kept, &plan.url, now)?;
        plan.inherit(state.headers());
        let mut command = Command { words: vec!["curl".to_owned()], notes: Vec::new() };
        command.method(&plan, options);
        command.limits(options);
        command.credentials(options, state.login(), variable)?;
        command.cookies(options);
        let url = Url::parse(&plan.url).ok();
        let kept = url.and_then(|url| state.cookies.header(&url, SiteContext::SameSite, now));
        if let Some(kept) = kept {
            command.with("-b", String::from_utf8_lossy(&kept));
        }
        command.redirects(options);
        command.retries(&plan, options);
        command.headers(&plan, options);
        command.body(&plan, options);
        command.output(&plan, options)?;
        command.connection(options, variable);
        command.trust(options, variable);
        command.url(&plan.url);
        Ok(command)
    }

    fn flag(&mut self, name: &str) {
        self.words.push(name.to_owned());
    }

    fn with(&mut self, name: &str, value: impl AsRef<str>) {
        self.words.extend([name.to_owned(), value.as_ref().to_owned()]);
    }

    fn path(&mut self, name: &str, path: &Path) {
        self.with(name, path.display().to_string());
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn method(&mut self, plan: &Plan, options: &Options) {
        let implied = match (&options.data, &plan.fields) {
            (Data::Stdin, _) => Method::Put,
            (Data::None, Fields::None) => Method::Get,
            _ => Method::Post,
        };
        if plan.method == Method::Head && implied == Method::Get {
            self.flag("--head");
        } else if plan.method != implied {
            self.with("-X", plan.method.as_str());
            if options.policy.follow {
                self.note("curl's -X holds for every redirect; waterclock follows some with GET");
            }
        }
    }

    fn limits(&mut self, options: &Options) {
        let (wanted, limits) = (&options.limits, options.limits.limits());
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        if let Some(total) = limits.get(Limit::Total) {
            self.with("--max-time", seconds(total));
        }
        let named = |limit| wanted.named.iter().any(|(name, _)| *name == limit);
        let pair = wanted.timeout.and_then(|pair| pair.connect);
        let connect = if named(Limit::Connect) { limits.get(Limit::Connect) } else { pair };
        if let Some(connect) = connect {
            self.with("--connect-timeout", seconds(connect));
        }
        if wanted.timeout.is_some() {
            self.note(
                "curl has no limit for each wait, as --timeout is: its --connect-timeout bounds lookup, \
                 TCP and TLS together, and nothing bounds a wait for bytes",
            );
        }
        let translated = [Limit::Total, Limit::Connect, Limit::Continue];
        let lost = wanted.named.iter().filter(|(limit, _)| !translated.contains(limit));
        let lost: Vec<&str> = lost.map(|(limit, _)| crate::times::option(*limit)).collect();
        if !lost.is_empty() {
            self.note(format!("curl has nothing like --{}", lost.join(", --")));
        }
        let ours = limits.get(Limit::Continue);
        if options.expect_continue && ours != Limits::default().get(Limit::Continue) {
            // curl waits for some time in any case.
            let time = ours.unwrap_or(Duration::from_secs(86_400));
            self.with("--expect100-timeout", seconds(time));
        }
    }

    fn credentials(
        &mut self,
        options: &Options,
        kept: Option<&Login>,
        variable: &Variable<'_>,
    ) -> Result<(), String> {
        let given = &options.credentials;
        if let Some(auth) = &given.auth {
            self.with("-u", auth);
            if given.digest {
                self.flag("--digest");
            }
        } else if let Some(token) = &given.bearer {
            self.with("--oauth2-bearer", token);
        } else if let Some(login) = kept {
            match login {
                Login::Basic { user, password } => self.with("-u", format!("{user}:{password}")),
                Login::Digest { user, password } => {
                    self.with("-u", format!("{user}:{password}"));
                    self.flag("--digest");
                }
                Login::Bearer(token) => self.with("--oauth2-bearer", token),
            }
        }
        if let Some(path) = access::netrc_path(given, variable)? {
            self.path("--netrc-file", &path);
        }
        Ok(())
    }

    fn cookies(&mut self, options: &Options) {
        let (pairs, files): (Vec<_>, Vec<_>) =
            options.cookies.given.iter().partition(|given| given.contains('='));
        if !pairs.is_empty() {
            let pairs: Vec<&str> = pairs.into_iter().map(String::as_str).collect();
            self.with("-b", pairs.join("; "));
        }
        for file in files {
            self.with("-b", file);
        }
        if let Some(jar) = &options.cookies.jar {
            if jar.exists() {
                self.path("-b", jar);
            }
            self.path("-c", jar);
        }
        if options.cookies.session.is_some() {
            self.note("curl has no sessions; what the file has now stands in the command");
        }
    }

    fn redirects(&mut self, options: &Options) {
        let policy = options.policy.redirects();
        if policy.follow {
            self.flag("-L");
            self.with("--max-redirs", policy.max.to_string());
        }
        if policy.follow && policy.keep_method {
            self.flag("--post301");
            self.flag("--post302");
        }
    }

    fn retries(&mut self, plan: &Plan, options: &Options) {
        let policy = &options.policy;
        let Some(count) = policy.retry else { return };
        if !policy.all_methods && !plan.method.is_idempotent() {
            let method = plan.method.as_str();
            self.note(format!("curl's --retry may send a {method} twice, so it is left out"));
            return;
        }
        self.with("--retry", count.to_string());
        self.flag("--retry-connrefused");
        let lost = [
            (policy.backoff.is_some(), "--retry-backoff"),
            (policy.max_delay.is_some(), "--retry-max-delay"),
            (policy.statuses.is_some(), "--retry-status"),
            (policy.ignore_retry_after, "--no-retry-after"),
        ];
        let lost: Vec<&str> = lost.into_iter().filter(|lost| lost.0).map(|lost| lost.1).collect();
        if !lost.is_empty() {
            self.note(format!("curl has nothing like {}", lost.join(", ")));
        }
    }

    fn headers(&mut self, plan: &Plan, options: &Options) {
        let named = |name: &str| plan.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name));
        for HeaderItem { name, value } in &plan.headers {
            self.with(
                "-H",
                match value.as_deref() {
                    None => format!("{name}:"),
                    Some("") => format!("{name};"),
                    Some(value) => format!("{name}: {value}"),
                },
            );
        }
        match (options.decode, options.compressed) {
            (true, true) => self.flag("--compressed"),
            (_, false) if !named("Accept-Encoding") => self.with("-H", "Accept-Encoding: identity"),
            (false, true) if !named("Accept-Encoding") => {
                self.with("-H", format!("Accept-Encoding: {}", Coding::ACCEPT));
            }
            _ => {}
        }
        if matches!(&plan.fields, Fields::Encoded(_, media) if *media == crate::request::JSON)
            && !named("Content-Type")
        {
            self.with("-H", "Content-Type: application/json");
        }
        let in_memory = matches!(options.data, Data::None | Data::Text(_))
            && !matches!(plan.fields, Fields::Parts(_));
        match options.expect_continue {
            _ if named("Expect") => {}
            true => self.with("-H", "Expect: 100-continue"),
            // curl sends it with large bodies.
            false if !in_memory => self.with("-H", "Expect:"),
            false => {}
        }
    }

    fn body(&mut self, plan: &Plan, options: &Options) {
        match &options.data {
            Data::None => {}
            Data::Text(text) => self.with("--data-raw", text),
            Data::File(path) => self.with("--data-binary", format!("@{}", path.display())),
            Data::Stdin => self.with("-T", "-"),
        }
        match &plan.fields {
            Fields::None => {}
            Fields::Encoded(body, _) => self.with("--data-raw", String::from_utf8_lossy(body)),
            Fields::Parts(parts) => parts.iter().for_each(|part| self.part(part)),
        }
    }

    fn part(&mut self, part: &PartItem) {
        let name = &part.name;
        if let (Content::Text(text), None, None) = (&part.content, &part.media, &part.file_name) {
            return self.with("--form-string", format!("{name}={text}"));
        }
        let mut value = match &part.content {
            Content::Text(text) => format!("{name}={}", quote::for_form(text)),
            Content::File(path) => format!("{name}=@{}", quote::for_form(path)),
            Content::FileText(path) => format!("{name}=<{}", quote::for_form(path)),
        };
        if let Some(media) = &part.media {
            value += &format!(";type={media}");
        }
        if let Some(file_name) = &part.file_name {
            value += &format!(";filename={}", quote::for_form(file_name));
        }
        self.with("-F", value);
    }

    fn output(&mut self, plan: &Plan, options: &Options) -> Result<(), String> {
        let file = &options.file;
        if let Some(name) = &file.output {
            self.with("-o", name);
        } else if file.remote_header_name {
            self.flag("-O");
            self.flag("-J");
        } else if file.remote_name {
            self.with("-o", remote_name::of_url(&plan.url)?);
            if !file.overwrite && !file.resume {
                self.flag("--no-clobber");
            }
        }
        if file.resume {
            self.with("-C", "-");
        }
        if options.include {
            self.flag("-i");
        }
        if options.fail {
            self.flag("-f");
        }
        Ok(())
    }

    fn connection(&mut self, options: &Options, variable: &Variable<'_>) {
        for rule in &options.resolve {
            self.with("--resolve", rule.to_string());
        }
        let proxy = &options.proxy;
        if let Some(url) = &proxy.url {
            self.with("-x", with_port(url));
        }
        let environment = ["no_proxy", "NO_PROXY"].into_iter().any(|name| variable(name).is_some());
        match (&proxy.none_for, &proxy.url) {
            (Some(list), _) => self.with("--noproxy", list),
            (None, None) if options.credentials.no_env => self.with("--noproxy", "*"),
            // For curl the variable goes before the option.
            (None, Some(_)) if environment => self.with("--noproxy", ""),
            (None, _) => {}
        }
        if let Some(path) = &proxy.cacert {
            self.path("--proxy-cacert", path);
        }
        if proxy.insecure {
            self.flag("--proxy-insecure");
        }
        if let Some(path) = &options.unix_socket {
            self.path("--unix-socket", path);
        }
        if let Some(address) = options.local_address {
            self.with("--interface", address.to_string());
        }
    }

    fn trust(&mut self, options: &Options, variable: &Variable<'_>) {
        let given = &options.trust;
        // The other variables are curl's own.
        let requests = |name: &str| variable(name).filter(|_| name == "REQUESTS_CA_BUNDLE");
        let roots = trust::roots(given.cacert.as_deref(), requests);
        if let Some(path) = roots.filter(|_| !given.insecure) {
            self.path(if path.is_dir() { "--capath" } else { "--cacert" }, &path);
        }
        if let Some(path) = &given.cert {
            self.path("--cert", path);
        }
        if let Some(path) = &given.key {
            self.path("--key", path);
        }
        if let Some(pins) = &given.pins {
            self.with("--pinnedpubkey", pins);
        }
        if given.only_tls13 {
            self.flag("--tlsv1.3");
        }
        if given.insecure {
            self.flag("-k");
        }
    }

    fn url(&mut self, url: &str) {
        // What is encoded here, curl would refuse or send as it is.
        let url = Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
        if url.starts_with("http+unix://") {
            self.note("curl does not know http+unix://; use --unix-socket");
        }
        if url.contains(['[', ']', '{', '}']) {
            self.flag("--globoff");
        }
        self.words.push(url);
    }
}

/// A proxy with its port: curl's default, 1080, is another than ours.
fn with_port(proxy: &str) -> String {
    let full = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let (scheme, rest) = full.split_once("://").unwrap_or(("http", &full));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    format!("{scheme}://{authority}{}", if has_port { "" } else { default })
}

#[cfg(test)]
mod tests;
