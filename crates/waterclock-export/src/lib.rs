//! Runs of the waterclock HTTP client in the formats of other tools.
//!
//! | function | what it makes | for |
//! |---|---|---|
//! | [`har()`] | HAR 1.2 | browsers' developer tools, HAR viewers |
//! | [`trace()`] | Chrome's trace event format, as JSON | Perfetto, `chrome://tracing` |
//! | [`otlp()`] | OTLP/JSON | OpenTelemetry collectors and backends |
//! | [`pcapng()`] | a packet capture, if the run was recorded | Wireshark, tshark |
//! | [`svg()`] | the waterfall as a picture | documents, issues |
//! | [`html()`] | one page with everything | people |
//! | [`Program`] | all calls of a program in one of these | |
//!
//! Each is a pure function of a [`Run`](waterclock::run::Run): no clock, no network, no environment.
//! So the same run gives the same bytes, today from a live call and next year from a saved document.
//!
//! ```
//! use std::time::SystemTime;
//! use waterclock::run::{ErrorRecord, RequestRecord, Run, Secrets};
//!
//! let request = RequestRecord::refused("GET", "http://example.com:99999/");
//! let mut run = Run::new(SystemTime::UNIX_EPOCH, request);
//! run.error = Some(ErrorRecord::new("invalid-url", "the port is too large", None));
//!
//! assert!(waterclock_export::har(&run, Secrets::Redacted).contains("\"version\": \"1.2\""));
//! assert!(waterclock_export::html(&run, Secrets::Redacted).starts_with("<!DOCTYPE html>"));
//! ```

mod har;
mod html;
mod markup;
mod number;
mod otlp;
mod pcapng;
mod phases;
mod program;
mod svg;
mod trace;

pub use har::har;
pub use html::html;
pub use otlp::otlp;
pub use pcapng::{Keys, NotRecorded, pcapng};
pub use program::Program;
pub use svg::{inline_svg, svg};
pub use trace::trace;

/// What stands as the maker in every export.
const NAME: &str = "waterclock";
const VERSION: &str = env!("CARGO_PKG_VERSION");
