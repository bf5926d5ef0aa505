//! Help: a short one that fits a small terminal, and the table of limits.

use crate::exit::Exit;
use crate::times::option;
use waterclock::{Limit, Limits};

/// Fits 24 lines of 80 columns.
pub(crate) const SHORT: &str = "\
waterclock makes an HTTP request and says where the time went.

  waterclock https://example.com                    GET; the waterfall: stderr
  waterclock -t 0.12 https://example.com            why did 0.12 not fire?
  waterclock -m 0.5 PUT :8080/items name=tea n:=3   JSON; 0.5 s for everything

Usage: waterclock [METHOD] URL [ITEM...] [OPTIONS]
Items: Header:value  query==value  field=value  field:=json  field@file

  -m, --total T            a limit for everything, from start to the last byte
  -t, --timeout T|C,R      what requests calls timeout: for each wait, no sum
  -d, --data DATA|@FILE    a body            -F name=@FILE   a form with files
  -H, --header 'N: V'      a header          -u, --auth USER[:PASSWORD]
  -L, --follow             redirects         --retry N       try again
  -c, --cookie-jar FILE    cookies           --session FILE  and headers, auth
  -o FILE, -O, -C -        a file for the body; the URL's name; its rest
  -x, --proxy URL          a proxy           -k              trust anybody (!)
  -f, --fail               fail on a status >= 400
      --json, --save FILE  the whole record  -w FORMAT       curl's variables
      --repeat N           a table by phase  --slo tls=0.1   else exit code 4
  -q, --quiet              no waterfall      --curl          the curl command

  waterclock --help          all options        waterclock demo   see it work
  waterclock help timeouts   every limit: when it starts, when it stops
";

/// Stands below the long help.
pub(crate) const AFTER: &str = "\
A URL without a scheme is https://, but http:// for localhost, IP addresses
and a bare port (:8080/x). Items: Header:value, Header; (empty), Header: (not
sent), query==value, field=value (a JSON string), field:=json, field=@file
(its text), field@file (a form with files).

Without a flag: resolve 10 s, connect 30 s, read and write 60 s for each wait,
continue 1 s, and no total. A flag with a limit's own name goes before
--timeout and --strict.

Credentials: --auth or --bearer, else --session, else a netrc file, else the
URL's; an Authorization header goes before a netrc file. They, the cookies of
--cookie and the client certificate stay with the URL's origin when a redirect
leads to another. Session files and cookie jars hold secrets as they are; new
ones can be read by their owner alone. A session is for one scheme, host and
port. Within one call cookies are kept in any case.

Retries: failures to connect, and what may happen twice; a POST only with
--retry-all-methods. A wait that does not fit --total is not begun.

Files: -o overwrites. -O and -J never do, unless told to with --overwrite;
what the server sends is a name and never a path. --continue asks for the rest
of a file and keeps what it needs to know in FILE.resume until the file is
complete.

Recordings: without TLS the file of --pcapng has the text of the call, with
header fields that hold credentials or cookies masked with *, unless
--with-secrets; what TLS encrypted is not masked, and --pcapng-keys lets
anybody who has the file read it. 16 MiB are kept. New files are for their
owner alone. SSLKEYLOGFILE is heeded, too.

--write-out is written to standard output after the body, as in curl:
variables %{time_total}, %{http_code}, %{json}, %header{NAME} and curl's
others; \\n, \\t, \\r and %%; %{stderr}, %{stdout} and %{onerror}. Times are in
seconds and add up over redirects. Ours: wait_max, wait_max_phase,
limit_fired, unaccounted, waits. Not there: size_header, size_request,
size_upload, speed_upload, filename_effective, certs, http_connect, referer,
urlnum. ssl_verify_result is 1 for a certificate that was refused, and 0
otherwise.

--repeat makes the calls one after the other, over one connection if the
server lets it (--fresh: never). Its table goes to standard error, and no body
anywhere; --json and --save write an array of run documents; the exit code is
that of the worst call. Percentiles are by nearest rank, over the calls that
did not fail and took time for the row. An interrupt shows the calls so far.

--slo looks at what phases took when the call is over, and ends nothing:
total, and the phases of the run document (dns and tcp for resolve and
connect).

Only the body goes to standard output. Root certificates: --cacert, else the
variable REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR,
else the system's. Proxies: --proxy, else http_proxy, https_proxy, all_proxy
and no_proxy (or in upper case). --no-env reads neither those nor .netrc.

Configuration: a file says which options every request gets; `waterclock env`
prints where it is, and every effective setting with its source. The command
line goes before it, and --no-config leaves it out. An option that stands twice
counts as it stands last.

Exit codes: 0 done, 2 usage, 3 URL, 4 --slo, 5 proxy, 6 name, 7 connect, 8
broken HTTP, 18 body cut short, 22 --fail, 23 output, 28 a limit fired, 35 TLS
handshake, 47 redirects, 52 no answer, 55 sending, 56 receiving, 60
certificate, 61 decoding, 63 too large, 130 interrupted.
";

