//! `keep_alive N URL`: N requests one after the other on one connection, with limits set, each body
//! read. For `scripts/counts`, which counts what a request costs.

use std::error::Error;
use std::time::Duration;
use waterclock::{Limits, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(count), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("usage: keep_alive N URL".into());
    };
    let count: u64 = count.parse()?;
    let limits = Limits::builder()
        .total(Duration::from_secs(60))
        .connect(Duration::from_secs(10))
        .write(Duration::from_secs(10))
        .read(Duration::from_secs(10))
        .build();
    let session = Session::builder().limits(limits).build()?;
    let mut bytes = 0;
    for _ in 0..count {
        let mut response = session.get(url.as_str()).send()?;
        bytes += response.content()?.len();
        if response.status() != 200 || response.connection().is_none_or(|info| info.number != 1) {
            return Err(format!("not a 200 on the first connection: {response:?}").into());
        }
    }
    println!("{count} requests, {bytes} bytes");
    Ok(())
}
