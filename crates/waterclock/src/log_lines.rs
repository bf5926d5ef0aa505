//! Every line that the engine logs about calls, in one place: in the words of urllib3, which
//! people and programs know how to read, under the target `waterclock`.
//!
//! No line has userinfo, a header's value, or a query value that is known to be a credential.
//! Nothing is formatted unless a logger wants it.

use crate::error::Failure;
use crate::observe::RedactedTarget;
use crate::pool::KeyRef;
use std::fmt;
use std::time::Duration;
use url::Url;
use waterclock_proto::h1::{BodyReader, CloseReason};
use waterclock_proto::message::ResponseHead;
use waterclock_proto::screen::escape;
use waterclock_proto::timeline::RequestLine;

const TARGET: &str = "waterclock";

/// A connection is about to be made: `number` counts those of the adapter.
pub(crate) fn new_connection(number: u64, key: KeyRef<'_>) {
    let scheme = if key.tls.is_some() { "HTTPS" } else { "HTTP" };
    log::debug!(target: TARGET, "Starting new {scheme} connection ({number}): {}", Peer(key));
}

/// A response's head has come, and `body` is to follow.
pub(crate) fn exchange(line: &RequestLine, head: &ResponseHead, body: &BodyReader) {
    log::debug!(
        target: TARGET,
        "{} \"{} {} {}\" {} {}",
        Origin(&line.url),
        line.method,
        RedactedTarget::path(&line.url),
        head.version,
        head.status,
        Length(body.expected()),
    );
}

/// An idle connection turned out to be dead before it was used again.
pub(crate) fn dropped_connection(host: &str) {
    log::debug!(target: TARGET, "Resetting dropped connection: {host}");
}

/// More connections are idle than the pool keeps.
pub(crate) fn pool_is_full(host: &str, size: usize) {
    log::warn!(
        target: TARGET,
        "Connection pool is full, discarding connection: {host}. Connection pool size: {size}",
    );
}

/// A connection is not kept.
pub(crate) fn closed_connection(number: u64, why: CloseReason) {
    log::debug!(target: TARGET, "Closing connection ({number}): {why}");
}

/// A connection was idle for longer than `most`.
pub(crate) fn aged_connection(number: u64, most: Duration) {
    log::debug!(target: TARGET, "Closing connection ({number}): it was idle for more than {most:?}");
}

/// A kept connection died as it was used, and the request is made again on a new one.
pub(crate) fn retrying_broken(url: &Url, failure: &Failure) {
    log::debug!(
        target: TARGET,
        "Retrying after connection broken by '{}': {}",
        escape(&failure.message),
        RedactedTarget::path(url),
    );
}

/// A policy has counted a failure; `policy` is what is left of it.
pub(crate) fn incremented_retry(url: &Url, policy: &dyn fmt::Display) {
    let url = RedactedTarget::path(url);
    log::debug!(target: TARGET, "Incremented Retry for (url='{url}'): {policy}");
}

/// A response's status asks for the request to be made again.
pub(crate) fn retry(url: &Url) {
    log::debug!(target: TARGET, "Retry: {}", RedactedTarget::path(url));
}

/// A redirect is followed; within an origin only the path is shown.
pub(crate) fn redirecting(from: &Url, to: &Url) {
    let within = from.origin() == to.origin();
    let show = if within { RedactedTarget::path } else { RedactedTarget::whole };
    log::debug!(target: TARGET, "Redirecting {} -> {}", show(from), show(to));
}

/// `host:port`, or the path of a Unix socket, which has no port.
struct Peer<'a>(KeyRef<'a>);

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.port {
            0 => f.write_str(&escape(self.0.host)),
            port if self.0.host.contains(':') => write!(f, "[{}]:{port}", self.0.host),
            port => write!(f, "{}:{port}", self.0.host),
        }
    }
}

/// `https://example.com:443`: with the port even if it is the usual one.
struct Origin<'a>(&'a Url);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port_or_known_default() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A number, or Python's word for none.
struct Length(Option<u64>);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(length) => length.fmt(f),
            None => f.write_str("None"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::{Log, Metadata, Record};
    use std::cell::RefCell;

    thread_local! {
        static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    struct Collector;

    impl Log for Collector {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let line = format!("{} {} {}", record.target(), record.level(), record.args());
            LINES.with_borrow_mut(|lines| lines.push(line));
        }

        fn flush(&self) {}
    }

    /// The lines that only a policy makes; the others are tested where they are made.
    #[test]
    fn retries_and_redirects_are_logged_in_the_words_of_urllib3() {
        log::set_logger(&Collector).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
        let url = |text| Url::parse(text).unwrap();
        let at = url("https://user:pass@example.com/a?b=1&sig=s");
        let policy = "Retry(total=2, connect=None, read=None, redirect=None, status=None)";
        incremented_retry(&at, &policy);
        retry(&at);
        redirecting(&at, &url("https://example.com/b"));
        redirecting(&url("http://example.com/"), &url("https://u:p@example.com/"));
        assert_eq!(
            LINES.take(),
            [
                &*format!(
                    "waterclock DEBUG Incremented Retry for (url='/a?b=1&sig=REDACTED'): {policy}"
                ),
                "waterclock DEBUG Retry: /a?b=1&sig=REDACTED",
                "waterclock DEBUG Redirecting /a?b=1&sig=REDACTED -> /b",
                "waterclock DEBUG Redirecting http://example.com/ -> https://example.com/",
            ]
        );
    }
}
