//! The server, in a process of its own: a thread for each connection.

use crate::{Fate, body};
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

#[derive(Default)]
struct Seen {
    posts: HashSet<u64>,
    twice: u64,
}

/// Prints its address, serves until its standard input ends, and prints how many POSTs it got, and how many
/// of them again.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let accepting = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&accepting);
            let served = thread::Builder::new().stack_size(64 * 1024).spawn(move || {
                // The client has gone, or was to be left.
                let _ = converse(&stream, &seen);
            });
            if let Err(error) = served {
                eprintln!("no thread for a connection: {error}");
            }
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    // Nobody asks for it where the load has failed.
    let _ = writeln!(io::stdout(), "{} {}", seen.posts.len(), seen.twice);
    Ok(())
}

fn converse(stream: &TcpStream, seen: &Mutex<Seen>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // One descriptor a connection: there are to be more than half as many as a process may have.
    let mut reader = BufReader::with_capacity(2048, stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let number = line.split(['/', ' ']).nth(2).and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut field = String::new();
        let mut length = 0;
        while reader.read_line(&mut field)? > 2 {
            if let Some(value) = field.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap_or(0);
            }
            field.clear();
        }
        io::copy(&mut (&mut reader).take(length), &mut io::sink())?;
        if line.starts_with("POST") {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.twice += u64::from(!seen.posts.insert(number));
        }
        let held = line.contains("/idle");
        let fate = if held { Fate::Good } else { Fate::of(number) };
        if !answer(stream, number, fate)? {
            return Ok(());
        }
    }
}

/// Whether the connection may be used on.
fn answer(mut stream: &TcpStream, number: u64, fate: Fate) -> io::Result<bool> {
    let body = body(number);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let (half, _) = body.split_at(body.len() / 2);
    match fate {
        Fate::Good => stream.write_all((head + &body).as_bytes())?,
        Fate::Poison => {
            let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            stream.write_all((head + &body + evil).as_bytes())?;
        }
        Fate::Reset => {
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            return Ok(false);
        }
        Fate::Cut => {
            stream.write_all((head + half).as_bytes())?;
            return Ok(false);
        }
        Fate::Stall => {
            stream.write_all((head + half).as_bytes())?;
            // Until the client leaves.
            stream.read_exact(&mut [0])?;
        }
        Fate::Drip => {
            stream.write_all(head.as_bytes())?;
            for byte in body.as_bytes() {
                stream.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
    Ok(true)
}
