//! An adapter of one's own: `file://` URLs, read from the disk.
//!
//! `cargo run --example file_adapter -- file:///etc/hostname`
//!
//! A server cannot send anybody here: redirects to other schemes than `http` and `https` are not
//! followed.

use std::fs::File;
use std::io;
use std::sync::Arc;
use waterclock::{Adapter, Call, Error, ErrorKind, Method, PreparedRequest, Response, Session};

/// Gives a file as the body of a response, and what keeps it from that as its status.
pub struct Files;

impl Adapter for Files {
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        if !matches!(request.method(), Method::Get | Method::Head) {
            return Response::builder(request, call)
                .status(405)
                .header("Allow", "GET, HEAD")
                .body("");
        }
        let Ok(path) = request.url().to_file_path() else {
            return Err(call.into_error(ErrorKind::InvalidUrl, "the URL names no local file"));
        };
        let opened = File::open(path).and_then(|file| {
            let about = file.metadata()?;
            if about.is_file() { Ok((file, about.len())) } else { Err(not_a_file()) }
        });
        let response = Response::builder(request, call);
        match opened {
            Ok((file, length)) => response
                .header("Content-Length", length.to_string())
                .body_reader(file, Some(length)),
            Err(error) => {
                let status = match error.kind() {
                    io::ErrorKind::NotFound => 404,
                    io::ErrorKind::PermissionDenied => 403,
                    _ => 500,
                };
                response.status(status).header("Content-Type", "text/plain").body(error.to_string())
            }
        }
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "it is not a regular file")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: file_adapter file:///path")?;
    let session = Session::builder().mount("file://", Arc::new(Files)).build()?;
    let mut response = session.get(url).send()?;
    eprintln!("{} {}", response.status(), response.reason());
    io::copy(&mut response, &mut io::stdout())?;
    Ok(())
}