/// `waterclock help [TOPIC]`.
pub(crate) fn topic(topic: Option<&str>) -> Exit {
    match topic {
        Some("timeouts" | "limits") => crate::output::print(&timeouts()),
        None => crate::output::print(&crate::args::command().render_long_help().to_string()),
        Some(other) => {
            eprintln!(
                "waterclock: there is no help on \"{}\"; try `waterclock help timeouts` or \
                 `waterclock --help`",
                other.escape_debug()
            );
            Exit::Usage
        }
    }
}

/// What a limit bounds, in a line.
pub(crate) const fn bounds(limit: Limit) -> &'static str {
    match limit {
        Limit::Total => "The whole call: redirects, retries, waiting in between and the body",
        Limit::Attempt => "One hop or retry, body included",
        Limit::Pool => "Waiting for a free connection of the pool",
        Limit::Resolve => "One name lookup",
        Limit::Connect => "Establishing a connection: name, address, tunnel and TLS",
        Limit::Address => "One TCP connect to one address",
        Limit::Tunnel => "The dialogue with a proxy",
        Limit::Tls => "One TLS handshake",
        Limit::Write => "Each wait to send a part of the request",
        Limit::Upload => "Sending the request body",
        Limit::Continue => "Waiting for '100 Continue'; then the body is sent all the same",
        Limit::FirstByte => "From the request's last byte to the response's first",
        Limit::Head => "From the request's last byte to the end of the response's head",
        Limit::Read => "Each wait to receive a part of the response",
        Limit::Body => "From the end of the head to the end of the body",
    }
}

/// When a limit starts, when it stops, and how often.
const fn life(limit: Limit) -> (&'static str, &'static str, &'static str) {
    match limit {
        Limit::Total => ("the call begins", "its last byte", "never restarts"),
        Limit::Attempt => ("a hop or retry begins", "its body ends", "per hop"),
        Limit::Pool => ("no connection is free", "got one", "per checkout"),
        Limit::Resolve => ("a lookup begins", "answered", "per lookup"),
        Limit::Connect => ("a lookup begins", "ready to send", "per connection"),
        Limit::Address => ("a TCP connect begins", "it is decided", "per address"),
        Limit::Tunnel => ("the proxy is asked", "it agrees", "per connection"),
        Limit::Tls => ("a handshake begins", "complete", "per handshake"),
        Limit::Write => ("a wait to send", "room to send", "EVERY WAIT"),
        Limit::Upload => ("the body's first byte", "its last byte", "per exchange"),
        Limit::Continue => ("100 is waited for", "any answer", "per exchange"),
        Limit::FirstByte => ("the request is sent", "first byte", "per exchange"),
        Limit::Head => ("the request is sent", "end of the head", "per exchange"),
        Limit::Read => ("a wait to receive", "bytes came", "EVERY WAIT"),
        Limit::Body => ("end of the head", "end of the body", "per exchange"),
    }
}

fn timeouts() -> String {
    let defaults = Limits::default();
    let mut out = String::from(
        "A limit bounds a wait, or several. It starts, and it stops:\n\n\
         option                from                    to               restarts\n",
    );
    for limit in Limit::ALL {
        let name = match limit {
            Limit::Total => "-m, --total".to_owned(),
            limit => format!("--{}", option(limit)),
        };
        let (from, to, restarts) = life(limit);
        out += format!("{name:<22}{from:<24}{to:<17}{restarts}").trim_end();
        out.push('\n');
    }
    let set: Vec<_> =
        defaults.iter().map(|(limit, value)| format!("{} {} s", limit, value.as_secs())).collect();
    out += &format!("\nOtherwise: {}.\n", set.join(", "));
    out += "\
\n-t T sets resolve, address, tunnel, tls, write and read to T, and nothing else:
what timeout=T means in Python's requests (which has no limit for the lookup).
Each starts again for every new wait, so a call may take many times T.
-t C,R is the same with R for read.
--strict T sets total to T, and to T all that is not set: what most people mean.
-m T, --total T and --max-time T are one: a deadline that nothing restarts.

When several have expired at the same instant, the most specific one is named.
No limit is early. Each message says how late it was.
";
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, lines: usize) {
        assert!(text.lines().count() <= lines, "{} lines", text.lines().count());
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn the_short_help_fits_a_small_terminal() {
        fits(SHORT, 24);
        assert_eq!(SHORT.matches("\n  waterclock ").count(), 5, "three examples, two pointers");
    }

    #[test]
    fn the_long_help_is_80_columns_wide() {
        fits(&crate::args::command().render_long_help().to_string(), 440);
        fits(&timeouts(), 40);
    }

    #[test]
    fn every_option_of_the_short_help_exists() {
        let command = crate::args::command();
        let known = |long: &str| command.get_arguments().any(|arg| arg.get_long() == Some(long));
        let word = |text: &str| text.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_owned();
        let options = SHORT.split_whitespace().filter(|part| part.starts_with("--")).map(word);
        assert!(options.clone().count() > 10);
        options.for_each(|option| assert!(known(&option), "--{option}"));
    }

    #[test]
    fn the_defaults_in_the_help_are_those_in_force() {
        let set = timeouts();
        assert!(set.contains("resolve 10 s, connect 30 s, write 60 s, continue 1 s, read 60 s."));
        assert!(AFTER.contains("resolve 10 s, connect 30 s, read and write 60 s"));
    }
}
