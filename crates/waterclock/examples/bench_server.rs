//! `bench_server CA [PATH FIELDS FILE]...`: the lab's fast server on loopback, in clear and with TLS,
//! until its standard input ends. Writes the certificate to trust to the file CA and prints both URLs.
//! GET of PATH is answered with the file, as it is, and with FIELDS, `Name: value` each on a line.

use std::io::{self, Read};
use waterclock_lab::{Authority, FastServer};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ca, answers @ ..] = arguments.as_slice() else {
        return Err(io::Error::other("usage: bench_server CA [PATH FIELDS FILE]..."));
    };
    let (mut clear, mut tls) = (FastServer::builder(), FastServer::builder());
    for answer in answers.chunks_exact(3) {
        let fields: Vec<_> = answer[1].lines().filter_map(|line| line.split_once(": ")).collect();
        let body = std::fs::read(&answer[2])?;
        clear = clear.answer(&answer[0], &fields, body.clone());
        tls = tls.answer(&answer[0], &fields, body);
    }
    let authority = Authority::new()?;
    std::fs::write(ca, authority.pem())?;
    let clear = clear.start()?;
    let tls = tls.tls(authority.issue(&["127.0.0.1", "localhost"])?).start()?;
    println!("{} {}", clear.url("/"), tls.url("/"));
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
