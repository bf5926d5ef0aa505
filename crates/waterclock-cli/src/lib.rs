//! The `waterclock` program as a function, so that others can be the program too: the Python package
//! is, as `python -m waterclock`.

mod access;
mod address;
mod args;
mod attempt;
mod body;
mod client;
mod config;
mod convert;
mod curl;
mod demo;
mod destination;
mod environment;
mod exit;
mod explain;
mod exports;
mod generate;
mod help;
mod items;
mod lab;
mod live;
mod output;
mod parts;
mod policy;
mod progress;
mod recording;
mod remote_name;
mod repeat;
mod report;
mod request;
mod resume;
mod run;
mod session_file;
mod signal;
mod slo;
mod state;
mod store;
mod subcommand;
mod terminal;
mod times;
mod trust;
mod whole;
mod write_out;

use std::ffi::OsString;

/// Does what the arguments ask for, the first of which is the program's name, and says with which code
/// to exit. For a process that does nothing else: it takes over SIGINT and SIGTERM where they are not
/// ignored, may end the process two seconds after one of them, and expects that SIGPIPE is ignored, as
/// Rust programs and Python have it.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let mut arguments = arguments.into_iter();
    let program = arguments.next();
    let rest: Vec<_> = arguments.collect();
    // A host of such a name is still reached: `waterclock http://demo`.
    match rest.first().and_then(|word| word.to_str()) {
        Some("help") => help::topic(rest.get(1).and_then(|word| word.to_str())).into(),
        Some("convert") => convert::main(rest.get(1..).unwrap_or_default()),
        Some("lab") => lab::main(rest.get(1..).unwrap_or_default()),
        Some("demo") => demo::main(rest.get(1..).unwrap_or_default()),
        Some("env") => environment::main(rest.get(1..).unwrap_or_default()),
        Some("explain") => explain::main(rest.get(1..).unwrap_or_default()),
        Some("generate") => generate::main(rest.get(1..).unwrap_or_default()),
        _ => run::main(program.into_iter().chain(rest)),
    }
}
