//! `keep_alive WHAT N URL [CA_FILE]`: N requests one after the other, with limits set, each body read.
//! For `scripts/counts`, which counts what a request costs. WHAT is `get`, `post` (a JSON document),
//! `fresh` (a GET on a new connection each time), `stream` (a GET whose body is read in pieces) or `threads`
//! (GETs by eight threads that share the session).

use std::error::Error;
use std::io::Read as _;
use std::time::Duration;
use waterclock::tls::Roots;
use waterclock::{Limits, PoolSettings, Response, Session, TlsSettings};

const USAGE: &str = "usage: keep_alive get|post|fresh|stream|threads N URL [CA_FILE]";
const DOCUMENT: &str =
    r#"{"id": 7, "name": "clepsydra", "tags": ["water", "clock"], "full": true}"#;

#[derive(Clone, Copy, PartialEq)]
enum What {
    Get,
    Post,
    Fresh,
    Stream,
    Threads,
}

const THREADS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or(USAGE);
    let what = match next()?.as_str() {
        "get" => What::Get,
        "post" => What::Post,
        "fresh" => What::Fresh,
        "stream" => What::Stream,
        "threads" => What::Threads,
        _ => return Err(USAGE.into()),
    };
    let (count, url) = (next()?.parse::<usize>()?, next()?);
    let session = session(what, next().ok())?;
    let bytes = match what {
        What::Threads => by_threads(&session, count, &url)?,
        _ => requests(&session, what, count, &url)?,
    };
    println!("{count} requests, {bytes} bytes");
    Ok(())
}

fn by_threads(session: &Session, count: usize, url: &str) -> Result<usize, Box<dyn Error>> {
    let some = || {
        let bytes = requests(session, What::Threads, count / THREADS, url);
        bytes.map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(some)).collect();
        threads.into_iter().try_fold(0, |bytes, thread| {
            Ok(bytes + thread.join().map_err(|_| "a thread has panicked")??)
        })
    })
}

fn requests(
    session: &Session,
    what: What,
    count: usize,
    url: &str,
) -> Result<usize, Box<dyn Error>> {
    let mut bytes = 0;
    for number in 1..=count {
        let request = match what {
            What::Post => {
                session.post(url).header("Content-Type", "application/json").body(DOCUMENT)
            }
            _ => session.get(url),
        };
        let mut response = request.send()?;
        bytes += match what {
            What::Stream => stream(&mut response)?,
            _ => response.content()?.len(),
        };
        let connections = match what {
            What::Fresh => number as u64..=number as u64,
            What::Threads => 1..=THREADS as u64,
            _ => 1..=1,
        };
        let right = response.connection().is_some_and(|info| connections.contains(&info.number));
        if response.status() != 200 || !right {
            return Err(format!("not a 200 on connection {connections:?}: {response:?}").into());
        }
    }
    Ok(bytes)
}

fn session(what: What, ca: Option<String>) -> Result<Session, Box<dyn Error>> {
    let limits = Limits::builder()
        .total(Duration::from_secs(60))
        .connect(Duration::from_secs(10))
        .write(Duration::from_secs(10))
        .read(Duration::from_secs(10))
        .build();
    let mut builder = Session::builder().limits(limits);
    if what == What::Fresh {
        builder = builder.pool(PoolSettings { max_idle: 0, ..PoolSettings::default() });
    }
    if let Some(file) = ca {
        builder = builder.tls(TlsSettings::builder().roots(Roots::pem_file(file)?).build()?);
    }
    Ok(builder.build()?)
}

fn stream(response: &mut Response) -> Result<usize, Box<dyn Error>> {
    let mut piece = vec![0; 64 * 1024];
    let mut length = 0;
    loop {
        match response.read(&mut piece)? {
            0 => return Ok(length),
            count => length += count,
        }
    }
}
