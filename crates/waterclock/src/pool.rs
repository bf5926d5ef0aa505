//! [`Pool`]: which connection serves a request: reuse, liveness, idle age, caps, and waiting for a
//! free one under the limit `pool`.

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::log_lines;
use crate::proxy::{Via, ViaBuf, speaks_http};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::tls::TlsConfig;
use crate::world::{Interest, Signal};
use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::proxy::ProxyUrl;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, What};

/// How connections are kept and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections to one host, idle and busy. `None`, the default: any number. When they are all
    /// busy a call waits for one, bounded by the limit `pool`.
    pub max_per_host: Option<usize>,
    /// Connections in all, idle and busy. `None`, the default: any number. Idle ones make way.
    pub max_total: Option<usize>,
    /// Idle connections in all; more are closed. Default: 256.
    pub max_idle: usize,
    /// How long a connection may be idle and still be used. Default: 90 s.
    pub idle_age: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            max_per_host: None,
            max_total: None,
            max_idle: 256,
            idle_age: Duration::from_secs(90),
        }
    }
}

/// What a connection is good for. Connections are shared only between equal keys.
#[derive(Clone, Debug)]
pub(crate) struct PoolKey {
    /// Host name, address or path of a Unix socket, of the peer that is connected to.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    /// The TLS configuration, which is one object for equal settings: a verified request can never
    /// get an unverified connection, nor another's client certificate.
    pub(crate) tls: Option<TlsConfig>,
    /// The proxy on the way, with its credentials and its own TLS: a connection through one proxy
    /// serves no request for another, or for none.
    pub(crate) proxy: Option<ViaBuf>,
}

/// A [`PoolKey`] that borrows, so that looking up costs no allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyRef<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) tls: Option<&'a TlsConfig>,
    pub(crate) proxy: Option<Via<'a>>,
}

impl KeyRef<'_> {
    fn to_key(self) -> PoolKey {
        let KeyRef { host, port, tls, proxy } = self;
        PoolKey { host: host.into(), port, tls: tls.cloned(), proxy: proxy.map(Via::to_buf) }
    }
}

impl PoolKey {
    pub(crate) fn as_ref(&self) -> KeyRef<'_> {
        let PoolKey { host, port, tls, proxy } = self;
        KeyRef { host, port: *port, tls: tls.as_ref(), proxy: proxy.as_ref().map(ViaBuf::as_ref) }
    }

    /// The HTTP proxy that requests are sent to in absolute-form, without a tunnel.
    pub(crate) fn forward_proxy(&self) -> Option<&ProxyUrl> {
        let via = self.proxy.as_ref().filter(|_| self.tls.is_none())?;
        Some(via.as_ref().url).filter(|url| speaks_http(url))
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        // Mixed into one number: this is done for every request.
        state.write_usize(self.tls.map_or(0, TlsConfig::id) ^ usize::from(self.port));
        if let Some(via) = self.proxy {
            via.hash(state);
        }
    }
}

impl Hash for PoolKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl PartialEq for KeyRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.port == other.port
            && self.tls == other.tls
            && self.proxy == other.proxy
            && self.host == other.host
    }
}

impl PartialEq for PoolKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for PoolKey {}

/// What the map is asked with: a key that borrows, in the place of one that owns.
trait AsKey {
    fn key(&self) -> KeyRef<'_>;
}

impl AsKey for KeyRef<'_> {
    fn key(&self) -> KeyRef<'_> {
        *self
    }
}

impl AsKey for Arc<PoolKey> {
    fn key(&self) -> KeyRef<'_> {
        PoolKey::as_ref(self)
    }
}

impl<'a> Borrow<dyn AsKey + 'a> for Arc<PoolKey> {
    fn borrow(&self) -> &(dyn AsKey + 'a) {
        self
    }
}

impl Hash for dyn AsKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for dyn AsKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for dyn AsKey + '_ {}

/// The connections of an adapter.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: PoolSettings,
    state: Mutex<State>,
    numbers: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    hosts: HashMap<Arc<PoolKey>, Host>,
    idle: usize,
    open: usize,
    waiters: VecDeque<Arc<Waiter>>,
}

#[derive(Debug, Default)]
struct Host {
    /// The one used last is the last: it is the warmest, and the others may age away.
    idle: Vec<Idle>,
    open: usize,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Tick,
}

#[derive(Debug)]
struct Waiter {
    key: PoolKey,
    signal: Arc<dyn Signal>,
}

/// What [`Pool::checkout`] gives.
pub(crate) enum Checkout {
    /// A connection that was idle for so long.
    Reused(Box<Connection>, Duration),
    /// The right to make a new one.
    Fresh(Permit),
}

/// A place among the connections that the pool allows. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Permit {
    /// Weak: the pool holds idle connections, which hold their permits. When the last session is
    /// gone the pool goes, and its idle connections with it.
    pool: Weak<Inner>,
    key: Arc<PoolKey>,
}

impl Permit {
    /// What the connection is good for.
    pub(crate) fn key(&self) -> &PoolKey {
        &self.key
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.lock().release(&pool.settings, &self.key);
        }
    }
}

