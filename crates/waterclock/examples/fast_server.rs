//! `fast_server [CA_FILE]`: serves on loopback until its standard input ends; prints its URL. With a
//! CA_FILE it serves over TLS as well, prints that URL too, and writes there whom to trust. For
//! `scripts/counts` and for benchmarks whose client must be alone in its process.

use std::io::Read;
use waterclock_lab::{FastBuilder, FastServer, Identity};

fn main() -> std::io::Result<()> {
    let plain = server().start()?;
    println!("{}", plain.url("/"));
    let mut secure = None;
    if let Some(file) = std::env::args().nth(1) {
        let identity = Identity::new(&["127.0.0.1", "localhost"])?;
        std::fs::write(file, identity.ca_pem())?;
        let server = server().tls(identity).start()?;
        println!("{}", server.url("/"));
        secure = Some(server);
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(secure);
    Ok(())
}

/// With a response of many fields at `/fields`.
fn server() -> FastBuilder {
    let names: Vec<String> = (0..80).map(|number| format!("X-Field-{number}")).collect();
    let fields: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "some value, as servers have")).collect();
    FastServer::builder().answer("/fields", &fields, "ok")
}
