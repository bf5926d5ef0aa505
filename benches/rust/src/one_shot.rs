//! A program that makes one request and ends: what starting costs, and what memory a body takes.

use std::process::ExitCode;

use crate::client::{Body, Client, Request, Result, Setup, Sink};

/// `one_shot_NAME URL [BYTES]`: a GET, or a POST of so many bytes. Prints the length of the body.
pub fn main(make: fn(&Setup) -> Result<Box<dyn Client>>) -> ExitCode {
    match run(make) {
        Ok(length) => {
            println!("{length}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(make: fn(&Setup) -> Result<Box<dyn Client>>) -> Result<u64> {
    let mut arguments = std::env::args().skip(1);
    let mut request = Request::get(arguments.next().ok_or("no URL")?).streamed();
    if let Some(length) = arguments.next() {
        request = request.with(Body::Upload(length.parse()?));
    }
    let mut client = make(&Setup::default())?;
    let mut sink = Sink::unchecked();
    if client.send(&request, &mut sink)? != 200 {
        return Err("not a 200".into());
    }
    sink.finish()
}
