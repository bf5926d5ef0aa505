//! Callers that share a pool with fewer places than callers.

use super::try_orders;
use super::world::ModelWorld;
use crate::{ErrorKind, Limit, Limits, PoolSettings, Session};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;
use std::sync::Arc;
use std::time::Duration;

/// One call, whose answer is its own.
fn get(session: &Session, host: u8, caller: usize) {
    let url = format!("http://192.0.2.{host}/{caller}");
    let mut response = session.get(url).send().unwrap();
    assert_eq!(response.text().unwrap(), format!("/{caller}"));
}

/// Nobody waits for ever, which shuttle says, and there are never more connections than allowed.
fn shares(settings: PoolSettings, most: usize, hosts: &'static [u8]) {
    let world = ModelWorld::default();
    let session = world.session(settings);
    let callers: Vec<_> = hosts
        .iter()
        .enumerate()
        .map(|(caller, &host)| {
            let session = session.clone();
            thread::spawn(move || {
                get(&session, host, caller);
                get(&session, host, caller);
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert!(world.open().1 <= most, "{:?}", world.open());
    drop(session);
    assert_eq!(world.open().0, 0, "somebody forgot a connection");
}

#[test]
fn one_place_serves_all() {
    try_orders("one place", || {
        let settings = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
        shares(settings, 1, &[1, 1, 1]);
    });
}

/// A free place must wake somebody who can use it.
#[test]
fn places_in_all_and_for_a_host() {
    try_orders("two caps", || {
        let settings =
            PoolSettings { max_per_host: Some(1), max_total: Some(2), ..PoolSettings::default() };
        shares(settings, 2, &[1, 1, 2, 3]);
    });
}

/// Nothing idle is kept: every place that becomes free is one of a connection that is gone.
#[test]
fn places_of_closed_connections() {
    try_orders("nothing kept", || {
        let settings = PoolSettings {
            max_per_host: Some(1),
            max_total: Some(2),
            max_idle: 0,
            ..PoolSettings::default()
        };
        shares(settings, 2, &[1, 1, 2, 3]);
    });
}

/// A place is free, and the one that has waited longest has no use for it: somebody else has.
#[test]
fn a_place_that_the_first_waiter_cannot_use() {
    try_orders("a place that the first waiter cannot use", || {
        let world = ModelWorld::default();
        let settings =
            PoolSettings { max_per_host: Some(1), max_total: Some(2), ..PoolSettings::default() };
        let session = world.session(settings);
        let [held, leaves] =
            ["http://192.0.2.1/", "http://192.0.2.2/"].map(|url| session.get(url).send().unwrap());
        let [same, other] = [1, 3].map(|host| {
            let session = session.clone();
            thread::spawn(move || get(&session, host, usize::from(host)))
        });
        drop(leaves);
        other.join().unwrap();
        drop(held);
        same.join().unwrap();
    });
}

/// Two places become free at once; two callers want one host, which may have one, and one another. Whoever is in
/// stays until two are: a waiter that cannot use the place it was called for passes it on.
#[test]
fn a_place_that_the_called_waiter_cannot_use() {
    try_orders("a place that the called waiter cannot use", || {
        let world = ModelWorld::default();
        let settings =
            PoolSettings { max_per_host: Some(1), max_total: Some(2), ..PoolSettings::default() };
        let session = world.session(settings);
        let open = |session: &Session, host: u8| {
            session.get(format!("http://192.0.2.{host}/last")).send().unwrap()
        };
        let busy = [1, 2].map(|host| open(&session, host));
        let inside = Arc::new((Mutex::new(0), Condvar::new()));
        let callers = [3, 3, 4].map(|host| {
            let (session, inside) = (session.clone(), Arc::clone(&inside));
            thread::spawn(move || {
                let mut held = open(&session, host);
                let (count, changed) = &*inside;
                let mut guard = count.lock().unwrap();
                *guard += 1;
                changed.notify_all();
                drop(changed.wait_while(guard, |count| *count < 2).unwrap());
                assert_eq!(held.text().unwrap(), "/last");
            })
        });
        drop(busy);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        drop(session);
        assert_eq!(world.open(), (0, 2));
    });
}

/// Sessions may be closed while others use them.
#[test]
fn closed_in_between() {
    try_orders("closed in between", || {
        let world = ModelWorld::default();
        let settings = PoolSettings { max_total: Some(1), ..PoolSettings::default() };
        let session = world.session(settings);
        let callers = [1, 2].map(|caller| {
            let session = session.clone();
            thread::spawn(move || get(&session, 1, caller))
        });
        session.close();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert_eq!(world.open().1, 1);
        session.close();
        assert_eq!(world.open().0, 0);
    });
}

/// A waiter whose time is over as it is called passes the call on: the other, which has no limit, is served.
#[test]
fn a_waiter_gives_up_as_it_is_called() {
    try_orders("a waiter gives up", || {
        let world = ModelWorld::default();
        let settings = PoolSettings { max_total: Some(1), ..PoolSettings::default() };
        let session = world.session(settings);
        let clock = world.clock();
        let patient = [1, 2].map(|caller| {
            let session = session.clone();
            thread::spawn(move || get(&session, 1, caller))
        });
        let hurried = {
            let session = session.clone();
            thread::spawn(move || {
                let limits = Limits::none().with(Limit::Pool, Some(Duration::from_millis(5)));
                match session.get("http://192.0.2.1/3").limits(limits).send() {
                    Ok(mut response) => assert_eq!(response.text().unwrap(), "/3"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                        assert_eq!(error.limit(), Some(Limit::Pool));
                    }
                }
            })
        };
        patient.into_iter().for_each(|caller| caller.join().unwrap());
        hurried.join().unwrap();
        world.stop([clock]);
        drop(session);
        assert_eq!(world.open(), (0, 1));
    });
}