impl Pool {
    pub(crate) fn new(settings: PoolSettings) -> Self {
        let (state, numbers) = (Mutex::default(), AtomicU64::new(0));
        Pool(Arc::new(Inner { settings, state, numbers }))
    }

    /// The number of the next connection, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A connection for `key`, or the right to make one; `fresh` asks for a new one in any case.
    pub(crate) fn checkout(
        &self,
        call: &mut Call,
        key: KeyRef<'_>,
        fresh: bool,
    ) -> Outcome<Checkout> {
        let mut waiting = false;
        loop {
            let now = call.latest();
            while let Some((mut idle, age)) = self.take_idle(key, now) {
                if fresh {
                    // It makes way for the new one.
                    break;
                }
                if !idle.stream.has_stray_bytes() {
                    call.disarm(&[Limit::Pool]);
                    return Ok(Checkout::Reused(idle, age));
                }
                log_lines::dropped_connection(key.host);
            }
            if let Some(permit) = self.take_permit(key) {
                call.disarm(&[Limit::Pool]);
                return Ok(Checkout::Fresh(permit));
            }
            if waiting {
                // Called for a place that it cannot use: another may have taken the last one for its host.
                self.0.lock().call_next(&self.0.settings, key);
            } else {
                call.arm(Limit::Pool, now);
                waiting = true;
            }
            let waiter = Arc::new(self.new_waiter(call, key)?);
            // Between the look above and the queue a place may have become free: look again.
            if self.enqueue(&waiter) {
                let source = waiter.signal.source();
                let result = call.wait(Phase::Pool, What::Answer, &mut [Interest::read(source)]);
                if let Err(failure) = result {
                    self.leave(&waiter);
                    return Err(failure);
                }
            }
        }
    }

    fn new_waiter(&self, call: &Call, key: KeyRef<'_>) -> Outcome<Waiter> {
        let signal = call.world().signal().map_err(|error| {
            Failure::from_error(ErrorKind::Connect, "cannot wait for a free connection", error)
        })?;
        Ok(Waiter { key: key.to_key(), signal })
    }

    /// The connection used last, if one is there; those that are too old go on the way.
    fn take_idle(&self, key: KeyRef<'_>, now: Tick) -> Option<(Box<Connection>, Duration)> {
        let mut state = self.0.lock();
        let host = state.hosts.get_mut(&key as &dyn AsKey)?;
        let idle = host.idle.pop()?;
        let age = now.since(idle.since);
        if age <= self.0.settings.idle_age {
            state.idle -= 1;
            return Some((idle.connection, age));
        }
        // It is the youngest: all are too old.
        let old = std::mem::take(&mut host.idle);
        state.idle -= old.len() + 1;
        drop(state);
        // Dropped outside the lock, which they take to give back their places.
        for idle in std::iter::once(idle).chain(old) {
            log_lines::aged_connection(idle.connection.info.number, self.0.settings.idle_age);
        }
        None
    }

    /// The right to make a new connection, if the caps allow one more.
    fn take_permit(&self, key: KeyRef<'_>) -> Option<Permit> {
        let settings = &self.0.settings;
        let mut state = self.0.lock();
        let open = state.hosts.get(&key as &dyn AsKey).map_or(0, |host| host.open);
        if settings.max_per_host.is_some_and(|max| open >= max) {
            return None;
        }
        if settings.max_total.is_some_and(|max| state.open >= max) {
            let oldest = state.pop_oldest_idle()?;
            drop(state);
            drop(oldest);
            return self.take_permit(key);
        }
        state.open += 1;
        let key = match state.hosts.get_key_value(&key as &dyn AsKey) {
            Some((shared, _)) => Arc::clone(shared),
            None => Arc::new(key.to_key()),
        };
        state.hosts.entry(Arc::clone(&key)).or_default().open += 1;
        Some(Permit { pool: Arc::downgrade(&self.0), key })
    }

    /// Joins the queue; `false` if a place has become free since the last look.
    fn enqueue(&self, waiter: &Arc<Waiter>) -> bool {
        let mut state = self.0.lock();
        if state.has_room(&self.0.settings, waiter.key.as_ref()) {
            return false;
        }
        state.waiters.push_back(Arc::clone(waiter));
        true
    }

    /// Leaves the queue. Whoever was called already passes the call on.
    fn leave(&self, waiter: &Arc<Waiter>) {
        let mut state = self.0.lock();
        let before = state.waiters.len();
        state.waiters.retain(|other| !Arc::ptr_eq(other, waiter));
        if state.waiters.len() == before {
            state.call_next(&self.0.settings, waiter.key.as_ref());
        }
    }

