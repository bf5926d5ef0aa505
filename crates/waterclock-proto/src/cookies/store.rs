//! [`Store`]: cookies by domain, so that no request looks at those of other sites.

use super::domain::{domain_match, keys_above, reversed};
use super::{Cookie, MAX_IN_ALL, MAX_PER_DOMAIN};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Cookies in the order of their domains' reversed labels, and of their coming.
///
/// No domain has an empty list, or more than [`MAX_PER_DOMAIN`]; `len` is the sum of all lists.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Store {
    domains: BTreeMap<String, Vec<Cookie>>,
    len: usize,
}

/// How a cookie went in.
pub(super) enum Put {
    Added,
    Replaced,
    /// It had ended; one like it is gone.
    Expired,
    /// All places are taken by better ones.
    Full,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.domains.values().flatten()
    }

    /// The cookies of a host's domain and of those it lies in, in that order.
    pub(super) fn above(&self, host: &str) -> Vec<&Cookie> {
        let key = reversed(host);
        keys_above(&key, host).filter_map(|key| self.domains.get(key)).flatten().collect()
    }

    /// Removes what does not pass `keep`, which may change what does, among those of [`Self::above`].
    pub(super) fn retain_above(&mut self, host: &str, mut keep: impl FnMut(&mut Cookie) -> bool) {
        let key = reversed(host);
        for key in keys_above(&key, host) {
            self.edit(key, |cookies| cookies.retain_mut(&mut keep));
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Cookie) -> bool) {
        self.domains.retain(|_, cookies| {
            cookies.retain(&mut keep);
            !cookies.is_empty()
        });
        self.len = self.domains.values().map(Vec::len).sum();
    }

    /// Removes from one domain.
    pub(super) fn retain_in(&mut self, domain: &str, keep: impl FnMut(&Cookie) -> bool) {
        self.edit(&reversed(domain), |cookies| cookies.retain(keep));
    }

    /// The only way in (§5.7, steps 23 and 24, and what follows them).
    pub(super) fn put(&mut self, mut cookie: Cookie, now: SystemTime) -> Put {
        let key = reversed(cookie.domain());
        self.edit(&key, |cookies| cookies.retain(|old| !old.is_expired(now)));
        if cookie.is_expired(now) {
            self.edit(&key, |cookies| cookies.retain(|old| !old.facts.is_same(&cookie.facts)));
            return Put::Expired;
        }
        let old = self
            .domains
            .get_mut(&key)
            .and_then(|cookies| cookies.iter_mut().find(|old| old.facts.is_same(&cookie.facts)));
        if let Some(old) = old {
            cookie.created = old.created;
            *old = cookie;
            return Put::Replaced;
        }
        if !self.make_room(&key, &cookie, now) {
            return Put::Full;
        }
        self.domains.entry(key).or_default().push(cookie);
        self.len += 1;
        Put::Added
    }

    /// Evicts in the draft's order: those that have ended, in a full domain those not `Secure`, the
    /// others; within each, those longest unused. `false` if the new cookie would be the first.
    fn make_room(&mut self, key: &str, cookie: &Cookie, now: SystemTime) -> bool {
        let mates = self.domains.get(key).map_or(&[][..], Vec::as_slice);
        if mates.len() >= MAX_PER_DOMAIN {
            let rank = |cookie: &Cookie| (cookie.secure(), cookie.last_access);
            let worst = (0..).zip(mates).min_by_key(|(_, mate)| rank(mate));
            match worst {
                Some((_, mate)) if mate.secure() && !cookie.secure() => return false,
                Some((at, _)) => self.edit(key, |cookies| drop(cookies.remove(at))),
                None => {}
            }
        }
        if self.len >= MAX_IN_ALL {
            self.retain(|cookie| !cookie.is_expired(now));
        }
        if self.len >= MAX_IN_ALL {
            let oldest = self.iter().min_by_key(|cookie| cookie.last_access).cloned();
            if let Some(oldest) = oldest {
                self.retain_in(oldest.domain(), |cookie| *cookie != oldest);
            }
        }
        true
    }

    /// Whether a `Secure` cookie would be hidden by `new`, which came insecurely (§5.7 step 16).
    pub(super) fn has_secure_rival(&self, new: &super::NewCookie, now: SystemTime) -> bool {
        let key = reversed(&new.domain);
        let above = keys_above(&key, &new.domain).filter_map(|key| self.domains.get(key));
        // What lies below has a longer key with a dot next; "/" is the character after the dot.
        let below = self.domains.range(format!("{key}.")..format!("{key}/"));
        above.chain(below.map(|(_, cookies)| cookies)).flatten().any(|old| {
            let related =
                domain_match(old.domain(), &new.domain) || domain_match(&new.domain, old.domain());
            old.secure()
                && related
                && old.name() == new.name
                && !old.is_expired(now)
                && super::path::path_match(&new.path, old.path())
        })
    }

    /// Changes one domain's list and keeps the promises on [`Store`].
    fn edit(&mut self, key: &str, change: impl FnOnce(&mut Vec<Cookie>)) {
        let Some(cookies) = self.domains.get_mut(key) else { return };
        let before = cookies.len();
        change(cookies);
        self.len = self.len + cookies.len() - before;
        if cookies.is_empty() {
            self.domains.remove(key);
        }
    }
}
