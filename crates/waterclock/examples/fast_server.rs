//! `fast_server`: serves on loopback until its standard input ends; prints its URL. For
//! `scripts/counts` and for benchmarks whose client must be alone in its process.

use std::io::Read;
use waterclock_lab::FastServer;

fn main() -> std::io::Result<()> {
    let server = FastServer::start()?;
    println!("{}", server.url("/"));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