    /// Takes back a connection whose exchange has ended well.
    pub(crate) fn checkin(&self, mut connection: Box<Connection>, now: Tick) {
        if let Err(reason) = connection.settled() {
            log_lines::closed_connection(connection.info.number, reason);
            return;
        }
        connection.exchanges += 1;
        let mut state = self.0.lock();
        let key = Arc::clone(&connection.permit.key);
        let Some(host) = state.hosts.get_mut(&key) else { return };
        host.idle.push(Idle { connection, since: now });
        state.idle += 1;
        state.call_next(&self.0.settings, PoolKey::as_ref(&key));
        let surplus =
            if state.idle > self.0.settings.max_idle { state.pop_oldest_idle() } else { None };
        drop(state);
        if let Some(surplus) = surplus {
            let host = &surplus.connection.permit.key.host;
            log_lines::pool_is_full(host, self.0.settings.max_idle);
        }
    }

    /// Closes all idle connections. Busy ones are closed when their exchange ends, or kept: a
    /// session may be used on.
    pub(crate) fn clear(&self) {
        let mut state = self.0.lock();
        let idle: Vec<Idle> =
            state.hosts.values_mut().flat_map(|host| host.idle.drain(..)).collect();
        state.idle = 0;
        drop(state);
        drop(idle);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a connection for `key` can be had without waiting.
    fn has_room(&self, settings: &PoolSettings, key: KeyRef<'_>) -> bool {
        let (idle, open) = self
            .hosts
            .get(&key as &dyn AsKey)
            .map_or((false, 0), |host| (!host.idle.is_empty(), host.open));
        let host_has_room = settings.max_per_host.is_none_or(|max| open < max);
        let total_has_room = settings.max_total.is_none_or(|max| self.open < max || self.idle > 0);
        idle || (host_has_room && total_has_room)
    }

    /// A connection is gone: its place is free.
    fn release(&mut self, settings: &PoolSettings, key: &Arc<PoolKey>) {
        self.open -= 1;
        if let Some(host) = self.hosts.get_mut(key) {
            host.open -= 1;
            if host.open == 0 {
                self.hosts.remove(key);
            }
        }
        self.call_next(settings, PoolKey::as_ref(key));
    }

    /// Wakes the one that has waited longest for `key`, else the one that has waited longest for another:
    /// one that finds room, as another would only go back to wait, and the place would be nobody's.
    fn call_next(&mut self, settings: &PoolSettings, key: KeyRef<'_>) {
        let finds_room = |waiter: &Arc<Waiter>| self.has_room(settings, waiter.key.as_ref());
        let same = self.waiters.iter().position(|waiter| waiter.key.as_ref() == key);
        let same = same.filter(|_| self.has_room(settings, key));
        let next = same.or_else(|| self.waiters.iter().position(finds_room));
        if let Some(waiter) = next.and_then(|index| self.waiters.remove(index)) {
            waiter.signal.set();
        }
    }

    fn pop_oldest_idle(&mut self) -> Option<Idle> {
        // Of connections that came back at the same instant, the one made first: not whichever comes
        // first in a map whose order is another one in each process.
        let oldest =
            |host: &Host| host.idle.first().map(|idle| (idle.since, idle.connection.info.number));
        let host = self
            .hosts
            .values_mut()
            .filter(|host| !host.idle.is_empty())
            .min_by_key(|host| oldest(host))?;
        self.idle -= 1;
        Some(host.idle.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Source;
    use std::sync::atomic::AtomicBool;

    #[derive(Debug, Default)]
    struct Flag(AtomicBool);

    impl Signal for Flag {
        fn set(&self) {
            self.0.store(true, Ordering::SeqCst);
        }

        fn source(&self) -> Source<'_> {
            Source::Virtual(0, std::marker::PhantomData)
        }
    }

    fn key(host: &str) -> KeyRef<'_> {
        KeyRef { host, port: 80, tls: None, proxy: None }
    }

    /// A hash leads to connections, and equality decides: where hashes collide, nobody gets another's.
    #[test]
    fn a_key_is_equal_to_its_own_copy_alone() {
        let own = Arc::new(key("a").to_key());
        let borrowed: &dyn AsKey = &own;
        assert!(*own == key("a").to_key() && borrowed == &key("a") as &dyn AsKey);
        for other in [key("b"), KeyRef { port: 81, ..key("a") }] {
            assert!(*own != other.to_key() && borrowed != &other as &dyn AsKey, "{other:?}");
        }
    }

    /// The one that has waited longest was called, had no use for the place, and nobody else heard of it.
    #[test]
    fn a_place_goes_to_a_waiter_that_can_use_it() {
        let settings =
            PoolSettings { max_per_host: Some(1), max_total: Some(2), ..Default::default() };
        let pool = Pool::new(settings);
        let _busy = pool.take_permit(key("a")).unwrap();
        let leaves = pool.take_permit(key("b")).unwrap();
        let wait = |host| {
            let flag = Arc::new(Flag::default());
            let waiter = Arc::new(Waiter { key: key(host).to_key(), signal: flag.clone() });
            assert!(pool.enqueue(&waiter));
            flag
        };
        let (full, free) = (wait("a"), wait("c"));
        drop(leaves);
        assert!(free.0.load(Ordering::SeqCst));
        assert!(!full.0.load(Ordering::SeqCst));
    }
}
