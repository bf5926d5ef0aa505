//! The `waterclock` program: makes a request and says where the time went.

mod access;
mod address;
mod args;
mod attempt;
mod body;
mod client;
mod curl;
mod demo;
mod destination;
mod exit;
mod help;
mod items;
mod output;
mod parts;
mod policy;
mod progress;
mod remote_name;
mod report;
mod request;
mod resume;
mod run;
mod session_file;
mod signal;
mod state;
mod store;
mod terminal;
mod times;
mod trust;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next();
    let rest: Vec<_> = arguments.collect();
    // A host of such a name is still reached: `waterclock http://demo`.
    match rest.first().and_then(|word| word.to_str()) {
        Some("help") => help::topic(rest.get(1).and_then(|word| word.to_str())),
        Some("demo") => demo::main(rest.get(1..).unwrap_or_default()),
        _ => run::main(program.into_iter().chain(rest)),
    }
}
