//! Test your own limits in microseconds: a function of yours, with the session handed in, in a network
//! that is slow in a way you choose. `cargo run -p waterclock-sim --example own_limits`
//!
//! The tests at the end are how it looks in your own crate.

use std::time::Duration;
use waterclock::{Error, Limits, Session};

/// The code under test: what our shop asks its stock service, and how long it may take.
///
/// # Errors
/// Whatever the call ends with.
pub fn in_stock(session: &Session, item: u32) -> Result<bool, Error> {
    let limits = Limits::builder()
        .total(Duration::from_millis(800))
        .connect(Duration::from_millis(250))
        .first_byte(Duration::from_millis(400))
        .build();
    let url = format!("http://stock.example/items/{item}");
    let mut response = session.get(url).limits(limits).send()?;
    Ok(response.text()? == "yes")
}

#[cfg(not(test))]
fn main() -> Result<(), Error> {
    let world = waterclock_sim::SimWorld::new();
    world.host("stock.example").never_answers();
    let session = waterclock::SessionBuilder::in_world(world).build()?;
    if let Err(error) = in_stock(&session, 7) {
        println!("{}", error.explain());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::in_stock;
    use std::sync::Arc;
    use std::time::Duration;
    use waterclock::world::World;
    use waterclock::{Limit, Phase, Session, SessionBuilder, Tick};
    use waterclock_sim::{Direction, Link, Script, SimWorld};

    const STOCK: &str = "192.0.2.1:80";

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn at(count: u64) -> Tick {
        Tick::ZERO.after(ms(count))
    }

    /// A name that takes 20 ms, and a server 10 ms away.
    fn shop(link: Link, script: Script) -> (Arc<SimWorld>, Session) {
        let world = SimWorld::new();
        world.host("stock.example").resolves_to(["192.0.2.1"]).after(ms(20));
        world.listen(STOCK).link(link.latency(ms(10))).serve(script);
        let session = SessionBuilder::in_world(world.clone()).build().unwrap();
        (world, session)
    }

    fn yes() -> Script {
        Script::new().send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
    }

    #[test]
    fn a_quick_answer_takes_two_round_trips_and_the_name() {
        let (world, session) = shop(Link::new(), Script::new().expect_head().then(yes()));
        assert!(in_stock(&session, 7).unwrap());
        assert_eq!(world.now(), at(20 + 20 + 20));
    }

    #[test]
    fn a_server_that_thinks_too_long_is_left_after_400_ms() {
        let thinking = Script::new().expect_head().wait(ms(381)).then(yes());
        let (world, session) = shop(Link::new(), thinking);
        let error = in_stock(&session, 7).unwrap_err();
        assert_eq!(
            (error.limit(), error.phase()),
            (Some(Limit::FirstByte), Some(Phase::FirstByte))
        );
        assert_eq!(world.now(), at(40 + 400));
    }

    #[test]
    fn a_nanosecond_less_is_in_time() {
        let almost = ms(380) - Duration::from_nanos(1);
        let script = Script::new().expect_head().wait(almost).then(yes());
        let (_world, session) = shop(Link::new(), script);
        assert!(in_stock(&session, 7).unwrap());
    }

    #[test]
    fn a_line_that_goes_dead_in_the_body_costs_800_ms() {
        let script = Script::new().expect_head().then(yes());
        let (world, session) = shop(Link::new().lost_after(Direction::ToClient, 39), script);
        let error = in_stock(&session, 7).unwrap_err();
        assert_eq!((error.limit(), error.phase()), (Some(Limit::Total), Some(Phase::Body)));
        assert_eq!(world.now(), at(800));
        assert_eq!(world.open_sockets(), 0);
    }
}
